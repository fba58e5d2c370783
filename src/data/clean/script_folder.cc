#include "data/clean/script_folder.h"

#include <algorithm>
#include <list>
#include <opencc/Config.hpp>
#include <opencc/Conversion.hpp>
#include <opencc/ConversionChain.hpp>
#include <opencc/Converter.hpp>
#include <opencc/Dict.hpp>
#include <opencc/DictGroup.hpp>
#include <opencc/Exception.hpp>
#include <opencc/Lexicon.hpp>
#include <opencc/MaxMatchSegmentation.hpp>
#include <unordered_map>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::data::clean {
namespace {

constexpr size_t kPlane = 0x10000;

char32_t Decode(const char* p, const char* end, size_t* length) {
  const auto c = static_cast<unsigned char>(*p);
  if (c < 0x80) {
    *length = 1;
    return c;
  }
  if (c >= 0xE0 && c < 0xF0 && end - p >= 3) {
    *length = 3;
    return (c & 0x0Fu) << 12 | (static_cast<unsigned char>(p[1]) & 0x3Fu) << 6 |
           (static_cast<unsigned char>(p[2]) & 0x3Fu);
  }
  const text::DecodedChar d = text::DecodeChar({p, static_cast<size_t>(end - p)});
  *length = d.length;
  return d.c;
}

struct Entry {
  std::string key, value;
};

// Every entry of a dictionary that is not a group, as conversion uses it: the first of several values.
std::vector<Entry> Entries(const opencc::DictPtr& dict) {
  std::vector<Entry> entries;
  const opencc::LexiconPtr lexicon = dict->GetLexicon();
  for (const auto& entry : *lexicon) entries.push_back({entry->Key(), entry->GetDefault()});
  return entries;
}

std::vector<opencc::DictPtr> Flatten(const opencc::DictPtr& dict) {
  const auto group = std::dynamic_pointer_cast<opencc::DictGroup>(dict);
  if (group == nullptr) return {dict};
  std::vector<opencc::DictPtr> all;
  for (const opencc::DictPtr& one : group->GetDicts()) {
    for (const opencc::DictPtr& inner : Flatten(one)) all.push_back(inner);
  }
  return all;
}

}  // namespace

FoldTrie::FoldTrie() : root_(kPlane), nodes_(1), slots_(1024), children_(1024) {}

uint32_t FoldTrie::Child(uint32_t node, char32_t c) const {
  const uint64_t key = (static_cast<uint64_t>(node) << 21 | c) + 1;
  for (size_t at = key * 0x9E3779B97F4A7C15 >> 40 & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at] == key) return children_[at];
    if (slots_[at] == 0) return 0;
  }
}

void FoldTrie::Grow() {
  std::vector<uint64_t> old = std::move(slots_);
  std::vector<uint32_t> old_children = std::move(children_);
  slots_.assign(old.size() * 2, 0);
  children_.assign(old.size() * 2, 0);
  for (size_t i = 0; i < old.size(); ++i) {
    if (old[i] == 0) continue;
    size_t at = old[i] * 0x9E3779B97F4A7C15 >> 40 & (slots_.size() - 1);
    while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = old[i];
    children_[at] = old_children[i];
  }
}

uint32_t FoldTrie::MakeChild(uint32_t node, char32_t c) {
  if (node == 0 && c < kPlane) {
    if (root_[c] == 0) {
      root_[c] = static_cast<uint32_t>(nodes_.size());
      nodes_.emplace_back();
    }
    return root_[c];
  }
  if (const uint32_t child = Child(node, c); child != 0) return child;
  if (++used_ * 2 > slots_.size()) Grow();
  const uint64_t key = (static_cast<uint64_t>(node) << 21 | c) + 1;
  size_t at = key * 0x9E3779B97F4A7C15 >> 40 & (slots_.size() - 1);
  while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = key;
  children_[at] = static_cast<uint32_t>(nodes_.size());
  nodes_[node].more = true;
  nodes_.emplace_back();
  return children_[at];
}

void FoldTrie::Add(std::string_view key, std::string_view value) {
  uint32_t node = 0;
  for (const char32_t c : text::DecodeUtf8(key)) node = MakeChild(node, c);
  if (node == 0) return;
  nodes_[node].ends = true;
  nodes_[node].value = static_cast<uint32_t>(values_.size());
  nodes_[node].length = static_cast<uint32_t>(value.size());
  values_.append(value);
}

FoldTrie::Match FoldTrie::Longest(const char* p, const char* end) const {
  Match match;
  if (p == end) return match;
  const char* const begin = p;
  size_t length;
  char32_t c = Decode(p, end, &length);
  uint32_t node = c < kPlane ? root_[c] : Child(0, c);
  while (node != 0) {
    p += length;
    const Node& at = nodes_[node];
    if (at.ends) match = {static_cast<size_t>(p - begin), std::string_view(values_).substr(at.value, at.length)};
    if (!at.more || p == end) break;
    c = Decode(p, end, &length);
    node = Child(node, c);
  }
  return match;
}

const std::vector<std::string>& ScriptFolder::Configs() {
  static const std::vector<std::string> list = {"t2s",  "s2t",  "tw2s", "s2tw", "tw2sp", "s2twp", "hk2s",
                                                "s2hk", "t2tw", "tw2t", "t2hk", "hk2t",  "t2jp",  "jp2t"};
  return list;
}

