// select_features: keeps the fields that say something.
//
//   fields = ["a", "b", "c"]   the candidates; other fields stay as they are
//   by = "variance"            of the numbers (population)
//        "mutual_information"  in nats, between the field's values as categories and the target's
//        "chi_square"          of non-negative numbers as frequencies by the target's class (as scikit-learn's chi2)
//   target = "label"           for the last two
//   keep = 10                  the best so many; or
//   least = 0.01               those that score more than this
//   fit_on = "auto"            see fit.h
//
// A record where the field or the target is missing does not count for the field.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/str.h"
#include "data/clean/fit.h"
#include "data/clean/sketch.h"

namespace atelier::data::clean {
namespace {

// value, class -> how often; and sums of numbers by class.
using Table2 = std::map<std::pair<std::string, std::string>, uint64_t>;
struct ClassSum {
  double sum = 0;
  uint64_t count = 0;
};

class SelectFeatures : public Operation {
 public:
  explicit SelectFeatures(Table* table) : fields_(RequiredFields(table)), on_(table) {
    by_ = table->String("by");
    if (by_ != "variance" && by_ != "mutual_information" && by_ != "chi_square") {
      table->Refuse("by", "is not variance, mutual_information or chi_square");
    }
    if (by_ != "variance") target_ = table->String("target");
    if (table->Has("keep") == table->Has("least")) table->Refuse("", "wants either keep or least");
    keep_ = static_cast<size_t>(table->IntOr("keep", static_cast<int64_t>(fields_.size()), 1));
    least_ = table->Has("least") ? table->Double("least") : -1;
    for (auto* state : {&states_[0], &states_[1]}) state->resize(fields_.size());
    kept_.assign(fields_.size(), true);
  }

  std::string_view Apply(Row* row, Worker*) const override {
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (kept_[i]) continue;
      size_t hint = 0;
      if (Field* field = row->Find(fields_[i], &hint); field != nullptr) row->Remove(field);
    }
    return "";
  }

  bool fits() const override { return true; }
  std::unique_ptr<Observations> NewObservations() const override {
    return std::make_unique<ColumnObservations<Column>>(fields_.size());
  }

  void Observe(Row* row, Worker*, Observations* to) const override {
    auto* seen = static_cast<ColumnObservations<Column>*>(to);
    on_.Count(row, &seen->train_records, &seen->split_records);
    const FitOn::Bucket bucket = on_.Of(row);
    if (bucket == FitOn::kNeither) return;
    size_t hint = 0;
    const std::string target(target_.empty() ? "" : CategoryOf(row->Find(target_, &hint)));
    if (!target_.empty() && target.empty()) return;
    for (size_t i = 0; i < fields_.size(); ++i) {
      const Field* field = row->Find(fields_[i], &hint);
      if (field == nullptr) continue;
      Column& column = seen->of[bucket][i];
      if (by_ == "mutual_information") {
        if (const std::string_view value = CategoryOf(field); !value.empty()) {
          ++column.table[{std::string(value), target}];
        }
      } else if (const std::optional<double> value = Row::Number(*field)) {
        column.values.push_back(*value);
        if (by_ == "chi_square") column.classes.push_back(target);
      }
    }
  }

  void Absorb(const Observations& from) override {
    const auto& seen = static_cast<const ColumnObservations<Column>&>(from);
    train_records_ += seen.train_records;
    split_records_ += seen.split_records;
    for (int bucket = 0; bucket < 2; ++bucket) {
      for (size_t i = 0; i < fields_.size(); ++i) Absorb(seen.of[bucket][i], i, &states_[bucket][i]);
    }
  }

  void FinishFit() override {
    const FitOn::Bucket bucket = on_.Choose("select_features", train_records_, split_records_);
    scores_.clear();
    for (const State& state : states_[bucket]) {
      scores_.push_back(by_ == "variance"     ? state.moments.Variance()
                        : by_ == "chi_square" ? ChiSquare(state)
                                              : MutualInformation(state));
    }
    // Best first; equal scores in the order in which the fields were named.
    std::vector<size_t> order(fields_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores_[a] > scores_[b]; });
    kept_.assign(fields_.size(), false);
    for (size_t place = 0; place < std::min(keep_, order.size()); ++place) {
      kept_[order[place]] = least_ < 0 || scores_[order[place]] > least_;
    }
  }

  Json Fitted() const override {
    Json fitted = Json::object();
    for (size_t i = 0; i < scores_.size(); ++i) {
      fitted[fields_[i]] = {{"score", scores_[i]}, {"kept", static_cast<bool>(kept_[i])}};
    }
    return fitted;
  }
  void Restore(const Json& fitted) override {
    scores_.assign(fields_.size(), 0);
    for (size_t i = 0; i < fields_.size(); ++i) {
      scores_[i] = fitted.at(fields_[i]).at("score").get<double>();
      kept_[i] = fitted.at(fields_[i]).at("kept").get<bool>();
    }
  }

 private:
  struct Column {
    std::vector<double> values;
    std::vector<std::string> classes;
    Table2 table;
  };
  struct State {
    Moments moments;
    std::map<std::string, ClassSum> classes;
    Table2 table;
  };

  void Absorb(const Column& column, size_t field, State* state) const {
    for (size_t i = 0; i < column.values.size(); ++i) {
      state->moments.Add(column.values[i]);
      if (by_ != "chi_square") continue;
      if (column.values[i] < 0) {
        throw Error(Code::kInvalidInput, Cat("select_features: '", fields_[field], "' is negative in some record"),
                    "chi_square compares frequencies; scale to 0..1 first, or use mutual_information");
      }
      ClassSum& sum = state->classes[column.classes[i]];
      sum.sum += column.values[i];
      ++sum.count;
    }
    for (const auto& [pair, count] : column.table) {
      state->table[pair] += count;
      if (state->table.size() > kMostCategories) {
        throw Error(Code::kInvalidInput, Cat("select_features: '", fields_[field], "' has too many different values"),
                    "put its numbers into classes first, or select by variance");
      }
    }
  }

  static double ChiSquare(const State& state) {
    double total = 0, records = 0, chi = 0;
    for (const auto& [name, one] : state.classes) {
      total += one.sum;
      records += static_cast<double>(one.count);
    }
    if (total == 0) return 0;
    for (const auto& [name, one] : state.classes) {
      const double expected = static_cast<double>(one.count) / records * total;
      chi += (one.sum - expected) * (one.sum - expected) / expected;
    }
    return chi;
  }

  static double MutualInformation(const State& state) {
    std::map<std::string, double> values, classes;
    double total = 0;
    for (const auto& [pair, count] : state.table) {
      values[pair.first] += static_cast<double>(count);
      classes[pair.second] += static_cast<double>(count);
      total += static_cast<double>(count);
    }
    double information = 0;
    for (const auto& [pair, count] : state.table) {
      const auto both = static_cast<double>(count);
      information += both / total * std::log(both * total / (values[pair.first] * classes[pair.second]));
    }
    return std::max(information, 0.0);
  }

  std::vector<std::string> fields_;
  FitOn on_;
  std::string by_, target_;
  size_t keep_;
  double least_;
  std::vector<State> states_[2];
  std::vector<double> scores_;
  std::vector<bool> kept_;
  uint64_t train_records_ = 0, split_records_ = 0;
};

}  // namespace

std::unique_ptr<Operation> MakeSelectFeatures(Table* table) { return std::make_unique<SelectFeatures>(table); }

}  // namespace atelier::data::clean
