// The visible list of cleaning operations. A new one is one new file and two lines here.
#include "data/clean/operation.h"

namespace atelier::data::clean {

std::unique_ptr<Operation> MakeNormalise(Table* table);       // normalise.cc
std::unique_ptr<Operation> MakeFoldScript(Table* table);      // fold_script.cc
std::unique_ptr<Operation> MakeMarkup(Table* table);          // markup.cc
std::unique_ptr<Operation> MakeMask(Table* table);            // mask.cc
std::unique_ptr<Operation> MakeRepeatedLines(Table* table);   // repeated_lines.cc
std::unique_ptr<Operation> MakeLanguage(Table* table);        // language.cc
std::unique_ptr<Operation> MakeRules(Table* table);           // rules.cc
std::unique_ptr<Operation> MakeMissing(Table* table);         // missing.cc
std::unique_ptr<Operation> MakeOutliers(Table* table);        // outliers.cc
std::unique_ptr<Operation> MakeScale(Table* table);           // scale.cc
std::unique_ptr<Operation> MakeEncode(Table* table);          // encode.cc
std::unique_ptr<Operation> MakeSelectFeatures(Table* table);  // select_features.cc
std::unique_ptr<Operation> MakeLabels(Table* table);          // labels.cc

std::span<const OperationEntry> AllOperations() {
  static const std::vector<OperationEntry> list = {
      {"normalise", &MakeNormalise},
      {"fold_script", &MakeFoldScript},
      {"markup", &MakeMarkup},
      {"mask", &MakeMask},
      {"repeated_lines", &MakeRepeatedLines},
      {"language", &MakeLanguage},
      {"rules", &MakeRules},
      {"missing", &MakeMissing},
      {"outliers", &MakeOutliers},
      {"scale", &MakeScale},
      {"encode", &MakeEncode},
      {"select_features", &MakeSelectFeatures},
      {"labels", &MakeLabels},
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
