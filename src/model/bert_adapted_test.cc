// Adapters beside an encoder: one step against Hugging Face's PEFT (tests/golden/encoder, tools/golden_encoder.py), the
// fused form against its plain twin, and what a model's file holds.
#include "model/bert_adapted.h"

#include <gtest/gtest.h>

#include "artefact/memory_file.h"
#include "artefact/safetensors.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "model/bert_heads.h"
#include "model/bert_testing.h"
#include "model/fused/fused_testing.h"
#include "model/model_file.h"
#include "model/tensor_bytes.h"
#include "runtime/golden_model.h"

namespace atelier::model {
namespace {

// Both add f32 numbers in orders of their own, through two layers.
constexpr double kLossTolerance = 2e-6;      // relative
constexpr double kGradientTolerance = 2e-5;  // of the tensor's greatest

std::string Bytes() { return runtime::GoldenBytes("../encoder/bert"); }

DataShape ShapeOf(const std::string& path, size_t classes) {
  DataShape shape = ShapeBeside(path);
  for (size_t i = 0; i < classes; ++i) shape.classes.push_back(Cat("class ", i));
  return shape;
}

std::shared_ptr<Model> Made(const std::string& architecture, const std::string& keys, const std::string& path,
                            size_t classes) {
  Table table = Table::Parse(Cat("init = \"", path, "\"\n", keys), "test.toml");
  return FindArchitecture(architecture, table).make(table, ShapeOf(path, classes));
}

struct Golden {
  artefact::MemoryFile memory{Bytes()};
  std::shared_ptr<const artefact::SafetensorsFile> file =
      artefact::SafetensorsFile::Open(Cat(ATELIER_SOURCE_DIR, "/tests/golden/encoder/cases.safetensors"));
  Json cases = ParseJson(file->metadata().at("cases"), "cases");

