// atelier model prune IN OUT --units 0.75: the same model without what counts least.
#include <iostream>
#include <optional>
#include <utility>

#include "app/atelier/command.h"
#include "app/atelier/smaller_copy.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "runtime/prune.h"

namespace atelier::app {
namespace {

class ModelPrune : public Command {
 public:
  void Declare(Cli& cli) override {
    copy_.Declare(cli);
    cli.Double("--units", &units_, "share of each feed-forward layer's units that stays: a smaller, quicker model", 0,
               1);
    cli.Double("--weights", &weights_, "share of each row's weights that stays; the others become 0 in a file as large",
               0, 1);
    cli.Text("--vocabulary", &vocabulary_,
             "a text like those the model is for: of the vocabulary its tokens stay, and what all texts need");
    cli.Int("--tokens", &tokens_, "so many tokens stay at least: the most frequent of the others, too", 1, 1 << 24);
  }

  int Run(const Globals& globals) override {
    const bool tokens = !vocabulary_.empty() || tokens_;
    runtime::CheckPrune(units_, weights_, tokens, copy_.has_calibration());
    copy_.Open(globals);
    std::vector<text::TokenId> used;
    if (!vocabulary_.empty()) used = runtime::UsedTokens(copy_.file(), ReadFile(vocabulary_));
    runtime::PruneReport report;
    {
      Progress progress("pruning", ProgressUnit::kBytes, globals.quiet);
      report = runtime::PruneModel(copy_.file(),
                                   {.units = units_,
                                    .weights = weights_,
                                    .tokens = tokens,
                                    .used = std::move(used),
                                    .least_tokens = tokens_.value_or(0),
                                    .importance = copy_.importance(),
                                    .licence = copy_.entry().manifest.licence,
                                    .threads = copy_.threads()},
                                   copy_.out(), progress.Callback());
    }
    copy_.Compare(globals);
    globals.json ? PrintJson(report) : Print(report);
    return 0;
  }

 private:
  void PrintJson(const runtime::PruneReport& report) const {
    Json out = {{"model", copy_.entry().name},
                {"path", copy_.out()},
                {"bytes_before", report.bytes_before},
                {"bytes", report.bytes_after},
                {"layers", report.layers},
                {"units_before", report.units_before},
                {"units", report.units},
                {"weights", report.weights},
                {"left_out", report.left_out},
                {"tokens_before", report.tokens_before},
                {"tokens", report.tokens},
                {"quantised_again", report.again}};
    copy_.AddTo(&out);
    std::cout << ToText(out) << "\n";
  }

  void Print(const runtime::PruneReport& report) const {
    if (report.units < report.units_before) {
      std::cout << report.units << " of " << report.units_before << " units stay in each of " << report.layers
                << " layers\n";
    }
    if (report.tokens < report.tokens_before) {
      std::cout << report.tokens << " of " << report.tokens_before << " tokens stay in the vocabulary\n";
    }
    if (report.weights > 0) {
      std::cout << FormatFixed(100 * static_cast<double>(report.left_out) / static_cast<double>(report.weights), 1)
                << " % of " << report.weights << " weights are left out\n";
    }
    std::cout << copy_.Ending(report.bytes_before, report.bytes_after, report.again);
  }

  SmallerCopy copy_;
  double units_ = 1, weights_ = 1;
  std::string vocabulary_;
  std::optional<int64_t> tokens_;
};

}  // namespace

std::unique_ptr<Command> MakeModelPrune() { return Make<ModelPrune>(); }

}  // namespace atelier::app
