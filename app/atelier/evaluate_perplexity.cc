// atelier evaluate perplexity -m MODEL --text FILE --ctx 512
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/model_option.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "evaluate/perplexity.h"

namespace atelier::app {
namespace {

class PerplexityCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    model_.Declare(cli);
    cli.Text("--text", &text_, "the file to read; - for standard input", true);
    cli.Int("--ctx", &context_, "tokens per window", 4, 1 << 20);
  }

  int Run(const Globals& globals) override {
    const std::string text = ReadFile(text_ == "-" ? "/dev/stdin" : text_);
    const auto model = model_.Load(globals);
    Progress progress("scoring", ProgressUnit::kItems, globals.quiet);
    const evaluate::Perplexity result = evaluate::MeasurePerplexity(*model, text, context_, progress.Callback());
    if (globals.json) {
      std::cout << ToText({{"perplexity", result.perplexity},
                           {"standard_error", result.standard_error},
                           {"tokens", result.tokens},
                           {"scored", result.scored},
                           {"windows", result.windows},
                           {"ctx", context_},
                           {"model", model->info().name}})
                << "\n";
    } else {
      std::cout << "perplexity " << FormatFixed(result.perplexity, 4) << " ± " << FormatFixed(result.standard_error, 4)
                << " over " << result.scored << " tokens in " << result.windows << " windows of " << context_ << "\n";
    }
    return 0;
  }

 private:
  ModelOption model_;
  std::string text_;
  int64_t context_ = 512;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluatePerplexity() { return std::make_unique<PerplexityCommand>(); }

}  // namespace atelier::app
