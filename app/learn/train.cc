// atelier-learn train --config FILE --run DIR [--resume] [--datasets DIR] [--until STEP] [--courteous]
#include <torch/torch.h>

#include <cmath>
#include <optional>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "app/learn/options.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/media/picture.h"
#include "job/stand_still.h"
#include "model/base_file.h"
#include "model/fused/ops.h"
#include "model/picture_model.h"
#include "model/pretrained.h"
#include "store/foreground.h"
#include "track/run_report.h"
#include "track/tracking.h"
#include "train/picture_grid.h"
#include "train/run.h"
#include "train/sample_replies.h"
#include "train/sample_text.h"
#include "train/trainer.h"
#include "train/translate.h"

namespace atelier::learn {
namespace {

using Values = std::vector<std::pair<std::string, double>>;

// Tells the parent and the run's own files.
class Teller : public train::Listener {
 public:
  Teller(train::Run& run, track::Tracker* tracker, std::string folder)
      : run_(run), tracker_(tracker), folder_(std::move(folder)) {}

  void Stepped(const train::StepReport& r) override {
    Values values;
    for (const auto& [name, value] : r.values) values.emplace_back(Cat("train/", name), value);
    values.emplace_back("train/epoch", r.epoch);
    values.emplace_back("train/rows_per_second", r.rows_per_second);
    tracker_->Scalars(r.step, values);
    Tell("step", {{"step", r.step},
                  {"steps", r.steps},
                  {"epoch", r.epoch},
                  {"values", r.values},
                  {"rows_per_second", r.rows_per_second},
                  {"seconds_left", r.seconds_left}});
  }

  void Validated(const train::ValidationReport& r) override {
    std::map<std::string, double> told = r.values;
    // What can be compared between tokenizers: the loss is per target, marks among them; texts are characters.
    const train::ExamplesReport& data = run_.validation_report;
    if (run_.data == model::DataKind::kTokens && data.characters > 0) {
      told["bits_per_character"] =
          r.loss / std::log(2.0) * static_cast<double>(data.targets) / static_cast<double>(data.characters);
      if (r.loss < 700) told["perplexity"] = std::exp(r.loss);
    }
    Values values;
    for (const auto& [name, value] : told) values.emplace_back(Cat("validation/", name), value);
    tracker_->Scalars(r.step, values);
    Tell("validation",
         {{"step", r.step}, {"values", told}, {"best", r.best}, {"without_improvement", r.without_improvement}});
  }

  void Sample(int64_t step) override {
    if (auto* translator = dynamic_cast<model::Translator*>(run_.model.get())) return SampleOfPairs(*translator, step);
    if (auto* tuned = dynamic_cast<model::Pretrained*>(run_.model.get())) return SampleReplies(*tuned, step);
    if (auto* pictures = dynamic_cast<model::PictureModel*>(run_.model.get())) return SamplePictures(*pictures, step);
    auto* language = dynamic_cast<model::LanguageModel*>(run_.model.get());
    if (language == nullptr || run_.settings.samples == 0) return;
    train::SampleOptions options;
    options.prompt = run_.settings.prompt;
    options.samples = run_.settings.samples;
    const std::vector<std::string> texts = train::SampleText(*language, *run_.tokenizer, options);
    for (size_t i = 0; i < texts.size(); ++i) tracker_->Text(step, Cat("sample/", i + 1), texts[i]);
    Tell("samples", {{"step", step}, {"texts", texts}});
  }

  void Saved(int64_t step, const std::string& path) override { Tell("saved", {{"step", step}, {"path", path}}); }

