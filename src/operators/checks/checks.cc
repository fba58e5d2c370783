#include "operators/checks/checks.h"

namespace atelier::operators {

std::span<const CheckEntry> AllChecks() {
  static const std::vector<CheckEntry> list = {
      {"length", "characters per field within bounds, per language", &MakeLength},
      {"debris", "no repetition, template remains, broken quotes, cut-off sentences", &MakeDebris},
      {"language", "written in the record's language", &MakeLanguage},
      {"facts", "every number, unit and price stands on the sheet", &MakeFacts},
      {"about", "speaks of the product, not of something else", &MakeAbout},
      {"claims", "none of the words that advertising may not use", &MakeClaims},
      {"copied", "not lifted from the examples that the model was shown", &MakeCopied},
      {"grounded", "a model's words are the sheet's, or those of the recipe's own phrases", &MakeGrounded},
      {"verbatim", "what was taken out of a text stands in it, word for word", &MakeVerbatim},
      {"duplicates", "not the same as another candidate", &MakeDuplicates},
  };
  return list;
}

std::string_view OutputText(const recipe::Candidate& candidate, std::string_view field) {
  const auto at = candidate.output.find(std::string(field));
  if (at == candidate.output.end() || !at->is_string()) return "";
  return at->get_ref<const std::string&>();
}

std::vector<std::string> TextFields(const recipe::Candidate& candidate) {
  std::vector<std::string> fields;
  for (const auto& [name, value] : candidate.output.items()) {
    if (value.is_string()) fields.push_back(name);
  }
  return fields;
}

std::string AllText(const recipe::Candidate& candidate) {
  std::string text;
  for (const std::string& field : TextFields(candidate)) text.append(OutputText(candidate, field)).push_back('\n');
  return text;
}

std::string SheetText(const recipe::Record& record, std::string_view field) {
  std::string text;
  const auto add = [&](const Json& value) {
    if (value.is_string()) text.append(value.get_ref<const std::string&>()).push_back('\n');
  };
  for (const auto& [name, value] : record.input.items()) {
    if (!field.empty() && name != field) continue;
    if (!value.is_array()) add(value);
    if (value.is_array()) {
      for (const Json& item : value) add(item);
    }
  }
  return text;
}

std::string Say(const recipe::Record& record, std::string zh, std::string en) {
  return record.lang == "zh" ? std::move(zh) : std::move(en);
}

}  // namespace atelier::operators
