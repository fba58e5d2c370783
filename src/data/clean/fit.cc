#include "data/clean/fit.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::data::clean {

FitOn::FitOn(Table* table, const char* otherwise) {
  const std::string on = table->StringOr("fit_on", otherwise);
  if (on != "auto" && on != "train" && on != "all") table->Refuse("fit_on", "is not auto, train or all");
  choice_ = on == "auto" ? Choice::kAuto : on == "train" ? Choice::kTrain : Choice::kAll;
}

FitOn::Bucket FitOn::Of(Row* row) const {
  if (choice_ == Choice::kAll) return kRest;
  size_t hint = 0;
  const Field* split = row->Find("_split", &hint);
  if (split == nullptr || split->kind != Kind::kText) return choice_ == Choice::kAuto ? kRest : kNeither;
  return split->text == "train" ? kTrain : kNeither;
}

void FitOn::Count(Row* row, uint64_t* train_records, uint64_t* split_records) const {
  size_t hint = 0;
  const Field* split = row->Find("_split", &hint);
  if (split == nullptr || split->kind != Kind::kText) return;
  ++*split_records;
  *train_records += split->text == "train";
}

FitOn::Bucket FitOn::Choose(std::string_view operation, uint64_t train_records, uint64_t split_records) const {
  if (choice_ == Choice::kAll || (choice_ == Choice::kAuto && split_records == 0)) return kRest;
  if (train_records == 0) {
    throw Error(Code::kInvalidInput, Cat(operation, ": there is no record of the split 'train' to fit on"),
                "split the dataset first, or take fitted values from another run by --fitted");
  }
  return kTrain;
}

std::vector<std::string> RequiredFields(Table* table) {
  std::vector<std::string> fields = table->StringOrStrings("fields");
  if (fields.empty()) table->Refuse("fields", "names no field");
  for (const std::string& field : fields) {
    if (field.empty() || field[0] == '_') table->Refuse("fields", Cat("'", field, "' is not a field of the records"));
  }
  return fields;
}

std::string_view CategoryOf(const Field* field) {
  if (field == nullptr || field->kind == Kind::kNull || field->kind == Kind::kNested) return "";
  return field->text;
}

void Merge(const Counts& from, Counts* to, std::string_view operation, std::string_view field) {
  for (const auto& [value, count] : from) {
    const auto at = to->find(value);
    if (at != to->end()) {
      at->second += count;
      continue;
    }
    if (to->size() == kMostCategories) {
      throw Error(Code::kInvalidInput,
                  Cat(operation, ": the field '", field, "' has more than ", kMostCategories, " different values"),
                  "it is no category; put its numbers into classes or leave it out");
    }
    to->emplace(value, count);
  }
}

}  // namespace atelier::data::clean
