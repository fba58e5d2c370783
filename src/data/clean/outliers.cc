// outliers: numbers far from the others.
//
//   fields = ["price"]
//   method = "zscore" | "iqr" | "mad"
//   most = 3                 zscore: standard deviations from the mean (3); iqr: interquartile ranges beyond the
//   quartiles
//                            (1.5, Tukey 1977); mad: modified z-score 0.6745 |x - median| / MAD (3.5, Iglewicz and
//                            Hoaglin 1993)
//   action = "drop" | "clip" | "null"
//   fit_on = "auto"          see fit.h
//
// Each method comes to a range [low, high] per field. A spread of 0 makes nothing an outlier. Quantiles are exact up to
// a million values, then a sketch's (sketch.h).
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/str.h"
#include "data/clean/column_fit.h"

namespace atelier::data::clean {
namespace {

class Outliers : public ColumnFit {
 public:
  explicit Outliers(Table* table) : ColumnFit(table, "outliers", "auto", true) {
    method_ = table->String("method");
    if (method_ != "zscore" && method_ != "iqr" && method_ != "mad")
      table->Refuse("method", "is not zscore, iqr or mad");
    const double otherwise = method_ == "zscore" ? 3 : method_ == "iqr" ? 1.5 : 3.5;
    most_ = table->DoubleOr("most", otherwise, 0, 1e6);
    const std::string action = table->StringOr("action", "drop");
    if (action != "drop" && action != "clip" && action != "null") table->Refuse("action", "is not drop, clip or null");
    action_ = action[0];
    low_.resize(fields().size());
    high_.resize(fields().size());
  }

  std::string_view Apply(Row* row, Worker*) const override {
    for (size_t i = 0; i < fields().size(); ++i) {
      size_t hint = 0;
      Field* field = row->Find(fields()[i], &hint);
      if (field == nullptr) continue;
      const std::optional<double> value = Row::Number(*field);
      if (!value || (*value >= low_[i] && *value <= high_[i])) continue;
      if (action_ == 'd') return *value < low_[i] ? "a number far below the others" : "a number far above the others";
      if (action_ == 'c') row->SetNumber(field, std::clamp(*value, low_[i], high_[i]));
      if (action_ == 'n') row->SetNull(field);
    }
    return "";
  }

  void FitField(size_t i, const Moments& moments, const Sketch& sketch) override {
    constexpr double kAll = std::numeric_limits<double>::max();
    double low = 0, high = 0, spread = 0;
    if (method_ == "zscore") {
      spread = std::sqrt(moments.Variance());
      low = high = moments.mean;
    } else if (method_ == "iqr") {
      low = sketch.Quantile(0.25);
      high = sketch.Quantile(0.75);
      spread = high - low;
    } else {
      low = high = sketch.Quantile(0.5);
      spread = sketch.MedianDistance(low) / 0.6745;
    }
    low_[i] = spread > 0 ? low - most_ * spread : -kAll;
    high_[i] = spread > 0 ? high + most_ * spread : kAll;
  }

  Json Fitted() const override {
    Json fitted = Json::object();
    for (size_t i = 0; i < fields().size(); ++i) fitted[fields()[i]] = {{"low", low_[i]}, {"high", high_[i]}};
    return fitted;
  }
  void Restore(const Json& fitted) override {
    for (size_t i = 0; i < fields().size(); ++i) {
      low_[i] = fitted.at(fields()[i]).at("low").get<double>();
      high_[i] = std::max(low_[i], fitted.at(fields()[i]).at("high").get<double>());
    }
  }

 private:
  std::string method_;
  double most_;
  char action_;
  std::vector<double> low_, high_;
};

}  // namespace

std::unique_ptr<Operation> MakeOutliers(Table* table) { return std::make_unique<Outliers>(table); }

}  // namespace atelier::data::clean
