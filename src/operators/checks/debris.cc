// debris: what small language models leave behind. Repetition, remains of a template, broken quotes, control
// characters, sentences that stop in the middle.
//
//   sentences = ["body"]       # fields of whole sentences: must begin and end as such
//   lines = ["headline"]       # fields of one line: must not end in the air ("the", "的", ",")
//   most_repetition = 0.2      # share of repeated 3-grams (English words) or 4-grams (Han)
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <set>

#include "base/str.h"
#include "evaluate/repetition.h"
#include "evaluate/units.h"
#include "operators/checks/about.h"
#include "operators/checks/checks.h"
#include "operators/fields.h"

namespace atelier::operators {
namespace {

struct Text {
  std::string name, bytes;
  std::u32string chars;
};

std::u32string Decode(std::string_view text) {
  std::u32string out;
  for (size_t at = 0; at < text.size();) {
    int32_t step = 0;
    UChar32 c = 0;
    U8_NEXT(reinterpret_cast<const uint8_t*>(text.data()) + at, step,
            static_cast<int32_t>(std::min<size_t>(text.size() - at, U8_MAX_LENGTH)), c);
    out.push_back(c < 0 ? U'\uFFFD' : static_cast<char32_t>(c));
    at += static_cast<size_t>(step);
  }
  return out;
}

constexpr std::u32string_view kFinal = U"。！？.!?", kClauseEnds = U"。！？.!?，、；,;";
constexpr std::u32string_view kClosers = U"”’」』）)\"'》";
bool HasChar(std::u32string_view set, char32_t c) { return set.find(c) != std::u32string_view::npos; }

// Each returns "" or what is wrong, as {zh, en}.
struct Fault {
  std::string zh, en;
  explicit operator bool() const { return !zh.empty(); }
};

Fault OddCharacters(const Text& text, const std::u32string& sheet) {
  for (const char32_t c : text.chars) {
    const int8_t type = u_charType(static_cast<UChar32>(c));
    if (c == U'\uFFFD' || type == U_CONTROL_CHAR || type == U_PRIVATE_USE_CHAR || type == U_UNASSIGNED ||
        type == U_SURROGATE) {
      return {Cat(text.name, "里有坏字符或换行"), Cat("a broken character or line break in the ", text.name)};
    }
    if (HasChar(U"{}<>[]|\\#*_`~=^@•●■□◆→", c) && !HasChar(sheet, c)) {
      return {Cat(text.name, "里有模板或标记的残留"), Cat("remains of a template or mark-up in the ", text.name)};
    }
  }
  return {};
}

// Labels of the prompt that came back. Those that are words of a sentence too ("Price: $34.") count at the start only.
Fault Labels(const Text& text, const std::string& sheet) {
  const std::string lower = ToLowerAscii(text.bytes);
  const auto found = [&](std::string_view label) -> Fault {
    return {Cat(text.name, "里留有“", label, "”"), Cat("'", label, "' left in the ", text.name)};
  };
  for (const std::string_view label :
       {"标题：",    "标题:",    "正文：",   "正文:",  "文案：", "文案:",     "产品：",    "产品:",
        "卖点：",    "卖点:",    "标签：",   "特点：", "受众：", "headline:", "body:",     "product:",
        "features:", "feature:", "tagline:", "title:", "tags:",  "copy:",     "category:", "audience:",
        "tone:",     "example:", "answer:",  "http",   "www.",   ".com",      "<|"}) {
    if (lower.find(label) != std::string::npos && sheet.find(label) == std::string::npos) return found(label);
  }
  for (const std::string_view label : {"价格：", "名称：", "价格:", "名称:", "price:", "name:"}) {
    if (lower.starts_with(label) && sheet.find(label) == std::string::npos) return found(label);
  }
  return {};
}

Fault Pairs(const Text& text) {
  constexpr std::u32string_view kOpen = U"“‘「『（《(【", kClose = U"”’」』）》)】";
  std::u32string open;
  size_t straight = 0;
  for (size_t i = 0; i < text.chars.size(); ++i) {
    const char32_t c = text.chars[i];
    const auto letter = [&](size_t at) {
      return at < text.chars.size() && u_isalpha(static_cast<UChar32>(text.chars[at]));
    };
    if (c == U'’' && (i > 0 && letter(i - 1)) && (open.empty() || open.back() != U'‘')) continue;  // an apostrophe
    const bool inches = straight % 2 == 0 && i > 0 && text.chars[i - 1] >= U'0' && text.chars[i - 1] <= U'9';  // 5"
    if (c == U'"' && !inches) ++straight;
    if (HasChar(kOpen, c)) open.push_back(c);
    if (const size_t at = kClose.find(c); at != std::u32string_view::npos) {
      if (open.empty() || open.back() != kOpen[at])
        return {Cat(text.name, "里的引号或括号不成对"), Cat("unpaired quotes or brackets in the ", text.name)};
      open.pop_back();
    }
  }
  if (!open.empty() || straight % 2 != 0)
    return {Cat(text.name, "里的引号或括号不成对"), Cat("unpaired quotes or brackets in the ", text.name)};
  return {};
}

Fault Punctuation(const Text& text) {
  for (size_t i = 1; i < text.chars.size(); ++i) {
    const char32_t a = text.chars[i - 1], b = text.chars[i];
    const bool mark = HasChar(U"。！？，、；：.!?,;:", b);
    if (mark && HasChar(U"。！？，、；：.!?,;:", a))
      return {Cat(text.name, "里标点重叠"), Cat("doubled punctuation in the ", text.name)};
    if (mark && a == U' ' && b < 0x80)
      return {Cat(text.name, "里标点前有空格"), Cat("a space before punctuation in the ", text.name)};
  }
  if (!text.chars.empty() && HasChar(U"。！？，、；：.!?,;:)）」』”- ", text.chars.front())) {
    return {Cat(text.name, "以标点开头"), Cat("the ", text.name, " begins with punctuation")};
  }
  return {};
}

Fault Repetition(const Text& text, bool zh, double most) {
  if (evaluate::LongestStutter(text.bytes) >= 3)
    return {Cat(text.name, "里有重复的话"), Cat("the ", text.name, " stutters")};
  if (evaluate::RepetitionRate(text.bytes, zh ? 4 : 3) > most)
    return {Cat(text.name, "里翻来覆去"), Cat("the ", text.name, " repeats itself")};
  std::set<std::u32string> clauses;
  std::u32string clause;
  for (const char32_t c : text.chars) {
    if (!HasChar(kClauseEnds, c)) {
      if (c != U' ' || !clause.empty()) clause.push_back(c >= U'A' && c <= U'Z' ? c + 32 : c);
      continue;
    }
    if (clause.size() >= (zh ? 2 : 4) && !clauses.insert(clause).second)
      return {Cat(text.name, "里同一句说了两遍"), Cat("the same words twice in the ", text.name)};
    clause.clear();
  }
  return {};
}

// What the text says of the sheet it says once: no item of a list stands in it twice.
Fault SaidTwice(const Text& text, const recipe::Record& record) {
  const std::string lower = ToLowerAscii(text.bytes);
  for (const auto& [field, value] : record.input.items()) {
    if (!value.is_array()) continue;
    for (const Json& entry : value) {
      if (!entry.is_string()) continue;
      const std::string item = ToLowerAscii(entry.get<std::string>());
      if (item.size() < 4) continue;  // two Han or four letters, to be more than a coincidence
      const size_t first = lower.find(item);
      if (first == std::string::npos || lower.find(item, first + item.size()) == std::string::npos) continue;
      return {Cat("“", item, "”在", text.name, "里说了两遍"), Cat("the ", text.name, " says '", item, "' twice")};
    }
  }
  return {};
}

std::string LastWord(const std::string& bytes) {
  const std::vector<std::string> units = evaluate::Units(bytes);
  return units.empty() ? "" : units.back();
}

Fault Sentences(const Text& text, bool zh, const std::string& sheet) {
  size_t end = text.chars.size();
  while (end > 0 && HasChar(kClosers, text.chars[end - 1])) --end;
  const Fault cut = {Cat(text.name, "没有说完"), Cat("the ", text.name, " is cut off")};
  if (end == 0 || !HasChar(kFinal, text.chars[end - 1])) return cut;
  static const std::set<std::string, std::less<>> kOpenEnds = {"the", "a",    "an",  "and", "or",
                                                               "of",  "with", "for", "to",  "by"};
  if (!zh && kOpenEnds.contains(LastWord(text.bytes)) && LastWord(text.bytes).size() > 0) return cut;
  if (!zh && text.chars.front() >= U'a' && text.chars.front() <= U'z') {
    const std::string first = text.bytes.substr(0, text.bytes.find(' '));
    if (sheet.find(first) == std::string::npos)
      return {Cat(text.name, "从半句开始"), Cat("the ", text.name, " begins in the middle of a sentence")};
  }
  return {};
}

Fault OneLine(const Text& text, bool zh) {
  static const std::set<std::string, std::less<>> kOpenEnds = {
      "the", "a",  "an",   "and", "or",  "of",   "with",  "for", "to",   "by", "your", "our",   "my", "in",
      "on",  "at", "from", "is",  "are", "that", "which", "but", "than", "as", "its",  "their", "的", "和",
      "与",  "及", "或",   "在",  "把",  "被",   "从",    "向",  "且",   "而", "但",   "跟",    "比"};
  const std::string last = LastWord(text.bytes);
  const bool open = kOpenEnds.contains(last) || (!text.chars.empty() && HasChar(U",:;-，、：；—", text.chars.back()));
  // "Wipe it on" and "step in" may end so; a particle alone is no proof in one-word-verb headlines of two words.
  if (open && !(!zh && (last == "on" || last == "in") && evaluate::Units(text.bytes).size() <= 5)) {
    return {Cat(text.name, "没有说完"), Cat("the ", text.name, " ends in the air")};
  }
  return {};
}

class Debris : public Check {
 public:
  Debris(std::vector<std::string> sentences, std::vector<std::string> lines, double most_repetition)
      : sentences_(std::move(sentences)), lines_(std::move(lines)), most_repetition_(most_repetition) {}

  Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
               std::span<const recipe::Candidate>) const override {
    const Fault fault = Find(record, candidate);
    return fault ? Verdict{Say(record, fault.zh, fault.en), 0} : Verdict{};
  }

