// atelier evaluate meteor --hyp F --ref F
#include <algorithm>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/paired_texts.h"
#include "base/json.h"
#include "base/str.h"
#include "evaluate/meteor.h"
#include "evaluate/sums.h"
#include "evaluate/units.h"

namespace atelier::app {
namespace {

class MeteorCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    texts_.Declare(cli);
    cli.Flag("--each", &each_, "with --json: the score of every line, too");
  }

  int Run(const Globals& globals) override {
    texts_.Load();
    std::vector<double> scores;
    for (size_t line = 0; line < texts_.size(); ++line) {
      const auto hypothesis = evaluate::Units(texts_.hypothesis(line));
      double best = 0;
      for (const std::string_view reference : texts_.references(line)) {
        best = std::max(best, evaluate::Meteor(evaluate::Units(reference), hypothesis));
      }
      scores.push_back(best);
    }
    const std::vector<std::string> notes = texts_.Notes();
    for (const std::string& note : notes) std::cerr << "note: " << note << "\n";
    const std::string signature =
        Cat("nrefs:", texts_.reference_files(),
            "|case:lc|match:exact+stem|tok:units|alpha:0.9|beta:3|gamma:0.5|version:", ATELIER_VERSION);
    if (globals.json) {
      Json result{
          {"meteor", evaluate::Mean(scores)}, {"lines", texts_.size()}, {"signature", signature}, {"notes", notes}};
      if (each_) result["each"] = scores;
      std::cout << ToText(result) << "\n";
    } else {
      std::cout << "meteor " << FormatFixed(evaluate::Mean(scores), 4) << "\n"
                << texts_.size() << " lines, " << signature << "\n";
    }
    return 0;
  }

 private:
  PairedTexts texts_;
  bool each_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateMeteor() { return Make<MeteorCommand>(); }

}  // namespace atelier::app
