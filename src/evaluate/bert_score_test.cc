// BERTScore against bert-score's own arithmetic (tools/golden_bert_score.py) on thousands of pairs that both draw, and
// the metric around it with an encoder of our making.
#include "evaluate/bert_score.h"

#include <cmath>

#include <gtest/gtest.h>
#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/str.h"
#include "evaluate/reference_metrics.h"
#include "evaluate/resample.h"

namespace atelier::evaluate {
namespace {

constexpr double kRounding = 1e-11;  // the golden has 13 digits

const Json& Golden() {
  static const Json golden = ParseJson(
      ReadFile(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/evaluate/bert_score.json"), "bert_score.json");
  return golden;
}

struct Side {
  std::vector<float> vectors;
  std::vector<double> weights;
  MatchTokens tokens() const { return {vectors, weights, weights.size() == 2}; }
};

// As `side` of the tool.
Side DrawSide(Rng* rng, size_t tokens, size_t dims, uint64_t kind) {
  const auto draw = [&](uint64_t below) { return rng->Next() % below; };
  Side out;
  for (size_t i = 0; i < tokens; ++i) {
    if (kind == 2 && i > 0 && draw(2) != 0) {
      const size_t from = draw(i) * dims;
      for (size_t d = 0; d < dims; ++d) out.vectors.push_back(out.vectors[from + d]);
      continue;
    }
    for (size_t d = 0; d < dims; ++d) {
      out.vectors.push_back(kind == 1 ? static_cast<float>(draw(3)) - 1 : (static_cast<float>(draw(129)) - 64) / 64);
    }
  }
  if (kind == 3) std::fill_n(out.vectors.begin() + static_cast<int64_t>(draw(tokens) * dims), dims, 0.0f);
  if (kind == 6) {
    for (float& value : out.vectors) value *= 0x1p90f;
  }
  for (size_t i = 0; i < tokens; ++i) {
    out.weights.push_back(i == 0 || i + 1 == tokens ? 0 : static_cast<double>(draw(33)) / 16);
  }
  if (kind == 4) std::fill(out.weights.begin(), out.weights.end(), 0);
  if (kind == 7) std::fill(out.weights.begin(), out.weights.end(), 1);
  return out;
}

TEST(BertScoreGolden, PairsAreBertScores) {
  const Json& pairs = Golden()["pairs"];
  ASSERT_EQ(pairs.size(), 3000u);
  size_t numbers = 0, none = 0;
  for (size_t i = 0; i < pairs.size(); ++i) {
    Rng rng(i);
    const size_t left = 1 + rng.Next() % 9, right = 1 + rng.Next() % 9, dims = 1 + rng.Next() % 12;
    const uint64_t kind = rng.Next() % 8;
    const Side hyp = DrawSide(&rng, left, dims, kind), ref = DrawSide(&rng, right, dims, kind);
    const BertScores got = MatchGreedily(hyp.tokens(), ref.tokens(), dims);
    const double scores[] = {got.precision, got.recall, got.f1};
    // An F1 of two numbers that cancel out has no digits to compare; nor has it where an empty text's ends weigh 1.
    const bool f1 = std::abs(got.precision + got.recall) > 1e-6 && left != 2 && right != 2;
    for (size_t which = 0; which < (f1 ? 3u : 2u); ++which) {
      if (pairs[i][which].is_null()) {
        EXPECT_TRUE(std::isnan(scores[which])) << i << " " << which;
        ++none;
      } else {
        const double want = pairs[i][which].get<double>();
        EXPECT_NEAR(scores[which], want, kRounding * std::max(1.0, std::abs(want))) << i << " " << which;
        ++numbers;
      }
    }
  }
  EXPECT_GT(numbers, 4000u);
  EXPECT_GT(none, 500u);
}

// Texts of numbers, whose vectors stand in a table; "#" is a text that is cut off.
class TableEmbedder : public artefact::Embedder {
 public:
  explicit TableEmbedder(std::vector<std::vector<float>> table) : table_(std::move(table)) { info_.name = "table"; }
  const artefact::ModelInfo& info() const override { return info_; }
  int dims() const override { return static_cast<int>(table_[0].size()); }
  int64_t context() const override { return 512; }
  int layers() const override { return 2; }
  std::vector<float> Embed(const std::vector<std::string>&, Role, std::vector<bool>*) override { return {}; }
  int64_t CountTokens(std::string_view, Role) const override { return 0; }
  std::vector<artefact::TokenVectors> ReadTokens(const std::vector<std::string>& texts, Role) const override {
    std::vector<artefact::TokenVectors> out;
    for (const std::string& text : texts) {
      artefact::TokenVectors& one = out.emplace_back();
      one.ids = {0, 2};  // a beginning, and the role's word, which is nobody's
      one.first = 2;
      for (const std::string& word : Split(text, ' ')) {
        if (word == "#") one.truncated = true;
        if (const auto id = ParseInt(word)) one.ids.push_back(static_cast<int32_t>(*id));
      }
      one.last = one.ids.size();
      one.ids.push_back(1);
    }
    return out;
  }
  std::vector<artefact::TokenVectors> EmbedTokens(const std::vector<std::string>& texts, Role role, int) override {
    read += texts.size();
    auto out = ReadTokens(texts, role);
    for (artefact::TokenVectors& one : out) {
      for (const int32_t id : one.ids) {
        const std::vector<float>& row = table_[static_cast<size_t>(id)];
        one.vectors.insert(one.vectors.end(), row.begin(), row.end());
      }
    }
    return out;
  }
  size_t read = 0;

 private:
  std::vector<std::vector<float>> table_;
  artefact::ModelInfo info_;
};

std::shared_ptr<TableEmbedder> GoldenTable() {
  return std::make_shared<TableEmbedder>(Golden()["corpus"]["table"].get<std::vector<std::vector<float>>>());
}

using Views = std::vector<std::string_view>;

TEST(BertScoreGolden, LinesWithReferencesAndIdfAreBertScores) {
  const Json& corpus = Golden()["corpus"];
  const auto hyp = corpus["hyp"].get<std::vector<std::string>>();
  const auto refs = corpus["refs"].get<std::vector<std::vector<std::string>>>();
  const Views hyps(hyp.begin(), hyp.end());
  const std::vector<Views> held = {{refs[0].begin(), refs[0].end()}, {refs[1].begin(), refs[1].end()}};
  const auto rescale = corpus["rescale"].get<std::vector<double>>();
  // f1, precision, recall are numbers 2, 0, 1 there.
  const size_t there[] = {2, 0, 1};
  for (const bool idf : {false, true}) {
    const std::string name = idf ? "with_idf" : "plain";
    BertScore metric({.idf = idf}, GoldenTable());
    BertScore rescaled(
        {.idf = idf, .rescale_precision = rescale[0], .rescale_recall = rescale[1], .rescale_f1 = rescale[2]},
        GoldenTable());
    const LineCounts counts = CountLines(metric, hyps, held), same = CountLines(rescaled, hyps, held);
    for (size_t which = 0; which < 3; ++which) {
      for (size_t line = 0; line < hyps.size(); ++line) {
        EXPECT_NEAR(metric.LineScore(counts.row(line), which), corpus[name][line][there[which]].get<double>(), 1e-11)
            << name << " line " << line << " " << which;
      }
      EXPECT_NEAR(rescaled.Score(same.Sum(), which), corpus[name + "_rescaled_means"][there[which]].get<double>(),
                  1e-10);
    }
    const LineCounts* systems[] = {&counts};
    const auto draws = Bootstrap(metric, systems, 50, 3);
    EXPECT_LT(IntervalOf(draws[0][0]).low, metric.Score(counts.Sum(), 0));
    EXPECT_GT(IntervalOf(draws[0][0]).high, metric.Score(counts.Sum(), 0));
  }
  InverseFrequencies idf;
  for (const Views& reference : held) {
    for (const std::string_view text : reference) {
      std::vector<int32_t> ids = {0, 1};
      for (const std::string& word : Split(text, ' ')) {
        if (const auto id = ParseInt(word)) ids.push_back(static_cast<int32_t>(*id));
      }
      idf.Add(ids);
    }
  }
  for (int32_t id = 0; id < 32; ++id)
    EXPECT_NEAR(idf.Of(id), corpus["idf"][static_cast<size_t>(id)].get<double>(), 1e-14);
}

TEST(BertScoreTest, EveryTextIsReadOnce) {
  const auto embedder = GoldenTable();
  BertScore metric({}, embedder);
  const Views hyps(700, "3 4 5"), other(700, "3 4 6");
  const std::vector<Views> refs = {Views(700, "3 4 6"), Views(700, "5 5")};
  CountLines(metric, hyps, refs);
  EXPECT_EQ(embedder->read, 3u);
  CountLines(metric, other, refs);  // the baseline's
  EXPECT_EQ(embedder->read, 3u);
}

TEST(BertScoreTest, TokensOfEveryReferenceCountEvenlyAndAreTold) {
  BertScore metric({.idf = true}, GoldenTable());
  const Views hyps = {"7", "7 8 #"}, refs = {"7", "7 9"};
  const LineCounts counts = CountLines(metric, hyps, std::vector<Views>{refs});
  EXPECT_NEAR(metric.LineScore(counts.row(0), 0), 1, 1e-9);
  EXPECT_EQ(metric.Details(counts.Sum())["evenly_weighted"], 1);
  EXPECT_NE(metric.Doubt(hyps).en.find("1 pairs"), std::string::npos) << metric.Doubt(hyps).en;
  EXPECT_NE(metric.Doubt(hyps).en.find("1 texts are longer"), std::string::npos) << metric.Doubt(hyps).en;
}

TEST(BertScoreTest, AVectorWithoutDirectionIsAnErrorNotAZero) {
  auto table = Golden()["corpus"]["table"].get<std::vector<std::vector<float>>>();
  for (const float bad : {0.0f, std::nanf(""), INFINITY}) {
    std::fill(table[9].begin(), table[9].end(), bad);
    BertScore metric({}, std::make_shared<TableEmbedder>(table));
    const Views hyps = {"3 9"}, refs = {"4"};
    try {
      CountLines(metric, hyps, std::vector<Views>{refs});
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_NE(std::string_view(error.what()).find("3 9"), std::string_view::npos) << error.what();
    }
  }
}

TEST(BertScoreTest, OptionsThatMakeNoSenseAreRefused) {
  EXPECT_THROW(BertScore({.layer = 3}, GoldenTable()), Error);
  EXPECT_THROW(BertScore({.rescale_f1 = 0.5}, GoldenTable()), Error);
  EXPECT_THROW(RequestMetric("bertscore")->Make(), Error);
  const auto request = RequestMetric("bertscore");
  EXPECT_TRUE(request->wants_embedder());
  request->Use(GoldenTable());
  EXPECT_EQ(request->Make()->Fields(false), "model:table|sha256:|layer:2|idf:no|rescaled:no");
}

}  // namespace
}  // namespace atelier::evaluate
