// atelier-learn train --config FILE --run DIR [--resume]
#include <torch/torch.h>

#include <cmath>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "train/run.h"
#include "train/sample_text.h"
#include "train/trainer.h"

namespace atelier::learn {
namespace {

class Teller : public train::Listener {
 public:
  explicit Teller(train::Run& run) : run_(run) {}
  void Stepped(const train::StepReport& r) override {
    Tell("step", {{"step", r.step},
                  {"steps", r.steps},
                  {"epoch", r.epoch},
                  {"values", r.values},
                  {"rows_per_second", r.rows_per_second},
                  {"seconds_left", r.seconds_left}});
  }
  void Validated(const train::ValidationReport& r) override {
    Tell("validation",
         {{"step", r.step}, {"values", r.values}, {"best", r.best}, {"without_improvement", r.without_improvement}});
  }
  void Sample(int64_t step) override {
    auto* language = dynamic_cast<model::LanguageModel*>(run_.model.get());
    if (language == nullptr) return;
    train::SampleOptions options;
    options.prompt = run_.settings.prompt;
    options.samples = run_.settings.samples;
    Json texts = Json::array();
    for (const std::string& text : train::SampleText(*language, *run_.tokenizer, options)) texts.push_back(text);
    Tell("samples", {{"step", step}, {"texts", texts}});
  }
  void Saved(int64_t step, const std::string& path) override { Tell("saved", {{"step", step}, {"path", path}}); }

 private:
  train::Run& run_;
};

Json ToJson(const train::ExamplesReport& r, int64_t rows) {
  return {{"records", r.records},       {"rows", rows},     {"tokens", r.tokens},
          {"characters", r.characters}, {"empty", r.empty}, {"truncated", r.truncated},
          {"dropped", r.dropped}};
}

}  // namespace

int Train(const Options& options, const std::atomic<bool>& stop) {
  const std::string& file = options.at("config");
  const std::string& folder = options.at("run");
  const auto datasets = options.find("datasets");
  train::RunOptions prepare{ReadFile(file, 4u << 20), file, folder, "", nullptr};
  if (const auto datasets = options.find("datasets"); datasets != options.end()) prepare.datasets = datasets->second;
  prepare.progress = [](uint64_t done, uint64_t total, std::string_view note) {
    Tell("preparing", {{"what", "tokenizer"}, {"done", done}, {"total", total}, {"note", note}});
  };
  train::Run run = train::PrepareRun(prepare);
  if (run.settings.threads > 0) at::set_num_threads(run.settings.threads);
  WriteFileAtomic(Cat(folder, "/config.toml"), prepare.config);
  int64_t parameters = 0;
  for (const torch::Tensor& p : run.model->parameters()) parameters += p.numel();
  Json start = {{"architecture", run.architecture->name},
                {"parameters", parameters},
                {"threads", at::get_num_threads()},
                {"train", ToJson(run.train_report, run.train->size())}};
  if (run.validation) start["validation"] = ToJson(run.validation_report, run.validation->size());
  Tell("start", start);

  Teller teller(run);
  train::Trainer trainer(run.settings, *run.model, *run.train, run.validation.get(), folder, run.about, teller);
  if (options.contains("resume")) trainer.Resume(train::Checkpoint::Load(Cat(folder, "/last.safetensors")));
  const train::Outcome outcome = trainer.Run(stop);
  const char* endings[] = {"finished", "stopped early", "interrupted"};
  Tell("done", {{"ending", endings[static_cast<int>(outcome.ending)]},
                {"step", outcome.steps},
                {"best_step", outcome.best_step},
                {"best_loss", outcome.best_loss},
                {"last_loss", outcome.last_loss}});
  return outcome.ending == train::Ending::kInterrupted ? 130 : 0;
}

}  // namespace atelier::learn
