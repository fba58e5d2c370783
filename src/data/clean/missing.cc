// missing: what happens where a field has no value: absent, null, an empty text, or one of `also`.
//
//   fields = ["price"]
//   with = "drop"            the record goes; or "constant", "mean", "median" (numbers), "mode" (the most frequent
//   value,
//                            the first in byte order among equals)
//   value = "unknown"        for constant; text or a number
//   also = ["N/A", "-"]      texts that mean "missing" too
//   fit_on = "auto"          see fit.h
#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "data/clean/fit.h"
#include "data/clean/sketch.h"

namespace atelier::data::clean {
namespace {

class Missing : public Operation {
 public:
  explicit Missing(Table* table) : fields_(RequiredFields(table)), on_(table) {
    static const std::vector<std::string> kWays = {"drop", "constant", "mean", "median", "mode"};
    const std::string with = table->String("with");
    const auto at = std::find(kWays.begin(), kWays.end(), with);
    if (at == kWays.end()) table->Refuse("with", Cat("is not ", Join(kWays, ", ")));
    way_ = static_cast<Way>(at - kWays.begin());
    if (way_ == Way::kConstant) {
      bool text = true;
      std::string value;
      try {
        value = table->String("value");
      } catch (const Error&) {
        value = Cat(table->Double("value"));
        text = false;
      }
      fill_.assign(fields_.size(), value);
      numeric_.assign(fields_.size(), !text);
    }
    also_ = table->StringsOr("also", {});
    moments_[0].resize(fields_.size());
    moments_[1].resize(fields_.size());
    sketches_[0].resize(fields_.size());
    sketches_[1].resize(fields_.size());
    counts_[0].resize(fields_.size());
    counts_[1].resize(fields_.size());
  }

  std::string_view Apply(Row* row, Worker*) const override {
    for (size_t i = 0; i < fields_.size(); ++i) {
      size_t hint = 0;
      Field* field = row->Find(fields_[i], &hint);
      if (!IsMissing(field)) continue;
      if (way_ == Way::kDrop) return "a value is missing";
      if (field == nullptr) {
        row->AddText(fields_[i], "");
        field = row->Find(fields_[i], &hint);
      }
      const std::optional<double> number = ParseDouble(fill_[i]);
      if (number && numeric_[i]) {
        row->SetNumber(field, *number);
      } else {
        row->SetText(field, row->arena()->Copy(fill_[i]));
      }
    }
    return "";
  }

  bool fits() const override { return way_ != Way::kDrop && way_ != Way::kConstant; }

  std::unique_ptr<Observations> NewObservations() const override { return std::make_unique<Seen>(fields_.size()); }

  void Observe(Row* row, Worker*, Observations* to) const override {
    auto* seen = static_cast<Seen*>(to);
    on_.Count(row, &seen->numbers.train_records, &seen->numbers.split_records);
    const FitOn::Bucket bucket = on_.Of(row);
    if (bucket == FitOn::kNeither) return;
    for (size_t i = 0; i < fields_.size(); ++i) {
      size_t hint = 0;
      const Field* field = row->Find(fields_[i], &hint);
      if (IsMissing(field)) continue;
      if (way_ == Way::kMode) {
        // A number and a text that look alike are two values: the first byte says which.
        std::string value(1, field->kind == Kind::kNumber ? 'n' : 't');
        value += CategoryOf(field);
        ++seen->categories.of[bucket][i][value];
      } else if (const std::optional<double> number = Row::Number(*field)) {
        seen->numbers.of[bucket][i].push_back(*number);
      }
    }
  }

  void Absorb(const Observations& from) override {
    const auto& seen = static_cast<const Seen&>(from);
    train_records_ += seen.numbers.train_records;
    split_records_ += seen.numbers.split_records;
    for (int bucket = 0; bucket < 2; ++bucket) {
      for (size_t i = 0; i < fields_.size(); ++i) {
        Merge(seen.categories.of[bucket][i], &counts_[bucket][i], "missing", fields_[i]);
        for (const double value : seen.numbers.of[bucket][i]) {
          if (way_ == Way::kMean) moments_[bucket][i].Add(value);
          if (way_ == Way::kMedian) sketches_[bucket][i].Add(value);
        }
      }
    }
  }

  void FinishFit() override {
    const FitOn::Bucket bucket = on_.Choose("missing", train_records_, split_records_);
    fill_.assign(fields_.size(), "");
    numeric_.assign(fields_.size(), true);
    for (size_t i = 0; i < fields_.size(); ++i) {
      bool any = true;
      if (way_ == Way::kMean) {
        any = moments_[bucket][i].count > 0;
        if (any) fill_[i] = Cat(moments_[bucket][i].mean);
      } else if (way_ == Way::kMedian) {
        any = sketches_[bucket][i].size() > 0;
        if (any) fill_[i] = Cat(sketches_[bucket][i].Quantile(0.5));
      } else {
        const Counts& counts = counts_[bucket][i];
        any = !counts.empty();
        const auto best = std::max_element(counts.begin(), counts.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; });
        if (any) {
          fill_[i] = best->first.substr(1);
          numeric_[i] = best->first[0] == 'n';
        }
      }
      if (!any) {
        throw Error(Code::kInvalidInput, Cat("missing: the field '", fields_[i], "' has no value to learn from"),
                    "name a field that has values, or fill with a constant");
      }
    }
  }

  Json Fitted() const override {
    if (!fits()) return Json();
    Json fitted = Json::object();
    for (size_t i = 0; i < fields_.size() && i < fill_.size(); ++i) {
      fitted[fields_[i]] = {{"value", fill_[i]}, {"number", static_cast<bool>(numeric_[i])}};
    }
    return fitted;
  }

  void Restore(const Json& fitted) override {
    fill_.clear();
    numeric_.clear();
    for (const std::string& field : fields_) {
      fill_.push_back(fitted.at(field).at("value").get<std::string>());
      numeric_.push_back(fitted.at(field).at("number").get<bool>());
    }
  }

 private:
  enum class Way { kDrop, kConstant, kMean, kMedian, kMode };
  struct Seen : Observations {
    explicit Seen(size_t fields) : numbers(fields), categories(fields) {}
    Numbers numbers;
    Categories categories;
  };

  bool IsMissing(const Field* field) const {
    if (field == nullptr || field->kind == Kind::kNull) return true;
    if (field->kind != Kind::kText) return false;
    return field->text.empty() || std::find(also_.begin(), also_.end(), field->text) != also_.end();
  }

  std::vector<std::string> fields_;
  FitOn on_;
  Way way_;
  std::vector<std::string> also_;
  std::vector<std::string> fill_;  // [fields]
  std::vector<bool> numeric_ = std::vector<bool>(fields_.size(), true);
  std::vector<Moments> moments_[2];
  std::vector<Sketch> sketches_[2];
  std::vector<Counts> counts_[2];
  uint64_t train_records_ = 0, split_records_ = 0;
};

}  // namespace

std::unique_ptr<Operation> MakeMissing(Table* table) { return std::make_unique<Missing>(table); }

}  // namespace atelier::data::clean
