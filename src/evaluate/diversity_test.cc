#include "evaluate/diversity.h"

#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/str.h"
#include "evaluate/bleu.h"
#include "evaluate/repetition.h"
#include "evaluate/units.h"

namespace atelier::evaluate {
namespace {

using Texts = std::vector<std::string>;

Diversity Measure(const Texts& texts, const DiversityOptions& options = {}) {
  return MeasureDiversity(std::vector<std::string_view>(texts.begin(), texts.end()), options);
}

TEST(Diversity, ByHand) {
  const Diversity d = Measure({"a b a b", "好茶"}, {.n = 3});
  EXPECT_EQ(d.tokens, 6u);
  EXPECT_EQ(d.ngrams, (std::vector<int64_t>{6, 4, 2}));
  EXPECT_EQ(d.different, (std::vector<int64_t>{4, 3, 2}));
  EXPECT_DOUBLE_EQ(d.distinct[1], 0.75);
  EXPECT_NEAR(d.entropy[0], -2 * (1.0 / 3 * std::log(1.0 / 3) + 1.0 / 6 * std::log(1.0 / 6)), 1e-15);
  EXPECT_DOUBLE_EQ(d.repetition[0], 0.25);
  EXPECT_DOUBLE_EQ(d.self_bleu[2], 0);
}

// The mean of Bleu's own score of each text against all others, whatever the texts.
double SelfBleu(const Texts& texts, const BleuOptions& options) {
  Bleu bleu(options);
  std::vector<int64_t> counts(bleu.width());
  double sum = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::vector<std::string_view> others(texts.begin(), texts.end());
    others.erase(others.begin() + static_cast<ptrdiff_t>(i));
    bleu.Count(texts[i], others, counts.data());
    sum += bleu.LineScore(counts, 0);
  }
  return sum / static_cast<double>(texts.size());
}

TEST(Diversity, IsEachTextsBleuAgainstAllOthersAndItsRepetition) {
  const Texts words = {"the", "the", "cat", "sat", "Mat", "好", "茶", "👍🏽", "e\u0301", "1,000", "𠀀", "."};
  Rng rng(3);
  for (int round = 0; round < 200; ++round) {
    Texts texts;
    for (size_t i = 0, count = 2 + rng.Below(12); i < count; ++i) {
      std::string text = words[rng.Below(words.size())];
      for (size_t j = rng.Below(15); j > 0; --j) text += " " + words[rng.Below(1 + rng.Below(words.size()))];
      texts.push_back(rng.Below(4) == 0 && i > 0 ? texts[rng.Below(i)] : text);
    }
    const int64_t n = 1 + static_cast<int64_t>(rng.Below(5));
    for (const std::string smooth : {"floor", "exp", "none"}) {
      const Diversity d = Measure(texts, {.n = n, .tokenize = "13a", .smooth = smooth});
      for (int64_t order = 1; order <= n; ++order) {
        EXPECT_NEAR(d.self_bleu[static_cast<size_t>(order - 1)],
                    SelfBleu(texts, {.smooth = smooth, .max_order = order}), 1e-10);
      }
    }
    const Diversity d = Measure(texts, {.n = n});
    double repetition = 0;
    std::set<std::string> grams;
    size_t all = 0, counted = 0;
    for (const std::string& text : texts) {
      if (Units(text).empty()) continue;
      ++counted;
      repetition += RepetitionRate(text, static_cast<size_t>(n));
      for (const std::string& gram : Grams(Units(text), static_cast<size_t>(n))) ++all, grams.insert(gram);
    }
    EXPECT_EQ(d.texts, counted);
    if (all == 0) continue;
    EXPECT_NEAR(d.repetition.back(), repetition / static_cast<double>(counted), 1e-12);
    EXPECT_EQ(d.different.back(), static_cast<int64_t>(grams.size()));
    EXPECT_EQ(d.ngrams.back(), static_cast<int64_t>(all));
  }
}

TEST(Diversity, EqualsPeers) {
  const Json golden =
      ParseJson(ReadFile(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/evaluate/labels.json"), "labels.json");
  ASSERT_GT(golden["diversity"].size(), 15u);
  for (const Json& item : golden["diversity"]) {
    const auto n = item["n"].get<int64_t>();
    const Json& want = item["expected"];
    const auto texts = item["texts"].get<Texts>();
    for (const std::string smooth : {"floor", "exp"}) {
      const Diversity d = Measure(texts, {.n = n, .tokenize = "none", .smooth = smooth});
      EXPECT_NEAR(d.self_bleu.back(), want["self_bleu"][smooth].get<double>(), 1e-9) << item["texts"];
    }
    const Diversity d = Measure(texts, {.n = n, .tokenize = "none"});
    for (size_t i = 0; i < d.entropy.size(); ++i) {
      if (want["entropy"][i].is_null()) {
        EXPECT_TRUE(std::isnan(d.entropy[i])) << item["texts"];
        EXPECT_TRUE(std::isnan(d.distinct[i])) << item["texts"];
      } else {
        EXPECT_NEAR(d.entropy[i], want["entropy"][i].get<double>(), 1e-12) << item["texts"];
        EXPECT_DOUBLE_EQ(d.distinct[i], want["distinct"][i].get<double>()) << item["texts"];
      }
    }
  }
}

TEST(Diversity, WhatIsUndefinedIsNotANumber) {
  const Diversity one = Measure({"the cat"});
  EXPECT_TRUE(std::isnan(one.self_bleu[0]));
  EXPECT_DOUBLE_EQ(one.distinct[0], 1);
  EXPECT_TRUE(std::isnan(one.distinct[2]));
  EXPECT_TRUE(std::isnan(one.entropy[2]));
  EXPECT_TRUE(std::isnan(one.repetition[2]));
  EXPECT_THROW(Measure({"", "...", "!"}), Error);
  EXPECT_THROW(Measure({}), Error);
  EXPECT_THROW(Measure({"a"}, {.tokenize = "14a"}), Error);
  EXPECT_THROW(Measure({"a"}, {.tokenize = "zh-words"}), Error);
  EXPECT_THROW(Measure({"a"}, {.smooth = "laplace"}), Error);
}

TEST(Diversity, RepeatsAndEmptyTexts) {
  const Diversity d = Measure({"x y", "", "a b", "...", "x y", "a b", "x y"});
  EXPECT_EQ(d.texts, 5u);
  EXPECT_EQ(d.without_tokens, 2u);
  EXPECT_EQ(d.repeats, 3u);
  EXPECT_EQ(d.first_repeat, 5u);
  EXPECT_EQ(d.first, 1u);
}

TEST(Diversity, ASegmentersWords) {
  const Diversity d = Measure({"北京大学。", "北京，ABC"}, {.n = 1, .tokenize = "zh-words", .words = [] {
                                                              return WordSource{"icu", text::MakeIcuSegmenter()};
                                                            }});
  EXPECT_EQ(d.signature, "case:lc|tok:zh-words-icu|n:1|eff:yes|smooth:floor[0.10]|version:2.6.0");
  EXPECT_LT(d.tokens, 6u);
}

// The signature promises these very texts, on every machine.
TEST(Diversity, SamplesAreTheSameEverywhere) {
  EXPECT_EQ(DrawTexts(10, 4, 12345), (std::vector<size_t>{2, 4, 7, 9}));
  EXPECT_EQ(DrawTexts(3, 5, 1), (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(DrawTexts(3, 0, 1), (std::vector<size_t>{0, 1, 2}));
  std::vector<int> drawn(10);
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const std::vector<size_t> places = DrawTexts(10, 4, seed);
    EXPECT_EQ(std::set<size_t>(places.begin(), places.end()).size(), 4u);
    for (const size_t place : places) ++drawn[place];
  }
  for (const int times : drawn) EXPECT_NEAR(times, 1600, 150);  // 4.8 standard deviations
  const Diversity d = Measure({"a", "b", "c", "d"}, {.sample = 3, .seed = 9});
  EXPECT_EQ(d.texts, 3u);
  EXPECT_EQ(d.signature,
            "sample:3|seed:9|rng:splitmix64|case:lc|tok:units|n:4|eff:yes|smooth:floor[0.10]|version:2.6.0");
}

}  // namespace
}  // namespace atelier::evaluate
