#include "train/trainer.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"
#include "model/autocast.h"
#include "train/class_counts.h"

namespace atelier::train {
namespace {

// torch's random numbers as they were, again, when it dies.
class KeptGenerator {
 public:
  KeptGenerator() : generator_(at::detail::getDefaultCPUGenerator()), state_(generator_.get_state()) {}
  ~KeptGenerator() { generator_.set_state(state_); }
  KeptGenerator(const KeptGenerator&) = delete;
  KeptGenerator& operator=(const KeptGenerator&) = delete;

 private:
  at::Generator generator_;
  torch::Tensor state_;
};

constexpr char kCount[] = "count";

int64_t StepsOf(const TrainSettings& s, int64_t per_epoch) {
  if (s.steps > 0) return s.steps;
  return std::max<int64_t>(1, std::llround(s.epochs * static_cast<double>(per_epoch)));
}

}  // namespace

Trainer::Trainer(const TrainSettings& settings, model::Model& model, const Examples& train, const Examples* validation,
                 std::string folder, model::About about, Listener& listener, Collective& collective)
    : s_(settings),
      model_(model),
      train_(train),
      validation_(validation),
      folder_(std::move(folder)),
      about_(std::move(about)),
      listener_(listener),
      collective_(collective),
      sampler_(train, settings.batch, settings.seed),
      steps_(StepsOf(settings, sampler_.steps_per_epoch())),
      schedule_(settings.schedule, steps_),
      // Of several parts none says by itself what is best: a discriminator that wins has a poor generator.
      best_(settings.metric.empty() && model.Parts().size() == 1 ? "loss" : settings.metric, settings.maximise) {
  const std::vector<model::Part> parts = model_.Parts();
  for (const auto& [name, unused] : s_.part_optimisers) {
    if (std::none_of(parts.begin(), parts.end(), [&](const model::Part& p) { return p.name == name; })) {
      throw Error(Code::kInvalidInput, Cat("[optimiser.parts.", name, "]: the model has no such part"));
    }
  }
  for (const model::Part& part : parts) {
    PartState state;
    state.arena = std::make_unique<Arena>(model_, part);
    const torch::Tensor values = state.arena->values();
    collective_.Broadcast({values.data_ptr<float>(), static_cast<size_t>(values.numel())});
    torch::autograd::impl::bump_version(values);
    state.exchange = std::make_unique<Exchange>(*state.arena, collective_);
    state.optimiser = MakeOptimiser(s_.OptimiserOf(part.name), *state.arena);
    state.rate = s_.OptimiserOf(part.name).rate;
    if (s_.ema > 0) state.average = state.arena->values().clone();
    parts_.push_back(std::move(state));
  }
  if (!model_.SetCheckpointing(s_.checkpointing) && s_.checkpointing) {
    throw Error(Code::kInvalidInput, "train.gradient_checkpointing: this architecture recomputes nothing",
                "leave it out; a smaller train.batch with train.accumulate saves memory, too");
  }
  SeedOthers();
}

// Processes drop other units. The first goes on from what the caller seeded or a checkpoint holds.
void Trainer::SeedOthers() {
  if (First()) return;
  torch::manual_seed(static_cast<int64_t>(Rng(s_.seed, Cat("process ", collective_.rank(), " ", step_)).Next() >> 1));
}

std::string Trainer::Label(size_t part, const std::string& name) const {
  return parts_.size() == 1 ? name : Cat(parts_[part].arena->name(), ".", name);
}

void Trainer::RefuseNumber(const std::string& what, double value, std::span<const int64_t> rows) const {
  std::vector<std::string> names;
  for (size_t i = 0; i < rows.size() && i < 4; ++i) names.push_back(train_.Describe(rows[i]));
  if (rows.size() > 4) names.emplace_back("...");
  throw Error(Code::kInvalidInput,
              Cat("step ", rows.empty() ? step_ : step_ + 1, ": ", what, " is ",
                  std::isnan(value) ? "not a number" : "infinite",
                  rows.empty() ? "" : Cat("; the batch's ", rows.size(), " rows: ", Join(names, ", "))),
              "the last checkpoint is from before it; lower optimiser.rate, set train.clip, or look at these records");
}

void Trainer::StepPart(size_t part, const std::vector<model::Batch>& batches, bool idle,
                       std::map<std::string, double>* sums) {
  PartState& p = parts_[part];
  for (size_t other = 0; other < parts_.size() && parts_.size() > 1; ++other) {
    parts_[other].arena->Learn(other == part);
  }
  std::vector<double> counts;
  for (const model::Batch& batch : batches)
    counts.push_back(idle ? 0.0 : static_cast<double>(model_.Count(batch, part)));
  const double total = std::max(1.0, collective_.SumOf(std::accumulate(counts.begin(), counts.end(), 0.0)));
  std::map<std::string, double> mine = {{"loss", 0.0}};
  for (size_t i = 0; i < batches.size(); ++i) {
    const double share = counts[i] / total;
    model::Loss loss;
    {
      const model::Autocast autocast(s_.precision == Precision::kBf16);
      loss = model_.ComputeLoss(batches[i], part, {s_.label_smoothing});
    }
    if (i + 1 == batches.size()) p.exchange->Begin();
    loss.Backward(share);
    mine["loss"] += loss.value.item<double>() * share;
    for (const auto& [name, detail] : loss.details) mine[name] += detail * share;
  }
  p.exchange->Finish();
  SumOverProcesses(&mine);
  for (const auto& [name, value] : mine) (*sums)[Label(part, name)] += value;
  if (!std::isfinite(mine["loss"])) RefuseNumber(Label(part, "the loss"), mine["loss"], sampler_.Rows(step_));
  const double norm = GradientNorm(*p.arena);
  if (!std::isfinite(norm)) RefuseNumber(Label(part, "the gradient"), norm, sampler_.Rows(step_));
  const double rate = p.rate * schedule_.Share(step_);
  p.optimiser->Step(rate, s_.clip > 0 ? std::min(1.0, s_.clip / (norm + 1e-6)) : 1.0);
  if (p.average.defined()) p.average.lerp_(p.arena->values(), 1 - s_.ema);
  (*sums)[Label(part, "norm")] += norm;
  (*sums)[Label(part, "rate")] += rate;
}

void Trainer::Step(std::map<std::string, double>* sums) {
  const std::span<const int64_t> rows = sampler_.Rows(step_);
  std::vector<model::Batch> batches;
  const auto n = static_cast<int64_t>(rows.size()), pieces = s_.accumulate * collective_.size();
  for (int64_t i = collective_.rank() * s_.accumulate; i < (collective_.rank() + 1) * s_.accumulate; ++i) {
    const int64_t begin = n * i / pieces, end = n * (i + 1) / pieces;
    if (begin == end) continue;
    batches.push_back(train_.Collate(rows.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)),
                                     Rng(s_.seed, Cat("step ", step_, " ", i))));
  }
  const bool idle = batches.empty();  // fewer rows than processes: compute what the others do, and weigh it by nothing
  if (idle) batches.push_back(train_.Collate(rows.first(1), Rng(s_.seed, Cat("step ", step_, " 0"))));
  for (size_t part = 0; part < parts_.size(); ++part) StepPart(part, batches, idle, sums);
}

