#include "evaluate/faithful.h"

#include <gtest/gtest.h>
#include <cmath>

#include "base/error.h"
#include "base/str.h"

namespace atelier::evaluate {
namespace {

std::string Found(std::string_view text, std::string_view source) {
  std::string out;
  for (const Unsupported& one : FindUnsupported(text, source)) {
    EXPECT_EQ(text.substr(one.begin, one.end - one.begin), one.text);
    out += Cat(out.empty() ? "" : "|", one.kind, " ", one.what, " ", one.text);
  }
  return out;
}

TEST(Faithful, NumbersAndNamesThatTheSourceHasNot) {
  const std::string_view zh = "手冲壶，600毫升，一百克，产地杭州，88元",
                         en = "Kettle, 600 ml, steel, $18, designed by Anna in Lisbon";
  EXPECT_EQ(Found("装得下０.６升，100克，杭州造，只要88元。", zh), "");
  EXPECT_EQ(Found("装得下700毫升，一百公斤，苏州造。", zh),
            "number volume 700毫升|number mass 一百公斤|name place 苏州");
  EXPECT_EQ(Found("It holds 0.6 liters, for eighteen dollars, from LISBON.", en), "");
  EXPECT_EQ(Found("It holds 600 g, from Rome, by Anna Keller.", en),
            "number mass 600 g|name name Rome|name name Anna Keller");
  EXPECT_EQ(Found("杭州，600毫升", ""), "name place 杭州|number volume 600毫升");
  EXPECT_EQ(Found("", zh), "");
  std::string many, more;
  for (int i = 0; i < 60000; ++i) many += Cat(i, " g, "), more += Cat(i * 2, " g, ");
  EXPECT_EQ(FindUnsupported(many, more).size(), 30000u);  // the odd ones
  EXPECT_EQ(Found("99.9999999 ml; 101 ml; one hundred ml; 0 ml", "0.1 l, 0 ml, 3 ml"), "number volume 101 ml");
  EXPECT_EQ(Found("\xFF 7克 \xE4", "\xE4"), "number mass 7克");
}

// Texts of letters: a is one axis, b another, c between; x is no direction at all.
class LetterEmbedder : public artefact::Embedder {
 public:
  const artefact::ModelInfo& info() const override { return info_; }
  int dims() const override { return 2; }
  int64_t context() const override { return 9; }
  int64_t CountTokens(std::string_view text, Role) const override { return static_cast<int64_t>(text.size()); }
  std::vector<float> Embed(const std::vector<std::string>& texts, Role, std::vector<bool>* truncated) override {
    std::vector<float> out;
    truncated->clear();
    for (const std::string& text : texts) {
      ++read;
      truncated->push_back(text.size() > 9);
      const auto count = [&](char c) { return static_cast<float>(std::count(text.begin(), text.end(), c)); };
      const float a = count('a'), b = count('b'), length = std::sqrt(a * a + b * b);
      out.push_back(count('x') > 0 ? 0 : length > 0 ? a / length : 1);
      out.push_back(count('x') > 0 ? 0 : length > 0 ? b / length : 0);
    }
    return out;
  }
  int read = 0;

 private:
  artefact::ModelInfo info_;
};

TEST(Faithful, TheSentenceOfLeastSupport) {
  LetterEmbedder embedder;
  const std::vector<std::string_view> texts = {"aa! abab. bb.", "abab.", "", "aa. bb.", "bb?"},
                                      sources = {"aa. abab.", "aa. bb.", "aa.", "!!", "aa."};
  size_t cut = 0;
  const auto support = MeasureSupport(embedder, texts, sources, nullptr, &cut);
  ASSERT_TRUE(support[0] && support[1] && support[4]);
  EXPECT_NEAR(support[0]->least, std::sqrt(0.5), 1e-6);  // bb. beside abab.
  EXPECT_EQ(texts[0].substr(support[0]->begin, support[0]->end - support[0]->begin), "bb.");
  EXPECT_EQ(support[0]->nearest, "abab.");
  EXPECT_NEAR(support[1]->least, 1, 1e-6);  // two sentences as one: the source as a whole
  EXPECT_EQ(support[1]->nearest, "aa. bb.");
  EXPECT_FALSE(support[2] || support[3]);  // nothing said; nothing to hold it against
  EXPECT_NEAR(support[4]->least, 0, 1e-6);
  EXPECT_EQ(embedder.read, 7);  // aa! abab. bb. aa. bb? and both sources of two sentences
  EXPECT_EQ(cut, 0u);
  const std::vector<std::string_view> bad = {"xx."}, good = {"aaaaaaaaaaaaaa."};
  EXPECT_THROW(MeasureSupport(embedder, bad, good), Error);
  MeasureSupport(embedder, good, good, nullptr, &cut);
  EXPECT_EQ(cut, 1u);
}

TEST(Faithful, WilsonsIntervals) {  // Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29
  const auto expect = [](int64_t hits, int64_t total, double low, double high) {
    const ShareInterval interval = WilsonInterval(hits, total);
    EXPECT_NEAR(interval.low, low, 5e-5) << hits;
    EXPECT_NEAR(interval.high, high, 5e-5) << hits;
  };
  expect(81, 263, 0.2553, 0.3662);
  expect(15, 148, 0.0624, 0.1605);
  expect(0, 20, 0, 0.1611);
  expect(1, 29, 0.0061, 0.1718);
  expect(20, 20, 0.8389, 1);
}

}  // namespace
}  // namespace atelier::evaluate
