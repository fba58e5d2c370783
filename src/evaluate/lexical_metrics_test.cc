// Metrics that hold texts against references: examples of the papers, and sacrebleu's figures
// (tools/golden_evaluate.py).
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "evaluate/bleu.h"
#include "evaluate/chrf.h"
#include "evaluate/exact_match.h"
#include "evaluate/reference_metrics.h"
#include "evaluate/rouge.h"
#include "evaluate/ter.h"

namespace atelier::evaluate {
namespace {

// A metric's settings from a JSON object, which may hold nothing else.
class JsonSettings : public MetricSettings {
 public:
  explicit JsonSettings(Json values) : values_(std::move(values)) {}
  void Choice(const std::string& name, std::string* value, const std::vector<std::string>&,
              const std::string&) override {
    Take(name, value);
  }
  void Text(const std::string& name, std::string* value, const std::string&) override { Take(name, value); }
  void Flag(const std::string& name, bool* value, const std::string&) override { Take(name, value); }
  void Int(const std::string& name, int64_t* value, const std::string&, int64_t, int64_t) override {
    Take(name, value);
  }
  void Number(const std::string& name, std::optional<double>* value, const std::string&, double, double) override {
    double number = 0;
    if (Take(name, &number)) *value = number;
  }
  void Words(WordSourceFn* words) override {
    *words = [] { return WordSource{"icu", text::MakeIcuSegmenter()}; };
  }
  const Json& left() const { return values_; }