void Trainer::SumOverProcesses(std::map<std::string, double>* sums) {
  std::vector<double> values;
  for (const auto& [name, value] : *sums) values.push_back(value);
  collective_.Sum(values);
  size_t i = 0;
  for (auto& [name, value] : *sums) value = values[i++];
}

void Trainer::SwapAverages() {
  for (PartState& p : parts_) {
    if (!p.average.defined()) continue;
    const torch::Tensor values = p.arena->values().clone();
    p.arena->values().copy_(p.average);
    p.average.copy_(values);
  }
}

ValidationReport Trainer::Validate(int64_t most) {
  const torch::NoGradGuard no_gradient;
  const KeptGenerator kept;  // however often we look, training draws the same numbers
  ValidationReport report;
  report.step = step_;
  std::map<std::string, double> sums;  // by what is measured, and "" for the count
  ClassCounts classes;
  const int64_t rows = validation_->size();
  const int64_t batches = (rows + s_.batch - 1) / s_.batch;
  const int64_t used = most > 0 ? std::min(batches, most) : batches;
  for (size_t part = 0; part < parts_.size(); ++part) sums[Label(part, "loss")] = sums[Label(part, kCount)] = 0;
  for (int64_t i = 0; i < (used + collective_.size() - 1) / collective_.size(); ++i) {
    int64_t b = i * collective_.size() + collective_.rank();
    const bool idle = b >= used;  // as in Step
    if (idle) b = 0;
    std::vector<int64_t> which(static_cast<size_t>(std::min(s_.batch, rows - b * s_.batch)));
    std::iota(which.begin(), which.end(), b * s_.batch);
    const model::Batch batch = validation_->Collate(which, Rng(s_.seed, Cat("validation ", b)));
    torch::manual_seed(static_cast<int64_t>(s_.seed) + b);  // the same in whichever process
    for (size_t part = 0; part < parts_.size(); ++part) {
      const model::Autocast autocast(s_.precision == Precision::kBf16);
      const model::Loss loss = model_.ComputeLoss(batch, part, {});
      const double count = idle ? 0.0 : static_cast<double>(model_.Count(batch, part));
      sums[Label(part, "loss")] += loss.value.item<double>() * count;
      sums[Label(part, kCount)] += count;
      for (const auto& [name, detail] : loss.details) sums[Label(part, name)] += detail * count;
      if (!loss.predicted.defined()) continue;
      classes.Add(loss.predicted, idle ? torch::full_like(batch.targets, model::kIgnored) : batch.targets,
                  loss.classes);
    }
  }
  SumOverProcesses(&sums);
  for (size_t part = 0; part < parts_.size(); ++part) {
    const double count = std::max(1.0, sums[Label(part, kCount)]);
    const std::string prefix = Label(part, "");
    for (const auto& [name, sum] : sums) {
      if (name.starts_with(prefix) && name != Label(part, kCount)) report.values[name] = sum / count;
    }
  }
  if (!classes.counts().empty()) collective_.Sum(classes.counts());
  classes.Report(&report.values);
  report.loss = report.values[Label(0, "loss")];
  return report;
}

