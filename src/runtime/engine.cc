#include "runtime/engine.h"

#include <algorithm>
#include <future>
#include <limits>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"
#include "runtime/engine_request.h"

namespace atelier::runtime {

using artefact::Finish;
using artefact::Generated;

Engine::Engine(std::unique_ptr<Decoder> decoder, const text::Tokenizer* tokenizer, const EngineLimits& limits)
    : decoder_(std::move(decoder)),
      tokenizer_(tokenizer),
      limits_(limits),
      tree_(limits.prefix_bytes / decoder_->pages()->shape().page_bytes()),
      thread_([this] { Loop(); }) {}

Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::shared_ptr<artefact::Ticket> Engine::Submit(std::vector<int32_t> prompt,
                                                 std::shared_ptr<const Constraint> constraint,
                                                 std::shared_ptr<const AdapterWeights> adapter,
                                                 artefact::GenerateRequest request, artefact::StreamFn stream,
                                                 artefact::DoneFn done) {
  auto taken = std::make_shared<Request>();
  taken->constraint = std::move(constraint);
  taken->adapter = std::move(adapter);
  taken->request = std::move(request);
  taken->stream = std::move(stream);
  taken->done = std::move(done);
  taken->prompt = std::move(prompt);
  taken->result.prompt_tokens = static_cast<int>(taken->prompt.size());
  taken->submitted = MonotonicSeconds();
  {
    const std::lock_guard lock(mutex_);
    CheckRoomLocked();
    ++outstanding_;
    inbox_.push_back(taken);
  }
  wake_.notify_one();
  return taken;
}

void Engine::CheckRoomLocked() const {
  if (outstanding_ < limits_.queue) return;
  throw Error(Code::kResourceExhausted, Cat(outstanding_, " requests wait for this model already"),
              "try again in a moment");
}

void Engine::CheckRoom() const {
  const std::lock_guard lock(mutex_);
  CheckRoomLocked();
}

void Engine::Between(const std::function<void()>& work) {
  std::packaged_task<void()> task(work);
  std::future<void> finished = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back([&task] { task(); });
  }
  wake_.notify_one();
  finished.get();
}

artefact::EngineLoad Engine::load() const {
  const std::lock_guard lock(mutex_);
  artefact::EngineLoad load = load_;
  load.waiting = static_cast<int>(outstanding_);
  return load;
}

// --- the engine's thread

void Engine::Loop() {
  while (TakeTasks()) {
    DropCancelled();
    Admit();
    try {
      if (!running_.empty()) Step();
    } catch (...) {  // a mistake of ours, or no memory: whoever took part fails, the thread goes on
      const std::exception_ptr error = std::current_exception();
      for (const auto& request : std::deque(running_)) End(request.get(), error);
    }
    Publish();
  }
  for (const auto& request : std::deque(running_)) request->Cancel();
  for (const auto& request : std::deque(waiting_)) request->Cancel();
  DropCancelled();
  tree_.Clear();
}

bool Engine::TakeTasks() {
  std::deque<std::function<void()>> tasks;
  {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] {
      return stopping_ || !inbox_.empty() || !tasks_.empty() || !waiting_.empty() || !running_.empty();
    });
    std::move(inbox_.begin(), inbox_.end(), std::back_inserter(waiting_));
    inbox_.clear();
    tasks.swap(tasks_);
    if (stopping_ && tasks.empty()) return false;
  }
  for (const auto& task : tasks) task();
  return true;
}

void Engine::DropCancelled() {
  for (const auto& queue : {&waiting_, &running_}) {
    for (const auto& request : std::deque(*queue)) {
      if (!request->cancelled.load()) continue;
      for (const auto& reply : request->replies) {
        if (!reply->done) reply->out.finish = Finish::kCancelled;
        reply->done = true;
      }
      if (request->replies.empty()) {
        request->result.samples.resize(static_cast<size_t>(request->request.samples));
        for (Generated& sample : request->result.samples) sample.finish = Finish::kCancelled;
      }
      End(request.get(), nullptr);
    }
  }
}

size_t Engine::Samples() const {
  size_t samples = 0;
  for (const auto& request : running_) samples += static_cast<size_t>(request->request.samples);
  return samples;
}

void Engine::Serve(const std::string& owner, size_t tokens) { served_[owner] += static_cast<double>(tokens); }

Engine::Request* Engine::Next() const {
  Request* next = nullptr;
  double least = 0;
  for (const auto& request : waiting_) {  // the first of each owner; of owners that are even, the first to come
    const auto at = served_.find(request->request.owner);
    const double served = at == served_.end() ? 0 : at->second;
    if (next == nullptr || served < least) {
      next = request.get();
      least = served;
    }
  }
  return next;
}