 private:
  template <typename T>
  bool Take(const std::string& name, T* value) {
    if (!values_.contains(name)) return false;
    *value = values_[name].get<T>();
    values_.erase(name);
    return true;
  }
  Json values_;
};

double ScoreOf(ReferenceMetric& metric, std::string_view hypothesis, const std::vector<std::string_view>& references) {
  std::vector<int64_t> counts(metric.width());
  metric.Count(hypothesis, references, counts.data());
  return metric.LineScore(counts, 0);
}

std::string WithoutOrder(std::string signature) {
  const size_t at = signature.find("|order:");
  if (at != std::string::npos) signature.erase(at, signature.find('|', at + 1) - at);
  return signature;
}

TEST(LexicalMetrics, EqualSacrebleu) {
  const Json golden =
      ParseJson(ReadFile(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/evaluate/lexical.json"), "lexical.json");
  size_t lines = 0;
  for (size_t number = 0; number < golden["cases"].size(); ++number) {
    const Json& one = golden["cases"][number];
    SCOPED_TRACE(testing::Message() << "case " << number << ", " << one["metric"] << " " << one["options"]);
    JsonSettings settings(one["options"]);
    const auto request = RequestMetric(one["metric"].get<std::string>());
    request->Declare(settings);
    EXPECT_TRUE(settings.left().empty()) << settings.left();
    const auto metric = request->Make();
    const auto hypotheses = one["hyp"].get<std::vector<std::string>>();
    const auto references = one["refs"].get<std::vector<std::vector<std::string>>>();
    const std::vector<std::string_view> views(hypotheses.begin(), hypotheses.end());
    std::vector<std::vector<std::string_view>> reference_views;
    for (const auto& list : references) reference_views.emplace_back(list.begin(), list.end());
    const LineCounts counts = CountLines(*metric, views, reference_views);
    EXPECT_NEAR(metric->Score(counts.Sum(), 0), one["score"].get<double>(), 1e-8);
    for (size_t i = 0; i < counts.size(); ++i, ++lines) {
      EXPECT_NEAR(metric->LineScore(counts.row(i), 0), one["lines"][i].get<double>(), 1e-8) << hypotheses[i] << "\n"
                                                                                            << references[0][i];
    }
    EXPECT_EQ(WithoutOrder(Signature(*metric, references.size(), {})), one["signature"].get<std::string>());
  }
  EXPECT_GT(lines, 500u);
}

// Papineni et al. (2002): modified precisions 2/7 where a word is said too often.
TEST(LexicalMetrics, BleuClipsRepeatedWords) {
  Bleu bleu(BleuOptions{.tokenize = "none", .smooth = "none", .max_order = 1});
  std::vector<int64_t> counts(bleu.width());
  bleu.Count("the the the the the the the",
             std::vector<std::string_view>{"the cat is on the mat", "there is a cat on the mat"}, counts.data());
  EXPECT_EQ(counts, (std::vector<int64_t>{7, 7, 2, 7}));
  EXPECT_NEAR(bleu.Score(counts, 0), 200.0 / 7, 1e-12);
}

TEST(LexicalMetrics, BleuTakesTheNearestReferenceAndOfTwoTheShorter) {
  Bleu bleu(BleuOptions{.tokenize = "none"});
  std::vector<int64_t> counts(bleu.width());
  bleu.Count("a b c", std::vector<std::string_view>{"a b c d", "a b", "a b c d e"}, counts.data());
  EXPECT_EQ(counts[1], 2);
}

// Snover et al. (2006), figure 1: one shift, two substitutions, one insertion against 13 words.
TEST(LexicalMetrics, TerShiftsAPhraseAtOnce) {
  Ter ter(TerOptions{});
  std::vector<int64_t> counts(ter.width());
  ter.Count("this week the saudis denied information published in the new york times",
            std::vector<std::string_view>{
                "Saudi Arabia denied this week information published in the American new york times"},
            counts.data());
  EXPECT_EQ(counts[0], 4);
  EXPECT_NEAR(ter.Score(counts, 0), 400.0 / 13, 1e-12);
}

TEST(LexicalMetrics, TerOfLongTextsNeedsNoSquareOfMemory) {
  std::string text, reference;
  for (int i = 0; i < 30000; ++i) {
    text += std::to_string(i % 977) + " ";
    reference += std::to_string((i + i / 5000) % 977) + " ";
  }
  Ter ter(TerOptions{});
  const double score = ScoreOf(ter, text, {reference});
  EXPECT_GT(score, 0);
  EXPECT_LT(score, 30);
}

TEST(LexicalMetrics, ChrfOfEqualAndUnlikeTexts) {
  Chrf chrf(ChrfOptions{.word_order = 2});
  EXPECT_EQ(chrf.title(), "chrF2++");
  EXPECT_NEAR(ScoreOf(chrf, "手冲咖啡壶 600 ml", {"手冲咖啡壶 600 ml"}), 100, 1e-12);
  EXPECT_EQ(ScoreOf(chrf, "abc", {"xyz"}), 0);
  EXPECT_EQ(ScoreOf(chrf, "", {"xyz"}), 0);
}

TEST(LexicalMetrics, LeaveNothingBehindFromLineToLine) {
  for (const ReferenceMetricEntry& entry : ReferenceMetrics()) {
    if (entry.request()->wants_embedder()) continue;  // bert_score_test.cc
    const auto once = entry.request()->Make(), again = entry.request()->Make();
    ScoreOf(*again, "a very long line of many words that fills whatever is kept from line to line", {"a b", "a very"});
    ScoreOf(*again, "", {""});
    EXPECT_EQ(ScoreOf(*once, "the cat sat", {"the cat sat down"}), ScoreOf(*again, "the cat sat", {"the cat sat down"}))
        << entry.name;
  }
}

TEST(LexicalMetrics, NamesThatAreNoneAreRefused) {
  EXPECT_THROW(Bleu(BleuOptions{.tokenize = "14a"}), Error);
  EXPECT_THROW(Bleu(BleuOptions{.smooth = "laplace"}), Error);
  EXPECT_THROW(Rouge(RougeOptions{.tokenize = "13a"}), Error);
  EXPECT_THROW(ExactMatch(ExactMatchOptions{.tokenize = "13a"}), Error);
  EXPECT_THROW(RequestMetric("blue"), Error);
}

// As a suite makes it, without a command line.
TEST(LexicalMetrics, RougeAsksForASegmenterOnlyWhereItWantsWords) {
  JsonSettings settings({{"tokenize", "zh-words"}, {"stem", true}, {"sentence-break", "<n>"}});
  const auto request = RequestMetric("rouge");
  request->Declare(settings);
  EXPECT_TRUE(settings.left().empty()) << settings.left();
  const auto rouge = request->Make();
  EXPECT_EQ(Signature(*rouge, 1, {}), "nrefs:1|case:lc|stem:nltk-porter|tok:zh-words-icu|split:'<n>'|version:0.1.2");
  EXPECT_DOUBLE_EQ(ScoreOf(*rouge, "北京大学", {"北京大学"}), 1);
  EXPECT_THROW(Rouge(RougeOptions{.tokenize = "zh-words"}), Error);
  EXPECT_NO_THROW(
      Rouge(RougeOptions{.tokenize = "zh", .words = []() -> WordSource { throw std::logic_error("asked"); }}));
}

TEST(LexicalMetrics, RougeDoubtsTextsInWhichItSeesNothing) {
  const std::vector<std::string_view> lines = {"好茶", "", "tea", "..."};
  EXPECT_EQ(Rouge(RougeOptions{}).Doubt(lines).en.substr(0, 34), "2 of 4 texts have no token of a-z ");
  EXPECT_EQ(Rouge(RougeOptions{.tokenize = "zh"}).Doubt(lines).en, "");
}

TEST(LexicalMetrics, BleuDoubtsTokenizedTexts) {
  const std::vector<std::string_view> lines(100, "the end .");
  EXPECT_NE(Bleu(BleuOptions{}).Doubt(lines).en, "");
  EXPECT_EQ(Bleu(BleuOptions{}).Doubt(std::span(lines).first(99)).en, "");
  EXPECT_EQ(Bleu(BleuOptions{.force = true}).Doubt(lines).en, "");
}

}  // namespace
}  // namespace atelier::evaluate
