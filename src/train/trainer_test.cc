#include "train/trainer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "model/gpt.h"

namespace atelier::train {
namespace {

// Rows of given tokens, with lengths of their own.
class Rows : public Examples {
 public:
  explicit Rows(int64_t count, uint64_t seed = 1, int64_t vocabulary = 23, int64_t longest = 9) {
    Rng rng(seed);
    for (int64_t i = 0; i < count; ++i) {
      std::vector<int64_t> row(2 + rng.Below(static_cast<uint64_t>(longest)));
      for (int64_t& token : row) token = static_cast<int64_t>(rng.Below(static_cast<uint64_t>(vocabulary)));
      rows_.push_back(row);
    }
  }
  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
  int64_t Length(int64_t row) const override { return static_cast<int64_t>(rows_[row].size()) - 1; }
  model::Batch Collate(std::span<const int64_t> rows, Rng) const override {
    int64_t longest = 0;
    for (const int64_t row : rows) longest = std::max(longest, Length(row));
    const auto n = static_cast<int64_t>(rows.size());
    model::Batch batch;
    batch.inputs = torch::zeros({n, longest}, torch::kInt64);
    batch.targets = torch::full({n, longest}, model::kIgnored, torch::kInt64);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t t = 0; t < Length(rows[i]); ++t) {
        batch.inputs[i][t] = rows_[rows[i]][t];
        batch.targets[i][t] = rows_[rows[i]][t + 1];
      }
    }
    return batch;
  }
  std::string Describe(int64_t row) const override { return Cat("record ", row + 1); }

 private:
  std::vector<std::vector<int64_t>> rows_;
};

class Heard : public Listener {
 public:
  void Stepped(const StepReport& report) override { losses.push_back(report.values.at("loss")); }
  void Validated(const ValidationReport& report) override { validations.push_back(report); }
  void Sample(int64_t step) override { samples.push_back(step); }
  void Saved(int64_t step, const std::string& path) override { saved.emplace_back(step, path); }
  std::vector<double> losses;
  std::vector<ValidationReport> validations;
  std::vector<int64_t> samples;
  std::vector<std::pair<int64_t, std::string>> saved;
};

Collective& Only() {
  static const std::unique_ptr<Collective> alone = Alone();
  return *alone;
}

std::string Folder(const std::string& name) {
  // Tests run side by side.
  const std::string folder =
      Cat(testing::TempDir(), "trainer_", testing::UnitTest::GetInstance()->current_test_info()->name(), "_", name);
  std::filesystem::remove_all(folder);
  MakeFolders(folder);
  return folder;
}

TrainSettings Settings(int64_t steps) {
  TrainSettings s;
  s.steps = steps;
  s.batch = 6;
  s.log_every = 1;
  s.optimiser.rate = 1e-2;
  s.schedule.name = "constant";
  s.validate_every = 1 << 20;
  return s;
}

std::shared_ptr<model::Model> MakeModel(double dropout = 0, uint64_t seed = 5) {
  torch::manual_seed(seed);
  model::GptConfig c;
  c.vocabulary = 23;
  c.context = 16;
  c.layers = 2;
  c.width = 16;
  c.heads = 2;
  c.dropout = dropout;
  return std::make_shared<model::Gpt>(c);
}

std::vector<double> LossesOf(const TrainSettings& s, const Examples& rows, double dropout = 0) {
  at::set_num_threads(1);
  const auto model = MakeModel(dropout);
  Heard heard;
  torch::manual_seed(9);
  Trainer trainer(s, *model, rows, nullptr, Folder("losses"), {}, heard, Only());
  trainer.Run(false);
  return heard.losses;
}