 private:
  // Sources with what the model makes of them, and what was wanted: of the validation's first records.
  void SampleOfPairs(model::Translator& model, int64_t step) {
    const train::TranslatorView view{model, run_.source_tokenizer ? *run_.source_tokenizer : *run_.tokenizer,
                                     *run_.tokenizer, run_.settings.data};
    Json pairs = Json::array();
    const train::Examples& examples = run_.validation ? *run_.validation : *run_.train;
    for (const train::PairSample& one : train::SamplePairs(view, examples, run_.settings.samples)) {
      pairs.push_back({{"source", one.source}, {"hypothesis", one.hypothesis}, {"reference", one.reference}});
    }
    Tell("samples", {{"step", step}, {"pairs", pairs}});
  }

  // Prompts with what the model as it stands answers, and what was wanted.
  void SampleReplies(const model::Pretrained& model, int64_t step) {
    if (run_.settings.samples == 0) return;
    Json pairs = Json::array();
    const train::Examples& examples = run_.validation ? *run_.validation : *run_.train;
    size_t number = 0;
    for (const train::ReplySample& one :
         train::SampleReplies(*run_.engine, model, *run_.tokenizer, examples, run_.settings.samples)) {
      ++number;
      const auto tell = [&](std::string_view what, const std::string& text) {
        tracker_->Text(step, Cat(what, number), text);
      };
      if (step == 0) {
        tell(track::kPromptText, one.prompt);
        if (!one.wanted.empty()) tell(track::kWantedText, one.wanted);
      }
      tell(track::kReplyText, one.reply);
      pairs.push_back({{"source", one.prompt}, {"hypothesis", one.reply}, {"reference", one.wanted}});
    }
    Tell("samples", {{"step", step}, {"pairs", pairs}});
  }

  // A grid of pictures from the same random numbers each time, and ways between some of them.
  void SamplePictures(model::PictureModel& pictures, int64_t step) {
    constexpr int64_t kGrid = 64, kColumns = 8, kWays = 8, kSteps = 10;
    MakeFolders(Cat(folder_, "/samples"));
    const torch::Tensor z = train::DrawLatents(kGrid, pictures.latent(), run_.settings.seed);
    const torch::Tensor between = train::Interpolate(z.narrow(0, 0, kWays), z.narrow(0, kWays, kWays), kSteps);
    Json paths = Json::array();
    const auto write = [&](const char* name, const torch::Tensor& latents, int64_t columns) {
      char number[24];
      std::snprintf(number, sizeof(number), "%07lld", static_cast<long long>(step));
      const std::string path = Cat(folder_, "/samples/", name, "-", number, ".png");
      const data::Picture picture = train::MakeGrid(pictures.Generate(latents), columns);
      WriteFileAtomic(path, data::EncodePng(picture));
      tracker_->Image(step, name, picture);
      paths.push_back(path);
    };
    write("grid", z, kColumns);
    write("interpolation", between, kSteps);
    Tell("samples", {{"step", step}, {"pictures", paths}});
  }