// Said at once, not after the first epoch.
void Trainer::CheckMetric() {
  model_.eval();
  if (best_.Has(Validate(1).values)) return;
  best_.Of(Validate(s_.validate_batches).values);  // which a batch alone may lack
}

void Trainer::Save(const std::string& name) {
  if (!First()) return;
  for (const PartState& p : parts_) {
    const double sum = p.arena->values().sum().item<double>();
    if (!std::isfinite(sum)) RefuseNumber("a parameter", sum, {});
  }
  Checkpoint checkpoint;
  checkpoint.about = about_;
  Json optimiser_steps = Json::array();
  for (const PartState& p : parts_) {
    for (const Slice& slice : p.arena->slices()) {
      checkpoint.tensors[Cat("model/", slice.name)] = slice.Of(p.arena->values());
      if (p.average.defined()) checkpoint.tensors[Cat("average/", slice.name)] = slice.Of(p.average);
    }
    for (const auto& [key, tensor] : p.optimiser->State())
      checkpoint.tensors[Cat("optimiser/", p.arena->name(), "/", key)] = tensor;
    optimiser_steps.push_back(p.optimiser->steps());
  }
  for (const auto& item : model_.named_parameters()) {  // the frozen ones
    const std::string key = Cat("model/", item.key());
    if (!checkpoint.tensors.contains(key)) checkpoint.tensors[key] = item.value().detach().contiguous();
  }
  for (const auto& item : model_.named_buffers())
    checkpoint.tensors[Cat("buffer/", item.key())] = item.value().contiguous();
  checkpoint.tensors["generator"] = at::detail::getDefaultCPUGenerator().get_state();
  checkpoint.state = {{"step", step_},
                      {"steps", steps_},
                      {"optimiser_steps", optimiser_steps},
                      {"schedule", schedule_.State()},
                      {"best", best_.State()}};
  const std::string path = Cat(folder_, "/", name, ".safetensors");
  checkpoint.Save(path);
  listener_.Saved(step_, path);
}

