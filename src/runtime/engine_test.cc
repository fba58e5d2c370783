// Many requests at once over tiny random models: each must write what it writes alone, whatever the others do.
#include "runtime/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "base/rng.h"
#include "base/str.h"
#include "kernel/select.h"
#include "runtime/golden_model.h"
#include "runtime/local_generator.h"

// Designated initialisers that leave the rest at their defaults are the point here.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace atelier::runtime {
namespace {

using artefact::Finish;
using artefact::GenerateRequest;
using artefact::GenerateResult;
using artefact::Generator;

std::shared_ptr<Generator> Load(const char* name, const EngineOptions& options) {
  return LoadGenerator(artefact::MemoryFile(GoldenBytes(name)).path(), "tiny", "", options);
}

// A request on its way whose end can be waited for.
struct Running {
  std::shared_ptr<std::promise<GenerateResult>> promise = std::make_shared<std::promise<GenerateResult>>();
  std::shared_ptr<std::string> streamed = std::make_shared<std::string>();
  std::shared_ptr<artefact::Ticket> ticket;
  std::future<GenerateResult> result;
};
Running Start(Generator& model, const GenerateRequest& request) {
  Running running;
  running.result = running.promise->get_future();
  running.ticket = model.Submit(
      request,
      [streamed = running.streamed](int sample, const artefact::StreamPiece& piece) {
        if (sample == 0) streamed->append(piece.text);
        return true;
      },
      [promise = running.promise](GenerateResult result, std::exception_ptr error) {
        error ? promise->set_exception(error) : promise->set_value(std::move(result));
      });
  return running;
}

std::vector<GenerateRequest> Mixed(size_t count) {
  Rng rng(3);
  std::vector<GenerateRequest> requests;
  for (size_t i = 0; i < count; ++i) {
    std::string prompt = i % 3 == 0 ? "一个 shared beginning that many of them have, and then some more of it: " : "";
    prompt += Cat("request ", rng.Below(1000), std::string(rng.Below(90), 'x'), " 🎈");
    requests.push_back({.prompt = prompt,
                        .max_tokens = static_cast<int>(1 + rng.Below(40)),
                        .samples = static_cast<int>(1 + rng.Below(3)),
                        .seed = i,
                        .sampling = {.temperature = i % 4 == 0 ? 0.0 : 1.0, .top_k = 40},
                        .ignore_end = i % 2 == 0,
                        .owner = Cat("key ", i % 5)});
  }
  return requests;
}

TEST(Engine, ManyAtOnceWriteWhatEachWritesAlone) {
  for (const char* name : {"llama", "gemma3"}) {
    const std::vector<GenerateRequest> requests = Mixed(40);
    std::vector<GenerateResult> alone;
    for (const GenerateRequest& request : requests) alone.push_back(Load(name, {.threads = 1})->Generate(request));
    const auto shape = MakeDecoder(GoldenBytes(name), kernel::BestTable())->pages()->shape();
    // With room for all; one token of prompts at a time; so little room that samples are parked all the time.
    for (const EngineOptions& options :
         {EngineOptions{.threads = 2}, EngineOptions{.threads = 1, .limits = {.batch = 7, .prompt_tokens = 1}},
          EngineOptions{.threads = 2, .kv_bytes = 9 * shape.page_bytes()}}) {
      const auto model = Load(name, options);
      std::vector<Running> running;
      for (const GenerateRequest& request : requests) running.push_back(Start(*model, request));
      for (size_t i = 0; i < requests.size(); ++i) {
        const GenerateResult got = running[i].result.get();
        ASSERT_EQ(got.samples.size(), alone[i].samples.size());
        for (size_t k = 0; k < got.samples.size(); ++k) {
          ASSERT_EQ(got.samples[k].tokens, alone[i].samples[k].tokens) << name << " request " << i;
          ASSERT_EQ(got.samples[k].text, alone[i].samples[k].text);
          ASSERT_EQ(got.samples[k].sum_logprob, alone[i].samples[k].sum_logprob);
          ASSERT_EQ(got.samples[k].finish, alone[i].samples[k].finish);
        }
        EXPECT_EQ(*running[i].streamed, got.samples[0].text);
        EXPECT_EQ(got.prompt_tokens, alone[i].prompt_tokens);
      }
      const artefact::EngineLoad load = model->Load();
      EXPECT_EQ(load.waiting, 0);
      EXPECT_EQ(load.prompt_tokens, [&] {
        int64_t sum = 0;
        for (const auto& one : alone) sum += one.prompt_tokens;
        return sum;
      }());
    }
  }
}

TEST(Engine, ScoresAndLogprobsGoBetweenPasses) {
  const auto model = Load("llama", {.threads = 2});
  const auto want = Load("llama", {.threads = 2})->Score("a prefix", {"one", "two 二", ""});
  std::vector<Running> running;
  for (const GenerateRequest& request : Mixed(12)) running.push_back(Start(*model, request));
  for (int i = 0; i < 5; ++i) {
    const auto got = model->Score("a prefix", {"one", "two 二", ""});
    for (size_t k = 0; k < want.size(); ++k) EXPECT_EQ(got[k].sum_logprob, want[k].sum_logprob);
  }
  for (Running& one : running) one.result.get();
}

TEST(Engine, AnErrorBetweenPassesReachesWhoAsked) {
  const auto model = Load("llama", {.threads = 1});
  const std::vector<int32_t> tokens(5000, 1);  // longer than the context
  EXPECT_THROW(model->Logprobs(tokens, 1), Error);
  EXPECT_EQ(model->Generate({.prompt = "goes on", .max_tokens = 2, .ignore_end = true}).samples[0].tokens.size(), 2u);
}

// What a constraint cannot do costs the request that asked for it, not the engine.
TEST(Engine, AConstraintThatCannotGoOnFailsItsRequestAlone) {
  const auto model = Load("llama", {.threads = 1});
  std::string branches;
  for (int most = 1; most <= 5; ++most) {
    std::string names;
    for (int i = 0; i < 1000; ++i) names += Cat(i == 0 ? "" : ",", "\"p", i, "\":{}");
    branches +=
        Cat(most == 1 ? "" : ",", "{\"type\":\"object\",\"maxProperties\":", most, ",\"properties\":{", names, "}}");
  }
  GenerateRequest bomb{.prompt = "x", .max_tokens = 20};
  bomb.constraint = {artefact::ConstraintSpec::Kind::kJsonSchema, "{\"anyOf\":[" + branches + "]}", {}};
  Running running = Start(*model, bomb);
  try {
    running.result.get();
    ADD_FAILURE() << "it goes on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidInput) << error.what();
  }
  EXPECT_EQ(Start(*model, {.prompt = "x", .max_tokens = 3, .ignore_end = true}).result.get().samples[0].tokens.size(),
            3u);
}

TEST(Engine, CancelEndsWaitingAndRunningAlike) {
  const auto model = Load("llama", {.threads = 1, .limits = {.batch = 1}});
  const GenerateRequest endless{.prompt = "on and on", .max_tokens = 100'000, .ignore_end = true};
  Running first = Start(*model, endless), second = Start(*model, endless), third = Start(*model, endless);
  second.ticket->Cancel();
  const GenerateResult never = second.result.get();  // while the first still runs
  ASSERT_EQ(never.samples.size(), 1u);
  EXPECT_EQ(never.samples[0].finish, Finish::kCancelled);
  EXPECT_TRUE(never.samples[0].tokens.empty());
  first.ticket->Cancel();
  first.ticket->Cancel();
  first.result.get();  // cancelled, or the context was full by then
  third.ticket->Cancel();
  third.result.get();
  EXPECT_EQ(model->Load().waiting, 0);
  first.ticket->Cancel();  // long gone: nothing happens
}

// A prompt is read in pieces that take no longer than they may, whatever the machine; the text is the same.
TEST(Engine, PiecesOfPromptsFollowTheirTime) {
  std::string prompt;
  for (int i = 0; i < 15; ++i) prompt += Cat("茶 ", i, " tea. ");
  std::vector<std::string> texts;
  std::vector<int64_t> passes;
  for (const double seconds : {1e-9, 1e9}) {
    const auto model = Load("llama", {.threads = 1, .limits = {.pass_seconds = seconds}});
    model->Generate({.prompt = "what takes how long is not known before", .max_tokens = 1, .ignore_end = true});
    const int64_t before = model->Load().passes;
    const GenerateResult result =
        model->Generate({.prompt = prompt, .max_tokens = 3, .sampling = {.temperature = 0}, .ignore_end = true});
    ASSERT_GT(result.prompt_tokens, 100);
    passes.push_back(model->Load().passes - before);
    EXPECT_LE(passes.back(), result.prompt_tokens / 16 + 5);
    texts.push_back(result.samples[0].text);
  }
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_GT(passes[0], passes[1] + 3);
}

// A request at which the engine stands until Go(): what is submitted meanwhile waits together.
class Held {
 public:
  explicit Held(artefact::Generator* model) {
    model->Submit(
        {.prompt = "holds the engine", .max_tokens = 5, .ignore_end = true},
        [this](int, const artefact::StreamPiece&) {
          if (!once_.exchange(true)) started_.set_value();
          gate_.wait();
          return true;
        },
        [this](GenerateResult, std::exception_ptr) { ended_.set_value(); });
    started_.get_future().wait();
  }
  void Go() {
    go_.set_value();
    ended_.get_future().wait();
  }

 private:
  std::promise<void> go_, started_, ended_;
  std::shared_future<void> gate_ = go_.get_future().share();
  std::atomic<bool> once_{false};
};

TEST(Engine, AFullQueueRefusesOneMore) {
  const auto model = Load("llama", {.threads = 1, .limits = {.queue = 3, .batch = 1}});
  Held held(model.get());
  std::vector<Running> waiting;
  for (int i = 0; i < 3; ++i) {
    EXPECT_NO_THROW(model->CheckRoom());
    waiting.push_back(Start(*model, {.prompt = "waits", .max_tokens = 1}));
  }
  EXPECT_EQ(model->Load().waiting, 3);
  EXPECT_THROW(model->CheckRoom(), Error);
  try {
    Start(*model, {.prompt = "one too many", .max_tokens = 1});
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kResourceExhausted);
    EXPECT_EQ(Info(error.code()).http_status, 429);
  }
  held.Go();
  for (Running& one : waiting) one.result.get();
  Start(*model, {.prompt = "room again", .max_tokens = 1}).result.get();
}

TEST(Engine, AnOwnerOfManyRequestsDoesNotKeepOthersWaiting) {
  const auto model = Load("llama", {.threads = 1, .limits = {.batch = 1}});
  Held held(model.get());
  std::mutex mutex;
  std::vector<std::string> order;
  std::vector<std::future<void>> ends;
  const auto submit = [&](const std::string& owner) {
    auto end = std::make_shared<std::promise<void>>();
    ends.push_back(end->get_future());
    model->Submit({.prompt = "the same for all", .max_tokens = 8, .ignore_end = true, .owner = owner}, nullptr,
                  [&, owner, end](GenerateResult, std::exception_ptr) {
                    {
                      const std::lock_guard lock(mutex);
                      order.push_back(owner);
                    }
                    end->set_value();
                  });
  };
  for (int i = 0; i < 20; ++i) submit("greedy");
  for (int i = 0; i < 3; ++i) submit("modest");
  held.Go();
  for (auto& end : ends) end.wait();
  // The modest owner's three are done when the greedy one has had about as many, not after its twenty.
  size_t last = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i] == "modest") last = i;
  }
  EXPECT_EQ(order.size(), 23u);
  EXPECT_LT(last, 12u);
}