TEST(Trainer, GoesOnExactlyWhereACheckpointStands) {
  at::set_num_threads(1);
  const Rows rows(40), held(10, 2);
  for (const char* optimiser : {"adamw", "sgd", "lion"}) {
    for (const char* schedule : {"cosine", "plateau"}) {
      TrainSettings s = Settings(17);
      s.optimiser.name = optimiser;
      s.schedule.name = schedule;
      s.schedule.warmup = 3;
      s.schedule.patience = 0;
      s.ema = 0.9;
      s.accumulate = 2;
      s.validate_every = 4;
      s.checkpoint_every = 7;
      Heard whole;
      {
        const auto model = MakeModel(0.2);
        torch::manual_seed(9);
        Trainer trainer(s, *model, rows, &held, Folder("whole"), {}, whole, Only());
        trainer.Run(false);
      }
      // The same again, stopped in the middle of an epoch; then a trainer that knows the file alone.
      const std::string folder = Folder("half");
      Heard first, second;
      std::atomic<bool> stop{false};
      struct Stopper : Heard {
        std::atomic<bool>* stop;
        void Stepped(const StepReport& report) override {
          Heard::Stepped(report);
          if (report.step == 10) *stop = true;
        }
      } stopper;
      stopper.stop = &stop;
      {
        const auto model = MakeModel(0.2);
        torch::manual_seed(9);
        Trainer trainer(s, *model, rows, &held, folder, {}, stopper, Only());
        EXPECT_EQ(trainer.Run(stop).ending, Ending::kInterrupted);
      }
      {
        const auto model = MakeModel(0.2, 77);  // other parameters, other random numbers
        torch::manual_seed(123);
        Trainer trainer(s, *model, rows, &held, folder, {}, second, Only());
        trainer.Resume(Checkpoint::Load(Cat(folder, "/last.safetensors")));
        EXPECT_EQ(trainer.Run(false).ending, Ending::kFinished);
      }
      std::vector<double> together = stopper.losses;
      together.insert(together.end(), second.losses.begin(), second.losses.end());
      EXPECT_EQ(whole.losses, together) << optimiser << ", " << schedule;  // to the bit
      ASSERT_EQ(whole.validations.size(), stopper.validations.size() + second.validations.size());
      EXPECT_EQ(whole.validations.back().loss, second.validations.back().loss);
    }
  }
}

TEST(Trainer, ValidatingOftenChangesNothing) {
  const Rows rows(40), held(10, 2);
  at::set_num_threads(1);
  std::vector<std::vector<double>> losses;
  for (const int64_t every : {1, 5}) {
    TrainSettings s = Settings(10);
    s.validate_every = every;
    const auto model = MakeModel(0.3);
    Heard heard;
    torch::manual_seed(9);
    Trainer trainer(s, *model, rows, &held, Folder("often"), {}, heard, Only());
    trainer.Run(false);
    losses.push_back(heard.losses);
    EXPECT_EQ(heard.validations.size(), static_cast<size_t>(10 / every));
  }
  EXPECT_EQ(losses[0], losses[1]);
}

TEST(Trainer, MicroBatchesAddUpToTheBatch) {
  const Rows rows(40);
  TrainSettings s = Settings(8);
  const std::vector<double> one = LossesOf(s, rows);
  for (const int64_t accumulate : {2, 3, 6}) {  // rows differ in length: each micro-batch weighs as its targets do
    s.accumulate = accumulate;
    const std::vector<double> many = LossesOf(s, rows);
    ASSERT_EQ(one.size(), many.size());
    for (size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], many[i], 2e-5) << accumulate << ", step " << i;
  }
}

TEST(Trainer, RecomputingActivationsChangesNothing) {
  const Rows rows(40);
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    for (const int64_t accumulate : {1, 2}) {
      TrainSettings s = Settings(12);
      s.precision = precision;
      s.accumulate = accumulate;
      const std::vector<double> kept = LossesOf(s, rows, 0.2);  // dropout: the same units fall again
      s.checkpointing = true;
      EXPECT_EQ(kept, LossesOf(s, rows, 0.2)) << static_cast<int>(precision) << ", " << accumulate;
    }
  }
}

TEST(Trainer, Bf16LearnsAsF32Does) {
  const Rows rows(12);  // few enough to be learned by heart
  TrainSettings s = Settings(60);
  const std::vector<double> wide = LossesOf(s, rows);
  s.precision = Precision::kBf16;
  const std::vector<double> narrow = LossesOf(s, rows);
  EXPECT_NE(wide, narrow);  // it is on
  // Two steps are an epoch.
  const auto epoch = [](const std::vector<double>& losses, size_t i) { return (losses[i] + losses[i + 1]) / 2; };
  for (const std::vector<double>& losses : {wide, narrow}) EXPECT_LT(epoch(losses, 58), epoch(losses, 0) - 0.5);
  // Later on two roundings lead to different ways of knowing twelve rows by heart.
  for (size_t i = 0; i < 20; i += 2) EXPECT_NEAR(epoch(wide, i), epoch(narrow, i), 0.05) << i;
}