void Engine::Admit() {
  if (waiting_.empty()) return;
  // Who was away is not owed the time: a new owner starts level with the one that was served least.
  double level = std::numeric_limits<double>::infinity();
  std::map<std::string, double> present;
  for (const auto& queue : {&running_, &waiting_}) {
    for (const auto& request : *queue) {
      const auto at = served_.find(request->request.owner);
      if (at == served_.end()) continue;
      present.insert(*at);
      level = std::min(level, at->second);
    }
  }
  served_ = std::move(present);
  for (const auto& request : waiting_)
    served_.try_emplace(request->request.owner, level == std::numeric_limits<double>::infinity() ? 0 : level);

  while (Request* next = Next()) {
    if (!running_.empty() && Samples() + static_cast<size_t>(next->request.samples) > limits_.batch) return;
    const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& one) { return one.get() == next; });
    running_.push_back(std::move(*at));
    waiting_.erase(at);
    {
      const std::lock_guard lock(mutex_);
      --outstanding_;
    }
    next->admitted = MonotonicSeconds();
    next->result.queue_seconds = next->admitted - next->submitted;
    next->start = tree_.Start(std::span(next->prompt).first(next->prompt.size() - 1), next->adapter_id());
    next->result.cached_tokens = static_cast<int>(next->start.length());
  }
}

std::vector<Engine::Unit> Engine::Units() const {
  std::vector<Unit> units;
  for (const auto& request : running_) {
    if (request->replies.empty()) {
      const std::span<const int32_t> prompt(request->prompt);
      units.push_back({request.get(), nullptr, &request->start, &request->parked, prompt.first(prompt.size() - 1)});
    }
    for (const auto& reply : request->replies) {
      if (!reply->done) units.push_back({request.get(), reply.get(), &reply->sequence, &reply->parked, reply->context});
    }
  }
  return units;
}

// Prompts that have been read become samples.
void Engine::Fork() {
  for (const Unit& unit : Units()) {
    if (unit.reply != nullptr || unit.pending() > 0) continue;
    Request& request = *unit.request;
    tree_.Keep(unit.tokens, request.adapter_id(), request.start);
    for (int i = 0; i < request.request.samples; ++i)
      request.replies.push_back(std::make_unique<Reply>(&request, i, *decoder_));
    request.start = Sequence();
    request.result.prefill_seconds = MonotonicSeconds() - request.admitted;
    Serve(request.request.owner, request.prompt.size() - static_cast<size_t>(request.result.cached_tokens));
  }
}

std::vector<Engine::Planned> Engine::Plan() const {
  const std::vector<Unit> units = Units();
  const bool replying = std::any_of(units.begin(), units.end(), [](const Unit& unit) {
    return unit.reply != nullptr && !*unit.parked && unit.pending() == 1;
  });
  size_t budget = replying ? limits_.prompt_tokens : limits_.prompt_tokens_alone;
  if (token_seconds_ > 0) {
    constexpr size_t kLeast = 16;  // fewer would be read no faster
    const double affordable = limits_.pass_seconds / token_seconds_;
    if (affordable < static_cast<double>(budget)) budget = std::max(kLeast, static_cast<size_t>(affordable));
  }
  std::vector<Planned> plan;
  for (const Unit& unit : units) {
    if (*unit.parked) continue;
    const bool next = unit.reply != nullptr && unit.pending() == 1;
    const size_t count = next ? 1 : std::min(budget, unit.pending());
    if (!next) budget -= count;
    if (count > 0) plan.push_back({unit, unit.tokens.subspan(unit.known(), count)});
  }
  return plan;
}

// What a token takes, from passes that read a piece of a prompt. That the replies' tokens cost more errs towards
// smaller pieces.
void Engine::Measure(const std::vector<Planned>& plan, double seconds) {
  size_t total = 0;
  for (const Planned& one : plan) total += one.tokens.size();
  {
    const std::lock_guard lock(mutex_);
    ++load_.passes;
  }
  if (total < plan.size() + 8) return;
  const double one = seconds / static_cast<double>(total);
  token_seconds_ = token_seconds_ > 0 ? 0.75 * token_seconds_ + 0.25 * one : one;
}

// Takes the unit that was started last out of the pass, and its pages from it. False where it is the only one.
bool Engine::Park(std::vector<Planned>* plan) {
  std::vector<Unit> units = Units();
  std::erase_if(units, [](const Unit& unit) { return *unit.parked; });
  if (units.size() <= 1) return false;
  const Unit& last = units.back();
  *last.parked = true;
  *last.sequence = Sequence();
  std::erase_if(*plan, [&](const Planned& one) { return one.unit.sequence == last.sequence; });
  return true;
}

