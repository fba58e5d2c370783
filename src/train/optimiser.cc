#include "train/optimiser.h"

#include <cmath>

#include "base/error.h"
#include "base/str.h"

namespace atelier::train {
namespace {

class Base : public Optimiser {
 public:
  Base(const OptimiserSettings& settings, const Arena& arena)
      : s_(settings), p_(arena.values()), g_(arena.gradients()), decayed_(arena.decayed()) {}

 protected:
  // What every step begins with.
  void Begin(double rate, double scale) {
    ++steps_;
    if (scale != 1) g_.mul_(scale);
    if (s_.weight_decay > 0) p_.narrow(0, 0, decayed_).mul_(1 - rate * s_.weight_decay);
  }
  OptimiserSettings s_;
  torch::Tensor p_, g_;
  int64_t decayed_;
};

class AdamW : public Base {
 public:
  AdamW(const OptimiserSettings& settings, const Arena& arena)
      : Base(settings, arena), m_(torch::zeros_like(p_)), v_(torch::zeros_like(p_)) {}
  void Step(double rate, double scale) override {
    Begin(rate, scale);
    const double t = static_cast<double>(steps_);
    m_.lerp_(g_, 1 - s_.beta1);
    v_.mul_(s_.beta2).addcmul_(g_, g_, 1 - s_.beta2);
    const torch::Tensor root = v_.sqrt().div_(std::sqrt(1 - std::pow(s_.beta2, t))).add_(s_.eps);
    p_.addcdiv_(m_, root, -rate / (1 - std::pow(s_.beta1, t)));
    g_.zero_();
  }
  std::vector<std::pair<std::string, torch::Tensor>> State() const override { return {{"m", m_}, {"v", v_}}; }

 private:
  torch::Tensor m_, v_;
};

class Sgd : public Base {
 public:
  Sgd(const OptimiserSettings& settings, const Arena& arena) : Base(settings, arena) {
    if (s_.momentum > 0) u_ = torch::zeros_like(p_);
  }
  void Step(double rate, double scale) override {
    Begin(rate, scale);
    if (s_.momentum > 0) u_.mul_(s_.momentum).add_(g_);
    p_.add_(s_.momentum > 0 ? u_ : g_, -rate);
    g_.zero_();
  }
  std::vector<std::pair<std::string, torch::Tensor>> State() const override {
    if (s_.momentum > 0) return {{"u", u_}};
    return {};
  }

 private:
  torch::Tensor u_;
};

class Lion : public Base {
 public:
  Lion(const OptimiserSettings& settings, const Arena& arena) : Base(settings, arena), m_(torch::zeros_like(p_)) {}
  void Step(double rate, double scale) override {
    Begin(rate, scale);
    p_.add_((m_ * s_.beta1).add_(g_, 1 - s_.beta1).sign_(), -rate);
    m_.mul_(s_.beta2).add_(g_, 1 - s_.beta2);
    g_.zero_();
  }
  std::vector<std::pair<std::string, torch::Tensor>> State() const override { return {{"m", m_}}; }

 private:
  torch::Tensor m_;
};

}  // namespace

std::unique_ptr<Optimiser> MakeOptimiser(const OptimiserSettings& settings, const Arena& arena) {
  if (settings.name == "adamw") return std::make_unique<AdamW>(settings, arena);
  if (settings.name == "sgd") return std::make_unique<Sgd>(settings, arena);
  if (settings.name == "lion") return std::make_unique<Lion>(settings, arena);
  throw Error(Code::kInternal, Cat("no optimiser ", settings.name));
}

double GradientNorm(const Arena& arena) { return std::sqrt(arena.gradients().dot(arena.gradients()).item<double>()); }

}  // namespace atelier::train
