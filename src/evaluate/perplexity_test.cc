#include "evaluate/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace atelier::evaluate {
namespace {

// A token is a byte, BOS is 256; a token's log-probability depends on it and on the one before it.
class ByteModel : public artefact::Generator {
 public:
  explicit ByteModel(bool wants) : wants_bos_(wants) { info_.context_length = 64; }
  static double Logprob(int32_t before, int32_t token) { return -0.1 - (before * 31 + token * 7) % 50 / 10.0; }

  const artefact::ModelInfo& info() const override { return info_; }
  artefact::EngineInfo engine() const override { return {}; }
  artefact::GenerateResult Generate(const artefact::GenerateRequest&, const artefact::StreamFn&) override { return {}; }
  std::vector<artefact::Scored> Score(std::string_view, const std::vector<std::string>&, bool) override { return {}; }
  std::vector<int32_t> Tokenize(std::string_view text, bool add_special) const override {
    std::vector<int32_t> out;
    if (add_special && wants_bos_) out.push_back(256);
    for (char c : text) out.push_back(static_cast<uint8_t>(c));
    return out;
  }
  int32_t bos() const override { return 256; }
  bool wants_bos() const override { return wants_bos_; }
  std::vector<float> Logprobs(std::span<const int32_t> tokens, size_t first) override {
    windows.emplace_back(tokens.begin(), tokens.end());
    std::vector<float> out;
    for (size_t i = first; i < tokens.size(); ++i) out.push_back(static_cast<float>(Logprob(tokens[i - 1], tokens[i])));
    return out;
  }
  std::vector<std::vector<int32_t>> windows;

 private:
  artefact::ModelInfo info_;
  bool wants_bos_;
};

const std::string kText =
    "窗 The quick brown fox, 37 times; never twice in one window. 🦊 And on it goes to an end.";

TEST(Perplexity, IsTheFormulaOverTheSecondHalves) {
  for (bool bos : {false, true}) {
    for (int64_t context : {4, 7, 16, 33}) {
      ByteModel model(bos);
      const Perplexity got = MeasurePerplexity(model, kText, context);
      std::vector<int32_t> tokens = model.Tokenize(kText, true);
      const auto windows = static_cast<int64_t>(tokens.size()) / context;
      std::vector<double> values;
      for (int64_t w = 0; w < windows; ++w) {
        if (bos) tokens[static_cast<size_t>(w * context)] = 256;
        for (int64_t i = context / 2 + 1; i < context; ++i) {
          const auto at = static_cast<size_t>(w * context + i);
          values.push_back(-ByteModel::Logprob(tokens[at - 1], tokens[at]));
        }
      }
      double mean = 0, variance = 0;
      for (double value : values) mean += value / static_cast<double>(values.size());
      for (double value : values) variance += (value - mean) * (value - mean) / static_cast<double>(values.size() - 1);
      EXPECT_EQ(got.tokens, static_cast<int64_t>(tokens.size()));
      EXPECT_EQ(got.windows, windows);
      EXPECT_EQ(got.scored, static_cast<int64_t>(values.size()));
      EXPECT_NEAR(got.perplexity, std::exp(mean), 1e-5 * std::exp(mean)) << context;
      EXPECT_NEAR(got.standard_error, std::exp(mean) * std::sqrt(variance / static_cast<double>(values.size())), 1e-4)
          << context;
      ASSERT_EQ(static_cast<int64_t>(model.windows.size()), windows);
      for (const auto& window : model.windows) {
        EXPECT_EQ(static_cast<int64_t>(window.size()), context);
        EXPECT_EQ(window[0] == 256, bos);
      }
    }
  }
}

TEST(Perplexity, TellsHowFarItIs) {
  ByteModel model(true);
  std::vector<uint64_t> done;
  MeasurePerplexity(model, kText, 20, [&](uint64_t at, uint64_t of, std::string_view text) {
    done.push_back(at);
    EXPECT_EQ(of, kText.size() / 20);
    EXPECT_TRUE(text.starts_with("perplexity "));
  });
  EXPECT_EQ(done, (std::vector<uint64_t>{1, 2, 3, 4}));
}

TEST(Perplexity, RefusesWhatHasNoSecondWindow) {
  ByteModel model(false);
  const auto refused = [&](std::string_view text, int64_t context) {
    try {
      MeasurePerplexity(model, text, context);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidInput);
      return error.Line();
    }
    return std::string("fine");
  };
  EXPECT_EQ(refused("seven..", 4),
            "the text has 7 tokens, two windows of 4 are needed (give a longer text or a smaller --ctx)");
  EXPECT_EQ(refused("eight...", 4), "fine");
  EXPECT_EQ(refused(kText, 3), "a window of 3 tokens (from 4 to the model's context of 64)");
  EXPECT_EQ(refused(kText, 65), "a window of 65 tokens (from 4 to the model's context of 64)");
  EXPECT_EQ(refused("", 4).substr(0, 21), "the text has 0 tokens");
  EXPECT_TRUE(model.windows.size() == 2) << "nothing was computed for what is refused";
}

}  // namespace
}  // namespace atelier::evaluate
