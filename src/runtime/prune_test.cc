// Tiny models without some of their units and weights: which go, what stays as it was, and what the logits are.
#include "runtime/prune.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "artefact/gguf_tokenizer.h"
#include "base/rng.h"
#include "kernel/select.h"
#include "runtime/golden_model.h"
#include "runtime/tensor_loader.h"
#include "text/vocabulary_subset.h"

// Designated initialisers that leave the rest at their defaults are the point here.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace atelier::runtime {
namespace {

using artefact::GgufFile;
using artefact::TensorInfo;
using artefact::TensorType;

std::string TempPath(const std::string& name) { return Cat(::testing::TempDir(), "/", getpid(), "-prune-", name); }

double Greatest(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(static_cast<double>(a[i]) - b[i]));
  return most;
}

// [rows][cols]
std::vector<std::vector<float>> Rows(const GgufFile& file, const std::string& name) {
  const TensorInfo& tensor = file.Require(name);
  const kernel::Format format = FormatOf(tensor.type);
  std::vector<std::vector<float>> rows(static_cast<size_t>(tensor.dim(1)));
  const size_t bytes = tensor.bytes / rows.size();
  for (size_t r = 0; r < rows.size(); ++r) {
    rows[r].resize(static_cast<size_t>(tensor.dim(0)));
    kernel::Dequantise(format, tensor.data + r * bytes, tensor.dim(0), rows[r].data());
  }
  return rows;
}

std::string Pruned(const GgufFile& file, PruneOptions options, PruneReport* report = nullptr) {
  options.threads = 2;
  const std::string to = TempPath("out.gguf");
  const PruneReport got = PruneModel(file, options, to);
  if (report != nullptr) *report = got;
  std::string bytes = ReadFile(to);
  options.threads = 1;
  PruneModel(file, options, to);
  EXPECT_EQ(ReadFile(to), bytes) << "threads change no bit";
  RemoveFile(to);
  return bytes;
}

// The same model in which some units add nothing: their columns of the way down are 0.
std::string WithDeadUnits(const std::string& bytes, const std::function<bool(int64_t layer, int64_t unit)>& dead) {
  return Rewritten(bytes, [&](LooseTensor* tensor) {
    if (!tensor->name.ends_with("ffn_down.weight")) return;
    const int64_t layer = std::stoll(tensor->name.substr(4));
    auto* x = reinterpret_cast<float*>(tensor->data.data());
    for (int64_t i = 0; i < tensor->shape[0] * tensor->shape[1]; ++i) {
      if (dead(layer, i % tensor->shape[0])) x[i] = 0;
    }
  });
}

// Every unit is as lively as the next.
Importance Alike(const DecoderSpec& spec) {
  Importance importance;
  for (size_t layer = 0; layer < spec.layers.size(); ++layer)
    importance[Cat("blk.", layer, ".ffn_down.weight")].assign(static_cast<size_t>(spec.hidden), 1);
  return importance;
}

TEST(Prune, UnitsThatAddNothingGoAndNothingElseChanges) {
  for (const char* name : kGoldenModels) {
    const std::string golden = GoldenBytes(name);
    const int64_t hidden = ReadSpec(*OpenBytes(golden)).hidden;
    const int64_t stay = std::max<int64_t>(32, hidden / 64 * 32);
    // Which are dead differs from layer to layer.
    const auto dead = [&](int64_t layer, int64_t unit) { return (unit * 7 + layer * 5) % hidden >= stay; };
    const std::string bytes = WithDeadUnits(golden, dead);
    const auto file = OpenBytes(bytes);
    const double share = static_cast<double>(stay) / static_cast<double>(hidden);
    PruneReport report;
    const Importance alike = Alike(ReadSpec(*file));
    const std::string copy = Pruned(*file, {.units = share, .importance = &alike}, &report);
    EXPECT_EQ(report.units, stay) << name;
    EXPECT_EQ(report.units_before, hidden);
    EXPECT_LT(report.bytes_after, report.bytes_before);
    const auto after = OpenBytes(copy);
    EXPECT_EQ(ReadSpec(*after).hidden, stay);
    const std::vector<int32_t> tokens = GoldenTokens(*file);
    EXPECT_LT(Greatest(AllLogits(copy, tokens), AllLogits(bytes, tokens)), 2e-4) << name;
    for (const std::string& key : file->Keys()) {
      if (key.ends_with(".feed_forward_length")) continue;
      EXPECT_EQ(after->Encoded(key), file->Encoded(key)) << key;
    }
    ASSERT_EQ(after->tensors().size(), file->tensors().size());
    for (const TensorInfo& tensor : file->tensors()) {
      if (tensor.name.find(".ffn_") != std::string::npos && !tensor.name.ends_with("norm.weight")) continue;
      const TensorInfo& now = after->Require(tensor.name);
      EXPECT_EQ(std::memcmp(now.data, tensor.data, tensor.bytes), 0) << tensor.name;
    }
  }
}