  train::Run& run_;
  track::Tracker* tracker_;  // null in all processes but the first, which hear nothing
  std::string folder_;
};

Json ToJson(const train::ExamplesReport& r, int64_t rows) {
  return {{"records", r.records},       {"rows", rows},     {"tokens", r.tokens},
          {"characters", r.characters}, {"empty", r.empty}, {"truncated", r.truncated},
          {"dropped", r.dropped}};
}

void TellStart(const train::Run& run) {
  int64_t parameters = 0, learn = 0;
  for (const torch::Tensor& p : run.model->parameters()) {
    parameters += p.numel();
    if (p.requires_grad()) learn += p.numel();
  }
  if (const artefact::GgufFile* base = model::BaseOf(*run.model)) {
    for (const artefact::TensorInfo& tensor : base->tensors()) parameters += tensor.elements();
  }
  Json start = {{"architecture", run.architecture->name},
                {"parameters", parameters},
                {"learn", learn},
                {"threads", at::get_num_threads()},
                {"train", ToJson(run.train_report, run.train->size())}};
  if (run.validation) start["validation"] = ToJson(run.validation_report, run.validation->size());
  Tell("start", start);
}

constexpr const char* kEndings[] = {"finished", "stopped early", "interrupted"};
constexpr const char* kStatus[] = {"done", "done", "stopped"};

int TrainTogether(const Options& options, const std::atomic<bool>& stop, train::Collective* collective) {
  const std::string& file = options.at("config");
  const std::string& folder = options.at("run");
  train::RunOptions prepare{ReadFile(file, 4u << 20), file, folder};
  prepare.datasets = Given(options, "datasets");
  prepare.progress = [](uint64_t done, uint64_t total, std::string_view note) {
    Tell("preparing", {{"what", "tokenizer"}, {"done", done}, {"total", total}, {"note", note}});
  };
  const bool first = collective->rank() == 0;
  prepare.resume = options.contains("resume");
  if (!first) {
    StaySilent(true);
    collective->SumOf(0);  // until the first has written the tokenizer
  }
  std::optional<train::Checkpoint> checkpoint;
  if (options.contains("resume")) checkpoint = train::Checkpoint::Load(Cat(folder, "/last.safetensors"));
  train::Run run = train::PrepareRun(prepare);
  if (first) collective->SumOf(0);
  model::fused::SetEnabled(run.settings.fused);
  const int cores = at::get_num_threads();
  at::set_num_threads(run.settings.threads > 0 ? run.settings.threads : std::max(1, cores / collective->size()));

  track::TrackerOptions tracking;
  tracking.run.folder = folder;
  tracking.run.config = Table::Parse(prepare.config, file).ToJson();
  tracking.run.versions = {{"atelier", ATELIER_VERSION}, {"libtorch", TORCH_VERSION}};
  if (checkpoint) tracking.resume = checkpoint->state.at("step").get<int64_t>();
  std::optional<track::Tracker> tracker;
  if (first) {
    WriteFileAtomic(Cat(folder, "/config.toml"), prepare.config);
    tracker.emplace(std::move(tracking));
  }
  TellStart(run);

  Teller teller(run, tracker ? &*tracker : nullptr, folder);
  train::Trainer trainer(run.settings, *run.model, *run.train, run.validation.get(), folder, run.about, teller,
                         *collective);
  if (checkpoint) trainer.Resume(*checkpoint);
  // What a tuned model said before.
  if (first && !checkpoint && run.engine) teller.Sample(0);
  try {
    const int64_t until = std::min(trainer.steps(), Whole(options, "until", trainer.steps(), 1, INT64_MAX));
    const train::Outcome outcome = trainer.Run(stop, until);
    const auto ending = static_cast<size_t>(outcome.ending);
    Json summary = {{"ending", kEndings[ending]}, {"step", outcome.steps}, {"best_step", outcome.best_step}};
    if (std::isfinite(outcome.best)) summary["metric"] = outcome.metric, summary["best"] = outcome.best;
    if (std::isfinite(outcome.last_loss)) summary["last_loss"] = outcome.last_loss;
    if (tracker) tracker->Finish(outcome.steps, kStatus[ending], summary);
    Tell("done", summary);
    return outcome.ending == train::Ending::kInterrupted ? 130 : 0;
  } catch (const Error& error) {
    try {
      if (tracker) tracker->Finish(trainer.step(), "failed", {{"error", error.Line()}});
    } catch (const Error&) {  // the disk may be full: the first failure is the one to tell
    }
    throw;
  }
}

}  // namespace

int Train(const Options& options, const std::atomic<bool>& stop) {
  const std::unique_ptr<train::Collective> collective = train::StartedByMpi() ? train::MpiCollective() : train::Alone();
  std::optional<job::StandStill> courtesy;
  if (options.contains("courteous")) courtesy.emplace(store::ForegroundPath(), stop);
  if (collective->size() == 1) return TrainTogether(options, stop, collective.get());
  try {
    return TrainTogether(options, stop, collective.get());
  } catch (...) {  // told before the collective ends the other processes, and by whichever fails
    StaySilent(false);
    TellFailure();
    throw;
  }
}

}  // namespace atelier::learn