TEST(Trainer, StopsEarlyAndKeepsTheBest) {
  at::set_num_threads(1);
  const Rows rows(6), held(20, 2);  // six rows are learned by heart, which helps nobody else
  TrainSettings s = Settings(2000);
  s.optimiser.rate = 3e-2;
  s.validate_every = 2;
  s.patience = 3;
  const auto model = MakeModel();
  Heard heard;
  const std::string folder = Folder("early");
  Trainer trainer(s, *model, rows, &held, folder, {}, heard, Only());
  const Outcome outcome = trainer.Run(false);
  EXPECT_EQ(outcome.ending, Ending::kStoppedEarly);
  EXPECT_LT(outcome.steps, 2000);
  EXPECT_EQ(outcome.steps, outcome.best_step + 6);
  double least = 1e9;
  for (const ValidationReport& v : heard.validations) least = std::min(least, v.loss);
  EXPECT_EQ(outcome.best, least);
  EXPECT_EQ(Checkpoint::Load(Cat(folder, "/best.safetensors")).state.at("step").get<int64_t>(), outcome.best_step);
  EXPECT_EQ(Checkpoint::Load(Cat(folder, "/last.safetensors")).state.at("step").get<int64_t>(), outcome.steps);
}

// Its validations have a skill that comes and goes, whatever its loss does.
class Skilled : public model::Gpt {
 public:
  explicit Skilled(std::vector<double> skills) : Gpt(dynamic_cast<Gpt&>(*MakeModel()).config()), skills_(skills) {}
  model::Loss ComputeLoss(const model::Batch& batch, size_t part, const model::LossOptions& options) override {
    model::Loss loss = Gpt::ComputeLoss(batch, part, options);
    if (!is_training()) loss.details["skill"] = skills_.at(asked_++);
    return loss;
  }

 private:
  std::vector<double> skills_;
  size_t asked_ = 0;
};

TEST(Trainer, TheBestIsByTheFigureThatIsWanted) {
  at::set_num_threads(1);
  const Rows rows(12), held(6, 2);
  TrainSettings s = Settings(100);
  s.validate_every = 2;
  s.patience = 3;
  s.metric = "skill";
  const double none = std::nan("");
  for (const bool maximise : {true, false}) {
    s.maximise = maximise;
    const double sign = maximise ? 1 : -1;
    // The first is asked for before training begins, to see that there is one.
    Skilled model({9 * sign, none, 0.1 * sign, 0.5 * sign, 0.4 * sign, none, 0.5 * sign});
    Heard heard;
    const std::string folder = Folder("skilled");
    Trainer trainer(s, model, rows, &held, folder, {}, heard, Only());
    const Outcome outcome = trainer.Run(false);
    EXPECT_EQ(outcome.ending, Ending::kStoppedEarly);
    EXPECT_EQ(outcome.steps, 12);
    EXPECT_EQ(outcome.best_step, 6);
    EXPECT_EQ(outcome.best, 0.5 * sign);
    EXPECT_EQ(outcome.metric, "skill");
    EXPECT_EQ(Checkpoint::Load(Cat(folder, "/best.safetensors")).state.at("step").get<int64_t>(), 6);

    // Stopped early, it is not begun again; what was best by another figure says nothing of this one.
    const Checkpoint last = Checkpoint::Load(Cat(folder, "/last.safetensors"));
    Skilled again({1, 1, 1});
    Trainer goes_on(s, again, rows, &held, folder, {}, heard, Only());
    goes_on.Resume(last);
    EXPECT_EQ(goes_on.Run(false).best_step, 6);
    TrainSettings by_loss = s;
    by_loss.metric = "";
    Trainer other(by_loss, again, rows, &held, folder, {}, heard, Only());
    EXPECT_THROW(other.Resume(last), Error);
    TrainSettings turned = s;
    turned.maximise = !s.maximise;
    Trainer other_way(turned, again, rows, &held, folder, {}, heard, Only());
    EXPECT_THROW(other_way.Resume(last), Error);
  }
}

TEST(Trainer, AFigureThatNoValidationHasIsRefusedBeforeAStep) {
  const Rows rows(12), held(6, 2);
  TrainSettings s = Settings(100);
  s.metric = "macro_f1";
  const auto model = MakeModel();
  Heard heard;
  Trainer trainer(s, *model, rows, &held, Folder("none"), {}, heard, Only());
  try {
    trainer.Run(false);
    FAIL() << "it went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidInput);
    EXPECT_EQ(error.Line(), "validation.metric: a validation of this model has no 'macro_f1' (it has loss)");
  }
  EXPECT_TRUE(heard.losses.empty());
}

