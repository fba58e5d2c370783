// atelier evaluate divergence -m COPY --original MODEL --text FILE
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/divergence_report.h"
#include "app/atelier/model_option.h"
#include "app/atelier/studio_here.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "runtime/local_generator.h"

namespace atelier::app {
namespace {

class DivergenceCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    model_.Declare(cli);
    cli.Text("--original", &original_, "the model that it was made of: a registered name or a path", true);
    cli.Text("--text", &text_, "the file to read; - for standard input", true);
    cli.Int("--ctx", &context_, "tokens per window", 4, 1 << 20);
  }

  int Run(const Globals& globals) override {
    const std::string text = ReadFile(text_ == "-" ? "/dev/stdin" : text_);
    const artefact::ModelEntry entry = OpenHere(globals)->models->ResolveAdapted(original_);
    const auto copy = model_.Load(globals);
    const auto original = runtime::LoadModel(entry, {.threads = model_.threads()});
    Progress progress("comparing", ProgressUnit::kItems, globals.quiet);
    const evaluate::Divergence result =
        evaluate::MeasureDivergence(*original, *copy, text, context_, progress.Callback());
    if (globals.json) {
      Json out = DivergenceJson(result);
      out["ctx"] = context_, out["model"] = copy->info().name, out["of"] = original->info().name;
      std::cout << ToText(out) << "\n";
    } else {
      std::cout << DivergenceText(result);
    }
    return 0;
  }

 private:
  ModelOption model_;
  std::string original_, text_;
  int64_t context_ = 512;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateDivergence() { return Make<DivergenceCommand>(); }

}  // namespace atelier::app
