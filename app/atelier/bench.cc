// atelier bench -m MODEL -p 512 -n 128 -t 2: how fast this machine reads a prompt and writes a reply, as llama-bench
// measures it: -p random tokens in one pass with logits for the last; then -n tokens one by one from an empty context.
#include <algorithm>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/decode_speed.h"
#include "app/atelier/model_option.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/str.h"

namespace atelier::app {
namespace {

class BenchCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    model_.Declare(cli);
    cli.Int("-p,--prompt-tokens", &prompt_, "tokens of the prompt", 1, 1 << 20);
    cli.Int("-n,--new-tokens", &reply_, "tokens to generate", 1, 1 << 20);
    cli.Int("-r,--repeat", &repeat_, "measurements; the median counts", 1, 100);
  }

  int Run(const Globals& globals) override {
    const auto model = model_.Load(globals);
    const int64_t most = model->info().context_length;
    const int64_t prompt = std::min(prompt_, most - 1), reply = std::min(reply_, most - 1);
    const auto tokens_known = static_cast<uint64_t>(std::clamp(model->info().vocabulary, 1, 1000));
    Rng rng(1);
    std::vector<double> prefill, decode;
    Progress progress("measuring", ProgressUnit::kItems, globals.quiet || globals.json);
    for (int64_t round = -1; round < repeat_; ++round) {  // the first one warms up
      std::vector<int32_t> tokens;
      for (int64_t i = 0; i <= prompt; ++i) tokens.push_back(static_cast<int32_t>(rng.Below(tokens_known)));
      const double started = MonotonicSeconds();
      model->Logprobs(tokens, tokens.size() - 1);
      if (round >= 0) prefill.push_back(static_cast<double>(prompt) / (MonotonicSeconds() - started));
      const double speed = DecodeSpeed(*model, static_cast<int>(reply));
      if (round >= 0) decode.push_back(speed);
      progress.Update(static_cast<uint64_t>(round + 2), static_cast<uint64_t>(repeat_ + 1));
    }
    const artefact::EngineInfo engine = model->engine();
    if (globals.json) {
      std::cout << ToText({{"prefill_tps", Median(prefill)},
                           {"decode_tps", Median(decode)},
                           {"prompt_tokens", prompt},
                           {"new_tokens", reply},
                           {"repeat", repeat_},
                           {"model", model->info().name},
                           {"engine", {{"build", engine.build}, {"isa", engine.isa}, {"threads", engine.threads}}}})
                << "\n";
    } else {
      std::cout << model->info().name << ", " << engine.isa << ", " << engine.threads << " threads: prefill "
                << FormatFixed(Median(prefill), 1) << " tokens/s, decode " << FormatFixed(Median(decode), 1)
                << " tokens/s\n";
    }
    return 0;
  }

 private:
  ModelOption model_;
  int64_t prompt_ = 512, reply_ = 128, repeat_ = 3;
};

}  // namespace

std::unique_ptr<Command> MakeBench() { return std::make_unique<BenchCommand>(); }

}  // namespace atelier::app