// Its loss is not a number from a step on.
class Breaks : public model::Gpt {
 public:
  Breaks(const model::GptConfig& c, int64_t at, bool gradient) : Gpt(c), at_(at), gradient_(gradient) {}
  model::Loss ComputeLoss(const model::Batch& batch, size_t part, const model::LossOptions& options) override {
    model::Loss loss = Gpt::ComputeLoss(batch, part, options);
    if (++calls_ < at_) return loss;
    // sqrt's slope at 0 is infinite: the loss is fine, its gradient is not.
    loss.value = gradient_ ? loss.value + (loss.value - loss.value.detach()).sqrt() : loss.value * std::nan("");
    return loss;
  }

 private:
  int64_t at_, calls_ = 0;
  bool gradient_;
};

TEST(Trainer, ALossThatIsNoNumberEndsItAndTheLastCheckpointIsSound) {
  at::set_num_threads(1);
  const Rows rows(40);
  for (const bool gradient : {false, true}) {
    TrainSettings s = Settings(20);
    s.checkpoint_every = 2;
    model::GptConfig c = dynamic_cast<model::Gpt&>(*MakeModel()).config();
    Breaks model(c, 6, gradient);
    Heard heard;
    const std::string folder = Folder("breaks");
    Trainer trainer(s, model, rows, nullptr, folder, {}, heard, Only());
    try {
      trainer.Run(false);
      FAIL() << "it went on";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidInput);
      const std::string said = error.what();
      EXPECT_NE(said.find("step 6"), std::string::npos) << said;
      EXPECT_NE(said.find("record "), std::string::npos) << said;
      EXPECT_NE(said.find(gradient ? "the gradient is not a number" : "the loss is not a number"), std::string::npos)
          << said;
    }
    const Checkpoint last = Checkpoint::Load(Cat(folder, "/last.safetensors"));
    EXPECT_EQ(last.state.at("step").get<int64_t>(), 4);
    for (const auto& [name, tensor] : last.tensors) {
      if (tensor.is_floating_point()) EXPECT_TRUE(tensor.isfinite().all().item<bool>()) << name;
    }
  }
}

TEST(Trainer, ACheckpointOfAnotherShapeIsRefused) {
  const Rows rows(10);
  const TrainSettings s = Settings(2);
  Heard heard;
  const std::string folder = Folder("shape");
  const auto model = MakeModel();
  Trainer(s, *model, rows, nullptr, folder, {}, heard, Only()).Run(false);
  model::GptConfig other = dynamic_cast<model::Gpt&>(*model).config();
  other.layers = 3;
  model::Gpt larger(other);
  Trainer trainer(s, larger, rows, nullptr, folder, {}, heard, Only());
  EXPECT_THROW(trainer.Resume(Checkpoint::Load(Cat(folder, "/last.safetensors"))), Error);
}

TEST(Checkpoint, ADamagedOneIsToldWhereverItIsDamaged) {
  const std::string path = Cat(Folder("damaged"), "/last.safetensors");
  Checkpoint checkpoint;
  checkpoint.state = {{"step", 3}};
  checkpoint.about.config = "[model]\n";
  checkpoint.tensors["model/w"] = torch::arange(12, torch::kFloat32).view({3, 4});
  checkpoint.Save(path);
  const std::string bytes = ReadFile(path);
  EXPECT_TRUE(Checkpoint::Load(path).tensors.at("model/w").equal(checkpoint.tensors["model/w"]));
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string broken = bytes;
    broken[at] ^= 0x20;
    WriteFileAtomic(path, broken);
    EXPECT_THROW(Checkpoint::Load(path), Error) << "byte " << at;
    if (at % 16 != 0) continue;
    WriteFileAtomic(path, bytes.substr(0, at));
    EXPECT_THROW(Checkpoint::Load(path), Error) << "cut at " << at;
  }
}

