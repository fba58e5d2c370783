#include "evaluate/divergence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"

namespace atelier::evaluate {
namespace {

// Four tokens; the distribution after a prefix depends on its last token and on `sharpness`.
class SmallModel : public artefact::Generator {
 public:
  explicit SmallModel(double sharpness, int shift = 0) : sharpness_(sharpness), shift_(shift) {
    info_.context_length = 64;
    info_.vocabulary = 4;
  }
  std::vector<double> After(int32_t token) const {
    std::vector<double> p(4);
    double sum = 0;
    for (int t = 0; t < 4; ++t)
      sum += p[static_cast<size_t>(t)] = std::exp(sharpness_ * ((t * 5 + token * 3 + shift_) % 7));
    for (double& value : p) value = std::log(value / sum);
    return p;
  }
  const artefact::ModelInfo& info() const override { return info_; }
  artefact::EngineInfo engine() const override { return {}; }
  artefact::GenerateResult Generate(const artefact::GenerateRequest&, const artefact::StreamFn&) override { return {}; }
  std::vector<artefact::Scored> Score(std::string_view, const std::vector<std::string>&, bool) override { return {}; }
  std::vector<int32_t> Tokenize(std::string_view text, bool) const override {
    std::vector<int32_t> out;
    for (const char c : text) out.push_back(static_cast<uint8_t>(c) % 4);
    return out;
  }
  int32_t bos() const override { return -1; }
  bool wants_bos() const override { return false; }
  std::vector<float> Logprobs(std::span<const int32_t>, size_t) override { return {}; }
  void Distributions(std::span<const int32_t> tokens, size_t first, const DistributionFn& see) override {
    for (size_t i = tokens.size(); i >= first; --i) {  // any order
      const std::vector<double> p = After(tokens[i - 1]);
      see(i, std::vector<float>(p.begin(), p.end()));
    }
  }
  artefact::ModelInfo info_;

 private:
  double sharpness_;
  int shift_;
};

const std::string kText = "one text of some words, 里面有中文 🎈, twice the length of a window at the very least";

TEST(Divergence, IsTheFormulaOverTheSecondHalves) {
  SmallModel original(0.7), copy(0.4, 2);
  const int64_t context = 16;
  const Divergence got = MeasureDivergence(original, copy, kText, context);
  const std::vector<int32_t> tokens = original.Tokenize(kText, true);
  double sum = 0, ours = 0, theirs = 0;
  int64_t n = 0, same = 0;
  for (int64_t w = 0; w < static_cast<int64_t>(tokens.size()) / context; ++w) {
    for (int64_t i = context / 2 + 1; i < context; ++i) {
      const auto at = static_cast<size_t>(w * context + i);
      const std::vector<double> p = original.After(tokens[at - 1]), q = copy.After(tokens[at - 1]);
      size_t top_p = 0, top_q = 0;
      for (size_t t = 0; t < 4; ++t) {
        sum += std::exp(p[t]) * (p[t] - q[t]);
        if (p[t] > p[top_p]) top_p = t;
        if (q[t] > q[top_q]) top_q = t;
      }
      same += top_p == top_q ? 1 : 0;
      ours -= p[static_cast<size_t>(tokens[at])];
      theirs -= q[static_cast<size_t>(tokens[at])];
      ++n;
    }
  }
  const auto count = static_cast<double>(n);
  EXPECT_EQ(got.copy.scored, n);
  EXPECT_NEAR(got.mean, sum / count, 1e-6);
  EXPECT_NEAR(got.original.perplexity, std::exp(ours / count), 1e-5);
  EXPECT_NEAR(got.copy.perplexity, std::exp(theirs / count), 1e-5);
  EXPECT_DOUBLE_EQ(got.same_top, static_cast<double>(same) / count);
  EXPECT_GT(got.mean, 0.01);
  EXPECT_LE(got.median, got.p99);
  EXPECT_LE(got.p99, got.greatest);
}

TEST(Divergence, OfAModelFromItselfIsNought) {
  SmallModel model(0.7), same(0.7);
  const Divergence got = MeasureDivergence(model, same, kText, 20);
  EXPECT_NEAR(got.mean, 0, 1e-7);
  EXPECT_EQ(got.same_top, 1);
  EXPECT_EQ(got.original.perplexity, got.copy.perplexity);
}

TEST(Divergence, TellsWhatIsNoNumber) {
  SmallModel model(0.7), broken(std::numeric_limits<double>::quiet_NaN());
  for (const bool first : {false, true}) {
    try {
      MeasureDivergence(first ? broken : model, first ? model : broken, kText, 20);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_NE(error.Line().find("are not numbers"), std::string::npos);
    }
  }
}

TEST(Divergence, RefusesWhatFillsTheMemory) {
  SmallModel model(0.7), same(0.7);
  model.info_.vocabulary = same.info_.vocabulary = 1 << 28;
  try {
    MeasureDivergence(model, same, kText, 20);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(error.Line().find("--ctx"), std::string::npos) << error.Line();
  }
}

TEST(Divergence, RefusesModelsOfOtherWords) {
  SmallModel model(0.7), other(0.7);
  other.info_.vocabulary = 5;
  try {
    MeasureDivergence(model, other, kText, 20);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidInput);
    EXPECT_NE(error.Line().find("different tokens"), std::string::npos);
  }
}

}  // namespace
}  // namespace atelier::evaluate