void Trainer::Resume(const Checkpoint& checkpoint) {
  const torch::NoGradGuard no_gradient;
  const auto take = [&](const std::string& name, torch::Tensor into) {
    const auto it = checkpoint.tensors.find(name);
    if (it == checkpoint.tensors.end())
      throw Error(Code::kConflict, Cat("the checkpoint has no ", name), "it is of another configuration");
    if (it->second.sizes() != into.sizes() || it->second.scalar_type() != into.scalar_type()) {
      throw Error(Code::kConflict, Cat("the checkpoint's ", name, " has another shape"),
                  "it is of another configuration");
    }
    into.copy_(it->second);
  };
  // What a step does follows from these, too.
  const auto same = [](const std::string& what, const auto& then, const auto& now) {
    if (then != now) throw Error(Code::kConflict, Cat("the checkpoint was made with ", what, " ", then, ", not ", now));
  };
  if (!checkpoint.about.config.empty()) {
    Table table = Table::Parse(checkpoint.about.config, "the checkpoint's configuration");
    const TrainSettings then = ReadTrainSettings(table);
    same("run.seed", then.seed, s_.seed);
    same("train.batch", then.batch, s_.batch);
    same("optimiser.name", then.optimiser.name, s_.optimiser.name);
    same("data.train", then.data.train, s_.data.train);
    const auto objective = [](const model::About& about) {
      Table all = Table::Parse(about.config, "the configuration");
      auto of_model = all.SubOr("model");
      return of_model ? of_model->StringOr("objective", "sft") : std::string("sft");
    };
    same("model.objective", objective(checkpoint.about), about_.config.empty() ? "sft" : objective(about_));
    const auto base = [](const model::About& about) {
      return about.shape.empty() ? "" : model::ShapeFromJson(about.shape, "shape").start.hash;
    };
    if (base(checkpoint.about) != base(about_)) {
      throw Error(Code::kConflict, "the checkpoint is of an adapter to another model", "its file's bytes are others");
    }
  }
  try {
    const Json& state = checkpoint.state;
    step_ = state.at("step").get<int64_t>();
    best_.Restore(state.at("best"));
    schedule_.Restore(state.at("schedule"));
    for (size_t i = 0; i < parts_.size(); ++i) {
      PartState& p = parts_[i];
      for (const Slice& slice : p.arena->slices()) {
        take(Cat("model/", slice.name), slice.parameter);
        if (p.average.defined()) take(Cat("average/", slice.name), slice.Of(p.average));
      }
      for (const auto& [key, tensor] : p.optimiser->State()) take(Cat("optimiser/", p.arena->name(), "/", key), tensor);
      p.optimiser->set_steps(state.at("optimiser_steps").at(i).get<int64_t>());
    }
  } catch (const Json::exception& error) {
    throw Error(Code::kCorrupt, Cat("the checkpoint's state: ", error.what()));
  }
  for (const auto& item : model_.named_parameters()) {  // those that are not trained
    if (!item.value().requires_grad()) take(Cat("model/", item.key()), item.value());
  }
  for (const auto& item : model_.named_buffers()) take(Cat("buffer/", item.key()), item.value());
  const auto it = checkpoint.tensors.find("generator");
  if (it == checkpoint.tensors.end()) throw Error(Code::kConflict, "the checkpoint has no random numbers");
  at::Generator(at::detail::getDefaultCPUGenerator()).set_state(it->second);
  SeedOthers();
}

