// The base of operations that fit numbers of some columns: moments and quantiles per field, train side or all.
#pragma once

#include <string>
#include <vector>

#include "data/clean/fit.h"
#include "data/clean/sketch.h"

namespace atelier::data::clean {

class ColumnFit : public Operation {
 public:
  // `sketch`: quantiles are wanted too.
  ColumnFit(Table* table, std::string name, const char* fit_on, bool sketch);

  bool fits() const override { return true; }
  std::unique_ptr<Observations> NewObservations() const override;
  void Observe(Row* row, Worker* worker, Observations* to) const override;
  void Absorb(const Observations& from) override;
  void FinishFit() override;  // calls FitField for every field

 protected:
  virtual void FitField(size_t field, const Moments& moments, const Sketch& sketch) = 0;
  const std::vector<std::string>& fields() const { return fields_; }

 private:
  std::string name_;
  std::vector<std::string> fields_;
  FitOn on_;
  bool sketch_;
  std::vector<Moments> moments_[2];
  std::vector<Sketch> sketches_[2];
  uint64_t train_records_ = 0, split_records_ = 0;
};

}  // namespace atelier::data::clean
