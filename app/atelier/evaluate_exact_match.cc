// atelier evaluate exact-match --hyp F --ref F [--tokenize zh]
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/paired_texts.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "evaluate/exact_match.h"
#include "evaluate/sums.h"

namespace atelier::app {
namespace {

class ExactMatchCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    texts_.Declare(cli);
    cli.Text("--tokenize", &tokenize_, "squad: English words; zh: every Chinese character, other words as wholes");
    cli.Flag("--each", &each_, "with --json: the scores of every line, too");
  }

  int Run(const Globals& globals) override {
    if (tokenize_ != "squad" && tokenize_ != "zh") {
      throw Error(Code::kUsage, Cat("--tokenize ", Quote(tokenize_), " is not known"), "squad or zh");
    }
    const auto units = tokenize_ == "zh" ? evaluate::AnswerUnits::kCharacters : evaluate::AnswerUnits::kWords;
    texts_.Load();
    std::vector<double> exact, f1;
    for (size_t line = 0; line < texts_.size(); ++line) {
      const evaluate::AnswerScore score =
          evaluate::ScoreAnswer(texts_.hypothesis(line), texts_.references(line), units);
      exact.push_back(score.exact);
      f1.push_back(score.f1);
    }
    const std::vector<std::string> notes = texts_.Notes();
    for (const std::string& note : notes) std::cerr << "note: " << note << "\n";
    const std::string signature =
        Cat("nrefs:", texts_.reference_files(), "|case:lc|tok:", tokenize_, "|version:", ATELIER_VERSION);
    if (globals.json) {
      Json result{{"exact_match", evaluate::Mean(exact)},
                  {"f1", evaluate::Mean(f1)},
                  {"lines", texts_.size()},
                  {"signature", signature},
                  {"notes", notes}};
      if (each_) result["each"] = {{"exact_match", exact}, {"f1", f1}};
      std::cout << ToText(result) << "\n";
    } else {
      std::cout << "exact match " << FormatFixed(evaluate::Mean(exact), 4) << ", F1 "
                << FormatFixed(evaluate::Mean(f1), 4) << "\n"
                << texts_.size() << " lines, " << signature << "\n";
    }
    return 0;
  }

 private:
  PairedTexts texts_;
  std::string tokenize_ = "squad";
  bool each_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateExactMatch() { return Make<ExactMatchCommand>(); }

}  // namespace atelier::app