Outcome Trainer::Run(const std::atomic<bool>& stop, int64_t until) {
  Outcome outcome;
  std::map<std::string, double> sums;
  int64_t since = 0, rows_since = 0;
  const bool stopped = s_.patience > 0 && best_.standing() >= s_.patience;
  if (validation_ != nullptr && !s_.metric.empty() && step_ < until && !stopped) CheckMetric();
  double logged = MonotonicSeconds();
  double seconds_per_step = 0;
  const int64_t per_epoch = sampler_.steps_per_epoch();
  const int64_t validate_every = s_.validate_every > 0 ? s_.validate_every : per_epoch;
  if (stopped) {  // a run that stopped so is not begun again
    outcome.ending = Ending::kStoppedEarly;
    until = step_;
  }
  while (step_ < until) {
    if (collective_.SumOf(stop ? 1 : 0) > 0) {  // whichever process was told
      outcome.ending = Ending::kInterrupted;
      break;
    }
    model_.train();
    rows_since += static_cast<int64_t>(sampler_.Rows(step_).size());
    Step(&sums);
    ++step_;
    ++since;
    const bool last = step_ == until;
    if (step_ % s_.log_every == 0 || last) {
      const double now = MonotonicSeconds();
      seconds_per_step = (now - logged) / static_cast<double>(since);
      StepReport report{step_, steps_, static_cast<double>(step_) / static_cast<double>(per_epoch), {}, 0, 0};
      for (const auto& [name, sum] : sums) report.values[name] = sum / static_cast<double>(since);
      report.rows_per_second = static_cast<double>(rows_since) / std::max(1e-9, now - logged);
      report.seconds_left = seconds_per_step * static_cast<double>(steps_ - step_);
      last_loss_ = report.values[Label(0, "loss")];
      if (First()) listener_.Stepped(report);
      sums.clear();
      since = rows_since = 0;
      logged = now;
    }
    const bool validates = step_ % validate_every == 0 || last;
    const bool samples = s_.samples_every > 0 ? step_ % s_.samples_every == 0 || last : validates;
    if (!validates && !samples && !(s_.checkpoint_every > 0 && step_ % s_.checkpoint_every == 0)) continue;
    const double paused = MonotonicSeconds();
    bool best = false;
    if (validates || samples) {
      model_.eval();
      SwapAverages();
      if (validates && validation_ != nullptr) {
        ValidationReport report = Validate(s_.validate_batches);
        if (!std::isfinite(report.loss)) RefuseNumber("the validation's loss", report.loss, {});
        best = report.best = best_.Take(step_, report.values);
        report.without_improvement = best_.standing();
        schedule_.Validated(report.loss);
        last_loss_ = report.loss;
        if (First()) listener_.Validated(report);
      }
      if (samples && First()) {
        const KeptGenerator kept;
        listener_.Sample(step_);
      }
      SwapAverages();
    }
    if (best) Save("best");
    if (validates || (s_.checkpoint_every > 0 && step_ % s_.checkpoint_every == 0)) Save("last");
    logged += MonotonicSeconds() - paused;
    if (s_.patience > 0 && best_.standing() >= s_.patience && !last) {
      outcome.ending = Ending::kStoppedEarly;
      break;
    }
  }
  if (outcome.ending == Ending::kInterrupted) Save("last");
  outcome.steps = step_;
  outcome.last_loss = last_loss_;
  outcome.best = last_loss_, outcome.best_step = step_;
  if (best_.any()) outcome.metric = best_.metric(), outcome.best = best_.value(), outcome.best_step = best_.step();
  return outcome;
}

}  // namespace atelier::train
