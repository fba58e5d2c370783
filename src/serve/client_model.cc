#include "serve/client_model.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

#include "base/error.h"

namespace atelier::serve {
namespace {

constexpr std::chrono::milliseconds kNoRoom{50};
constexpr size_t kScoredAtOnce = 16;  // texts between two looks whether the run goes on

class ClientModel final : public artefact::Generator {
 public:
  ClientModel(std::shared_ptr<artefact::Generator> model, std::string owner, std::shared_ptr<ClientRun> run)
      : model_(std::move(model)), owner_(std::move(owner)), run_(std::move(run)) {}

  const artefact::ModelInfo& info() const override { return model_->info(); }
  artefact::EngineInfo engine() const override { return model_->engine(); }
  artefact::EngineLoad Load() const override { return model_->Load(); }
  std::vector<artefact::Scored> Score(std::string_view prefix, const std::vector<std::string>& continuations,
                                      bool parse_special) override {
    std::vector<artefact::Scored> scored;
    for (size_t at = 0; at < continuations.size() || at == 0; at += kScoredAtOnce) {
      if (run_->tickets.cancelled()) throw Error(Code::kCancelled, "stopped");
      const auto begin = continuations.begin() + static_cast<std::ptrdiff_t>(at);
      const auto end =
          continuations.begin() + static_cast<std::ptrdiff_t>(std::min(at + kScoredAtOnce, continuations.size()));
      const std::vector<artefact::Scored> part = model_->Score(prefix, {begin, end}, parse_special);
      scored.insert(scored.end(), part.begin(), part.end());
    }
    return scored;
  }
  std::string ChatTemplate(bool tools) const override { return model_->ChatTemplate(tools); }
  std::vector<std::pair<std::string, std::string>> SpecialTokens() const override { return model_->SpecialTokens(); }
  std::vector<int32_t> Tokenize(std::string_view text, bool add_special) const override {
    return model_->Tokenize(text, add_special);
  }
  std::string Piece(int32_t token) const override { return model_->Piece(token); }
  int32_t bos() const override { return model_->bos(); }
  bool wants_bos() const override { return model_->wants_bos(); }
  std::vector<float> Logprobs(std::span<const int32_t> tokens, size_t first) override {
    return model_->Logprobs(tokens, first);
  }

  artefact::GenerateResult Generate(const artefact::GenerateRequest& request,
                                    const artefact::StreamFn& stream) override {
    std::promise<artefact::GenerateResult> ended;
    Submit(request, stream, [&ended](artefact::GenerateResult result, std::exception_ptr error) {
      error ? ended.set_exception(error) : ended.set_value(std::move(result));
    });
    return ended.get_future().get();
  }

  std::shared_ptr<artefact::Ticket> Submit(artefact::GenerateRequest request, artefact::StreamFn stream,
                                           artefact::DoneFn done) override {
    request.owner = owner_;
    const artefact::DoneFn counted = [run = run_, done = std::move(done)](artefact::GenerateResult result,
                                                                          std::exception_ptr error) {
      run->Count(result);
      done(std::move(result), std::move(error));
    };
    while (true) {
      if (run_->tickets.cancelled()) throw Error(Code::kCancelled, "stopped");
      try {
        std::shared_ptr<artefact::Ticket> ticket = model_->Submit(request, stream, counted);
        run_->tickets.Add(ticket);
        return ticket;
      } catch (const Error& error) {  // a run that has begun waits for room rather than lose what it has made
        if (error.code() != Code::kResourceExhausted) throw;
      }
      std::this_thread::sleep_for(kNoRoom);
    }
  }

 private:
  const std::shared_ptr<artefact::Generator> model_;
  const std::string owner_;
  const std::shared_ptr<ClientRun> run_;
};

}  // namespace

void ClientRun::Count(const artefact::GenerateResult& result) {
  prompt_tokens_ += result.prompt_tokens;
  for (const artefact::Generated& sample : result.samples) output_tokens_ += static_cast<int64_t>(sample.tokens.size());
}

std::shared_ptr<artefact::Generator> ForClient(std::shared_ptr<artefact::Generator> model, std::string owner,
                                               std::shared_ptr<ClientRun> run) {
  return std::make_shared<ClientModel>(std::move(model), std::move(owner), std::move(run));
}

}  // namespace atelier::serve
