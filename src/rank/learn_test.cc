// Made readers with a taste: what is planted must be found, also in Chinese, and no more than is there.
#include "rank/learn.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/str.h"
#include "rank/features.h"
#include "rank/local_ranker.h"

namespace atelier::rank {
namespace {

// Says of a text which of eight characters it holds; the rest of its 16 numbers are noise that its hash gives.
class CharacterEmbedder : public artefact::Embedder {
 public:
  CharacterEmbedder() { info_.name = "characters", info_.hash = "c0ffee"; }
  const artefact::ModelInfo& info() const override { return info_; }
  int dims() const override { return kDims; }
  int64_t context() const override { return 512; }
  std::vector<float> Embed(const std::vector<std::string>& texts, Role role, std::vector<bool>* cut) override {
    EXPECT_EQ(role, Role::kQuery);
    if (cut != nullptr) cut->assign(texts.size(), false);
    std::vector<float> out;
    for (const std::string& text : texts) {
      std::vector<double> vector(kDims);
      Rng rng(Hash64(text));
      double square = 0;
      for (size_t d = 0; d < kDims; ++d) {
        vector[d] = d < 8 ? (text.find(kCharacters[d]) != std::string::npos ? 1 : -1) : rng.Uniform() - 0.5;
        square += vector[d] * vector[d];
      }
      for (const double one : vector) out.push_back(static_cast<float>(one / std::sqrt(square)));
    }
    return out;
  }
  int64_t CountTokens(std::string_view text, Role) const override { return static_cast<int64_t>(text.size()); }

