// atelier rank -m NAME TEXT...: puts texts in the order in which people are likely to prefer them.
#include <algorithm>
#include <iostream>
#include <numeric>

#include "app/atelier/command.h"
#include "app/atelier/rankers.h"
#include "app/atelier/studio_here.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "evaluate/line_file.h"
#include "rank/choices.h"
#include "rank/losses.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

class RankCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("-m,--model", &model_, "a ranker: a registered name or a path", true);
    cli.Texts("text", &texts_, "the texts to choose from");
    cli.Text("--context", &context_, "what the texts are about");
    cli.Text("--input", &input_,
             "instead of texts: a file of choices, JSON Lines, each put in order; - reads standard input");
  }

  int Run(const Globals& globals) override {
    if (texts_.empty() == input_.empty())
      throw Error(Code::kUsage, "texts are wanted, or --input with a file of choices");
    const auto here = OpenHere(globals);
    EmbedderPool pool;
    const auto ranker = LoadRanker(*here->models, here->models->Resolve(model_), pool);
    Json out = {{"model", ranker->info().name}, {"choices", Json::array()}};
    if (input_.empty()) {
      rank::Choice choice;
      if (!context_.empty()) choice.context = context_;
      for (const std::string& text : texts_) choice.options.push_back({text, {}});
      Show(*ranker, choice, globals, &out);
    } else {
      const auto file = evaluate::ReadLineFile(input_);
      Progress progress("ranking", ProgressUnit::kItems, globals.quiet || globals.json);
      for (size_t i = 0; i < file->lines.size(); ++i) {
        progress.Update(i, file->lines.size());
        if (Trim(file->lines[i]).empty()) continue;
        rank::Choice choice = rank::ParseChoice(file->lines[i], Cat(file->name, ":", i + 1));
        choice.line = i + 1;
        Show(*ranker, choice, globals, &out);
      }
    }
    if (globals.json) std::cout << ToText(out) << "\n";
    return 0;
  }

 private:
  static void Show(artefact::Ranker& ranker, const rank::Choice& choice, const Globals& globals, Json* out) {
    std::vector<double> scores;
    try {
      scores = ranker.Score(choice.context, choice.options);
    } catch (const Error& e) {
      throw choice.line > 0 ? e.Within(Cat("line ", choice.line)) : e;
    }
    std::vector<size_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    const std::vector<double> chances = rank::Chances(scores);
    if (globals.json) {
      (*out)["choices"].push_back({{"line", choice.line > 0 ? Json(choice.line) : Json()},
                                   {"order", order},
                                   {"scores", scores},
                                   {"chances", chances}});
      return;
    }
    if (choice.line > 1) std::cout << "\n";
    for (const size_t i : order)
      std::cout << FormatFixed(chances[i], 3) << "  " << text::ForTerminal(choice.options[i].text, 200) << "\n";
  }

  std::string model_, context_, input_;
  std::vector<std::string> texts_;
};

}  // namespace

std::unique_ptr<Command> MakeRank() { return Make<RankCommand>(); }

}  // namespace atelier::app