  torch::Tensor Get(const std::string& name) const { return ToTensor(*file->Find(name)).clone(); }
  Batch BatchOf(const std::string& name) const {
    Batch batch;
    batch.inputs = Get("inputs"), batch.lengths = Get("lengths"), batch.targets = Get(name + "/targets");
    return batch;
  }
  // As the case says, with the peer's numbers.
  std::shared_ptr<Model> ModelOf(const Json& one, const std::string& more = "dropout = 0.0\n",
                                 const std::string& path = "") const {
    const std::string name = one["name"], head = one["head"];
    std::vector<std::string> targets;
    for (const Json& target : one["targets"]) targets.push_back(ToText(target));
    const std::string keys = Cat("rank = ", ToText(one["rank"]), "\nalpha = ", ToText(one["alpha"]), "\ntargets = [",
                                 Join(targets, ","), "]\n", more, head == "tags" ? "" : Cat("pool = \"", head, "\"\n"));
    const auto model = Made(head == "tags" ? "bert_tagger" : "bert_classifier", keys,
                            path.empty() ? memory.path() : path, one["classes"].get<size_t>());
    const torch::NoGradGuard no_gradient;
    for (const auto& item : model->named_parameters()) {
      torch::Tensor parameter = item.value();
      parameter.copy_(Get(Cat(name, "/w/", item.key())));
    }
    return model;
  }
};

TEST(AdaptedBert, OneStepIsPefts) {
  const Golden golden;
  ASSERT_EQ(golden.cases.size(), 4u);
  for (const Json& one : golden.cases) {
    const std::string name = one["name"];
    SCOPED_TRACE(name);
    const auto model = golden.ModelOf(one);
    int64_t learn = 0;
    for (const torch::Tensor& p : model->parameters()) learn += p.numel();
    EXPECT_EQ(learn, one["learn"].get<int64_t>()) << "what is in the file learns not";
    const Loss loss = model->ComputeLoss(golden.BatchOf(name), 0, {});
    const auto expected = one["loss"].get<double>();
    EXPECT_NEAR(loss.value.item<double>(), expected, kLossTolerance * expected);
    loss.Backward();
    for (const auto& item : model->named_parameters()) {
      const torch::Tensor theirs = golden.Get(Cat(name, "/g/", item.key()));
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      const double worst = (item.value().grad() - theirs).abs().max().item<double>();
      EXPECT_LE(worst, kGradientTolerance * theirs.abs().max().item<double>() + 1e-7) << item.key();
    }
  }
}

TEST(AdaptedBert, PaddingChangesNothing) {
  const Golden golden;
  const Json& one = golden.cases[0];
  const Batch batch = golden.BatchOf("mean");
  const auto loss = [&](const std::string& more) {
    return golden.ModelOf(one, more)->ComputeLoss(batch, 0, {}).value.item<double>();
  };
  EXPECT_NEAR(loss("dropout = 0.0\n"), loss("dropout = 0.0\npadding = \"masked\"\n"), 1e-6);
}

TEST(FusedAdaptedBert, IsAsNearToF32AsPlainBf16) {
  const Golden golden;
  const artefact::MemoryFile narrow(runtime::Quantised(Bytes(), artefact::TensorType::kQ8_0));
  for (const Json& one : golden.cases) {
    for (const artefact::MemoryFile* file : {&golden.memory, &narrow}) {
      SCOPED_TRACE(Cat(one["name"].get<std::string>(), file == &narrow ? " in Q8_0" : ""));
      const auto model = golden.ModelOf(one, "dropout = 0.0\n", file->path());
      // Plain layers of frozen weights add their bias in f32 and go on so; fused ones round to bf16 behind it.
      ExpectAsNearAsPlainBf16(*model, golden.BatchOf(one["name"]), 0.1, 0, /*most=*/4);
    }
  }
}

// BERT's own dropouts draw anew in training, and the same after the same seed; in evaluation none does. Where an
// adapter's input drops, too, the plain form runs.
TEST(FusedAdaptedBert, DropsInTrainingAlone) {
  const Golden golden;
  const Json& one = golden.cases[0];
  const Batch batch = golden.BatchOf("mean");
  const auto loss = [&](Model& model, uint64_t seed, How how = How::kFused) {
    torch::manual_seed(seed);
    return RunOnce(model, batch, 0, how).loss;
  };
  const auto model = golden.ModelOf(one, "dropout = 0.2\n");
  EXPECT_EQ(loss(*model, 1), loss(*model, 1));
  EXPECT_NE(loss(*model, 1), loss(*model, 2));
  EXPECT_NE(loss(*model, 1), loss(*model, 1, How::kPlainBf16)) << "the fused form did not run";
  model->eval();
  EXPECT_EQ(loss(*model, 1), loss(*model, 2));

  const auto inner = golden.ModelOf(one, "dropout = 0.0\nlora_dropout = 0.5\n");
  EXPECT_NE(loss(*inner, 1), loss(*inner, 2));
  const double plain = loss(*inner, 1, How::kPlain);
  EXPECT_NEAR(loss(*inner, 1), plain, 0.01 * plain) << "the same is dropped after the same seed";
  EXPECT_GT(std::abs(loss(*inner, 2, How::kPlain) - plain), 0.02 * plain);
  inner->eval();
  EXPECT_EQ(loss(*inner, 1), loss(*inner, 2));
}

// A model's file holds adapters and head, and finds the rest in the encoder's file, which must be the same.
TEST(AdaptedBert, FileHoldsWhatWasLearned) {
  const Golden golden;
  const Json& one = golden.cases[0];
  const std::string base = Cat(::testing::TempDir(), "/", getpid(), "-base.gguf"),
                    path = Cat(::testing::TempDir(), "/", getpid(), "-adapted.safetensors");
  WriteFileAtomic(base, Bytes());
  const auto model = golden.ModelOf(one, "dropout = 0.0\n", base);
  model->eval();
  About about;
  about.config =
      Cat("[model]\narchitecture = \"bert_classifier\"\ninit = \"", base, "\"\nrank = 2\nalpha = 6\npool = \"mean\"\n");
  about.shape = ShapeToJson(ShapeOf(base, 3));
  WriteModel(*model, about, path);
  EXPECT_EQ(artefact::SafetensorsFile::Open(path)->tensors().size(), 26u);
  const OpenedModel opened = OpenModel(path);
  ASSERT_NE(opened.tokenizer, nullptr);
  EXPECT_EQ(opened.tokenizer->Encode("好评"), (std::vector<text::TokenId>{41, 42}));
  const Batch batch = golden.BatchOf("mean");
  const torch::NoGradGuard no_gradient;
  EXPECT_TRUE(torch::equal(dynamic_cast<Classifier&>(*opened.model).Logits(batch),
                           dynamic_cast<Classifier&>(*model).Logits(batch)));
  std::string other = Bytes();
  other.back() ^= 1;
  WriteFileAtomic(base, other);
  try {
    OpenModel(path);
    ADD_FAILURE() << "an adapter beside another encoder";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConflict) << error.what();
  }
  RemoveFile(base);
  RemoveFile(path);
}

TEST(AdaptedBert, RefusesWhatItCannotBe) {
  const Golden golden;
  const auto said = [&](const std::string& architecture, const std::string& keys) -> std::string {
    try {
      Made(architecture, keys, golden.memory.path(), 2);
    } catch (const Error& error) {
      return Cat(error.what(), " ", error.hint());
    }
    return "";
  };
  const auto expect = [&](const std::string& architecture, const std::string& keys, const std::string& part) {
    EXPECT_NE(said(architecture, keys).find(part), std::string::npos) << said(architecture, keys);
  };
  EXPECT_EQ(said("bert_classifier", "rank = 2\ntargets = [\"attn_q\", \"value\"]\n"), "");
  expect("bert_classifier", "rank = 2\ntargets = [\"nose\"]\n", "no linear layer 'nose'");
  expect("bert_classifier", "rank = 2\ntargets = []\n", "names no layer");
  expect("bert_classifier", "rank = 2\nfreeze = 1\n", "freeze");
  expect("bert_masked", "rank = 2\n", "all its weights");
  Table table = Table::Parse("rank = 2\n", "test.toml");
  DataShape shape = ShapeOf(golden.memory.path(), 2);
  shape.start = {};
  EXPECT_THROW(FindArchitecture("bert_classifier", table).make(table, shape), Error);
}

}  // namespace
}  // namespace atelier::model
