// Decoders against the logits of Hugging Face transformers (tests/golden/archs), and the promise that a token's logits
// are the same bits however its sequence was cut, forked, batched and whatever the threads.
#include "runtime/decoder.h"

#include <gtest/gtest.h>

#include "kernel/select.h"
#include "runtime/golden_model.h"

namespace atelier::runtime {
namespace {

using artefact::TensorType;
using Logits = std::vector<std::vector<float>>;  // [token][vocab]

struct Golden {
  std::string bytes;
  std::vector<int32_t> tokens;
  std::vector<int64_t> positions;
  std::vector<float> logits;  // [positions, vocab]
};

Golden ReadGolden(const std::string& name) {
  Golden golden;
  golden.bytes = GoldenBytes(name);
  const auto file = OpenBytes(golden.bytes);
  for (int64_t token : file->Ints("golden.tokens")) golden.tokens.push_back(static_cast<int32_t>(token));
  golden.positions = file->Ints("golden.positions");
  golden.logits = file->Floats("golden.logits");
  return golden;
}

// Appends tokens [from, to) in chunks of `step` and returns the logits after each.
Logits LogitsOf(Decoder* decoder, Sequence* sequence, const std::vector<int32_t>& tokens, size_t from, size_t to,
                size_t step) {
  Logits out(to - from);
  for (size_t at = from; at < to; at += step) {
    const size_t count = std::min(step, to - at);
    const Chunk chunk{sequence, {tokens.data() + at, count}, 0};
    decoder->Forward({&chunk, 1}, [&](size_t, size_t token, float* logits) {
      out[at - from + token].assign(logits, logits + decoder->spec().vocab);
    });
  }
  return out;
}

Logits LogitsOf(Decoder* decoder, const std::vector<int32_t>& tokens, size_t step) {
  Sequence sequence;
  return LogitsOf(decoder, &sequence, tokens, 0, tokens.size(), step);
}

// The first token whose logits differ in any bit, or -1.
int64_t Differs(const Logits& a, const Logits& b, size_t from = 0) {
  for (size_t i = 0; i < b.size(); ++i) {
    if (std::memcmp(a[from + i].data(), b[i].data(), b[i].size() * sizeof(float)) != 0) return static_cast<int64_t>(i);
  }
  return -1;
}

double FarthestFrom(const Golden& golden, const Logits& logits) {
  double farthest = 0;
  const size_t vocab = logits[0].size();
  for (size_t p = 0; p < golden.positions.size(); ++p) {
    const auto& row = logits[static_cast<size_t>(golden.positions[p])];
    for (size_t t = 0; t < vocab; ++t) {
      const double off = std::fabs(static_cast<double>(row[t]) - golden.logits[p * vocab + t]);
      farthest = std::isnan(off) ? INFINITY : std::max(farthest, off);
    }
  }
  return farthest;
}

class Decoders : public testing::TestWithParam<const kernel::Table*> {};
INSTANTIATE_TEST_SUITE_P(Isa, Decoders, testing::ValuesIn(kernel::AvailableTables()),
                         [](const auto& tested) { return std::string(tested.param->name); });

TEST_P(Decoders, GiveThePeersLogits) {
  for (const char* name : kGoldenModels) {
    const Golden golden = ReadGolden(name);
    ASSERT_EQ(golden.tokens.size(), 72u);
    const auto decoder = MakeDecoder(golden.bytes, *GetParam());
    EXPECT_LT(FarthestFrom(golden, LogitsOf(decoder.get(), golden.tokens, 72)), 1e-3) << name << " in one pass";
    EXPECT_LT(FarthestFrom(golden, LogitsOf(decoder.get(), golden.tokens, 1)), 1e-3) << name << " token by token";
  }
}

// The models whose weights are kept in f32, and two with quantised ones (and so keys and values in binary16).
std::vector<std::pair<std::string, std::string>> Variants() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const char* name : {"llama", "mistral", "qwen2", "gemma3"}) out.emplace_back(name, GoldenBytes(name));
  out.emplace_back("llama Q8_0", Quantised(GoldenBytes("llama"), TensorType::kQ8_0));
  out.emplace_back("gemma3 Q4_0", Quantised(GoldenBytes("gemma3"), TensorType::kQ4_0));
  return out;
}

