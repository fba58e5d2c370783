// The generator over tiny random models: what it writes is noise, and must be the same noise whatever else happens.
#include "runtime/local_generator.h"

#include <gtest/gtest.h>

#include <set>

#include "base/json.h"
#include "kernel/select.h"
#include "runtime/golden_model.h"
#include "text/unicode.h"

// Designated initialisers that leave the rest at their defaults are the point here.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace atelier::runtime {
namespace {

using artefact::Finish;
using artefact::Generated;
using artefact::GenerateRequest;
using artefact::Generator;

std::shared_ptr<Generator> Load(const std::string& bytes, const EngineOptions& options = {.threads = 2}) {
  return LoadGenerator(artefact::MemoryFile(bytes).path(), "tiny", "", options);
}
std::shared_ptr<Generator> Load(const char* name) { return Load(GoldenBytes(name)); }

const std::string kPrompt = "The winter of the other thing, 你好 🎈 and then";

std::string LineOf(const std::function<void()>& work, Code code = Code::kInvalidInput) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_EQ(error.Line().find('\n'), std::string::npos);
    return error.Line();
  }
  return "no error";
}

void ExpectSame(const Generated& a, const Generated& b) {
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.sum_logprob, b.sum_logprob);
  EXPECT_EQ(a.finish, b.finish);
}

TEST(LocalGenerator, ASampleDependsOnSeedAndIndexAlone) {
  for (const char* name : {"llama", "gemma3"}) {
    const auto model = Load(name);
    GenerateRequest request{.prompt = kPrompt, .max_tokens = 40, .samples = 5, .seed = 11, .ignore_end = true};
    const auto five = model->Generate(request);
    ASSERT_EQ(five.samples.size(), 5u);
    std::set<std::vector<int32_t>> all;
    for (const Generated& sample : five.samples) {
      EXPECT_EQ(sample.tokens.size(), 40u);
      EXPECT_EQ(sample.finish, Finish::kLength);
      EXPECT_TRUE(text::IsValidUtf8(sample.text));
      all.insert(sample.tokens);
    }
    EXPECT_EQ(all.size(), 5u);
    request.samples = 2;
    const auto two = model->Generate(request);  // the prompt comes from the cache now
    for (size_t i = 0; i < 2; ++i) ExpectSame(two.samples[i], five.samples[i]);
    const auto fresh = Load(name)->Generate(request);
    for (size_t i = 0; i < 2; ++i) ExpectSame(fresh.samples[i], five.samples[i]);
    request.seed = 12;
    EXPECT_NE(model->Generate(request).samples[0].tokens, five.samples[0].tokens);
  }
}

TEST(LocalGenerator, WhatWasAskedBeforeChangesNothing) {
  for (const std::string& bytes :
       {GoldenBytes("gemma3"), Quantised(GoldenBytes("llama"), artefact::TensorType::kQ8_0)}) {
    const GenerateRequest request{.prompt = kPrompt, .max_tokens = 30, .samples = 2, .seed = 3};
    const auto want = Load(bytes)->Generate(request);
    const auto model = Load(bytes);
    // Prompts that share beginnings of many lengths, longer ones too, more than the cache holds.
    for (size_t n : {0, 3, 9, 20, 33, 9, 40}) {
      model->Generate({.prompt = kPrompt.substr(0, n) + "Zq", .max_tokens = 3});
      model->Generate({.prompt = kPrompt + std::string(n, 'x'), .max_tokens = 3});
      model->Score(kPrompt.substr(0, n), {"abc", "de"});
      const auto got = model->Generate(request);
      for (size_t i = 0; i < 2; ++i) ExpectSame(got.samples[i], want.samples[i]);
    }
    for (int threads : {1, 3}) {
      const auto got = Load(bytes, {.threads = threads})->Generate(request);
      for (size_t i = 0; i < 2; ++i) ExpectSame(got.samples[i], want.samples[i]);
    }
    // A cache of keys and values that only just suffices.
    const auto shape = MakeDecoder(bytes, kernel::BestTable())->pages()->shape();
    const auto narrow = Load(bytes, {.threads = 1, .kv_bytes = 6 * shape.page_bytes()});
    for (int i = 0; i < 3; ++i) {
      narrow->Generate({.prompt = std::string(100, static_cast<char>('a' + i)), .max_tokens = 3});
      const auto got = narrow->Generate(request);
      for (size_t k = 0; k < 2; ++k) ExpectSame(got.samples[k], want.samples[k]);
    }
    // More samples than fit at once take turns, and write what they write where there is room.
    const GenerateRequest nine{.prompt = kPrompt, .max_tokens = 60, .samples = 9, .seed = 4, .ignore_end = true};
    const auto wide = model->Generate(nine), turns = narrow->Generate(nine);
    for (size_t k = 0; k < 9; ++k) ExpectSame(turns.samples[k], wide.samples[k]);
    EXPECT_NE(LineOf([&] { narrow->Generate({.prompt = kPrompt, .max_tokens = 200, .ignore_end = true}); },
                     Code::kResourceExhausted)
                  .find("cache of"),
              std::string::npos);
    const auto after = narrow->Generate(request);
    for (size_t k = 0; k < 2; ++k) ExpectSame(after.samples[k], want.samples[k]);
  }
}