void Engine::MakeRoom(std::vector<Planned>* plan) {
  while (!plan->empty()) {
    int64_t wanted = 0;
    for (const Planned& one : *plan) wanted += one.unit.sequence->PagesFor(static_cast<int64_t>(one.tokens.size()));
    if (wanted <= decoder_->pages()->free_pages()) return;
    if (tree_.DropOldest() || Park(plan)) continue;
    try {  // it is alone and does not fit: the pool says so
      const Planned& one = plan->front();
      one.unit.sequence->Reserve(decoder_->pages(), static_cast<int64_t>(one.tokens.size()));
      return;
    } catch (const Error&) {
      Request* request = plan->front().unit.request;
      plan->clear();
      End(request, std::current_exception());
    }
  }
}

// Parked units go on, the first to have started first, as soon as what they lost fits again.
void Engine::Unpark() {
  const std::vector<Unit> units = Units();
  bool others = std::any_of(units.begin(), units.end(), [](const Unit& unit) { return !*unit.parked; });
  int64_t free = decoder_->pages()->free_pages();
  for (const Unit& unit : units) {
    if (!*unit.parked) continue;
    // And a page to grow into, else it would be parked again at once.
    const int64_t wanted = static_cast<int64_t>(unit.tokens.size()) / KvShape::kPageTokens + 2;
    if (others && wanted > free) return;
    *unit.parked = false;
    *unit.sequence = tree_.Start(unit.reply != nullptr ? unit.tokens.first(unit.tokens.size() - 1) : unit.tokens,
                                 unit.request->adapter_id());
    free -= wanted;
    others = true;
  }
}

// Which tokens the constraints allow, before the pass: its logits come on several threads, where nothing may be thrown.
void Engine::MaskReplies(std::vector<Planned>* plan) {
  std::map<Request*, std::exception_ptr> failed;
  for (const Planned& one : *plan) {
    if (!one.samples() || !one.unit.reply->matcher) continue;
    try {
      one.unit.reply->matcher->Mask(&one.unit.reply->mask);
    } catch (...) {
      failed.emplace(one.unit.request, std::current_exception());
    }
  }
  std::erase_if(*plan, [&](const Planned& one) { return failed.contains(one.unit.request); });
  for (const auto& [request, error] : failed) End(request, error);
}

void Engine::Step() {
  Fork();
  Unpark();
  std::vector<Planned> plan = Plan();
  MakeRoom(&plan);
  MaskReplies(&plan);
  if (!plan.empty()) {
    std::vector<Chunk> chunks;
    for (const Planned& one : plan)
      chunks.push_back({one.unit.sequence, one.tokens, one.samples() ? one.tokens.size() - 1 : one.tokens.size(),
                        one.unit.request->adapter.get()});
    std::vector<Reply*> sampled;
    for (const Planned& one : plan) {
      if (one.samples()) sampled.push_back(one.unit.reply);
    }
    const double begin = MonotonicSeconds();
    try {
      decoder_->Forward(chunks, [&](size_t chunk, size_t, float* logits) {
        Reply& reply = *plan[chunk].unit.reply;
        const artefact::GenerateRequest& request = reply.request->request;
        reply.next =
            reply.sampler.Pick(logits, reply.context, reply.context.size() - reply.request->prompt.size(),
                               std::max(request.logprobs, 0), &reply.logprob, reply.matcher ? &reply.mask : nullptr);
      });
    } catch (...) {
      const std::exception_ptr error = std::current_exception();
      std::vector<Request*> hit;
      for (const Planned& one : plan) {
        if (std::find(hit.begin(), hit.end(), one.unit.request) == hit.end()) hit.push_back(one.unit.request);
      }
      for (Request* request : hit) End(request, error);
      return;
    }
    Measure(plan, MonotonicSeconds() - begin);
    for (Reply* reply : sampled) Settle(reply);
  }
  for (const auto& request : std::deque(running_)) EndIfDone(request.get());
}