TEST(Prune, TheTextSaysWhichUnitsCount) {
  const auto file = OpenBytes(GoldenBytes("llama"));
  const DecoderSpec spec = ReadSpec(*file);
  const auto hidden = static_cast<size_t>(spec.hidden);
  Rng rng(3);
  Importance importance;
  for (size_t layer = 0; layer < spec.layers.size(); ++layer) {
    for (size_t u = 0; u < hidden; ++u)
      importance[Cat("blk.", layer, ".ffn_down.weight")].push_back(static_cast<float>(rng.Uniform()));
  }
  PruneReport report;
  const auto after = OpenBytes(Pruned(*file, {.units = 0.4, .importance = &importance}, &report));
  ASSERT_EQ(report.units, 32) << "0.4 of 96, in whole blocks";
  for (size_t layer = 0; layer < spec.layers.size(); ++layer) {
    const auto name = [&](const char* part) { return Cat("blk.", layer, ".", part, ".weight"); };
    const auto gate = Rows(*file, name("ffn_gate")), up = Rows(*file, name("ffn_up")),
               down = Rows(*file, name("ffn_down"));
    std::vector<std::pair<double, size_t>> order;
    for (size_t u = 0; u < hidden; ++u) {
      double energy = 0;
      for (const auto& row : down) energy += 1.0 * row[u] * row[u];
      energy *= importance[name("ffn_down")][u];
      order.emplace_back(-energy, u);
    }
    std::sort(order.begin(), order.end());
    std::vector<size_t> stay;
    for (size_t i = 0; i < 32; ++i) stay.push_back(order[i].second);
    std::sort(stay.begin(), stay.end());
    const auto gate_now = Rows(*after, name("ffn_gate")), up_now = Rows(*after, name("ffn_up")),
               down_now = Rows(*after, name("ffn_down"));
    ASSERT_EQ(gate_now.size(), stay.size());
    for (size_t i = 0; i < stay.size(); ++i) {
      EXPECT_EQ(gate_now[i], gate[stay[i]]) << layer << " " << i;
      EXPECT_EQ(up_now[i], up[stay[i]]);
      for (size_t r = 0; r < down.size(); ++r) EXPECT_EQ(down_now[r][i], down[r][stay[i]]);
    }
  }
}

TEST(Prune, OfEachRowTheSmallestWeightsBecomeNought) {
  const auto file = OpenBytes(GoldenBytes("qwen3"));
  Rng rng(4);
  Importance importance;
  for (const TensorInfo& tensor : file->tensors()) {
    if (!tensor.name.starts_with("blk.") || tensor.shape.size() != 2) continue;
    for (int64_t c = 0; c < tensor.dim(0); ++c)
      importance[tensor.name].push_back(static_cast<float>(rng.Uniform() * rng.Uniform()));
  }
  for (const Importance* text :
       {static_cast<const Importance*>(nullptr), static_cast<const Importance*>(&importance)}) {
    PruneReport report;
    const auto after = OpenBytes(Pruned(*file, {.weights = 0.7, .importance = text}, &report));
    EXPECT_EQ(report.units, report.units_before);
    EXPECT_NEAR(static_cast<double>(report.left_out) / static_cast<double>(report.weights), 0.3, 0.01);
    size_t seen = 0;
    for (const TensorInfo& tensor : file->tensors()) {
      const bool matrix = tensor.name.starts_with("blk.") && tensor.shape.size() == 2;
      if (!matrix) {
        EXPECT_EQ(std::memcmp(after->Require(tensor.name).data, tensor.data, tensor.bytes), 0) << tensor.name;
        continue;
      }
      ++seen;
      const auto before = Rows(*file, tensor.name), now = Rows(*after, tensor.name);
      const size_t cols = before[0].size(), stay = static_cast<size_t>(std::llround(0.7 * static_cast<double>(cols)));
      for (size_t r = 0; r < before.size(); ++r) {
        double least_kept = INFINITY, greatest_gone = 0;
        size_t kept = 0;
        for (size_t c = 0; c < cols; ++c) {
          const double size = std::abs(before[r][c]) *
                              (text == nullptr ? 1 : std::sqrt(static_cast<double>(importance[tensor.name][c])));
          if (now[r][c] != 0) {
            EXPECT_EQ(now[r][c], before[r][c]);
            least_kept = std::min(least_kept, size);
            ++kept;
          } else {
            greatest_gone = std::max(greatest_gone, size);
          }
        }
        ASSERT_EQ(kept, stay) << tensor.name << " " << r;
        ASSERT_GE(least_kept * (1 + 1e-6), greatest_gone) << tensor.name << " " << r;
      }
    }
    EXPECT_EQ(seen, ReadSpec(*file).layers.size() * 7);
  }
}