ScriptFolder::ScriptFolder(const std::string& config) : kind_(0x110000) {
  if (std::find(Configs().begin(), Configs().end(), config) == Configs().end()) {
    throw Error(Code::kInvalidInput, Cat("'", config, "' is not a script folding"),
                Cat("one of ", Join(Configs(), ", ")));
  }
  opencc::ConverterPtr converter;
  try {
    converter = opencc::Config().NewFromFile(config + ".json");
  } catch (const opencc::Exception& e) {
    throw Error(Code::kNotFound, Cat("OpenCC's data for '", config, "' cannot be read: ", e.what()),
                "install libopencc-data");
  }
  const auto segmentation = std::dynamic_pointer_cast<opencc::MaxMatchSegmentation>(converter->GetSegmentation());
  if (segmentation == nullptr) throw Error(Code::kUnsupported, Cat("'", config, "' cuts text in a way unknown here"));

  std::vector<Entry> changing;
  const auto load = [&](const std::vector<Entry>& entries) {
    auto trie = std::make_shared<FoldTrie>();
    for (const Entry& entry : entries) {
      trie->Add(entry.key, entry.value);
      for (const char32_t c : text::DecodeUtf8(entry.key)) kind_[c] |= 1;
    }
    return trie;
  };
  const std::vector<opencc::DictPtr> cut = Flatten(segmentation->GetDict());
  if (cut.size() != 1) throw Error(Code::kUnsupported, Cat("'", config, "' cuts by several dictionaries"));
  const std::vector<Entry> cut_entries = Entries(cut[0]);
  segmentation_ = load(cut_entries);
  for (const opencc::ConversionPtr& conversion : converter->GetConversionChain()->GetConversions()) {
    Step step;
    for (const opencc::DictPtr& dict : Flatten(conversion->GetDict())) {
      const std::vector<Entry> entries = Entries(dict);
      for (const Entry& entry : entries) {
        if (entry.key != entry.value) changing.push_back(entry);
      }
      // With one step that begins with the dictionary that cuts, and single characters behind it, cutting first and
      // matching then is matching at once.
      const auto single = [](const Entry& entry) { return text::CountChars(entry.key) == 1; };
      const auto same = [](const Entry& a, const Entry& b) { return a.key == b.key; };
      if (steps_.empty() && step.empty()) {
        segments_matter_ = !std::equal(entries.begin(), entries.end(), cut_entries.begin(), cut_entries.end(), same);
      } else {
        segments_matter_ |= !steps_.empty() || !std::all_of(entries.begin(), entries.end(), single);
      }
      step.push_back(load(entries));
    }
    steps_.push_back(std::move(step));
  }

  // The hitting set: all single characters, then greedily the character that most of the phrases left over hold.
  std::vector<std::u32string> left;
  for (const Entry& entry : changing) {
    const std::u32string key = text::DecodeUtf8(entry.key);
    if (key.size() == 1) {
      kind_[key[0]] |= 2;
    } else {
      left.push_back(key);
    }
  }
  while (true) {
    std::erase_if(left, [&](const std::u32string& key) {
      return std::any_of(key.begin(), key.end(), [&](char32_t c) { return kind_[c] & 2; });
    });
    if (left.empty()) break;
    std::unordered_map<char32_t, size_t> times;
    char32_t best = left[0][0];
    for (const std::u32string& key : left) {
      for (const char32_t c : key) {
        const size_t now = ++times[c];
        if (now > times[best] || (now == times[best] && c > best)) best = c;
      }
    }
    kind_[best] |= 2;
  }
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (kind_[c] & 2) triggers_.push_back(c);
  }
}

FoldTrie::Match ScriptFolder::LongestOf(const Step& step, const char* p, const char* end) {
  for (const auto& trie : step) {
    if (const FoldTrie::Match match = trie->Longest(p, end); match.length > 0) return match;
  }
  return {};
}

void ScriptFolder::Apply(const Step& step, std::string_view text, std::string* out) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const FoldTrie::Match match = LongestOf(step, p, end);
    if (match.length > 0) {
      out->append(match.value);
      p += match.length;
    } else {
      size_t length;
      Decode(p, end, &length);
      out->append(p, length);
      p += length;
    }
  }
}

void ScriptFolder::ConvertStretch(std::string_view text, std::string* out) const {
  if (!segments_matter_) {
    Apply(steps_[0], text, out);
    return;
  }
  std::string now, next;
  const auto convert = [&](std::string_view segment) {
    if (segment.empty()) return;
    now.assign(segment);
    for (const Step& step : steps_) {
      next.clear();
      Apply(step, now, &next);
      now.swap(next);
    }
    out->append(now);
  };
  const char* p = text.data();
  const char* const end = p + text.size();
  const char* loose = p;
  while (p < end) {
    const FoldTrie::Match match = segmentation_->Longest(p, end);
    if (match.length == 0) {
      size_t length;
      Decode(p, end, &length);
      p += length;
      continue;
    }
    convert({loose, static_cast<size_t>(p - loose)});
    convert({p, match.length});
    p += match.length;
    loose = p;
  }
  convert({loose, static_cast<size_t>(p - loose)});
}

void ScriptFolder::Convert(std::string_view text, std::string* out) const {
  const char* p = text.data();
  const char* const end = p + text.size();
  const char* copied = p;   // everything before it is in `out`
  const char* stretch = p;  // where the present stretch of characters that stand in keys begins
  uint8_t found = 0;
  const auto close = [&](const char* at) {
    if (found & 2) {
      out->append(copied, static_cast<size_t>(stretch - copied));
      ConvertStretch({stretch, static_cast<size_t>(at - stretch)}, out);
      copied = at;
    }
    found = 0;
  };
  while (p < end) {
    size_t length;
    const char32_t c = Decode(p, end, &length);
    const uint8_t kind = kind_[c];
    if (kind == 0) {
      close(p);
      stretch = p + length;
    }
    found |= kind;
    p += length;
  }
  close(end);
  out->append(copied, static_cast<size_t>(end - copied));
}

}  // namespace atelier::data::clean
