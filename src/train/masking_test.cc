#include "train/masking.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "model/batch.h"
#include "text/tokenizer.h"
#include "train/examples.h"
#include "train/run_tokenizer.h"

namespace atelier::train {
namespace {

class MaskingTest : public testing::Test {
 protected:
  std::unique_ptr<text::Tokenizer> tokenizer_ = text::MakeTokenizer(ByteTokenizer());
  SpecialIds ids_ = FindSpecialIds(*tokenizer_);

  std::vector<int64_t> Encode(std::string_view text) const {
    std::vector<int64_t> out = {ids_.begin};
    for (const text::TokenId id : tokenizer_->Encode(text)) out.push_back(id);
    out.push_back(ids_.end);
    return out;
  }
};

TEST_F(MaskingTest, HidesTheSharesOfThePaper) {
  const Masking masking(*tokenizer_, ids_.mask, 0.15, false);
  const std::vector<int64_t> text = Encode(std::string(200, 'a'));
  int64_t hidden = 0, masked = 0, kept = 0, other = 0, rounds = 500;
  std::vector<int64_t> by_place(text.size());
  for (int64_t round = 0; round < rounds; ++round) {
    Rng rng(static_cast<uint64_t>(round));
    std::vector<int64_t> ids = text, targets(text.size(), model::kIgnored);
    masking.Hide(ids, targets, &rng);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (targets[i] == model::kIgnored) {
        EXPECT_EQ(ids[i], text[i]);
        continue;
      }
      EXPECT_EQ(targets[i], text[i]);
      ++by_place[i];
      ++hidden;
      (ids[i] == ids_.mask ? masked : ids[i] == text[i] ? kept : other)++;
      EXPECT_TRUE(ids[i] == ids_.mask || !tokenizer_->IsControl(static_cast<text::TokenId>(ids[i])));
    }
    EXPECT_EQ(targets.front(), model::kIgnored);
    EXPECT_EQ(targets.back(), model::kIgnored);
  }
  EXPECT_EQ(hidden, rounds * 30);  // 15 % of 200, every time
  // Of 15,000 draws: within four standard deviations. One in 256 random tokens is the token itself.
  const auto near = [&](int64_t count, double share) {
    const auto n = static_cast<double>(hidden);
    EXPECT_NEAR(static_cast<double>(count) / n, share, 4 * std::sqrt(share * (1 - share) / n));
  };
  near(masked, 0.8);
  near(kept, 0.1 + 0.1 / 256);
  near(other, 0.1 * 255 / 256);
  for (size_t i = 1; i + 1 < text.size(); ++i) EXPECT_NEAR(static_cast<double>(by_place[i]), 75, 4.5 * 8);
}

TEST_F(MaskingTest, DrawsFromTheGivenNumbersAlone) {
  const Masking masking(*tokenizer_, ids_.mask, 0.3, true);
  const auto hide = [&](uint64_t seed) {
    Rng rng(seed);
    std::vector<int64_t> ids = Encode("咖啡 and tea 🙂"), targets(ids.size(), model::kIgnored);
    masking.Hide(ids, targets, &rng);
    ids.insert(ids.end(), targets.begin(), targets.end());
    return ids;
  };
  EXPECT_EQ(hide(5), hide(5));
  EXPECT_NE(hide(5), hide(6));
}

TEST_F(MaskingTest, WholeWordsAreHiddenTogether) {
  const Masking masking(*tokenizer_, ids_.mask, 0.3, true);
  const std::vector<int64_t> text = Encode("hello wörld, 咖啡🙂 2026");
  // marks; the words' bytes; each character of Chinese and each mark by itself
  const std::vector<bool> begins_word = masking.BeginsWord(text);
  std::vector<size_t> begins;
  for (size_t i = 0; i < text.size(); ++i) {
    if (begins_word[i]) begins.push_back(i);
  }
  EXPECT_EQ(begins, (std::vector<size_t>{0, 1, 6, 7, 13, 14, 15, 18, 21, 25, 26, 30}));
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    std::vector<int64_t> ids = text, targets(text.size(), model::kIgnored);
    masking.Hide(ids, targets, &rng);
    for (size_t i = 1; i < text.size(); ++i) {
      if (begins_word[i]) continue;
      EXPECT_EQ(targets[i] == model::kIgnored, targets[i - 1] == model::kIgnored) << "seed " << seed << " at " << i;
    }
  }
}

TEST_F(MaskingTest, SmallAndOddTexts) {
  const Masking masking(*tokenizer_, ids_.mask, 0.15, true);
  for (const std::string& text : {std::string(), std::string("a"), std::string("\xff\x80\x80"), std::string(9, '\0')}) {
    Rng rng(1);
    std::vector<int64_t> ids = Encode(text), targets(ids.size(), model::kIgnored);
    masking.Hide(ids, targets, &rng);
    const auto hidden = std::count_if(targets.begin(), targets.end(), [](int64_t t) { return t != model::kIgnored; });
    EXPECT_EQ(hidden > 0, !text.empty());
  }
  EXPECT_THROW(Masking(*tokenizer_, -1, 0.15, false), Error);
}

}  // namespace
}  // namespace atelier::train
