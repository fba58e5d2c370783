// What fits of columns have in common: which records count, and the values of a block on their way to the fit.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/clean/operation.h"

namespace atelier::data::clean {

// Which records a fit looks at: "train" takes records whose "_split" is train, "all" takes all, "auto" takes train
// where records have splits and all otherwise. Since a stream does not say beforehand whether it has splits, values are
// kept in two buckets until the end.
class FitOn {
 public:
  enum Bucket { kTrain, kRest, kNeither };

  explicit FitOn(Table* table, const char* otherwise = "auto");  // reads `fit_on`
  Bucket Of(Row* row) const;
  // The bucket to fit on. Throws Error(kInvalidInput) where there is no record of the train split to fit on.
  Bucket Choose(std::string_view operation, uint64_t train_records, uint64_t split_records) const;

  // Counts a record for Choose.
  void Count(Row* row, uint64_t* train_records, uint64_t* split_records) const;

 private:
  enum class Choice { kAuto, kTrain, kAll } choice_;
};

// "fields", which must name at least one.
std::vector<std::string> RequiredFields(Table* table);

// A value as a category: text as it is, other scalars as their JSON. "" where it is absent, null or nested.
std::string_view CategoryOf(const Field* field);

// Values of some fields in a block. V is a vector of numbers or counts of categories.
template <typename V>
struct ColumnObservations : Observations {
  explicit ColumnObservations(size_t fields) : of{std::vector<V>(fields), std::vector<V>(fields)} {}
  std::vector<V> of[2];  // [bucket][field]
  uint64_t train_records = 0, split_records = 0, records[2] = {};
};
using Numbers = ColumnObservations<std::vector<double>>;
using Counts = std::map<std::string, uint64_t, std::less<>>;
using Categories = ColumnObservations<Counts>;

// How many different values a fit keeps of one field before it gives up: memory stays bounded.
inline constexpr size_t kMostCategories = 100'000;
// Adds `from` to `to`; throws Error(kInvalidInput) beyond kMostCategories.
void Merge(const Counts& from, Counts* to, std::string_view operation, std::string_view field);

}  // namespace atelier::data::clean
