// The n-gram model against the definition, computed over tuples by tools/golden_ngram.py, and against what a
// probability must be.
#include "evaluate/ngram.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

NgramModel Learn(const std::vector<std::string>& texts, int order) {
  NgramModel model(order);
  for (const std::string& text : texts) model.Add(text);
  model.Finish();
  return model;
}

TEST(Ngram, IsTheDefinition) {
  const Json golden =
      ParseJson(ReadFile(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/evaluate/ngram.json"), "ngram.json");
  for (const Json& one : golden["cases"]) {
    const int order = one["order"];
    const NgramModel model = Learn(one["train"].get<std::vector<std::string>>(), order);
    for (int n = 1; n <= order; ++n) {
      for (size_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(model.discounts(n)[k], one["discounts"][static_cast<size_t>(n - 1)][k].get<double>(), 1e-12);
      }
    }
    for (const Json& pair : one["bits"]) {
      const double want = pair[1];
      EXPECT_NEAR(model.Bits(pair[0].get<std::string>()), want, 1e-9 * (1 + want)) << order << " " << pair[0];
    }
  }
}

TEST(Ngram, ProbabilitiesOfAContextSumToOne) {
  const std::vector<std::string> texts = {"春眠不觉晓", "处处闻啼鸟", "春春春", "", "ab ab abba🙂"};
  const NgramModel model = Learn(texts, 4);
  std::u32string symbols = {NgramModel::kEnd, NgramModel::kUnseen};
  for (const std::string& text : texts) {
    for (const char32_t c : text::DecodeUtf8(text)) {
      if (symbols.find(c) == std::u32string::npos) symbols += c;
    }
  }
  for (const char* context : {"", "春", "春眠", "眠春", "龘", "龘春", "ab ", "春眠不觉晓", "b🙂"}) {
    for (const bool begins : {false, true}) {
      double sum = 0;
      for (const char32_t c : symbols) sum += model.Probability(text::DecodeUtf8(context), begins, c);
      EXPECT_NEAR(sum, 1, 1e-12) << context << begins;
    }
  }
}

TEST(Ngram, CountsTheUnseenAndBrokenBytes) {
  const NgramModel model = Learn({"春眠", "春"}, 3);
  int64_t unseen = 0;
  EXPECT_GT(model.Bits("龘\xff", &unseen), 40);
  EXPECT_EQ(unseen, 2);
  NgramModel empty(3);
  EXPECT_THROW(empty.Finish(), Error);
}

}  // namespace
}  // namespace atelier::evaluate