TEST(Engine, EndsWhatRunsWhenItGoes) {
  auto model = Load("llama", {.threads = 2});
  std::vector<Running> running;
  for (int i = 0; i < 6; ++i)
    running.push_back(Start(*model, {.prompt = "never done", .max_tokens = 100'000, .ignore_end = true}));
  model.reset();
  for (Running& one : running) EXPECT_EQ(one.result.get().samples.size(), 1u);
}

TEST(Engine, ATicketHoldsNothingOfARequestThatEnded) {
  const auto model = Load("llama", {.threads = 1});
  auto held = std::make_shared<int>(1);
  std::promise<void> ended;
  const auto ticket = model->Submit(
      {.prompt = "x", .max_tokens = 2, .ignore_end = true}, [held](int, const artefact::StreamPiece&) { return true; },
      [held, &ended](GenerateResult, std::exception_ptr) { ended.set_value(); });
  ended.get_future().wait();
  model->Generate({.prompt = "y", .max_tokens = 1});  // by now the engine has let go
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Engine, WhatTheStreamThrowsComesOutOfGenerate) {
  const auto model = Load("llama", {.threads = 1});
  EXPECT_THROW(
      model->Generate({.prompt = "x", .max_tokens = 30, .ignore_end = true},
                      [](int, const artefact::StreamPiece&) -> bool { throw Error(Code::kIo, "the pipe is closed"); }),
      Error);
}

}  // namespace
}  // namespace atelier::runtime
