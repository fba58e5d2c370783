#include "data/clean/column_fit.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::data::clean {

ColumnFit::ColumnFit(Table* table, std::string name, const char* fit_on, bool sketch)
    : name_(std::move(name)), fields_(RequiredFields(table)), on_(table, fit_on), sketch_(sketch) {
  for (int bucket = 0; bucket < 2; ++bucket) {
    moments_[bucket].resize(fields_.size());
    sketches_[bucket].resize(fields_.size());
  }
}

std::unique_ptr<Observations> ColumnFit::NewObservations() const { return std::make_unique<Numbers>(fields_.size()); }

void ColumnFit::Observe(Row* row, Worker*, Observations* to) const {
  auto* seen = static_cast<Numbers*>(to);
  on_.Count(row, &seen->train_records, &seen->split_records);
  const FitOn::Bucket bucket = on_.Of(row);
  if (bucket == FitOn::kNeither) return;
  for (size_t i = 0; i < fields_.size(); ++i) {
    size_t hint = 0;
    const Field* field = row->Find(fields_[i], &hint);
    if (field == nullptr) continue;
    if (const std::optional<double> value = Row::Number(*field)) seen->of[bucket][i].push_back(*value);
  }
}

void ColumnFit::Absorb(const Observations& from) {
  const auto& seen = static_cast<const Numbers&>(from);
  train_records_ += seen.train_records;
  split_records_ += seen.split_records;
  for (int bucket = 0; bucket < 2; ++bucket) {
    for (size_t i = 0; i < fields_.size(); ++i) {
      for (const double value : seen.of[bucket][i]) {
        moments_[bucket][i].Add(value);
        if (sketch_) sketches_[bucket][i].Add(value);
      }
    }
  }
}

void ColumnFit::FinishFit() {
  const FitOn::Bucket bucket = on_.Choose(name_, train_records_, split_records_);
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (moments_[bucket][i].count == 0) {
      throw Error(Code::kInvalidInput, Cat(name_, ": the field '", fields_[i], "' holds no number to fit on"),
                  "name a field of numbers");
    }
    FitField(i, moments_[bucket][i], sketches_[bucket][i]);
  }
}

}  // namespace atelier::data::clean