 private:
  // Whether the whole says again nearly all that the line says, the product's name apart.
  static bool Echoes(const std::string& line, const std::string& whole, const recipe::Record& record) {
    const std::vector<std::string> names = Content(SheetText(record, "name")), said = Content(whole);
    size_t pieces = 0, again = 0;
    for (const std::string& piece : Content(line)) {
      if (std::find(names.begin(), names.end(), piece) != names.end()) continue;
      ++pieces;
      again += std::find(said.begin(), said.end(), piece) != said.end();
    }
    return pieces >= 2 && again * 3 >= pieces * 2;
  }

  Fault Find(const recipe::Record& record, const recipe::Candidate& candidate) const {
    const bool zh = record.lang == "zh";
    const std::string sheet = SheetText(record);
    const std::u32string sheet_chars = Decode(sheet);
    const std::string sheet_lower = ToLowerAscii(sheet);
    std::vector<Text> texts;
    for (const std::string& field : TextFields(candidate)) {
      const std::string bytes(OutputText(candidate, field));
      texts.push_back({field, bytes, Decode(bytes)});
    }
    for (const Text& text : texts) {
      if (Trim(text.bytes).empty()) return {Cat(text.name, "是空的"), Cat("the ", text.name, " is empty")};
      if (Fault fault = OddCharacters(text, sheet_chars)) return fault;
      if (Fault fault = Labels(text, sheet_lower)) return fault;
      if (Fault fault = Pairs(text)) return fault;
      if (Fault fault = Punctuation(text)) return fault;
      if (Fault fault = Repetition(text, zh, most_repetition_)) return fault;
      if (Named(sentences_, text.name)) {
        if (Fault fault = Sentences(text, zh, sheet)) return fault;
        if (Fault fault = SaidTwice(text, record)) return fault;
      }
      if (Named(lines_, text.name)) {
        if (Fault fault = OneLine(text, zh)) return fault;
        if (!Trim(SheetText(record, "name")).empty() &&
            evaluate::Units(text.bytes) == evaluate::Units(SheetText(record, "name"))) {
          return {Cat(text.name, "只有品名"), Cat("the ", text.name, " is only the product's name")};
        }
      }
    }
    for (const Text& line : texts) {
      for (const Text& whole : texts) {
        if (!Named(lines_, line.name) || !Named(sentences_, whole.name)) continue;
        if ((line.chars.size() >= 5 && whole.bytes.starts_with(line.bytes)) ||
            Echoes(line.bytes, whole.bytes, record)) {
          return {Cat(whole.name, "又把", line.name, "说了一遍"),
                  Cat("the ", whole.name, " says the ", line.name, " again")};
        }
      }
    }
    return {};
  }

  static bool Named(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  std::vector<std::string> sentences_, lines_;
  double most_repetition_;
};

}  // namespace

std::unique_ptr<Check> MakeDebris(Table& table, const recipe::StepContext& context) {
  std::vector<std::string> sentences = table.StringsOr("sentences", {}), lines = table.StringsOr("lines", {});
  for (const auto& [key, fields] : {std::pair("sentences", sentences), std::pair("lines", lines)}) {
    for (const std::string& field : fields) RequireOutput(table, key, field, context);
  }
  return std::make_unique<Debris>(std::move(sentences), std::move(lines), table.DoubleOr("most_repetition", 0.2, 0, 1));
}

}  // namespace atelier::operators
