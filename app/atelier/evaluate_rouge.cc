// atelier evaluate rouge --hyp F --ref F [--stem] [--tokenize zh]
#include <array>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/paired_texts.h"
#include "app/atelier/segmenter_option.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "evaluate/rouge.h"
#include "evaluate/sums.h"

namespace atelier::app {
namespace {

using evaluate::RougeScore;
using evaluate::RougeScores;
using evaluate::RougeUnits;

struct Measure {
  const char* name;
  RougeScore RougeScores::*score;
};
constexpr std::array<Measure, 4> kMeasures = {{{"rouge1", &RougeScores::rouge1},
                                               {"rouge2", &RougeScores::rouge2},
                                               {"rougeL", &RougeScores::rougeL},
                                               {"rougeLsum", &RougeScores::rougeLsum}}};

class RougeCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    texts_.Declare(cli);
    cli.Flag("--stem", &stem_, "compare stems of English words (Porter's, as NLTK has it)");
    cli.Text("--tokenize", &tokenize_,
             "rouge: runs of a-z and 0-9; zh: these and every Chinese character; zh-words: a segmenter's words");
    cli.Text("--sentence-break", &break_, "what ends a sentence within a line, for rougeLsum: <n>");
    cli.Flag("--each", &each_, "with --json: the scores of every line, too");
    segmenter_.Declare(cli);
  }

  int Run(const Globals& globals) override {
    RougeUnits units = RougeUnits::kWords;
    if (tokenize_ == "zh") {
      units = RougeUnits::kCharacters;
    } else if (tokenize_ == "zh-words") {
      units = RougeUnits::kSegments;
    } else if (tokenize_ != "rouge") {
      throw Error(Code::kUsage, Cat("--tokenize ", Quote(tokenize_), " is not known"), "rouge, zh or zh-words");
    }
    texts_.Load();
    std::shared_ptr<const text::Segmenter> segmenter;
    if (units == RougeUnits::kSegments) segmenter = segmenter_.Load(globals);
    evaluate::Rouge rouge(evaluate::RougeTokenizer(units, stem_, segmenter));
    Progress progress("scoring", ProgressUnit::kItems, globals.quiet);
    std::array<std::vector<double>, kMeasures.size()> precision, recall, f1;
    for (size_t line = 0; line < texts_.size(); ++line) {
      const RougeScores scores = Score(&rouge, line);
      for (size_t m = 0; m < kMeasures.size(); ++m) {
        const RougeScore& score = scores.*kMeasures[m].score;
        precision[m].push_back(score.precision);
        recall[m].push_back(score.recall);
        f1[m].push_back(score.f1);
      }
      if (line % 4096 == 4095) progress.Update(line + 1, texts_.size());
    }
    const std::vector<std::string> notes = texts_.Notes();
    for (const std::string& note : notes) std::cerr << "note: " << note << "\n";
    if (!globals.json) {
      for (size_t m = 0; m < kMeasures.size(); ++m) {
        std::cout << kMeasures[m].name << " " << FormatFixed(evaluate::Mean(f1[m]), 4) << " (precision "
                  << FormatFixed(evaluate::Mean(precision[m]), 4) << ", recall "
                  << FormatFixed(evaluate::Mean(recall[m]), 4) << ")\n";
      }
      std::cout << texts_.size() << " lines, " << Signature() << "\n";
      return 0;
    }
    Json result, precisions, recalls;
    for (size_t m = 0; m < kMeasures.size(); ++m) {
      result[kMeasures[m].name] = evaluate::Mean(f1[m]);
      precisions[kMeasures[m].name] = evaluate::Mean(precision[m]);
      recalls[kMeasures[m].name] = evaluate::Mean(recall[m]);
    }
    result["precision"] = std::move(precisions);
    result["recall"] = std::move(recalls);
    result["lines"] = texts_.size();
    result["signature"] = Signature();
    result["notes"] = notes;
    if (each_) {
      for (size_t m = 0; m < kMeasures.size(); ++m) {
        result["each"][kMeasures[m].name] = {{"precision", precision[m]}, {"recall", recall[m]}, {"f1", f1[m]}};
      }
    }
    std::cout << ToText(result) << "\n";
    return 0;
  }

 private:
  RougeScores Score(evaluate::Rouge* rouge, size_t line) const {
    const std::vector<std::string_view> references = texts_.references(line);
    if (break_.empty()) return rouge->Score(references, texts_.hypothesis(line));
    std::vector<std::string> broken;
    for (const std::string_view reference : references) broken.push_back(ReplaceAll(reference, break_, "\n"));
    return rouge->Score(std::vector<std::string_view>(broken.begin(), broken.end()),
                        ReplaceAll(texts_.hypothesis(line), break_, "\n"));
  }

  // In the manner of sacrebleu's: what a score depends on.
  std::string Signature() const {
    return Cat("nrefs:", texts_.reference_files(), "|case:lc|stem:", stem_ ? "nltk-porter" : "no", "|tok:", tokenize_,
               tokenize_ == "zh-words" ? Cat("-", segmenter_.name()) : "",
               "|split:", break_.empty() ? "no" : Quote(break_), "|version:", ATELIER_VERSION);
  }

  PairedTexts texts_;
  SegmenterOption segmenter_;
  std::string tokenize_ = "rouge", break_;
  bool stem_ = false, each_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateRouge() { return Make<RougeCommand>(); }

}  // namespace atelier::app