TEST(LocalGenerator, ScoreParsesControlTokensWhereAsked) {
  const auto model = Load("llama");
  std::string bos;
  for (const auto& [name, text] : model->SpecialTokens()) bos = name == "bos_token" ? text : bos;
  ASSERT_FALSE(bos.empty());
  const std::string written = bos + kPrompt;
  const double plain = model->Score(kPrompt, {"cd"})[0].sum_logprob;
  EXPECT_EQ(model->Score(written, {"cd"}, true)[0].sum_logprob, plain) << "it is the token that begins every prompt";
  EXPECT_NE(model->Score(written, {"cd"})[0].sum_logprob, plain) << "by itself it is text";
  EXPECT_EQ(model->Score(kPrompt, {bos}, true)[0].sum_logprob, model->Score(kPrompt, {bos})[0].sum_logprob);
}

TEST(LocalGenerator, LogprobsScoreAndGenerationAgree) {
  for (const char* name : {"llama", "gemma3", "qwen2"}) {
    const auto model = Load(name);
    const auto made = model->Generate({.prompt = kPrompt,
                                       .max_tokens = 12,
                                       .seed = 5,
                                       .sampling = {.temperature = 0.8, .top_k = 9},
                                       .ignore_end = true,
                                       .logprobs = 3});
    const Generated& sample = made.samples[0];
    std::vector<int32_t> tokens = model->Tokenize(kPrompt, true);
    const size_t prompt = tokens.size();
    EXPECT_EQ(made.prompt_tokens, static_cast<int>(prompt));
    tokens.insert(tokens.end(), sample.tokens.begin(), sample.tokens.end());
    const std::vector<float> logprobs = model->Logprobs(tokens, prompt);
    ASSERT_EQ(logprobs.size(), 12u);
    ASSERT_EQ(sample.logprobs.size(), 12u);
    double sum = 0;
    for (size_t i = 0; i < 12; ++i) {
      EXPECT_EQ(sample.logprobs[i].token, sample.tokens[i]);
      EXPECT_EQ(sample.logprobs[i].logprob, logprobs[i]) << name << " " << i;  // the same bits
      ASSERT_EQ(sample.logprobs[i].top.size(), 3u);
      EXPECT_GE(sample.logprobs[i].top[0].second, sample.logprobs[i].logprob);
      sum += logprobs[i];
    }
    EXPECT_DOUBLE_EQ(sample.sum_logprob, sum);

    const std::vector<std::string> texts = {" the story", "", "x", "你好，世界", std::string(150, 'q'), "Ω\xff"};
    const auto scores = model->Score(kPrompt, texts);
    ASSERT_EQ(scores.size(), texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      std::vector<int32_t> all = model->Tokenize(kPrompt, true);
      const std::vector<int32_t> more = model->Tokenize(texts[i], false);
      all.insert(all.end(), more.begin(), more.end());
      double want = 0;
      for (float value : model->Logprobs(all, prompt)) want += value;
      EXPECT_EQ(scores[i].tokens, static_cast<int>(more.size()));
      EXPECT_DOUBLE_EQ(scores[i].sum_logprob, want) << name << " " << texts[i];
    }
    EXPECT_EQ(LineOf([&] {
                model->Logprobs(std::vector<int32_t>{1, 2, 288}, 1);
              }),
              "token 288 is outside the vocabulary of 288");
    EXPECT_EQ(LineOf([&] {
                model->Logprobs(std::vector<int32_t>{1, -7, 2}, 1);
              }),
              "token -7 is outside the vocabulary of 288");
    EXPECT_TRUE(model->Logprobs(std::vector<int32_t>{1, 2}, 2).empty());
  }
}

