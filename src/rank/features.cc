#include "rank/features.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/str.h"
#include "evaluate/overlap.h"
#include "evaluate/quantities.h"
#include "text/unicode.h"

namespace atelier::rank {
namespace {

template <typename Fn>
double CountIf(std::string_view text, const Fn& wanted) {
  double count = 0;
  while (!text.empty()) {
    const text::DecodedChar one = text::DecodeChar(text);
    count += wanted(one.c) ? 1 : 0;
    text.remove_prefix(one.length);
  }
  return count;
}

// The values that a context is made of, each as a text: of lists every item.
void AppendValues(const Json& value, std::vector<std::string>* values) {
  if (value.is_string()) {
    if (!Trim(value.get_ref<const std::string&>()).empty()) values->push_back(value.get<std::string>());
  } else if (value.is_structured()) {
    for (const Json& one : value) AppendValues(one, values);
  } else if (value.is_number()) {
    values->push_back(ToText(value));
  }
}

double Length(const Described& d) { return static_cast<double>(text::CountChars(d.text)); }

double Lines(const Described& d) {
  double lines = 0;
  for (const std::string& line : Split(d.text, '\n')) lines += Trim(line).empty() ? 0 : 1;
  return lines;
}

bool Shouts(char32_t c) { return c == U'!' || c == U'！'; }
bool Asks(char32_t c) { return c == U'?' || c == U'？'; }

// Without those that are counted by themselves: what says the same twice shares its weight.
double Marks(const Described& d) {
  return CountIf(d.text, [](char32_t c) { return text::IsPunctuation(c) && !Shouts(c) && !Asks(c); });
}

double Digits(const Described& d) { return CountIf(d.text, &text::IsNumber); }

double Quantities(const Described& d) { return static_cast<double>(evaluate::FindQuantities(d.text).size()); }

bool IsMoney(const evaluate::Quantity& quantity) {
  return quantity.kind == "price" || quantity.kind == "usd" || quantity.kind == "euro" || quantity.kind == "gbp";
}

double Price(const Described& d) {
  const std::vector<evaluate::Quantity> found = evaluate::FindQuantities(d.text);
  return std::any_of(found.begin(), found.end(), &IsMoney) ? 1 : 0;
}

double Exclamations(const Described& d) { return CountIf(d.text, &Shouts); }

double Question(const Described& d) { return CountIf(d.text, &Asks) > 0 ? 1 : 0; }

double Emoji(const Described& d) {
  return CountIf(d.text, [](char32_t c) { return c >= 0x2600 && text::IsSymbol(c); });
}

double Latin(const Described& d) { return text::Scripts(d.text).latin; }

double Covers(const Described& d) {
  std::vector<std::string> values;
  AppendValues(d.context, &values);
  if (values.empty()) return 0;
  const std::string folded = text::FoldForComparison(d.text);
  double found = 0;
  for (const std::string& value : values) {
    const std::string wanted = text::FoldForComparison(Trim(value));
    found += !wanted.empty() && folded.find(wanted) != std::string::npos ? 1 : 0;
  }
  return found / static_cast<double>(values.size());
}

double Echo(const Described& d) {
  const std::string context = ContextText(d.context);
  return context.empty() ? 0 : evaluate::CharacterJaccard(context, d.text, 2);
}

}  // namespace

std::span<const Feature> AllFeatures() {
  static const std::vector<Feature> list = {
      {"length", &Length, {"characters", "字数"}},
      {"lines", &Lines, {"lines that are not empty", "非空行数"}},
      {"marks", &Marks, {"punctuation marks but for ! and ?", "标点数（不含叹号、问号）"}},
      {"digits", &Digits, {"digits and other number characters", "数字字符数"}},
      {"quantities", &Quantities, {"quantities: 600 ml, 一百克", "数量（如 600 ml、一百克）"}},
      {"price", &Price, {"1 where it names a price", "提到价格为 1"}},
      {"exclamations", &Exclamations, {"exclamation marks", "感叹号数"}},
      {"question", &Question, {"1 where it asks something", "有问号为 1"}},
      {"emoji", &Emoji, {"pictographs: symbols from U+2600 on", "表情与图形符号数"}},
      {"latin", &Latin, {"share of its letters that are Latin", "拉丁字母占比"}},
      {"covers", &Covers, {"share of the context's values that stand in it", "上下文各字段值在文中出现的比例"}},
      {"echo", &Echo, {"likeness with the context, by pairs of characters", "与上下文的双字重合度"}},
  };
  return list;
}

const Feature* FindFeature(std::string_view name) {
  for (const Feature& feature : AllFeatures()) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

double FeatureOf(const std::string& name, const artefact::RankOption& option, const Json& context) {
  if (const Feature* known = FindFeature(name)) return known->measure({option.text, context});
  const auto at = option.features.find(name);
  if (at == option.features.end()) {
    throw Error(Code::kInvalidInput, Cat("the option ", Quote(option.text), " brings no feature ", Quote(name),
                                         ", which is not computed here"));
  }
  if (!(std::fabs(at->second) <= 1e12)) {
    throw Error(Code::kInvalidInput,
                Cat("the feature ", Quote(name), " of the option ", Quote(option.text), " is no number of up to 1e12"));
  }
  return at->second;
}

std::string ContextText(const Json& context) {
  if (context.is_string()) return context.get<std::string>();
  std::vector<std::string> values;
  AppendValues(context, &values);
  return Join(values, "\n");
}

}  // namespace atelier::rank