  static constexpr size_t kDims = 16;
  static constexpr const char* kCharacters[8] = {"春", "夏", "秋", "冬", "茶", "酒", "花", "雨"};
  artefact::ModelInfo info_;
};

struct Taste {
  double exclamations = 0, price = 0, length = 0, spring = 0, brought = 0;
  bool season_of_context = false;  // likes the season that the context names
};

// Choices among 2 to 5 texts; who chooses follows the taste and chance (Gumbel: exactly Plackett-Luce).
Choices Made(size_t count, const Taste& taste, uint64_t seed, bool chinese = true, size_t readers = 50) {
  Rng rng(seed);
  Choices out;
  for (size_t i = 0; i < count; ++i) {
    Choice choice;
    choice.group = Cat(chinese ? "读者" : "reader ", rng.Below(readers));
    choice.line = i + 1;
    const size_t season = rng.Below(4);
    choice.context = {{"name", taste.season_of_context ? CharacterEmbedder::kCharacters[season] : "茶壶"}};
    double best = -INFINITY;
    size_t taken = 0;
    for (size_t option = 0, options = 2 + rng.Below(4); option < options; ++option) {
      const size_t words = 1 + rng.Below(12), marks = rng.Below(4), own = rng.Below(4);
      const bool price = rng.Below(2) == 0;
      std::string text = CharacterEmbedder::kCharacters[own];
      for (size_t w = 0; w < words; ++w) text += chinese ? "好茶" : "nice tea ";
      if (price) text += chinese ? "，128元" : " for $18";
      for (size_t m = 0; m < marks; ++m) text += chinese ? "！" : "!";
      const double brought = rng.Uniform();
      const double worth = taste.exclamations * static_cast<double>(marks) + taste.price * (price ? 1 : 0) +
                           taste.length * static_cast<double>(words) + taste.spring * (own == 0 ? 1 : 0) +
                           taste.brought * brought + (taste.season_of_context ? (own == season ? 3 : 0) : 0) -
                           std::log(-std::log(rng.Uniform() + 1e-300));
      choice.options.push_back({text, {{"likelihood", brought}}});
      if (worth > best) best = worth, taken = option;
    }
    choice.gains.assign(choice.options.size(), 0);
    choice.gains[taken] = 1;
    out.list.push_back(std::move(choice));
  }
  return out;
}

const Influence& Of(const Learned& learned, std::string_view name) {
  for (const Influence& one : learned.influences) {
    if (one.name == name) return one;
  }
  throw std::runtime_error(Cat("no influence of ", name));
}

TEST(RankLearn, FindsAPlantedTaste) {
  for (const bool chinese : {true, false}) {
    for (const Loss loss : {Loss::kPairwise, Loss::kListwise}) {
      const Taste taste{.exclamations = -1.2, .price = 2, .brought = 3};
      const Learned learned = Learn(Made(1200, taste, 11, chinese), nullptr, nullptr, {.loss = loss});
      // Effects are per deviation: the planted one per unit, times the unit's deviation.
      EXPECT_NEAR(Of(learned, "exclamations").effect / Of(learned, "exclamations").deviation, -1.2, 0.35);
      EXPECT_NEAR(Of(learned, "likelihood").effect / Of(learned, "likelihood").deviation, 3, 0.6);
      // Where there is a price there are digits and a quantity, too: the three share what one of them has.
      EXPECT_GT(Of(learned, "price").effect + Of(learned, "digits").effect + Of(learned, "quantities").effect, 0.6);
      const HeldOut& held = learned.held_out;
      EXPECT_GT(held.ranker.accuracy, 0.75);
      for (const Order& other : held.baselines) {
        EXPECT_GT(held.ranker.accuracy, other.accuracy + 0.15) << other.name;
        EXPECT_GT(held.ranker.ndcg, other.ndcg + 0.1) << other.name;
        EXPECT_GT(held.ranker.mrr, other.mrr + 0.1) << other.name;
      }
      EXPECT_LT(held.error_after, 0.06);
      EXPECT_LT(held.loss, 0.56);
      EXPECT_EQ(learned.file.loss, Name(loss));
      EXPECT_EQ(learned.choices + held.choices, 1200u);
    }
  }
}

TEST(RankLearn, FindsNothingWhereNothingIs) {
  const Learned learned = Learn(Made(600, {}, 3), nullptr, nullptr, {});
  EXPECT_NEAR(learned.held_out.ranker.accuracy, 0.5, 0.1);
  EXPECT_NEAR(learned.held_out.loss, std::log(2), 0.03);
  for (const Influence& one : learned.influences) EXPECT_LT(std::fabs(one.effect), 0.3) << one.name;
}

TEST(RankLearn, TheEncoderIsTakenWhereItHelps) {
  CharacterEmbedder encoder;
  const Choices seasons = Made(900, {.spring = 3}, 21);
  const Learned with = Learn(seasons, nullptr, &encoder, {}), without = Learn(seasons, nullptr, nullptr, {});
  EXPECT_EQ(with.file.encoder, "characters");
  EXPECT_EQ(with.file.encoder_sha256, "c0ffee");
  EXPECT_EQ(with.file.text_weights.size(), CharacterEmbedder::kDims);
  EXPECT_TRUE(with.file.product_weights.empty());
  EXPECT_GT(with.held_out.ranker.accuracy, without.held_out.ranker.accuracy + 0.1);
  EXPECT_GT(with.encoder_effect, 0.5);
  // A taste that features tell all about: the noise of the vectors is left out, and it is said.
  const Learned plain = Learn(Made(900, {.exclamations = -1.5}, 22), nullptr, &encoder, {});
  EXPECT_EQ(plain.file.encoder, "");
  ASSERT_FALSE(plain.notes.empty());
  EXPECT_NE(plain.notes.back().en.find("left out"), std::string::npos);
}

TEST(RankLearn, TheProductSeesTheContext) {
  CharacterEmbedder encoder;
  const Choices matching = Made(1200, {.season_of_context = true}, 31);
  // Without `covers` and `echo`, which see it, too.
  const LearnOptions text{.features = {"length"}}, product{.features = {"length"}, .product = true};
  const double plain = Learn(matching, nullptr, &encoder, text).held_out.ranker.accuracy;
  const Learned learned = Learn(matching, nullptr, &encoder, product);
  EXPECT_LT(plain, 0.6);
  EXPECT_GT(learned.held_out.ranker.accuracy, plain + 0.12);
  EXPECT_EQ(learned.file.product_weights.size(), CharacterEmbedder::kDims);
}

TEST(RankLearn, TheFileScoresAsWasMeasured) {
  auto encoder = std::make_shared<CharacterEmbedder>();
  const Choices data = Made(900, {.price = 1, .spring = 2, .season_of_context = true}, 41);
  const Choices held = Made(200, {.price = 1, .spring = 2, .season_of_context = true}, 42);
  Choices other = held;
  for (Choice& choice : other.list) choice.group += " of another day";
  for (const Loss loss : {Loss::kPairwise, Loss::kListwise}) {
    const Learned learned = Learn(data, &other, encoder.get(), {.loss = loss, .product = true});
    ASSERT_FALSE(learned.file.product_weights.empty());
    const auto ranker = MakeRanker(artefact::ParseRankerFile(artefact::RankerFileText(learned.file), "r"), {}, encoder);
    EXPECT_EQ(ranker->wants(), std::vector<std::string>{"likelihood"});
    std::vector<std::vector<double>> scores;
    double loss_of_pairs = 0;
    for (const Choice& choice : other.list) {
      scores.push_back(ranker->Score(choice.context, choice.options));
      double one = 0, pairs = 0;
      for (size_t a = 0; a < choice.gains.size(); ++a) {
        for (size_t b = 0; b < choice.gains.size(); ++b) {
          if (choice.gains[a] > choice.gains[b]) one += Softplus(scores.back()[b] - scores.back()[a]), ++pairs;
        }
      }
      loss_of_pairs += one / pairs / static_cast<double>(other.list.size());
    }
    const Order order = MeasureOrder("served", other.list, scores);
    EXPECT_EQ(order.accuracy, learned.held_out.ranker.accuracy);
    EXPECT_NEAR(loss_of_pairs, learned.held_out.loss, 1e-6);  // vectors are scaled in f32 when learning
    EXPECT_EQ(learned.held_out.choices, 200u);
  }
}

TEST(RankLearn, IsTheSameTwice) {
  CharacterEmbedder encoder;
  const Choices data = Made(300, {.price = 2, .spring = 2}, 51);
  const std::string once = artefact::RankerFileText(Learn(data, nullptr, &encoder, {}).file);
  EXPECT_EQ(once, artefact::RankerFileText(Learn(data, nullptr, &encoder, {}).file));
  const Learned first = Learn(data, nullptr, nullptr, {}), other = Learn(data, nullptr, nullptr, {.seed = 2});
  EXPECT_NE(first.held_out.pairs, other.held_out.pairs);  // others are held out
}

std::string Refusal(const Choices& data, const Choices* validation, const LearnOptions& options) {
  try {
    Learn(data, validation, nullptr, options);
  } catch (const Error& e) {
    return e.Line();
  }
  return "";
}

TEST(RankLearn, RefusesWhatWouldLieOrCannotBe) {
  Choices data = Made(60, {.price = 2}, 61);
  Choices seen = Made(20, {.price = 2}, 62);
  EXPECT_NE(Refusal(data, &seen, {}).find("learned from, too"), std::string::npos);  // the same readers
  Choices few = data;
  for (Choice& choice : few.list) choice.group = choice.line % 2 == 0 ? "a" : "b";
  EXPECT_NE(Refusal(few, nullptr, {}).find("of 2 groups"), std::string::npos);
  EXPECT_NE(Refusal(data, nullptr, {.features = {"lenght"}}).find("did you mean length"), std::string::npos);
  EXPECT_NE(Refusal(data, nullptr, {.features = {"length", "length"}}).find("twice"), std::string::npos);
  data.list[7].options[1].features.clear();
  EXPECT_NE(Refusal(data, nullptr, {.features = {"likelihood"}}).find("line 8: the option"), std::string::npos);
  // By default what not all bring is left out, and said.
  const Learned learned = Learn(data, nullptr, nullptr, {});
  EXPECT_THROW(Of(learned, "likelihood"), std::runtime_error);
  EXPECT_NE(learned.notes[0].en.find("likelihood is left out: 1 of"), std::string::npos);
  for (Choice& choice : data.list) {
    for (artefact::RankOption& option : choice.options) option = {"一样的文字", {}};
  }
  EXPECT_NE(Refusal(data, nullptr, {}).find("nothing tells the options apart"), std::string::npos);
}

TEST(RankLearn, WhatDiffersBetweenChoicesAloneSaysNothing) {
  Choices data = Made(300, {.price = 2}, 81);
  Rng rng(1);
  for (Choice& choice : data.list) {
    const double hour = static_cast<double>(rng.Below(24));
    for (artefact::RankOption& option : choice.options) option.features["hour"] = hour;
  }
  const Learned learned = Learn(data, nullptr, nullptr, {.features = {"price", "hour"}});
  ASSERT_EQ(learned.file.features.size(), 1u);
  EXPECT_EQ(learned.file.features[0].name, "price");
  EXPECT_LT(learned.file.features[0].deviation, 0.48);  // half of all name one; within a choice they differ less
  ASSERT_EQ(learned.notes.size(), 1u);
  EXPECT_NE(learned.notes[0].zh.find("hour"), std::string::npos);
}

TEST(RankLearn, WeightsCount) {
  // Half of the readers like long texts, half short ones; those who weigh more decide.
  Choices data = Made(400, {.length = 0.6}, 71), other = Made(400, {.length = -0.6}, 72);
  for (Choice& choice : data.list) choice.weight = 20;
  data.list.insert(data.list.end(), other.list.begin(), other.list.end());
  EXPECT_GT(Of(Learn(data, nullptr, nullptr, {.features = {"length"}}), "length").effect, 0.5);
  for (Choice& choice : data.list) choice.weight = choice.weight == 20 ? 1 : 20;
  EXPECT_LT(Of(Learn(data, nullptr, nullptr, {.features = {"length"}}), "length").effect, -0.5);
}

TEST(RankLearn, ServesOnlyWithItsEncoder) {
  auto encoder = std::make_shared<CharacterEmbedder>();
  artefact::RankerFile file{.loss = "pairwise", .encoder = "characters", .encoder_sha256 = "other"};
  file.text_weights.assign(CharacterEmbedder::kDims, 0.5);
  EXPECT_THROW(MakeRanker(file, {}, encoder), Error);
  file.encoder_sha256 = "c0ffee";
  EXPECT_EQ(MakeRanker(file, {}, encoder)->Score(nullptr, {{"春", {}}, {"夏", {}}}).size(), 2u);
  EXPECT_TRUE(MakeRanker(file, {}, encoder)->Score(nullptr, {}).empty());
  file.text_weights.pop_back();
  EXPECT_THROW(MakeRanker(file, {}, encoder), Error);
}

}  // namespace
}  // namespace atelier::rank