TEST_P(Decoders, TheCutOfAPromptChangesNoBit) {
  const std::vector<int32_t> tokens = ReadGolden("llama").tokens;
  for (const auto& [name, bytes] : Variants()) {
    const auto decoder = MakeDecoder(bytes, *GetParam());
    const Logits whole = LogitsOf(decoder.get(), tokens, tokens.size());
    for (size_t step : {1, 3, 7, 16, 31, 33, 50})
      EXPECT_EQ(Differs(whole, LogitsOf(decoder.get(), tokens, step)), -1) << name << " by " << step;
  }
}

TEST_P(Decoders, CompanyInAPassChangesNoBit) {
  const std::vector<int32_t> tokens = ReadGolden("llama").tokens;
  for (const auto& [name, bytes] : Variants()) {
    const auto decoder = MakeDecoder(bytes, *GetParam());
    const Logits alone = LogitsOf(decoder.get(), tokens, tokens.size());
    // Five sequences of other tokens and lengths around the one that is looked at, all in every pass.
    std::vector<Sequence> sequences(6);
    std::vector<std::vector<int32_t>> others(6, tokens);
    for (size_t s = 0; s < others.size(); ++s) {
      if (s != 3) std::reverse(others[s].begin(), others[s].begin() + 5 + static_cast<int64_t>(s) * 9);
    }
    Logits together(tokens.size());
    for (size_t at = 0; at < tokens.size(); at += 9) {
      std::vector<Chunk> chunks;
      for (size_t s = 0; s < others.size(); ++s) {
        chunks.push_back({&sequences[s], {others[s].data() + at, s == 3 ? 9 : 1 + (at + s) % 9}, 0});
      }
      decoder->Forward(chunks, [&](size_t chunk, size_t token, float* logits) {
        if (chunk == 3) together[at + token].assign(logits, logits + decoder->spec().vocab);
      });
    }
    EXPECT_EQ(Differs(alone, together), -1) << name;
  }
}

TEST_P(Decoders, ForksAndTruncationsChangeNoBit) {
  const std::vector<int32_t> tokens = ReadGolden("llama").tokens;
  std::vector<int32_t> other = tokens;
  std::reverse(other.begin(), other.end());
  for (const auto& [name, bytes] : Variants()) {
    const auto decoder = MakeDecoder(bytes, *GetParam());
    const Logits whole = LogitsOf(decoder.get(), tokens, tokens.size());
    for (size_t at : {1, 31, 32, 33, 45, 64}) {
      Sequence first;
      LogitsOf(decoder.get(), &first, tokens, 0, at, 11);
      Sequence second = first, third = first;
      LogitsOf(decoder.get(), &second, other, at, other.size(), 5);  // writes where first and third will
      EXPECT_EQ(Differs(whole, LogitsOf(decoder.get(), &first, tokens, at, tokens.size(), 4), at), -1)
          << name << " at " << at;
      EXPECT_EQ(Differs(whole, LogitsOf(decoder.get(), &third, tokens, at, tokens.size(), 13), at), -1)
          << name << " at " << at;
      second.Truncate(static_cast<int64_t>(at));
      EXPECT_EQ(second.length(), static_cast<int64_t>(at));
      EXPECT_EQ(Differs(whole, LogitsOf(decoder.get(), &second, tokens, at, tokens.size(), 6), at), -1)
          << name << " at " << at;
    }
  }
}

TEST_P(Decoders, ThreadsChangeNoBit) {
  const std::vector<int32_t> tokens = ReadGolden("llama").tokens;
  for (const auto& [name, bytes] : Variants()) {
    const Logits one = LogitsOf(MakeDecoder(bytes, *GetParam(), 1).get(), tokens, 20);
    for (int threads : {2, 3, 5}) {
      EXPECT_EQ(Differs(one, LogitsOf(MakeDecoder(bytes, *GetParam(), threads).get(), tokens, 20)), -1)
          << name << " on " << threads;
    }
  }
}