TEST(Sampler, EachEpochIsAnOrderOfAllRowsAndAStepsRowsFollowFromItsNumber) {
  const Rows rows(103);
  Sampler forward(rows, 8, 3), backward(rows, 8, 3), other(rows, 8, 4);
  ASSERT_EQ(forward.steps_per_epoch(), 13);
  std::vector<std::vector<int64_t>> steps;
  for (int64_t step = 0; step < 39; ++step) {
    const auto some = forward.Rows(step);
    steps.emplace_back(some.begin(), some.end());
  }
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    std::multiset<int64_t> seen;
    for (int64_t i = 0; i < 13; ++i) seen.insert(steps[epoch * 13 + i].begin(), steps[epoch * 13 + i].end());
    EXPECT_EQ(seen.size(), 103u);
    EXPECT_EQ(std::set<int64_t>(seen.begin(), seen.end()).size(), 103u);
  }
  EXPECT_NE(steps[0], steps[13]);
  for (int64_t step = 38; step >= 0; --step) {
    const auto some = backward.Rows(step);
    EXPECT_EQ(steps[step], std::vector<int64_t>(some.begin(), some.end())) << step;
  }
  const auto some = other.Rows(0);
  EXPECT_NE(steps[0], std::vector<int64_t>(some.begin(), some.end()));
  // Rows of one batch are alike in length: far less padding than by chance.
  int64_t padded = 0, real = 0;
  for (int64_t i = 0; i < 13; ++i) {
    int64_t longest = 0;
    for (const int64_t row : steps[i]) longest = std::max(longest, rows.Length(row));
    for (const int64_t row : steps[i]) real += rows.Length(row);
    padded += longest * static_cast<int64_t>(steps[i].size());
  }
  EXPECT_LT(padded, real * 1.15);
}

TEST(Schedule, HasTheShapesItNames) {
  ScheduleSettings s;
  s.warmup = 4;
  s.final_share = 0.1;
  s.name = "cosine";
  const Schedule cosine(s, 24);
  EXPECT_DOUBLE_EQ(cosine.Share(0), 0.2);
  EXPECT_DOUBLE_EQ(cosine.Share(3), 0.8);
  EXPECT_DOUBLE_EQ(cosine.Share(4), 1.0);
  EXPECT_DOUBLE_EQ(cosine.Share(14), 0.1 + 0.9 * 0.5);
  EXPECT_NEAR(cosine.Share(24), 0.1, 1e-12);
  s.name = "linear";
  EXPECT_DOUBLE_EQ(Schedule(s, 24).Share(9), 1 - 0.9 * 0.25);
  s.name = "constant";
  EXPECT_DOUBLE_EQ(Schedule(s, 24).Share(20), 1);
  s.name = "plateau";
  s.factor = 0.5;
  s.patience = 1;
  Schedule plateau(s, 24);
  for (const double loss : {3.0, 2.0, 2.0, 2.5}) plateau.Validated(loss);  // the second without improvement halves
  EXPECT_DOUBLE_EQ(plateau.Share(10), 0.5);
  Schedule again(s, 24);
  again.Restore(plateau.State());
  EXPECT_DOUBLE_EQ(again.Share(10), 0.5);
  for (int i = 0; i < 20; ++i) again.Validated(9);
  EXPECT_DOUBLE_EQ(again.Share(10), 0.1);  // not below
}

// One number, by the formulas of optimiser.h in plain doubles.
TEST(Optimiser, StepsAsItsFormulaSays) {
  for (const char* name : {"adamw", "sgd", "lion"}) {
    struct One : model::Model {
      One() { w = register_parameter("w", torch::full({1, 1}, 2.0f)); }
      model::Loss ComputeLoss(const model::Batch&, size_t, const model::LossOptions&) override { return {w.sum(), {}}; }
      torch::Tensor w;
    } one;
    Arena arena(one, {"model", {}});
    OptimiserSettings s;
    s.name = name;
    s.weight_decay = 0.1;
    s.momentum = 0.8;
    s.beta1 = 0.8;
    s.beta2 = 0.9;
    const auto optimiser = MakeOptimiser(s, arena);
    double p = 2, m = 0, v = 0, u = 0;
    for (int t = 1; t <= 5; ++t) {
      const double g = t % 2 == 0 ? -0.7 : 0.4 * t, scale = 0.5, rate = 0.05 * t;
      arena.gradients()[0] = g;
      optimiser->Step(rate, scale);
      const double h = g * scale;
      p -= rate * s.weight_decay * p;
      if (s.name == "adamw") {
        m = s.beta1 * m + (1 - s.beta1) * h;
        v = s.beta2 * v + (1 - s.beta2) * h * h;
        p -= rate * (m / (1 - std::pow(s.beta1, t))) / (std::sqrt(v / (1 - std::pow(s.beta2, t))) + s.eps);
      } else if (s.name == "sgd") {
        u = s.momentum * u + h;
        p -= rate * u;
      } else {
        const double c = s.beta1 * m + (1 - s.beta1) * h;
        p -= rate * (c > 0 ? 1 : -1);
        m = s.beta2 * m + (1 - s.beta2) * h;
      }
      EXPECT_NEAR(one.w.item<double>(), p, 1e-5) << name << ", step " << t;
      EXPECT_EQ(arena.gradients()[0].item<double>(), 0);
    }
  }
}

}  // namespace
}  // namespace atelier::train