TEST(Prune, OfUnitsThatStayEachColumnKeepsItsImportance) {
  const auto file = OpenBytes(GoldenBytes("qwen3"));
  Rng rng(6);
  Importance importance = Alike(ReadSpec(*file));
  for (auto& [name, columns] : importance) {
    for (float& column : columns) column = static_cast<float>(0.01 + rng.Uniform() * rng.Uniform());
  }
  const auto after = OpenBytes(Pruned(*file, {.units = 0.5, .weights = 0.5, .importance = &importance}));
  for (size_t layer = 0; layer < ReadSpec(*file).layers.size(); ++layer) {
    const std::string name = Cat("blk.", layer, ".ffn_down.weight");
    const auto before = Rows(*file, name), now = Rows(*after, name);
    const size_t units = now[0].size();
    ASSERT_LT(units, before[0].size());
    std::vector<size_t> unit(units);  // which one a column is: what is left of it is what it was
    for (size_t c = 0; c < units; ++c) {
      for (size_t u = 0; u < before[0].size(); ++u) {
        size_t same = 0, left = 0;
        for (size_t r = 0; r < now.size(); ++r)
          left += now[r][c] != 0, same += now[r][c] != 0 && now[r][c] == before[r][u];
        if (left > 0 && same == left) unit[c] = u;
      }
    }
    for (size_t r = 0; r < now.size(); ++r) {
      double least_kept = INFINITY, greatest_gone = 0;
      for (size_t c = 0; c < units; ++c) {
        const double size = std::abs(before[r][unit[c]]) * std::sqrt(static_cast<double>(importance.at(name)[unit[c]]));
        (now[r][c] != 0 ? least_kept : greatest_gone) =
            now[r][c] != 0 ? std::min(least_kept, size) : std::max(greatest_gone, size);
      }
      ASSERT_GE(least_kept * (1 + 1e-6), greatest_gone) << name << " " << r;
    }
  }
}

TEST(Prune, WhatKeysNumberStaysAndIsNumberedAnew) {
  const auto file = OpenBytes(GoldenBytes("llama"));
  const auto whole = text::MakeTokenizer(artefact::SpecFromGguf(*file));
  const std::vector<text::TokenId> stay = text::TokensThatStay(artefact::SpecFromGguf(*file), {}, 0);
  int32_t last = static_cast<int32_t>(whole->vocab_size()) - 1;  // a token that nothing else needs
  while (std::binary_search(stay.begin(), stay.end(), last)) --last;
  ASSERT_TRUE(file->Has("llama.vocab_size"));
  const std::string numbered =
      Rewritten(GoldenBytes("llama"), nullptr, [&](const std::string& key, artefact::GgufWriter* writer) {
        if (key == "llama.vocab_size") writer->Set("tokenizer.ggml.mask_token_id", static_cast<uint32_t>(last));
        return key != "tokenizer.ggml.mask_token_id";
      });
  PruneReport report;
  const auto after = OpenBytes(Pruned(*OpenBytes(numbered), {.tokens = true}, &report));
  EXPECT_EQ(after->Int("llama.vocab_size"), report.tokens);
  const auto less = text::MakeTokenizer(artefact::SpecFromGguf(*after));
  EXPECT_EQ(less->Piece(static_cast<int32_t>(after->Int("tokenizer.ggml.mask_token_id")), true),
            whole->Piece(last, true));
}

