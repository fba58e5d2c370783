// encode: categories as numbers, fitted on what occurs.
//
//   fields = ["colour"]
//   method = "onehot"        a field "colour=red" per category with 0 or 1, and the field itself goes
//            "ordinal"       the category's place in byte order, from 0; -1 for one that the fit did not see
//            "frequency"     the category's share of the fitted records that have one; 0 for one that it did not see
//   least_records = 1        rarer categories count as not seen
//   most_categories = 256    more than that is an error: a field of free text is no category
//   fit_on = "auto"          see fit.h
#include "base/error.h"
#include "base/str.h"
#include "data/clean/fit.h"

namespace atelier::data::clean {
namespace {

class Encode : public Operation {
 public:
  explicit Encode(Table* table) : fields_(RequiredFields(table)), on_(table) {
    method_ = table->String("method");
    if (method_ != "onehot" && method_ != "ordinal" && method_ != "frequency") {
      table->Refuse("method", "is not onehot, ordinal or frequency");
    }
    least_records_ = static_cast<uint64_t>(table->IntOr("least_records", 1, 1));
    most_categories_ = static_cast<size_t>(table->IntOr("most_categories", 256, 1, kMostCategories));
    counts_[0].resize(fields_.size());
    counts_[1].resize(fields_.size());
  }

  std::string_view Apply(Row* row, Worker*) const override {
    for (size_t i = 0; i < fields_.size(); ++i) {
      size_t hint = 0;
      Field* field = row->Find(fields_[i], &hint);
      if (field == nullptr) continue;
      const std::string_view category = CategoryOf(field);
      const auto at = codes_[i].find(category);
      const bool known = at != codes_[i].end() && !category.empty();
      if (method_ == "ordinal") {
        row->SetNumber(field, known ? static_cast<double>(at->second.place) : -1);
      } else if (method_ == "frequency") {
        row->SetNumber(field, known ? at->second.share : 0);
      } else {
        const size_t hot = known ? at->second.place : columns_[i].size();
        row->Remove(field);
        for (size_t place = 0; place < columns_[i].size(); ++place) {
          row->AddNumber(columns_[i][place], place == hot ? 1 : 0);
        }
      }
    }
    return "";
  }

  bool fits() const override { return true; }
  std::unique_ptr<Observations> NewObservations() const override {
    return std::make_unique<Categories>(fields_.size());
  }

  void Observe(Row* row, Worker*, Observations* to) const override {
    auto* seen = static_cast<Categories*>(to);
    on_.Count(row, &seen->train_records, &seen->split_records);
    const FitOn::Bucket bucket = on_.Of(row);
    if (bucket == FitOn::kNeither) return;
    for (size_t i = 0; i < fields_.size(); ++i) {
      size_t hint = 0;
      const std::string_view category = CategoryOf(row->Find(fields_[i], &hint));
      if (category.empty()) continue;
      Counts& counts = seen->of[bucket][i];
      const auto at = counts.find(category);
      if (at != counts.end()) {
        ++at->second;
      } else {
        counts.emplace(category, 1);
      }
    }
  }

  void Absorb(const Observations& from) override {
    const auto& seen = static_cast<const Categories&>(from);
    train_records_ += seen.train_records;
    split_records_ += seen.split_records;
    for (int bucket = 0; bucket < 2; ++bucket) {
      for (size_t i = 0; i < fields_.size(); ++i) Merge(seen.of[bucket][i], &counts_[bucket][i], "encode", fields_[i]);
    }
  }

  void FinishFit() override {
    const FitOn::Bucket bucket = on_.Choose("encode", train_records_, split_records_);
    codes_.assign(fields_.size(), {});
    for (size_t i = 0; i < fields_.size(); ++i) {
      double total = 0;
      for (const auto& [value, count] : counts_[bucket][i]) total += static_cast<double>(count);
      for (const auto& [value, count] : counts_[bucket][i]) {
        if (count < least_records_) continue;
        codes_[i].emplace(value, Code{codes_[i].size(), static_cast<double>(count) / total});
      }
      if (codes_[i].size() > most_categories_) {
        throw Error(atelier::Code::kInvalidInput,
                    Cat("encode: the field '", fields_[i], "' has ", codes_[i].size(), " categories, more than ",
                        most_categories_),
                    "raise most_categories or least_records, or leave the field out");
      }
    }
    Columns();
  }

  Json Fitted() const override {
    Json fitted = Json::object();
    for (size_t i = 0; i < codes_.size(); ++i) {
      Json list = Json::array();
      for (const auto& [value, code] : codes_[i]) list.push_back({{"category", value}, {"share", code.share}});
      fitted[fields_[i]] = std::move(list);
    }
    return fitted;
  }

  void Restore(const Json& fitted) override {
    codes_.assign(fields_.size(), {});
    for (size_t i = 0; i < fields_.size(); ++i) {
      for (const Json& one : fitted.at(fields_[i])) {
        codes_[i].emplace(one.at("category").get<std::string>(), Code{codes_[i].size(), one.at("share").get<double>()});
      }
    }
    Columns();
  }

 private:
  struct Code {
    size_t place;
    double share;
  };

  // The names of one-hot fields, as they stand in JSON.
  void Columns() {
    columns_.assign(fields_.size(), {});
    for (size_t i = 0; i < fields_.size(); ++i) {
      size_t place = 0;
      for (auto& [value, code] : codes_[i]) {
        code.place = place++;
        std::string name;
        AppendJsonString(&name, Cat(fields_[i], "=", value));
        columns_[i].push_back(name.substr(1, name.size() - 2));
      }
    }
  }

  std::vector<std::string> fields_;
  FitOn on_;
  std::string method_;
  uint64_t least_records_;
  size_t most_categories_;
  std::vector<Counts> counts_[2];
  std::vector<std::map<std::string, Code, std::less<>>> codes_;  // [fields]
  std::vector<std::vector<std::string>> columns_;
  uint64_t train_records_ = 0, split_records_ = 0;
};

}  // namespace

std::unique_ptr<Operation> MakeEncode(Table* table) { return std::make_unique<Encode>(table); }

}  // namespace atelier::data::clean
