#include "data/record_line.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/str.h"
#include "data/scan.h"
#include "data/zstd_stream.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

// Past the string that opens at `at` (which is its quote), or npos.
size_t SkipString(std::string_view text, size_t at) {
  ++at;
  while (true) {
    at = FindQuoteOrEscape(text, at);
    if (at >= text.size()) return std::string_view::npos;
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') {
      at += 2;
      if (at > text.size()) return std::string_view::npos;
    } else {
      ++at;  // a control character: not ours to judge
    }
  }
}

size_t SkipValue(std::string_view text, size_t at) {
  if (at >= text.size()) return std::string_view::npos;
  if (text[at] == '"') return SkipString(text, at);
  size_t depth = 0;
  for (; at < text.size();) {
    switch (text[at]) {
      case '"':
        at = SkipString(text, at);
        if (at == std::string_view::npos) return at;
        continue;
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (depth == 0) return at;
        if (--depth == 0) return at + 1;
        break;
      case ',':
        if (depth == 0) return at;
        break;
      default: break;
    }
    ++at;
  }
  return std::string_view::npos;
}

}  // namespace

bool SplitLine(std::string_view line, std::vector<LineField>* fields) {
  fields->clear();
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.size() < 2 || line.front() != '{' || line.back() != '}') return false;
  if (line.size() == 2) return true;
  size_t at = 1;
  while (true) {
    if (at >= line.size() || line[at] != '"') return false;
    const size_t key_end = SkipString(line, at);
    if (key_end == std::string_view::npos || key_end >= line.size() || line[key_end] != ':') return false;
    const size_t end = SkipValue(line, key_end + 1);
    if (end == std::string_view::npos || end >= line.size() || end == key_end + 1) return false;
    fields->push_back({line.substr(at + 1, key_end - at - 2), line.substr(key_end + 1, end - key_end - 1)});
    if (line[end] == '}') return end + 1 == line.size();
    if (line[end] != ',') return false;
    at = end + 1;
  }
}

std::string_view FindValue(std::string_view line, std::string_view key) {
  std::vector<LineField> fields;
  if (!SplitLine(line, &fields)) return {};
  for (const LineField& field : fields) {
    if (field.key == key) return field.value;
  }
  return {};
}

void AppendEscaped(std::string* out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  size_t done = 0;
  while (true) {
    const size_t at = FindQuoteOrEscape(text, done);
    out->append(text, done, at - done);
    if (at >= text.size()) return;
    const char c = text[at];
    out->push_back('\\');
    switch (c) {
      case '"':
      case '\\': out->push_back(c); break;
      case '\b': out->push_back('b'); break;
      case '\f': out->push_back('f'); break;
      case '\n': out->push_back('n'); break;
      case '\r': out->push_back('r'); break;
      case '\t': out->push_back('t'); break;
      default:
        *out += "u00";
        out->push_back(kHex[static_cast<unsigned char>(c) >> 4]);
        out->push_back(kHex[static_cast<unsigned char>(c) & 15]);
    }
    done = at + 1;
  }
}

std::string Escaped(std::string_view text) {
  std::string out;
  AppendEscaped(&out, text);
  return out;
}

std::string PlainText(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  value = value.substr(1, value.size() - 2);
  std::string out;
  out.reserve(value.size());
  const auto hex = [&](size_t at) -> uint32_t {
    uint32_t c = 0;
    for (size_t i = at; i < at + 4; ++i) {
      const char d = i < value.size() ? value[i] : 'x';
      const bool digit = d >= '0' && d <= '9', lower = d >= 'a' && d <= 'f', upper = d >= 'A' && d <= 'F';
      if (!digit && !lower && !upper) return text::kReplacement;
      c = c << 4 | static_cast<uint32_t>(digit ? d - '0' : lower ? d - 'a' + 10 : d - 'A' + 10);
    }
    return c;
  };
  for (size_t at = 0; at < value.size();) {
    const size_t stop = std::min(value.find('\\', at), value.size());
    out.append(value, at, stop - at);
    if (stop + 1 >= value.size()) break;
    at = stop + 2;
    switch (const char c = value[stop + 1]) {
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'u': {
        uint32_t code = hex(at);
        at = std::min(at + 4, value.size());
        if (code >= 0xD800 && code < 0xDC00 && value.substr(at).starts_with("\\u")) {
          const uint32_t low = hex(at + 2);
          if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            at = std::min(at + 6, value.size());
          }
        }
        text::AppendUtf8(&out, code);
        break;
      }
      default: out.push_back(c);
    }
  }
  return out;
}