TEST(LocalGenerator, AContinuationGetsNoSpaceOfItsOwn) {
  const auto bytes =
      Rewritten(GoldenBytes("gemma3"), nullptr, [](const std::string& key, artefact::GgufWriter* writer) {
        if (key == "tokenizer.ggml.add_space_prefix") writer->Set(key, true);
        return key != "tokenizer.ggml.add_space_prefix";
      });
  const auto model = Load(bytes);
  const auto scores = model->Score("ab", {"cd", " cd"});
  std::vector<int32_t> all = model->Tokenize("abcd", true);
  const size_t prompt = model->Tokenize("ab", true).size();
  double want = 0;
  for (float value : model->Logprobs(all, prompt)) want += value;
  EXPECT_EQ(scores[0].tokens, static_cast<int>(all.size() - prompt));
  EXPECT_DOUBLE_EQ(scores[0].sum_logprob, want);
  EXPECT_EQ(scores[1].tokens, scores[0].tokens + 1);
}

TEST(LocalGenerator, StopsWhereItIsTold) {
  const auto model = Load("llama");
  GenerateRequest request{.prompt = kPrompt, .max_tokens = 60, .samples = 3, .seed = 2, .ignore_end = true};
  const auto free = model->Generate(request);
  const std::string& whole = free.samples[1].text;
  ASSERT_TRUE(text::IsValidUtf8(whole));
  // A stop text from the middle of what it would write.
  size_t at = whole.size() / 2;
  while ((static_cast<uint8_t>(whole[at]) & 0xc0) == 0x80) ++at;
  size_t end = at + 5;
  while (end < whole.size() && (static_cast<uint8_t>(whole[end]) & 0xc0) == 0x80) ++end;
  const std::string stop = whole.substr(at, end - at);
  request.stop = {"never in there", stop};
  request.logprobs = 2;
  std::vector<std::string> streamed(3);
  std::vector<std::vector<artefact::TokenLogprob>> told(3);
  const auto stopped = model->Generate(request, [&](int sample, const artefact::StreamPiece& piece) {
    EXPECT_TRUE(text::IsValidUtf8(piece.text));
    EXPECT_FALSE(piece.text.empty() && piece.logprobs.empty());
    const auto i = static_cast<size_t>(sample);
    streamed[i] += piece.text;
    told[i].insert(told[i].end(), piece.logprobs.begin(), piece.logprobs.end());
    return true;
  });
  EXPECT_EQ(stopped.samples[1].text, whole.substr(0, whole.find(stop)));
  EXPECT_EQ(stopped.samples[1].finish, Finish::kStop);
  EXPECT_LT(stopped.samples[1].tokens.size(), 60u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(streamed[i], stopped.samples[i].text);
    ASSERT_EQ(told[i].size(), stopped.samples[i].tokens.size());  // those of the stop text too
    for (size_t t = 0; t < told[i].size(); ++t) {
      EXPECT_EQ(told[i][t].token, stopped.samples[i].tokens[t]);
      EXPECT_EQ(told[i][t].logprob, stopped.samples[i].logprobs[t].logprob);
      EXPECT_EQ(told[i][t].top, stopped.samples[i].logprobs[t].top);
    }
  }
  request.logprobs = -1;
  ExpectSame(stopped.samples[0], free.samples[0]);  // the others go on as they would
  // A listener that has had enough ends its own sample only.
  request.stop.clear();
  const auto cancelled = model->Generate(request, [](int sample, const artefact::StreamPiece&) { return sample != 2; });
  EXPECT_EQ(cancelled.samples[2].finish, Finish::kCancelled);
  EXPECT_LT(cancelled.samples[2].tokens.size(), 60u);
  ExpectSame(cancelled.samples[1], free.samples[1]);
}

TEST(LocalGenerator, EndsAtEndTokensUnlessToldNotTo) {
  const auto model = Load("llama");
  GenerateRequest request{.prompt = kPrompt, .max_tokens = 20, .sampling = {.logit_bias = {{284, 1e9f}}}};  // <|end|>
  const auto ended = model->Generate(request);
  EXPECT_EQ(ended.samples[0].finish, Finish::kEnd);
  EXPECT_TRUE(ended.samples[0].tokens.empty());
  EXPECT_EQ(ended.samples[0].text, "");
  EXPECT_EQ(ended.samples[0].sum_logprob, 0);
  request.ignore_end = true;
  const auto longer = model->Generate(request);
  EXPECT_EQ(longer.samples[0].finish, Finish::kLength);
  EXPECT_EQ(longer.samples[0].tokens, std::vector<int32_t>(20, 284));
  EXPECT_EQ(longer.samples[0].text, "");
  request.max_tokens = 0;
  const auto none = model->Generate(request);
  EXPECT_TRUE(none.samples[0].tokens.empty());
  EXPECT_EQ(none.samples[0].finish, Finish::kLength);
}

