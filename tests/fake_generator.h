// A deterministic language model for tests: what it writes depends on prompt, seed and sample alone.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "artefact/generator.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/str.h"

namespace atelier::operators {

class FakeGenerator : public artefact::Generator {
 public:
  // Writes the text for one sample of a prompt; the default one makes words from the stream.
  using Write = std::function<std::string(const std::string& prompt, Rng& rng)>;
  explicit FakeGenerator(std::string name, Write write) : write_(std::move(write)) {
    info_.name = std::move(name);
    info_.hash = Sha256Hex(info_.name);
    info_.context_length = 4096;
  }

  const artefact::ModelInfo& info() const override { return info_; }
  artefact::EngineInfo engine() const override { return engine_; }
  void set_engine(artefact::EngineInfo engine) { engine_ = std::move(engine); }
  int calls() const { return calls_; }

  artefact::GenerateResult Generate(const artefact::GenerateRequest& request, const artefact::StreamFn&) override {
    ++calls_;
    artefact::GenerateResult result;
    result.prompt_tokens = static_cast<int>(request.prompt.size() / 4);
    for (int i = 0; i < request.samples; ++i) {
      Rng rng(request.seed, Cat(request.prompt, "#", i));
      artefact::Generated sample;
      sample.text = write_(request.prompt, rng);
      for (const std::string& stop : request.stop) sample.text = sample.text.substr(0, sample.text.find(stop));
      sample.tokens.assign(sample.text.size() / 4 + 1, 7);
      sample.sum_logprob = -static_cast<double>(sample.tokens.size()) * (1 + rng.Uniform());
      result.samples.push_back(std::move(sample));
    }
    return result;
  }

  // Shorter is likelier, with some noise from the text.
  std::vector<artefact::Scored> Score(std::string_view prefix, const std::vector<std::string>& continuations,
                                      bool) override {
    std::vector<artefact::Scored> out;
    for (const std::string& text : continuations) {
      const double noise = static_cast<double>(Hash64(text, prefix.size()) % 1000) / 1000;
      out.push_back({-static_cast<double>(text.size()) * (0.05 + noise / 100), static_cast<int>(text.size() / 4 + 1)});
    }
    return out;
  }

  // Token measures are of no use here; a token is a byte.
  std::vector<int32_t> Tokenize(std::string_view text, bool) const {
    return std::vector<int32_t>(text.begin(), text.end());
  }
  int32_t bos() const { return -1; }
  bool wants_bos() const { return false; }
  std::vector<float> Logprobs(std::span<const int32_t> tokens, size_t first) {
    return std::vector<float>(tokens.size() - first, -1.0f);
  }

 private:
  Write write_;
  artefact::ModelInfo info_;
  artefact::EngineInfo engine_{"fake 1", "test", 1};
  int calls_ = 0;
};

}  // namespace atelier::operators