uint64_t CharactersOf(std::string_view inside) {
  uint64_t count = CountCodePoints(inside);
  if (std::memchr(inside.data(), '\\', inside.size()) == nullptr) return count;
  for (size_t at = inside.find('\\'); at != std::string_view::npos && at + 1 < inside.size();
       at = inside.find('\\', at)) {
    const bool hex = inside[at + 1] == 'u' && at + 6 <= inside.size();
    count -= hex ? 5 : 1;
    at += hex ? 6 : 2;
  }
  return count;
}

XXH128_hash_t RecordHasher::Hash(const std::vector<LineField>& fields) {
  const auto less = [&](uint32_t a, uint32_t b) { return fields[a].key < fields[b].key; };
  if (order_.size() != fields.size()) {
    order_.resize(fields.size());
    for (uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
  }
  if (!std::is_sorted(order_.begin(), order_.end(), less)) std::stable_sort(order_.begin(), order_.end(), less);
  canonical_.clear();
  canonical_.push_back('{');
  for (const uint32_t i : order_) {
    const LineField& field = fields[i];
    if (field.key.starts_with('_')) continue;
    if (canonical_.size() > 1) canonical_.push_back(',');
    canonical_.push_back('"');
    canonical_ += field.key;
    canonical_ += "\":";
    canonical_ += field.value;
  }
  canonical_.push_back('}');
  return XXH3_128bits(canonical_.data(), canonical_.size());
}

std::string RecordId(std::string_view line) {
  std::vector<LineField> fields;
  if (!SplitLine(line, &fields)) return "";
  RecordHasher hasher;
  return HexOf(hasher.Hash(fields));
}

void LineBuilder::Begin() {
  begin_ = lines_.size();
  spans_.clear();
  lines_ += "{\"_id\":\"00000000000000000000000000000000\"";
}

void LineBuilder::Key(std::string_view escaped_key) {
  if (escaped_key.starts_with('_')) throw Error(Code::kInternal, Cat("the key ", Quote(escaped_key), " is ours"));
  lines_ += ",\"";
  spans_.push_back({lines_.size(), escaped_key.size(), 0});
  lines_ += escaped_key;
  lines_ += "\":";
  spans_.back().value = lines_.size();
}

void LineBuilder::Text(std::string_view text) {
  lines_.push_back('"');
  AppendEscaped(&lines_, text);
  lines_.push_back('"');
}

void LineBuilder::Json(std::string_view value) { lines_ += value; }
void LineBuilder::Int(int64_t value) { AppendTo(&lines_, value); }

void LineBuilder::End(int source, uint64_t line) {
  fields_.clear();
  for (size_t i = 0; i < spans_.size(); ++i) {
    const size_t end = i + 1 < spans_.size() ? spans_[i + 1].key - 2 : lines_.size();
    const std::string_view all = lines_;
    fields_.push_back(
        {all.substr(spans_[i].key, spans_[i].key_size), all.substr(spans_[i].value, end - spans_[i].value)});
  }
  const std::string id = HexOf(hasher_.Hash(fields_));
  std::memcpy(lines_.data() + begin_ + 8, id.data(), id.size());
  lines_ += ",\"_from\":[";
  AppendTo(&lines_, source);
  lines_.push_back(',');
  AppendTo(&lines_, line);
  lines_ += "]}\n";
  ++records_;
}

void LineBuilder::Cancel() { lines_.resize(begin_); }

void LineBuilder::Clear() {
  lines_.clear();
  records_ = 0;
}

}  // namespace atelier::data
