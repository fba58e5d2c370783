// A merged adapter against the arithmetic of its definition, tensor by tensor.
#include "runtime/merge.h"

#include <gtest/gtest.h>

#include "runtime/golden_model.h"
#include "runtime/tensor_loader.h"

// Designated initialisers that leave the rest at their defaults are the point here.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace atelier::runtime {
namespace {

std::vector<float> Values(const artefact::TensorInfo& tensor) {
  std::vector<float> out(static_cast<size_t>(tensor.elements()));
  kernel::Dequantise(FormatOf(tensor.type), tensor.data, tensor.elements(), out.data());
  return out;
}

TEST(Merge, LaysTheProductOverTheMatrix) {
  const auto file = OpenBytes(GoldenBytes("qwen2"));
  const artefact::Adapter adapter = DrawnAdapter(*file, {"blk.0.attn_q.weight", "blk.1.ffn_down.weight"});
  const std::string to = Cat(::testing::TempDir(), "/", getpid(), "-merged.gguf");
  for (const auto& [format, bound] : std::vector<std::pair<std::optional<kernel::Format>, double>>{
           {std::nullopt, 1e-6}, {kernel::Format::kBF16, 0.02}, {kernel::Format::kQ8_0, 0.02}}) {
    MergeAdapter(*file, adapter, {.format = format, .name = "together", .licence = "MIT", .threads = 2}, to);
    const auto merged = artefact::GgufFile::Open(to);
    EXPECT_EQ(merged->String("general.name"), "together");
    EXPECT_EQ(merged->String("general.license"), "MIT");
    for (const artefact::TensorInfo& tensor : file->tensors()) {
      const artefact::TensorInfo& other = merged->Require(tensor.name);
      std::vector<float> wanted = Values(tensor);
      const std::vector<float> found = Values(other);
      bool changed = false;
      for (const artefact::LoraPair& pair : adapter.pairs) {
        if (pair.tensor != tensor.name) continue;
        changed = true;
        for (int64_t o = 0; o < pair.outs; ++o) {
          for (int64_t i = 0; i < pair.ins; ++i) {
            double sum = 0;
            for (int64_t r = 0; r < 4; ++r) {
              sum += static_cast<double>(pair.b[static_cast<size_t>(o * 4 + r)]) *
                     pair.a[static_cast<size_t>(r * pair.ins + i)];
            }
            wanted[static_cast<size_t>(o * pair.ins + i)] += static_cast<float>(2 * sum);  // alpha 8 over rank 4
          }
        }
      }
      for (size_t i = 0; i < wanted.size(); ++i) {
        ASSERT_NEAR(found[i], wanted[i], changed ? bound : 0) << tensor.name << " " << i;
      }
    }
  }
}

TEST(Merge, KeepsTheModelsOwnTypes) {
  const auto file = OpenBytes(Quantised(GoldenBytes("qwen2"), artefact::TensorType::kQ4_0));
  const artefact::Adapter adapter = DrawnAdapter(*file, {"blk.0.attn_q.weight"});
  const std::string to = Cat(::testing::TempDir(), "/", getpid(), "-kept.gguf");
  MergeAdapter(*file, adapter, {}, to);
  const auto kept = artefact::GgufFile::Open(to);
  EXPECT_EQ(kept->Require("blk.0.attn_q.weight").type, artefact::TensorType::kQ4_0);
  EXPECT_EQ(kept->Int("general.file_type"), file->Int("general.file_type"));
  MergeAdapter(*file, adapter, {.format = kernel::Format::kQ8_0}, to);
  const auto wide = artefact::GgufFile::Open(to);
  EXPECT_EQ(wide->Require("blk.0.attn_q.weight").type, artefact::TensorType::kQ8_0);
  EXPECT_EQ(wide->Require("blk.1.attn_q.weight").type, artefact::TensorType::kQ4_0);
  EXPECT_FALSE(wide->Has("general.file_type")) << "it is no longer of the type that its label says";
}

TEST(Merge, RefusesAnAdapterOfAnotherModel) {
  const auto file = OpenBytes(GoldenBytes("qwen2"));
  const std::string to = Cat(::testing::TempDir(), "/", getpid(), "-refused.gguf");
  const auto fails = [&](const std::function<void(artefact::Adapter*)>& change, const std::string& says) {
    artefact::Adapter adapter = DrawnAdapter(*file, {"blk.0.attn_q.weight"});
    change(&adapter);
    try {
      MergeAdapter(*file, adapter, {}, to);
      ADD_FAILURE() << says;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kConflict);
      EXPECT_NE(error.Line().find(says), std::string::npos) << error.Line();
    }
    EXPECT_FALSE(FileExists(to));
  };
  fails([](artefact::Adapter* a) { a->architecture = "llama"; }, "it is for llama, the model is qwen2");
  fails([](artefact::Adapter* a) { a->pairs[0].tensor = "blk.9.attn_q.weight"; }, "no tensor 'blk.9.attn_q.weight'");
  fails([](artefact::Adapter* a) { a->pairs[0].tensor = "output_norm.weight"; }, "'output_norm.weight' is [64, 1]");
  fails([](artefact::Adapter* a) { a->pairs[0].ins = 32; }, "'blk.0.attn_q.weight' is [64, 64], not [32, 64]");
}

}  // namespace
}  // namespace atelier::runtime
