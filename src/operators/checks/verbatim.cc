// verbatim: what was taken out of a text stands in it, word for word.
//
//   from = "listing"                        # the input field
//   fields = ["name", "features", "price"]  # output fields; "" says nothing and stands everywhere
//
// Width (NFKC), case and white space do not count, but that words and numbers are whole: "tin" does not stand in
// "Latin", "therapist" not in "the rapist", "29" not in "1,299", "325" not in "3 25". Numbers (fields of that type)
// stand where the text has one of that value.
#include <algorithm>

#include "base/str.h"
#include "operators/checks/checks.h"
#include "operators/fields.h"
#include "text/unicode.h"

namespace atelier::operators {
namespace {

// A text as it is compared: folded, without white space, and where white space was. A comma of full width is no part
// of a number, so it is told from the other.
struct BareText {
  std::u32string chars;
  std::vector<bool> gap;  // before each character

  size_t size() const { return chars.size(); }
};

constexpr char32_t kWideComma = 0xFF0C;

BareText MakeBare(std::string_view text) {
  BareText bare;
  bool space = false;
  const auto add = [&](char32_t c) {
    bare.chars.push_back(c);
    bare.gap.push_back(space);
    space = false;
  };
  const auto fold = [&](std::string_view part) {
    for (const char32_t c : text::DecodeUtf8(text::FoldForComparison(part))) {
      if (text::IsSpace(c)) {
        space = true;
      } else {
        add(c);
      }
    }
  };
  constexpr std::string_view kComma = "\uFF0C";
  for (size_t at = 0; at < text.size();) {
    const size_t next = std::min(text.find(kComma, at), text.size());
    fold(text.substr(at, next - at));
    if (next < text.size()) add(kWideComma);
    at = next + kComma.size();
  }
  return bare;
}

// Of scripts that part words by white space.
bool IsWordLetter(char32_t c) { return text::IsLetter(c) && !text::IsHan(c) && (c < 0x3040 || c > 0x30FF); }
bool SameKind(char32_t a, char32_t b) {
  return (IsAsciiDigit(a) && IsAsciiDigit(b)) || (IsWordLetter(a) && IsWordLetter(b));
}
char32_t Narrow(char32_t c) { return c == kWideComma ? U',' : c; }

// How many digits stand in a row from `at`, in steps of 1 or -1, without white space between.
size_t DigitRun(const BareText& text, size_t at, int step) {
  size_t run = 0;
  for (auto i = static_cast<ptrdiff_t>(at); i >= 0 && i < static_cast<ptrdiff_t>(text.size()); i += step) {
    const auto u = static_cast<size_t>(i);
    if (!IsAsciiDigit(text.chars[u]) || (run > 0 && text.gap[step > 0 ? u : u + 1])) break;
    ++run;
  }
  return run;
}

// Whether what stands at `mark` holds two runs of digits together as one number: 12.50, 1,299.
bool JoinsDigits(const BareText& text, size_t mark) {
  if (mark == 0 || mark + 1 >= text.size() || text.gap[mark] || text.gap[mark + 1]) return false;
  const size_t before = DigitRun(text, mark - 1, -1), after = DigitRun(text, mark + 1, 1);
  if (before == 0 || after == 0) return false;
  return text.chars[mark] == U'.' || (text.chars[mark] == U',' && before <= 3 && after == 3);
}

// Whether a word or number ends before `at`, or the text does.
bool EndsBefore(const BareText& text, size_t at) {
  if (at == 0 || at == text.size() || text.gap[at]) return true;
  const char32_t left = text.chars[at - 1], right = text.chars[at];
  if (SameKind(left, right)) return false;
  return !(IsAsciiDigit(left) && JoinsDigits(text, at)) && !(IsAsciiDigit(right) && JoinsDigits(text, at - 1));
}

bool MatchesAt(const BareText& value, const BareText& text, size_t at) {
  for (size_t i = 0; i < value.size(); ++i) {
    if (Narrow(value.chars[i]) != Narrow(text.chars[at + i])) return false;
    if (i > 0 && value.gap[i] != text.gap[at + i] && SameKind(value.chars[i - 1], value.chars[i])) return false;
  }
  return EndsBefore(text, at) && EndsBefore(text, at + value.size());
}

bool Stands(std::string_view words, const BareText& text) {
  const BareText value = MakeBare(Trim(words));
  for (size_t at = 0; at + value.size() <= text.size(); ++at) {
    if (MatchesAt(value, text, at)) return true;
  }
  return value.size() == 0;
}

// The numbers of a text, those with thousands separators among them.
bool HasNumber(const BareText& text, double wanted) {
  for (size_t at = 0; at < text.size();) {
    if (!IsAsciiDigit(text.chars[at])) {
      ++at;
      continue;
    }
    std::string number;
    for (; at < text.size() && (number.empty() || !text.gap[at]); ++at) {
      if (IsAsciiDigit(text.chars[at])) {
        number += static_cast<char>(text.chars[at]);
      } else if (!JoinsDigits(text, at)) {
        break;
      } else if (text.chars[at] == U'.') {
        number += '.';
      }
    }
    if (ParseDouble(number) == wanted) return true;
  }
  return false;
}

class Verbatim : public Check {
 public:
  Verbatim(std::string from, std::vector<std::string> fields) : from_(std::move(from)), fields_(std::move(fields)) {}

  Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
               std::span<const recipe::Candidate>) const override {
    const BareText text = MakeBare(SheetText(record, from_));
    for (const std::string& field : fields_) {
      const auto at = candidate.output.find(field);
      if (at == candidate.output.end()) continue;
      for (const Json& item : at->is_array() ? *at : Json::array({*at})) {
        const std::string value = item.is_string() ? item.get<std::string>() : ToText(item);
        if (item.is_number() ? HasNumber(text, item.get<double>()) : Stands(value, text)) continue;
        return {Say(record, Cat("“", value, "”（", field, "）不在原文里"),
                    Cat("'", value, "' (", field, ") does not stand in the text")),
                0};
      }
    }
    return {};
  }

 private:
  std::string from_;
  std::vector<std::string> fields_;
};

}  // namespace

std::unique_ptr<Check> MakeVerbatim(Table& table, const recipe::StepContext& context) {
  std::string from = table.String("from");
  RequireInput(table, "from", from, context);
  std::vector<std::string> fields = table.Strings("fields");
  for (const std::string& field : fields) RequireOutput(table, "fields", field, context);
  if (fields.empty()) table.Refuse("fields", "is empty");
  return std::make_unique<Verbatim>(std::move(from), std::move(fields));
}

}  // namespace atelier::operators