TEST(LocalGenerator, TheContextIsTheLimit) {
  const auto model = Load("llama");                                      // 256 tokens
  const auto prompt = [](size_t n) { return std::string(n - 1, '~'); };  // and BOS
  ASSERT_EQ(model->Tokenize(prompt(256), true).size(), 256u);
  const auto full = model->Generate({.prompt = prompt(256), .max_tokens = 50, .samples = 2, .ignore_end = true});
  EXPECT_EQ(full.samples[1].tokens.size(), 1u);
  EXPECT_EQ(full.samples[1].finish, Finish::kLength);
  EXPECT_EQ(model->Generate({.prompt = prompt(250), .max_tokens = 50, .ignore_end = true}).samples[0].tokens.size(),
            7u);
  EXPECT_EQ(LineOf([&] { model->Generate({.prompt = prompt(257)}); }),
            "the prompt has 257 tokens, the model's context holds 256 (shorten the prompt)");
  EXPECT_EQ(LineOf([&] { model->Generate({.prompt = std::string(100000, '~')}); }),
            "the prompt has 100001 tokens, the model's context holds 256 (shorten the prompt)");
  EXPECT_EQ(LineOf([&] { model->Score(prompt(250), {"abcdefgh"}); }),
            "257 tokens do not fit the model's context of 256");
  EXPECT_EQ(LineOf([&] { model->Score(prompt(300), {"a"}); }).substr(0, 3), "299");
  EXPECT_EQ(LineOf([&] { model->Generate({.prompt = "a", .samples = 0}); }), "samples is 0 (from 1 to 256)");
  EXPECT_EQ(LineOf([&] { model->Generate({.prompt = "a", .max_tokens = -1}); }), "max_tokens is -1");
}

TEST(LocalGenerator, EmptyAndUglyPrompts) {
  const auto model = Load("gemma3");
  EXPECT_EQ(model->Generate({.prompt = "", .max_tokens = 2}).prompt_tokens, 1);
  EXPECT_EQ(model->Generate({.prompt = "", .add_bos = false, .max_tokens = 2}).prompt_tokens, 1);
  EXPECT_EQ(model->Generate({.prompt = "<bos>a", .parse_special = true, .max_tokens = 2}).prompt_tokens, 2);  // one BOS
  for (const std::string& prompt :
       {std::string("\xff\xfe\0\xe4", 4), std::string("🎈你<bos>"), std::string(100, '\n')}) {
    for (const Generated& sample :
         model->Generate({.prompt = prompt, .max_tokens = 60, .samples = 4, .ignore_end = true}).samples) {
      EXPECT_TRUE(text::IsValidUtf8(sample.text));
    }
  }
}

TEST(LocalGenerator, KeepsToAConstraint) {
  using Kind = artefact::ConstraintSpec::Kind;
  for (const char* name : {"llama", "gemma3"}) {
    const auto model = Load(name);
    GenerateRequest request{.prompt = kPrompt, .max_tokens = 60, .samples = 6, .seed = 3};
    request.sampling.temperature = 1.5;
    request.constraint = {Kind::kChoice, "", {"红", "green", "greenish 😀"}};
    std::string streamed[6];
    const auto result = model->Generate(request, [&](int sample, const artefact::StreamPiece& piece) {
      streamed[sample] += piece.text;
      return true;
    });
    for (size_t i = 0; i < 6; ++i) {
      const Generated& sample = result.samples[i];
      EXPECT_EQ(sample.finish, Finish::kEnd);
      EXPECT_TRUE(sample.text == "红" || sample.text == "green" || sample.text == "greenish 😀") << sample.text;
      EXPECT_EQ(streamed[i], sample.text);
      EXPECT_FALSE(sample.tokens.empty());
    }
    GenerateRequest alone = request;
    alone.samples = 1;
    ExpectSame(model->Generate(alone).samples[0], result.samples[0]);
    request.constraint = {
        Kind::kJsonSchema,
        R"({"type":"array","items":{"type":"integer","minimum":10,"maximum":99},"minItems":3,"maxItems":4})",
        {}};
    for (const Generated& sample : model->Generate(request).samples) {
      EXPECT_EQ(sample.finish, Finish::kEnd);
      const Json value = Json::parse(sample.text);
      EXPECT_TRUE(value.size() == 3 || value.size() == 4) << sample.text;
      for (const Json& item : value) EXPECT_TRUE(item >= 10 && item <= 99) << sample.text;
    }
    request.max_tokens = 2;
    EXPECT_EQ(model->Generate(request).samples[0].finish, Finish::kLength);
    request.stop = {"1"};
    EXPECT_NE(LineOf([&] { model->Generate(request); }).find("stop"), std::string::npos);
    request.stop.clear();
    request.constraint.text = R"({"not":{}})";
    EXPECT_NE(LineOf([&] { model->Generate(request); }, Code::kUnsupported).find("/not"), std::string::npos);
  }
}

}  // namespace
}  // namespace atelier::runtime