void Engine::Settle(Reply* reply) {
  const artefact::GenerateRequest& request = reply->request->request;
  Serve(request.owner, 1);
  {
    const std::lock_guard lock(mutex_);
    ++load_.output_tokens;
  }
  if (reply->matcher) {
    try {
      if (!reply->matcher->Accept(reply->next)) {  // a mistake of ours; nothing goes on unconstrained
        throw Error(Code::kInternal, "a token was drawn against its constraint");
      }
    } catch (...) {
      reply->error = std::current_exception();
      reply->done = true;
      reply->sequence = Sequence();
      return;
    }
  }
  if (!request.ignore_end && tokenizer_->EndsGeneration(reply->next)) {
    reply->out.finish = Finish::kEnd;
    reply->out.end_token = reply->next;
    reply->done = true;
    reply->sequence = Sequence();
    return;
  }
  reply->context.push_back(reply->next);
  reply->out.tokens.push_back(reply->next);
  reply->out.sum_logprob += reply->logprob.logprob;
  if (request.logprobs >= 0) reply->out.logprobs.push_back(reply->logprob);
  const std::string piece = reply->stop.Append(
      tokenizer_->Piece(reply->next, request.constraint.kind == artefact::ConstraintSpec::Kind::kCalls));
  reply->out.text += piece;
  if (reply->stop.stopped()) {
    reply->done = true;
    reply->out.finish = Finish::kStop;
  }
  if (reply->matcher && !reply->matcher->CanContinue()) {
    reply->done = true;
    reply->out.finish = Finish::kEnd;
  }
  if (!piece.empty() && !reply->Tell(piece)) {
    reply->done = true;
    reply->out.finish = Finish::kCancelled;
  }
  if (reply->out.tokens.size() >= reply->most) reply->done = true;
  if (reply->done) reply->sequence = Sequence();
}

void Engine::EndIfDone(Request* request) {
  if (request->replies.empty()) return;
  bool done = true;
  for (const auto& reply : request->replies) {
    if (reply->error) return End(request, reply->error);
    done &= reply->done;
  }
  if (done) End(request, nullptr);
}

void Engine::End(Request* request, std::exception_ptr error) {
  // Whoever holds it in a queue lets go of it; it lives until its last word is said.
  std::shared_ptr<Request> kept;
  for (auto* queue : {&waiting_, &running_}) {
    const auto at = std::find_if(queue->begin(), queue->end(), [&](const auto& one) { return one.get() == request; });
    if (at == queue->end()) continue;
    kept = std::move(*at);
    queue->erase(at);
    if (queue == &waiting_) {
      const std::lock_guard lock(mutex_);
      --outstanding_;
    }
  }
  for (const auto& reply : request->replies) {
    const std::string rest = reply->stop.Finish();
    reply->out.text += rest;
    const bool cancelled = reply->out.finish == Finish::kCancelled;
    if (reply->stop.stopped() && !cancelled) reply->out.finish = Finish::kStop;
    if ((!rest.empty() || reply->told < reply->out.logprobs.size()) && !cancelled && !error) reply->Tell(rest);
    request->result.samples.push_back(std::move(reply->out));
  }
  request->replies.clear();
  request->start = Sequence();
  artefact::GenerateResult& result = request->result;
  if (request->admitted > 0) result.decode_seconds = MonotonicSeconds() - request->admitted - result.prefill_seconds;
  {
    const std::lock_guard lock(mutex_);
    load_.prompt_tokens += result.prompt_tokens;
    load_.cached_tokens += result.cached_tokens;
  }
  // The ticket outlives the request; what the callbacks hold must not outlive its end.
  request->stream = nullptr;
  if (const artefact::DoneFn done = std::exchange(request->done, nullptr)) done(std::move(result), error);
}

void Engine::Publish() {
  const std::lock_guard lock(mutex_);
  load_.running = static_cast<int>(running_.size());
  load_.free_pages = decoder_->pages()->free_pages();
  load_.cached_pages = static_cast<int64_t>(tree_.pages());
}

Sequence Engine::Prefill(std::span<const int32_t> prompt, const AdapterWeights* adapter) {
  const std::span<const int32_t> wanted = prompt.first(prompt.size() - 1);
  const uint64_t id = adapter != nullptr ? adapter->id : 0;
  Sequence sequence = tree_.Start(wanted, id);
  const std::span<const int32_t> rest = wanted.subspan(static_cast<size_t>(sequence.length()));
  if (!rest.empty()) {
    const Chunk chunk{&sequence, rest, rest.size(), adapter};
    Forward({&chunk, 1}, nullptr);
  }
  tree_.Keep(wanted, id, sequence);
  return sequence;
}

void Engine::Forward(std::span<const Chunk> chunks, const LogitsFn& on_logits) {
  int64_t wanted = 0;
  for (const Chunk& chunk : chunks) wanted += chunk.sequence->PagesFor(static_cast<int64_t>(chunk.tokens.size()));
  std::vector<Planned> none;
  while (wanted > decoder_->pages()->free_pages()) {
    if (!tree_.DropOldest() && !Park(&none)) break;
  }
  decoder_->Forward(chunks, on_logits);
}

}  // namespace atelier::runtime
