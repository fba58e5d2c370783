// Copies of tiny models in every type: what changes and what does not, and how far their logits are from the
// original's.
#include "runtime/quantise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"
#include "kernel/select.h"
#include "runtime/golden_model.h"
#include "runtime/importance.h"
#include "runtime/vocabulary.h"

// Designated initialisers that leave the rest at their defaults are the point here.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace atelier::runtime {
namespace {

using artefact::GgufFile;
using artefact::TensorType;

std::string TempPath(const std::string& name) { return Cat(::testing::TempDir(), "/", getpid(), "-", name); }

double Distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(a[i] - b[i], 2.0);
    size += std::pow(b[i], 2.0);
  }
  return std::sqrt(difference / size);
}

TEST(QuantiseModel, CopiesStayNear) {
  // Random weights of 64 columns are the worst that can be had.
  const std::vector<std::pair<std::string, double>> kBounds = {{"f32", 1e-6},  {"f16", 2e-3},  {"bf16", 2e-3},
                                                               {"q8_0", 0.06}, {"q5_1", 0.25}, {"q5_0", 0.28},
                                                               {"q4_1", 0.45}, {"q4_0", 0.5}};
  for (const char* name : kGoldenModels) {
    const std::string bytes = GoldenBytes(name);
    const auto file = OpenBytes(bytes);
    const std::vector<int32_t> tokens = GoldenTokens(*file);
    const std::vector<float> original = AllLogits(bytes, tokens);
    for (const auto& [type, bound] : kBounds) {
      const std::string path = TempPath(Cat(name, "-", type, ".gguf"));
      QuantiseModel(*file, {.format = QuantisationNamed(type), .threads = 2}, path);
      const double distance = Distance(AllLogits(ReadFile(path), tokens), original);
      EXPECT_LE(distance, bound) << name << " " << type;
      if (type == "q4_0" && std::string_view(name) != "mistral") {  // whose 72 columns are no blocks
        EXPECT_LE(distance, 1.05 * Distance(AllLogits(Quantised(bytes, TensorType::kQ4_0), tokens), original)) << name;
      }
      const std::string one = TempPath("one-thread.gguf");
      QuantiseModel(*file, {.format = QuantisationNamed(type), .threads = 1}, one);
      EXPECT_EQ(ReadFile(one), ReadFile(path)) << "threads change no bit";
      const auto copy = GgufFile::Open(path);
      for (const std::string& key : file->Keys()) {
        if (key != "general.file_type" && key != "general.quantization_version") {
          EXPECT_EQ(copy->Encoded(key), file->Encoded(key)) << key;
        }
      }
      EXPECT_EQ(copy->tensors().size(), file->tensors().size());
      RemoveFile(path);
    }
  }
}

// Which tensors become what, on a file of the right names and shapes.
std::map<std::string, std::string> TypesOf(int64_t width, int layers, bool tied, const std::string& type) {
  artefact::GgufWriter writer;
  writer.Set("general.architecture", "llama");
  std::vector<std::unique_ptr<std::string>> kept;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    int64_t count = 1;
    for (const int64_t n : shape) count *= n;
    kept.push_back(std::make_unique<std::string>(static_cast<size_t>(count) * 4, '\0'));
    writer.AddTensor(name, TensorType::kF32, std::move(shape), *kept.back());
  };
  add("token_embd.weight", {width, 4});
  if (!tied) add("output.weight", {width, 4});
  add("output_norm.weight", {width});
  for (int i = 0; i < layers; ++i) {
    for (const char* part : {"attn_q", "attn_v", "ffn_down"}) add(Cat("blk.", i, ".", part, ".weight"), {width, 2});
    add(Cat("blk.", i, ".attn_norm.weight"), {width});
    add(Cat("blk.", i, ".attn_q.bias"), {2});
  }
  const std::string from = TempPath("named.gguf"), to = TempPath("named-copy.gguf");
  writer.Write(from);
  QuantiseModel(*GgufFile::Open(from), {.format = QuantisationNamed(type), .licence = "MIT", .threads = 2}, to);
  std::map<std::string, std::string> types;
  const auto copy = GgufFile::Open(to);
  for (const artefact::TensorInfo& tensor : copy->tensors()) types[tensor.name] = Name(tensor.type);
  EXPECT_EQ(copy->String("general.license"), "MIT");
  return types;
}

