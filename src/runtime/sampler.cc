#include "runtime/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/str.h"

namespace atelier::runtime {

void Validate(const artefact::Sampling& s, int64_t vocab) {
  const auto check = [](bool fine, std::string_view name, double value, std::string_view range) {
    if (!fine) throw Error(Code::kInvalidInput, Cat(name, " is ", value), Cat("it may be ", range));
  };
  check(s.temperature >= 0 && s.temperature <= 100, "temperature", s.temperature, "from 0 to 100");
  check(s.top_k >= 0, "top_k", s.top_k, "0 (off) or more");
  check(s.top_p > 0 && s.top_p <= 1, "top_p", s.top_p, "above 0, at most 1");
  check(s.min_p >= 0 && s.min_p <= 1, "min_p", s.min_p, "from 0 to 1");
  check(s.repetition_penalty > 0 && s.repetition_penalty <= 100, "repetition_penalty", s.repetition_penalty,
        "above 0, at most 100");
  check(std::abs(s.presence_penalty) <= 100, "presence_penalty", s.presence_penalty, "from -100 to 100");
  check(std::abs(s.frequency_penalty) <= 100, "frequency_penalty", s.frequency_penalty, "from -100 to 100");
  check(s.penalty_window >= 0, "penalty_window", s.penalty_window, "0 or more");
  for (const auto& [token, bias] : s.logit_bias) {
    check(token >= 0 && token < vocab, "logit_bias: token", token, Cat("below ", vocab));
    check(!std::isnan(bias), "logit_bias: bias", bias, "a number");
  }
}

Sampler::Sampler(const artefact::Sampling& settings, uint64_t seed, int index, int64_t vocab,
                 const kernel::Table& kernels)
    : settings_(settings), vocab_(vocab), kernels_(kernels), rng_(seed, Cat("sample ", index)) {}

void Sampler::Penalise(float* logits, std::span<const int32_t> context, size_t reply) const {
  for (const auto& [token, bias] : settings_.logit_bias) logits[token] += bias;
  const auto window = static_cast<size_t>(settings_.penalty_window);
  const auto last = [&](size_t count) { return context.subspan(context.size() - std::min(count, context.size())); };
  if (settings_.repetition_penalty != 1.0) {
    std::vector<int32_t> seen(last(window).begin(), last(window).end());
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    const auto penalty = static_cast<float>(settings_.repetition_penalty);
    for (int32_t token : seen) logits[token] = logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty;
  }
  if (settings_.presence_penalty != 0 || settings_.frequency_penalty != 0) {
    std::map<int32_t, int> counts;
    for (int32_t token : last(std::min(window, reply))) ++counts[token];
    for (const auto& [token, count] : counts) {
      logits[token] -= static_cast<float>(settings_.presence_penalty + settings_.frequency_penalty * count);
    }
  }
}

int32_t Sampler::Draw(const float* logits, float greatest) {
  // Everything that could matter: a token below the cut has less than e^-40 of the greatest's chance.
  const double temperature = settings_.temperature;
  const auto below = [&](double logs) { return greatest - static_cast<float>(temperature * logs); };
  const float floor = settings_.min_p > 0 ? below(std::min(40.0, -std::log(settings_.min_p))) : below(40.0);
  // What min-p will drop still counts in top-p's mass.
  const float cut = settings_.top_p < 1 ? below(40.0) : floor;
  candidates_.clear();
  for (int64_t t = 0; t < vocab_; ++t) {
    if (logits[t] >= cut) candidates_.push_back({logits[t], static_cast<int32_t>(t)});
  }
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  };
  if (settings_.top_k > 0 && candidates_.size() > static_cast<size_t>(settings_.top_k)) {
    std::nth_element(candidates_.begin(), candidates_.begin() + settings_.top_k, candidates_.end(), likelier);
    candidates_.resize(static_cast<size_t>(settings_.top_k));
  }
  const auto weight = [&](const Candidate& c) {
    return std::exp((static_cast<double>(c.logit) - greatest) / temperature);
  };
  double mass = 0;
  if (settings_.top_p < 1) {
    std::sort(candidates_.begin(), candidates_.end(), likelier);
    for (const Candidate& c : candidates_) mass += weight(c);
    const double wanted = settings_.top_p * mass;
    double kept = 0;
    size_t count = 0;
    while (count < candidates_.size() && kept < wanted) kept += weight(candidates_[count++]);
    candidates_.resize(std::max<size_t>(count, 1));
    while (candidates_.back().logit < floor) candidates_.pop_back();  // the likeliest is not
  }
  mass = 0;
  for (const Candidate& c : candidates_) mass += weight(c);
  double at = rng_.Uniform() * mass;
  for (const Candidate& c : candidates_) {
    at -= weight(c);
    if (at < 0) return c.token;
  }
  return candidates_.back().token;
}

int32_t Sampler::Pick(float* logits, std::span<const int32_t> context, size_t reply, int tops,
                      artefact::TokenLogprob* logprob, const TokenMask* mask) {
  float greatest = 0, log_sum = 0;
  std::vector<std::pair<int32_t, float>> top;
  const auto is_plain = settings_.logit_bias.empty() && settings_.repetition_penalty == 1.0 &&
                        settings_.presence_penalty == 0 && settings_.frequency_penalty == 0;
  std::vector<float> copy;
  const float* own = logits;  // the model's own, for the log-probabilities
  if (logprob != nullptr) {
    kernels_.log_sum_exp(logits, vocab_, &greatest, &log_sum);
    if (!std::isfinite(log_sum)) {  // some logit is none: broken ones become impossible, infinite ones certain
      for (int64_t t = 0; t < vocab_; ++t) {
        logits[t] = std::isnan(logits[t]) ? -INFINITY : std::min(logits[t], std::numeric_limits<float>::max());
      }
      kernels_.log_sum_exp(logits, vocab_, &greatest, &log_sum);
      if (!std::isfinite(log_sum)) greatest = log_sum = 0;  // all are impossible
    }
    if (tops > 0) {
      const size_t count = std::min<size_t>(static_cast<size_t>(tops), static_cast<size_t>(vocab_));
      std::vector<int32_t> order(static_cast<size_t>(vocab_));
      for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
      std::partial_sort(order.begin(), order.begin() + static_cast<int64_t>(count), order.end(),
                        [&](int32_t a, int32_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });
      for (size_t i = 0; i < count; ++i) top.emplace_back(order[i], logits[order[i]] - greatest - log_sum);
    }
    if (!is_plain) {
      copy.assign(logits, logits + vocab_);
      own = copy.data();
    }
  }
  if (!is_plain) Penalise(logits, context, reply);
  int32_t best = 0;
  float most = -INFINITY;
  if (mask != nullptr) {
    best = mask->First();
    mask->Apply(logits, vocab_);
  }
  for (int64_t t = 0; t < vocab_; ++t) {
    if (logits[t] > most) {
      most = logits[t];
      best = static_cast<int32_t>(t);
    }
  }
  int32_t token = best;
  if (settings_.temperature > 0 && std::isfinite(most)) token = Draw(logits, most);
  if (logprob != nullptr) {
    logprob->token = token;
    logprob->logprob = own[token] - greatest - log_sum;
    logprob->top = std::move(top);
  }
  return token;
}

}  // namespace atelier::runtime