TEST(Prune, QuantisedModelsStaySo) {
  const std::string bytes = Quantised(GoldenBytes("llama"), TensorType::kQ8_0);
  const auto file = OpenBytes(bytes);
  PruneReport report;
  const Importance alike = Alike(ReadSpec(*file));
  const std::string copy = Pruned(*file, {.units = 0.5, .weights = 0.5, .importance = &alike}, &report);
  const auto after = OpenBytes(copy);
  for (const TensorInfo& tensor : file->tensors()) EXPECT_EQ(after->Require(tensor.name).type, tensor.type);
  EXPECT_EQ(report.again, report.layers * 7);
  EXPECT_EQ(report.left_out * 2, report.weights);
  for (const float logit : AllLogits(copy, GoldenTokens(*file))) ASSERT_TRUE(std::isfinite(logit));
  // Without a change of a row its bytes are the file's.
  const auto units = OpenBytes(Pruned(*file, {.units = 0.5, .importance = &alike}, &report));
  EXPECT_EQ(report.again, report.layers) << "the ways down alone are written anew";
  const TensorInfo &up = file->Require("blk.0.ffn_up.weight"), &less = units->Require("blk.0.ffn_up.weight");
  const size_t stride = up.bytes / static_cast<size_t>(up.dim(1));
  const std::string all(reinterpret_cast<const char*>(up.data), up.bytes);
  for (int64_t r = 0; r < less.dim(1); ++r) {
    const std::string row(reinterpret_cast<const char*>(less.data) + static_cast<size_t>(r) * stride, stride);
    EXPECT_NE(all.find(row), std::string::npos) << r;
  }
}

TEST(Prune, TypesMayDifferFromLayerToLayer) {
  const std::string bytes = Rewritten(GoldenBytes("llama"), [](LooseTensor* tensor) {
    const bool chosen = tensor->name.starts_with("blk.1.") || tensor->name == "blk.0.ffn_up.weight";
    if (!chosen || tensor->shape.size() != 2) return;
    std::string half;
    for (size_t i = 0; i < tensor->data.size() / 4; ++i) {
      float x = 0;
      std::memcpy(&x, tensor->data.data() + 4 * i, 4);
      const uint16_t h = FloatToHalf(x);
      half.append(reinterpret_cast<const char*>(&h), 2);
    }
    tensor->type = TensorType::kF16, tensor->data = half;
  });
  const auto file = OpenBytes(bytes);
  PruneReport report;
  const Importance alike = Alike(ReadSpec(*file));
  const std::string copy = Pruned(*file, {.units = 0.7, .weights = 0.5, .importance = &alike}, &report);
  EXPECT_EQ(ReadSpec(*OpenBytes(copy)).hidden, 64);
  EXPECT_EQ(report.left_out * 2, report.weights);
  for (const float logit : AllLogits(copy, GoldenTokens(*file))) ASSERT_TRUE(std::isfinite(logit));
}

