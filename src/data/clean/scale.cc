// scale: numbers into a common range, fitted on the train split only.
//
//   fields = ["price"]
//   method = "minmax" | "standard"     (x - least) / (most - least); (x - mean) / standard deviation of the population
//   suffix = ""                        "_scaled" writes a second field and leaves the first
//
// A field that is constant in train becomes 0, as in scikit-learn. Values outside of train's range leave [0, 1].
#include <cmath>

#include "base/str.h"
#include "data/clean/column_fit.h"

namespace atelier::data::clean {
namespace {

class Scale : public ColumnFit {
 public:
  explicit Scale(Table* table) : ColumnFit(table, "scale", "train", false) {
    const std::string method = table->String("method");
    if (method != "minmax" && method != "standard") table->Refuse("method", "is not minmax or standard");
    if (table->StringOr("fit_on", "train") != "train") {
      table->Refuse("fit_on", "scaling is fitted on train only",
                    "what the model is tested on must not shape its input");
    }
    minmax_ = method == "minmax";
    const std::string suffix = table->StringOr("suffix", "");
    for (const std::string& field : fields()) into_.push_back(field + suffix);
    shift_.resize(fields().size());
    factor_.resize(fields().size());
  }

  std::string_view Apply(Row* row, Worker*) const override {
    for (size_t i = 0; i < fields().size(); ++i) {
      size_t hint = 0;
      Field* field = row->Find(fields()[i], &hint);
      if (field == nullptr) continue;
      const std::optional<double> value = Row::Number(*field);
      if (!value) continue;
      const double scaled = (*value - shift_[i]) / factor_[i];
      if (into_[i] == fields()[i]) {
        row->SetNumber(field, scaled);
      } else {
        row->AddNumber(into_[i], scaled);
      }
    }
    return "";
  }

  void FitField(size_t i, const Moments& moments, const Sketch&) override {
    shift_[i] = minmax_ ? moments.least : moments.mean;
    factor_[i] = minmax_ ? moments.most - moments.least : std::sqrt(moments.Variance());
    if (factor_[i] == 0) factor_[i] = 1;
  }

  Json Fitted() const override {
    Json fitted = Json::object();
    for (size_t i = 0; i < fields().size(); ++i) fitted[fields()[i]] = {{"shift", shift_[i]}, {"factor", factor_[i]}};
    return fitted;
  }
  void Restore(const Json& fitted) override {
    for (size_t i = 0; i < fields().size(); ++i) {
      shift_[i] = fitted.at(fields()[i]).at("shift").get<double>();
      factor_[i] = fitted.at(fields()[i]).at("factor").get<double>();
      if (factor_[i] == 0) factor_[i] = 1;
    }
  }

 private:
  bool minmax_;
  std::vector<std::string> into_;
  std::vector<double> shift_, factor_;
};

}  // namespace

std::unique_ptr<Operation> MakeScale(Table* table) { return std::make_unique<Scale>(table); }

}  // namespace atelier::data::clean