TEST_P(Decoders, MoreTokensThanAPassHoldsChangeNoBit) {
  // Twelve sequences of 72 tokens: 864 rows, cut within a sequence.
  const Golden golden = ReadGolden("gemma3");
  const auto decoder = MakeDecoder(golden.bytes, *GetParam(), 2);
  const Logits whole = LogitsOf(decoder.get(), golden.tokens, golden.tokens.size());
  std::vector<Sequence> sequences(12);
  std::vector<Chunk> chunks;
  for (Sequence& sequence : sequences) chunks.push_back({&sequence, golden.tokens, 0});
  std::vector<Logits> all(12, Logits(golden.tokens.size()));
  decoder->Forward(chunks, [&](size_t chunk, size_t token, float* logits) {
    all[chunk][token].assign(logits, logits + decoder->spec().vocab);
  });
  for (const Logits& one : all) EXPECT_EQ(Differs(whole, one), -1);
}

TEST_P(Decoders, QuantisedWeightsAreNearTheirOwnValuesInFloat) {
  // The activations' eight bits are what is left: about 1 in 250 of a layer's input, over two and six layers.
  for (const auto& [name, type, most] :
       {std::tuple{"llama", TensorType::kQ8_0, 0.06}, std::tuple{"llama", TensorType::kQ4_0, 0.06},
        std::tuple{"gemma3", TensorType::kQ8_0, 0.06}, std::tuple{"gemma3", TensorType::kQ4_0, 0.06}}) {
    const Golden golden = ReadGolden(name);
    const std::string bytes = Quantised(golden.bytes, type);
    const Logits narrow = LogitsOf(MakeDecoder(bytes, *GetParam()).get(), golden.tokens, 24);
    const Logits plain = LogitsOf(MakeDecoder(Plain(bytes), *GetParam()).get(), golden.tokens, 24);
    double squares = 0, of = 0;
    for (size_t i = 0; i < narrow.size(); ++i) {
      for (size_t t = 0; t < narrow[i].size(); ++t) {
        squares += std::pow(narrow[i][t] - plain[i][t], 2);
        of += std::pow(plain[i][t], 2);
      }
    }
    EXPECT_LT(std::sqrt(squares / of), most) << name;
    EXPECT_GT(squares, 0) << "not quantised at all";
  }
}

TEST(Decoder, RefusesWhatDoesNotFitAndChangesNothing) {
  const Golden golden = ReadGolden("llama");
  const auto decoder = MakeDecoder(golden.bytes, kernel::BestTable());
  const Logits whole = LogitsOf(decoder.get(), golden.tokens, 72);
  const auto refused = [&](Sequence* sequence, const std::vector<int32_t>& tokens) {
    const Chunk chunk{sequence, tokens, 0};
    try {
      decoder->Forward({&chunk, 1}, [](size_t, size_t, float*) { ADD_FAILURE() << "ran"; });
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidInput);
      return std::string(error.what());
    }
    return std::string("not refused");
  };
  Sequence sequence;
  LogitsOf(decoder.get(), &sequence, golden.tokens, 0, 30, 30);
  EXPECT_EQ(refused(&sequence, {1, 2, 288}), "token 288 is outside the vocabulary of 288");
  EXPECT_EQ(refused(&sequence, {-1}), "token -1 is outside the vocabulary of 288");
  EXPECT_EQ(refused(&sequence, std::vector<int32_t>(227, 7)), "257 tokens do not fit the model's context of 256");
  EXPECT_EQ(sequence.length(), 30);
  EXPECT_EQ(Differs(whole, LogitsOf(decoder.get(), &sequence, golden.tokens, 30, 72, 42), 30), -1);
}

}  // namespace
}  // namespace atelier::runtime
