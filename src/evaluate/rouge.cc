#include "evaluate/rouge.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"

namespace atelier::evaluate {
namespace {

constexpr size_t kScores = 4;
const std::vector<std::string> kRougeTokenizers = {"rouge", "zh", "zh-words"};

RougeUnits UnitsOf(const std::string& name) {
  if (name == "rouge") return RougeUnits::kWords;
  if (name == "zh") return RougeUnits::kCharacters;
  if (name == "zh-words") return RougeUnits::kSegments;
  throw Error(Code::kUsage, Cat("rouge: there is no tokenizer ", Quote(name)), Join(kRougeTokenizers, ", "));
}

WordSource WordsFor(const RougeOptions& options) {
  if (UnitsOf(options.tokenize) != RougeUnits::kSegments) return {};
  if (!options.words) throw Error(Code::kUsage, "rouge: zh-words wants a segmenter, and here is none", "zh needs none");
  return options.words();
}

}  // namespace

void RougeOptions::Declare(MetricSettings& settings) {
  settings.Choice("tokenize", &tokenize, kRougeTokenizers,
                  "runs of a-z and 0-9; these and every Chinese character; a segmenter's words");
  settings.Flag("stem", &stem, "compare stems of English words (Porter's, as NLTK has it)");
  settings.Text("sentence-break", &sentence_break, "what ends a sentence within a line, for rougeLsum: <n>");
  settings.Words(&words);
}

Rouge::Rouge(const RougeOptions& options)
    : options_(options),
      words_(WordsFor(options)),
      scorer_(RougeTokenizer(UnitsOf(options.tokenize), options.stem, words_.segmenter)) {}

void Rouge::Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) {
  if (!options_.sentence_break.empty()) {
    broken_.clear();
    for (const std::string_view text : references) broken_.push_back(ReplaceAll(text, options_.sentence_break, "\n"));
    broken_.push_back(ReplaceAll(hypothesis, options_.sentence_break, "\n"));
    broken_references_.assign(broken_.begin(), broken_.end() - 1);  // views, once no string moves any more
    references = broken_references_;
    hypothesis = broken_.back();
  }
  const RougeScores scores = scorer_.Score(references, hypothesis);
  const RougeScore* of[kScores] = {&scores.rouge1, &scores.rouge2, &scores.rougeL, &scores.rougeLsum};
  for (size_t i = 0; i < kScores; ++i) {
    counts[i] = ScoreUnits(of[i]->f1);
    counts[kScores + i] = ScoreUnits(of[i]->precision);
    counts[2 * kScores + i] = ScoreUnits(of[i]->recall);
  }
  counts[3 * kScores] = 1;
}

double Rouge::Score(std::span<const int64_t> sum, size_t which) const {
  return MeanOfUnits(sum[which], sum[3 * kScores]);
}

std::string Rouge::Fields(bool) const {
  return Cat("case:lc|stem:", options_.stem ? "nltk-porter" : "no", "|tok:", options_.tokenize,
             words_.name.empty() ? "" : "-", words_.name,
             "|split:", options_.sentence_break.empty() ? "no" : Quote(options_.sentence_break));
}

Note Rouge::Doubt(std::span<const std::string_view> hypotheses) const {
  if (options_.tokenize != "rouge") return {};
  const auto blind = std::count_if(hypotheses.begin(), hypotheses.end(), [](std::string_view line) {
    return !line.empty() && std::none_of(line.begin(), line.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    });
  });
  if (blind == 0) return {};
  return {
      Cat(blind, " of ", hypotheses.size(), " texts have no token of a-z or 0-9 and score 0 (Chinese: --tokenize zh)"),
      Cat(hypotheses.size(), " 段文字中有 ", blind, " 段没有 a-z、0-9 的词，记 0 分（中文请用 --tokenize zh）")};
}

Json Rouge::Details(std::span<const int64_t> sum) const {
  Json precision = Json::object(), recall = Json::object();
  const std::vector<std::string> keys = names();
  for (size_t i = 0; i < kScores; ++i) {
    precision[keys[i]] = MeanOfUnits(sum[kScores + i], sum[3 * kScores]);
    recall[keys[i]] = MeanOfUnits(sum[2 * kScores + i], sum[3 * kScores]);
  }
  return {{"precision", precision}, {"recall", recall}};
}

}  // namespace atelier::evaluate
