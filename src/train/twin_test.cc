// Every architecture against its PyTorch twin: from the same weights and batches, the same gradients in the first step
// and the same losses over ten. The files of tests/golden/twins are made by tools/golden_twins.py, which calls nothing
// of ours; docs/formats/twins.md says what they hold.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>

#include "artefact/safetensors.h"
#include "base/json.h"
#include "base/str.h"
#include "model/tensor_bytes.h"
#include "model/zoo.h"
#include "train/arena.h"
#include "train/optimiser.h"

namespace atelier::train {
namespace {

// Both sides add f32 numbers in orders of their own; ten steps of AdamW carry that on.
constexpr double kLossTolerance = 2e-5;      // relative
constexpr double kGradientTolerance = 1e-4;  // of the tensor's greatest

std::string Folder() { return Cat(ATELIER_SOURCE_DIR, "/tests/golden/twins"); }

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Folder())) {
    if (entry.path().extension() == ".safetensors") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

using model::ToTensor;

model::Batch ToBatch(const artefact::SafetensorsFile& file, int64_t index) {
  model::Batch batch;
  const std::pair<const char*, torch::Tensor*> fields[] = {{"inputs", &batch.inputs},
                                                           {"lengths", &batch.lengths},
                                                           {"targets", &batch.targets},
                                                           {"source", &batch.source},
                                                           {"source_lengths", &batch.source_lengths}};
  for (const auto& [name, into] : fields) {
    if (const auto* tensor = file.Find(Cat("b/", index, "/", name))) *into = ToTensor(*tensor);
  }
  return batch;
}

model::DataShape ToShape(const Json& json) {
  model::DataShape s;
  const std::pair<const char*, int64_t*> fields[] = {{"vocabulary", &s.vocabulary},
                                                     {"source_vocabulary", &s.source_vocabulary},
                                                     {"padding", &s.padding},
                                                     {"begin", &s.begin},
                                                     {"end", &s.end},
                                                     {"mask", &s.mask},
                                                     {"sequence_length", &s.sequence_length},
                                                     {"height", &s.height},
                                                     {"width", &s.width}};
  size_t known = 0;
  for (const auto& [name, into] : fields) {
    if (!json.contains(name)) continue;
    *into = json[name].get<int64_t>();
    ++known;
  }
  if (json.contains("classes")) {
    s.classes = json["classes"].get<std::vector<std::string>>();
    ++known;
  }
  EXPECT_EQ(known, json.size()) << "a field of the shape that this test does not know: " << json;
  return s;
}

class Twin : public testing::TestWithParam<std::string> {};

TEST_P(Twin, HasTheSameGradientsAndLosses) {
  at::set_num_threads(1);
  const auto file = artefact::SafetensorsFile::Open(Cat(Folder(), "/", GetParam(), ".safetensors"));
  const auto& said = file->metadata();
  Table config = Table::Parse(said.at("model"), GetParam());
  const model::Architecture* architecture = nullptr;
  for (const model::Architecture& one : model::AllArchitectures()) {
    if (one.name == said.at("architecture")) architecture = &one;
  }
  ASSERT_NE(architecture, nullptr) << said.at("architecture");
  const std::shared_ptr<model::Model> model = architecture->make(config, ToShape(ParseJson(said.at("shape"), "shape")));
  config.Done();
  model->train();

  std::set<std::string> ours, theirs;
  {
    const torch::NoGradGuard no_gradient;
    for (const auto& item : model->named_parameters()) {
      ours.insert(item.key());
      const auto* tensor = file->Find(Cat("w/", item.key()));
      ASSERT_NE(tensor, nullptr) << "the twin has no " << item.key();
      torch::Tensor parameter = item.value();
      ASSERT_EQ(parameter.sizes().vec(), tensor->shape) << item.key();
      parameter.copy_(ToTensor(*tensor));
    }
  }
  int64_t batches = 0;
  for (const artefact::SafeTensor& tensor : file->tensors()) {
    if (tensor.name.starts_with("w/")) theirs.insert(tensor.name.substr(2));
    if (tensor.name.starts_with("b/")) batches = std::max(batches, ParseInt(Split(tensor.name, '/')[1]).value() + 1);
  }
  ASSERT_EQ(ours, theirs);

  const Json o = ParseJson(said.at("optimiser"), "optimiser");
  OptimiserSettings settings;
  settings.name = o.at("name");
  settings.rate = o.at("rate");
  settings.weight_decay = o.at("weight_decay");
  settings.beta1 = o.value("beta1", 0.9);
  settings.beta2 = o.value("beta2", 0.999);
  settings.eps = o.value("eps", 1e-8);
  settings.momentum = o.value("momentum", 0.0);
  const double clip = o.at("clip");
  const model::LossOptions options{ParseDouble(said.at("label_smoothing")).value()};
  const std::vector<model::Part> parts = model->Parts();
  std::vector<std::unique_ptr<Arena>> arenas;
  std::vector<std::unique_ptr<Optimiser>> optimisers;
  for (const model::Part& part : parts) {
    arenas.push_back(std::make_unique<Arena>(*model, part));
    optimisers.push_back(MakeOptimiser(settings, *arenas.back()));
  }

  const torch::Tensor losses = ToTensor(*file->Find("losses"));
  ASSERT_EQ(losses.sizes().vec(), (std::vector<int64_t>{10, static_cast<int64_t>(parts.size())}));
  for (int64_t step = 0; step < losses.size(0); ++step) {
    torch::manual_seed(ParseInt(said.at("seed")).value() + step);
    const model::Batch batch = ToBatch(*file, step % batches);
    for (size_t part = 0; part < parts.size(); ++part) {
      for (const auto& arena : arenas) arena->gradients().zero_();
      const model::Loss loss = model->ComputeLoss(batch, part, options);
      loss.Backward();
      const double expected = losses[step][static_cast<int64_t>(part)].item<double>();
      EXPECT_NEAR(loss.value.item<double>(), expected, kLossTolerance * std::max(1.0, std::abs(expected)))
          << "step " << step << ", part " << parts[part].name;
      if (step == 0) {
        const double largest = arenas[part]->gradients().abs().max().item<double>();
        for (const Slice& slice : arenas[part]->slices()) {
          const auto* tensor = file->Find(Cat("g/", parts[part].name, "/", slice.name));
          ASSERT_NE(tensor, nullptr) << slice.name;
          const torch::Tensor expected_gradient = ToTensor(*tensor);
          // A key's bias has no gradient (softmax does not see it): what both compute there is rounding.
          const double greatest = std::max(1e-3 * largest, expected_gradient.abs().max().item<double>());
          const double worst = (slice.parameter.grad() - expected_gradient).abs().max().item<double>();
          EXPECT_LE(worst, kGradientTolerance * greatest) << slice.name;
        }
      }
      const double norm = GradientNorm(*arenas[part]);
      optimisers[part]->Step(settings.rate, clip > 0 ? std::min(1.0, clip / (norm + 1e-6)) : 1.0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Twins, Twin, testing::ValuesIn(Names()), [](const auto& one) { return one.param; });

}  // namespace
}  // namespace atelier::train