TEST(Prune, TokensThatStayKeepTheirLogits) {
  for (const char* name : kGoldenModels) {
    const std::string golden = GoldenBytes(name);
    const auto file = OpenBytes(golden);
    const auto whole = text::MakeTokenizer(artefact::SpecFromGguf(*file));
    const std::string text = "the red kettle and the thing\n你的茶 ";
    PruneReport report;
    const std::string copy = Pruned(*file, {.tokens = true, .used = UsedTokens(*file, text)}, &report);
    const auto after = OpenBytes(copy);
    const auto less = text::MakeTokenizer(artefact::SpecFromGguf(*after));
    ASSERT_LT(report.tokens, report.tokens_before) << name;
    EXPECT_EQ(less->vocab_size(), report.tokens);
    EXPECT_EQ(ReadSpec(*after).vocab, report.tokens);
    EXPECT_LT(report.bytes_after, report.bytes_before);
    const std::vector<int32_t> before = whole->Encode(text), now = less->Encode(text);
    ASSERT_EQ(before.size(), now.size());
    std::map<int32_t, size_t> place;  // of a piece among those of the whole model
    for (size_t i = 0; i < now.size(); ++i) {
      EXPECT_EQ(less->Piece(now[i]), whole->Piece(before[i]));
      place[now[i]] = static_cast<size_t>(before[i]);
    }
    const std::vector<float> all = AllLogits(golden, before), some = AllLogits(copy, now);
    const size_t width = static_cast<size_t>(report.tokens_before), narrow = static_cast<size_t>(report.tokens);
    ASSERT_EQ(all.size(), before.size() * width);
    ASSERT_EQ(some.size(), now.size() * narrow);
    for (size_t t = 0; t < now.size(); ++t) {
      for (const auto& [id, from] : place) {
        EXPECT_EQ(some[t * narrow + static_cast<size_t>(id)], all[t * width + from]) << name << " " << t << " " << id;
      }
    }
    // Ids that the file names are those of the same texts; everything else is as it was.
    for (const char* key :
         {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.padding_token_id"}) {
      ASSERT_EQ(after->Has(key), file->Has(key));
      if (!file->Has(key)) continue;
      EXPECT_EQ(less->Piece(static_cast<int32_t>(after->Int(key)), true),
                whole->Piece(static_cast<int32_t>(file->Int(key)), true))
          << key;
    }
    for (const TensorInfo& tensor : file->tensors()) {
      if (tensor.name == "token_embd.weight" || tensor.name == "output.weight") continue;
      const TensorInfo& same = after->Require(tensor.name);
      EXPECT_EQ(std::memcmp(same.data, tensor.data, tensor.bytes), 0) << tensor.name;
    }
  }
}

TEST(Prune, OfALargerVocabularyTheFirstTokensStay) {
  const auto file = OpenBytes(GoldenBytes("llama"));
  PruneReport fewest, more;
  Pruned(*file, {.tokens = true}, &fewest);
  Pruned(*file, {.tokens = true, .least_tokens = fewest.tokens + 8}, &more);
  EXPECT_GE(more.tokens, fewest.tokens + 8);
  EXPECT_LT(more.tokens, more.tokens_before);
  EXPECT_THROW(Pruned(*file, {.tokens = true, .least_tokens = 1 << 20}), Error) << "everything would stay";
}

TEST(Prune, RefusesAndLeavesNoFile) {
  const auto file = OpenBytes(GoldenBytes("llama"));
  const std::string to = TempPath("none.gguf");
  const auto refused = [&](const GgufFile& model, const PruneOptions& options, Code code, std::string_view says) {
    try {
      PruneModel(model, options, to);
      ADD_FAILURE() << "nobody threw " << says;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.Line();
      EXPECT_NE(error.Line().find(says), std::string::npos) << error.Line();
    }
    EXPECT_FALSE(FileExists(to));
  };
  refused(*file, {}, Code::kInvalidInput, "all units, all weights and all tokens would stay");
  for (const double bad : {0.0, -1.0, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    refused(*file, {.units = bad}, Code::kInvalidInput, "the share of units");
    refused(*file, {.weights = bad}, Code::kInvalidInput, "the share of weights");
  }
  refused(*file, {.units = 0.5}, Code::kInvalidInput, "weights alone do not tell");
  const Importance alike = Alike(ReadSpec(*file));
  refused(*file, {.units = 0.9, .importance = &alike}, Code::kInvalidInput, "rounded, everything would stay");
  refused(*file, {.weights = 0.9999}, Code::kInvalidInput, "rounded, everything would stay");
  const Importance short_one = {{"blk.0.ffn_down.weight", {1, 2}}};
  refused(*file, {.units = 0.5, .importance = &short_one}, Code::kInvalidInput, "has 2 columns");
  const auto with = [&](const std::string& name, const std::function<void(LooseTensor*)>& change) {
    return OpenBytes(Rewritten(GoldenBytes("llama"), [&](LooseTensor* tensor) {
      if (tensor->name == name) change(tensor);
    }));
  };
  const auto missing = with("blk.1.ffn_gate.weight", [](LooseTensor* tensor) { tensor->data.clear(); });
  refused(*missing, {.units = 0.5, .importance = &alike}, Code::kUnsupported, "layer 1 has no ffn_gate.weight");
  const auto flat =
      with("blk.0.attn_q.weight", [](LooseTensor* tensor) { tensor->shape = {tensor->shape[0] * tensor->shape[1]}; });
  refused(*flat, {.weights = 0.5}, Code::kUnsupported, "'blk.0.attn_q.weight' is no matrix");
  const auto nan = with("blk.1.ffn_down.weight", [](LooseTensor* tensor) {
    const float bad = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(tensor->data.data() + 8, &bad, 4);
  });
  refused(*nan, {.units = 0.5, .importance = &alike}, Code::kInvalidInput, "layer 1 holds numbers that are not finite");
  refused(*nan, {.weights = 0.5}, Code::kInvalidInput, "row 0 of the tensor 'blk.1.ffn_down.weight'");
  WriteFileAtomic(to, GoldenBytes("llama"));
  const auto itself = GgufFile::Open(to);
  EXPECT_THROW(PruneModel(*itself, {.weights = 0.5}, to), Error);
  EXPECT_EQ(ReadFile(to), GoldenBytes("llama"));
  RemoveFile(to);
}

}  // namespace
}  // namespace atelier::runtime