TEST(QuantiseModel, ChoosesTypesAsThePeerDoes) {
  auto types = TypesOf(256, 16, false, "q4_k");
  EXPECT_EQ(types["output.weight"], "Q6_K");
  EXPECT_EQ(types["token_embd.weight"], "Q4_K");
  EXPECT_EQ(types["blk.0.attn_norm.weight"], "F32");
  EXPECT_EQ(types["blk.0.attn_q.bias"], "F32");
  EXPECT_EQ(types["blk.0.attn_q.weight"], "Q4_K");
  // Of 16 layers: the first two and the last two, and each third of those between.
  std::vector<int> more;
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(types[Cat("blk.", i, ".attn_v.weight")], types[Cat("blk.", i, ".ffn_down.weight")]);
    if (types[Cat("blk.", i, ".attn_v.weight")] == "Q6_K") more.push_back(i);
  }
  EXPECT_EQ(more, (std::vector<int>{0, 1, 4, 7, 10, 13, 14, 15}));
  types = TypesOf(256, 2, true, "q4_0");
  EXPECT_EQ(types["token_embd.weight"], "Q6_K") << "the embedding is the head";
  EXPECT_EQ(types["blk.0.attn_v.weight"], "Q4_0");
  types = TypesOf(64, 2, true, "q4_k");
  EXPECT_EQ(types["token_embd.weight"], "Q8_0") << "64 columns are no superblock";
  EXPECT_EQ(types["blk.1.attn_q.weight"], "Q5_0");
  EXPECT_EQ(types["blk.1.ffn_down.weight"], "Q8_0");
  types = TypesOf(48, 1, true, "q8_0");
  EXPECT_EQ(types["blk.0.attn_q.weight"], "F16") << "48 columns are no blocks at all";
  types = TypesOf(256, 1, true, "q6_k");
  EXPECT_EQ(types["blk.0.attn_q.weight"], "Q6_K");
}

TEST(QuantiseModel, RefusesWhatCannotBeStoredAndLeavesNoFile) {
  const std::string bytes = Rewritten(GoldenBytes("llama"), [](LooseTensor* tensor) {
    if (tensor->name != "blk.1.ffn_up.weight") return;
    const float bad = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(tensor->data.data() + static_cast<size_t>(tensor->shape[0]) * 4 + 8, &bad, 4);
  });
  const std::string to = TempPath("nan.gguf");
  try {
    QuantiseModel(*OpenBytes(bytes), {.format = kernel::Format::kQ4_0}, to);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidInput);
    EXPECT_NE(error.Line().find("row 1 of the tensor 'blk.1.ffn_up.weight'"), std::string::npos) << error.Line();
  }
  EXPECT_FALSE(FileExists(to));
  WriteFileAtomic(to, GoldenBytes("llama"));
  try {
    QuantiseModel(*GgufFile::Open(to), {.format = kernel::Format::kQ4_0}, to);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConflict);
  }
  EXPECT_THROW(QuantisationNamed("q3_k"), Error);
}

TEST(Importance, IsTheMeanSquareOfWhatMatricesAreGiven) {
  const std::string bytes = GoldenBytes("llama");
  const auto file = OpenBytes(bytes);
  const DecoderSpec spec = ReadSpec(*file);
  const std::string text = "The winter of the other thing, 你好 🎈 and then, once more, the winter.";
  const auto width = static_cast<size_t>(spec.width);
  for (const int64_t context : {7, 512}) {
    const Importance got = MeasureImportance(file, text, context, 2);
    EXPECT_EQ(got.size(), spec.layers.size() * 7);
    EXPECT_EQ(got.at("blk.1.ffn_down.weight").size(), static_cast<size_t>(spec.hidden));
    // The first layer's input is the normed embedding, whatever the window.
    std::vector<double> expected(width);
    const auto tokens = TokenizerFromGguf(*file, spec.vocab)->Encode(text, {.add_special = true});
    const auto* table = reinterpret_cast<const float*>(file->Require("token_embd.weight").data);
    const auto* norm = reinterpret_cast<const float*>(file->Require("blk.0.attn_norm.weight").data);
    for (const int32_t token : tokens) {
      const float* x = table + static_cast<size_t>(token) * width;
      double mean = 0;
      for (size_t i = 0; i < width; ++i) mean += static_cast<double>(x[i]) * x[i] / static_cast<double>(width);
      for (size_t i = 0; i < width; ++i) {
        expected[i] += std::pow(x[i] * norm[i], 2.0) / (mean + spec.norm_eps) / static_cast<double>(tokens.size());
      }
    }
    for (const char* part : {"attn_q", "attn_k", "attn_v"}) {
      const std::vector<float>& values = got.at(Cat("blk.0.", part, ".weight"));
      for (size_t i = 0; i < width; ++i)
        EXPECT_NEAR(values[i], expected[i], 1e-4 * expected[i] + 1e-9) << part << " " << i;
    }
    for (const auto& [name, values] : got) {
      for (const float value : values) EXPECT_GT(value, 0) << name;
    }
  }
}

TEST(Importance, RefusesNoText) {
  const auto file = OpenBytes(GoldenBytes("llama"));
  EXPECT_THROW(MeasureImportance(file, "", 64, 1), Error);
}

}  // namespace
}  // namespace atelier::runtime
