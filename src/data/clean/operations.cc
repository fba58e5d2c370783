// The visible list of cleaning operations. A new one is one new file and two lines here.
#include "data/clean/operation.h"

namespace atelier::data::clean {

std::unique_ptr<Operation> MakeNormalise(Table* table);   // normalise.cc
std::unique_ptr<Operation> MakeFoldScript(Table* table);  // fold_script.cc
std::unique_ptr<Operation> MakeLanguage(Table* table);    // language.cc
std::unique_ptr<Operation> MakeRules(Table* table);       // rules.cc

std::span<const OperationEntry> AllOperations() {
  static const std::vector<OperationEntry> list = {
      {"normalise", &MakeNormalise},
      {"fold_script", &MakeFoldScript},
      {"language", &MakeLanguage},
      {"rules", &MakeRules},
  };
  return list;
}

const Survey& Worker::SurveyOf(Field* field) {
  if (!field->surveyed) {
    field->survey = table_->Scan(field->text);
    field->surveyed = true;
  }
  return field->survey;
}

const Tokens& Worker::TokensOf(Field* field) {
  if (!field->tokenised) {
    field->tokens = tokeniser_.Count(field->text);
    field->tokenised = true;
  }
  return field->tokens;
}

}  // namespace atelier::data::clean
