#include "train/optimiser.h"

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/str.h"
#include "kernel/training/select.h"
#include "model/fused/ops.h"

namespace atelier::train {
namespace {

const kernel::TrainTable& Kernels() {
  static const kernel::TrainTable& table = kernel::BestTrainTable();
  return table;
}

// step(begin, end) over pieces of [0, n), on torch's threads.
template <typename Step>
void InPieces(int64_t n, int64_t piece, const Step& step) {
  model::fused::InParallel((n + piece - 1) / piece,
                           [&](int64_t begin, int64_t end) { step(begin * piece, std::min(n, end * piece)); });
}

// Of what an optimiser takes: every number is stepped by itself, no cut changes it, so small parts have equal shares.
constexpr int64_t kStepPiece = 4096;

class Base : public Optimiser {
 public:
  Base(const OptimiserSettings& settings, const Arena& arena)
      : s_(settings), p_(arena.values()), g_(arena.gradients()), decayed_(arena.decayed()) {}

 protected:
  // step(arena, begin, decay) over all numbers, those that decay and those that do not.
  template <typename Step>
  void Run(double scale, const Step& step) {
    const auto part = [&](int64_t begin, int64_t end, double decay) {
      if (begin >= end) return;
      kernel::Arena arena;
      arena.weight = p_.data_ptr<float>() + begin, arena.gradient = g_.data_ptr<float>() + begin;
      arena.scale = static_cast<float>(scale), arena.n = end - begin;
      step(arena, begin, static_cast<float>(decay));
    };
    ++steps_;
    InPieces(p_.numel(), kStepPiece, [&](int64_t begin, int64_t end) {
      part(begin, std::min(end, decayed_), s_.weight_decay);
      part(std::max(begin, decayed_), end, 0);
    });
    torch::autograd::impl::bump_version(p_);
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
    kernel::AdamW how;
    how.rate = static_cast<float>(rate), how.beta1 = static_cast<float>(s_.beta1);
    how.beta2 = static_cast<float>(s_.beta2), how.epsilon = static_cast<float>(s_.eps);
    const double t = static_cast<double>(steps_ + 1);
    how.correction1 = static_cast<float>(1 - std::pow(s_.beta1, t));
    how.correction2 = static_cast<float>(1 - std::pow(s_.beta2, t));
    Run(scale, [&](const kernel::Arena& arena, int64_t begin, float decay) {
      kernel::AdamW mine = how;
      mine.decay = decay;
      Kernels().adamw(&arena, &mine, m_.data_ptr<float>() + begin, v_.data_ptr<float>() + begin);
    });
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
    Run(scale, [&](const kernel::Arena& arena, int64_t begin, float decay) {
      const kernel::Sgd how{static_cast<float>(rate), static_cast<float>(s_.momentum), decay, false};
      Kernels().sgd(&arena, &how, u_.defined() ? u_.data_ptr<float>() + begin : nullptr);
    });
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
    Run(scale, [&](const kernel::Arena& arena, int64_t begin, float decay) {
      const kernel::Lion how{static_cast<float>(rate), static_cast<float>(s_.beta1), static_cast<float>(s_.beta2),
                             decay};
      Kernels().lion(&arena, &how, m_.data_ptr<float>() + begin);
    });
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

double GradientNorm(const Arena& arena) {
  const torch::Tensor gradients = arena.gradients();
  const int64_t n = gradients.numel();
  std::vector<double> sums(static_cast<size_t>((n + kernel::kSumPiece - 1) / kernel::kSumPiece));
  InPieces(n, kernel::kSumPiece, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kernel::kSumPiece) {
      sums[static_cast<size_t>(at / kernel::kSumPiece)] =
          Kernels().sum_squares(gradients.data_ptr<float>() + at, std::min(kernel::kSumPiece, end - at));
    }
  });
  return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
}

}  // namespace atelier::train
