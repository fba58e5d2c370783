// /v1/chat/completions and /v1/completions: read strictly, handed to the model's engine, answered whole or as a stream.
#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/str.h"
#include "runtime/chat.h"
#include "serve/api_schemas.h"
#include "serve/completion_reply.h"
#include "serve/completion_request.h"
#include "serve/event_stream.h"
#include "serve/fields.h"
#include "serve/prompt_log.h"
#include "serve/studio_server.h"
#include "serve/tickets.h"

namespace atelier::serve {
namespace {

// One request of a client on its way: a prompt or several, each with its samples. The engine's thread calls it; the
// exchange may vanish at any time.
class Completion : public std::enable_shared_from_this<Completion> {
 public:
  Completion(Context& context, std::shared_ptr<net::Exchange> exchange, CompletionRequest request,
             std::shared_ptr<artefact::Generator> model)
      : context_(context), exchange_(std::move(exchange)), request_(std::move(request)), model_(std::move(model)) {
    const artefact::EngineInfo engine = model_->engine();
    head_ = {request_.chat, Cat(request_.chat ? "chatcmpl-" : "cmpl-", NewUuid()), NowMillis() / 1000, request_.model,
             Cat(engine.build, "-", engine.isa, "-", engine.threads)};
    results_.resize(request_.prompts.size());
    left_ = request_.prompts.size();
    if (!request_.stream) return;
    const int choices = static_cast<int>(request_.prompts.size()) * request_.generate.samples;
    for (int i = 0; i < choices; ++i) choices_.emplace_back(head_, request_, *model_, i);
  }

  // Throws where the request cannot be taken; nothing has been said to the client by then.
  void Start(std::optional<guard::KeyInfo> who) {
    for (size_t i = 0; i < request_.prompts.size(); ++i) {
      artefact::GenerateRequest generate = request_.generate;
      generate.prompt = request_.prompts[i];
      generate.owner = who ? who->id : "";
      generate.seed += i * 0x9E3779B97F4A7C15ull;  // equal prompts in one request are not written alike
      artefact::StreamFn stream;
      if (request_.stream) {
        stream = [self = shared_from_this(), i](int sample, const artefact::StreamPiece& piece) {
          return self->Piece(self->Index(i, sample), piece);
        };
      }
      try {
        tickets_.Add(
            model_->Submit(std::move(generate), std::move(stream),
                           [self = shared_from_this(), i](artefact::GenerateResult result, std::exception_ptr error) {
                             self->Ended(i, std::move(result), error);
                           }));
      } catch (...) {
        tickets_.Cancel();
        if (i == 0) throw;
        Ended(i, {}, std::current_exception());
        for (size_t rest = i + 1; rest < request_.prompts.size(); ++rest) Ended(rest, {}, nullptr);
        break;
      }
    }
    exchange_->OnGone([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->tickets_.Cancel();
    });
  }

  // What the key pays for, once, when all has ended.
  void Charge(const guard::KeyInfo& who, int64_t reserved) {
    who_ = who;
    reserved_ = reserved;
  }

 private:
  int Index(size_t prompt, int sample) const { return static_cast<int>(prompt) * request_.generate.samples + sample; }

  bool Send(const std::vector<Json>& chunks) {
    return std::all_of(chunks.begin(), chunks.end(),
                       [&](const Json& chunk) { return exchange_->Write(net::SseEvent(ToText(chunk))); });
  }

  // REQUIRES: mutex_ is held.
  bool Begin() {
    if (begun_) return true;
    begun_ = true;
    if (!BeginEvents(*exchange_)) return false;
    return std::all_of(choices_.begin(), choices_.end(), [&](ChoiceStream& choice) { return Send(choice.First()); });
  }
  ChoiceStream& Choice(int index) { return choices_[static_cast<size_t>(index)]; }

  bool Piece(int index, const artefact::StreamPiece& piece) {
    const std::lock_guard lock(mutex_);
    return !tickets_.cancelled() && Begin() && Send(Choice(index).Chunks(piece));
  }

  void Ended(size_t prompt, artefact::GenerateResult result, std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      const auto cut = [](const artefact::Generated& one) { return one.finish == artefact::Finish::kCancelled; };
      const bool stopped = std::any_of(result.samples.begin(), result.samples.end(), cut);
      results_[prompt] = std::move(result);
      if (error && !error_) error_ = error;
      if (stopped && !tickets_.cancelled() && !error_) {  // not by the client: what there is of the reply is no reply
        error_ = std::make_exception_ptr(Error(Code::kUnavailable, "the model was stopped", "try again in a moment"));
      }
      if (request_.stream && !error_ && !tickets_.cancelled() && Begin()) {
        for (size_t k = 0; k < results_[prompt].samples.size(); ++k)
          Send(Choice(Index(prompt, static_cast<int>(k))).Last(results_[prompt].samples[k].finish));
      }
      if (--left_ > 0) return;
    }
    // The rest may be long: other requests' tokens do not wait for it.
    if (!context_.replies.Submit([self = shared_from_this()] { self->Conclude(); })) Conclude();
  }

  // After the last has ended; once.
  void Conclude() {
    LogReplies(context_, exchange_->request(), results_);
    const Usage usage = UsageOf(results_);
    if (who_) context_.limits.Settle(*who_, reserved_, usage.prompt + usage.completion);
    if (error_) return Fail();
    if (tickets_.cancelled()) return exchange_->Abort();
    if (!request_.stream) {
      RespondJson(*exchange_, WholeReply(head_, request_, results_, *model_));
      return;
    }
    if (request_.usage_in_stream) Send({UsageChunk(head_, usage)});
    exchange_->Write(net::SseEvent("[DONE]"));
    exchange_->Finish();
  }

  void Fail() {
    net::Response response = ErrorResponse(error_);
    if (!begun_) {
      exchange_->Respond(std::move(response));
      return;
    }
    exchange_->Write(net::SseEvent(Trim(response.body)));  // the status is sent already: the stream says it, and breaks
    exchange_->Abort();
  }

  Context& context_;
  const std::shared_ptr<net::Exchange> exchange_;
  const CompletionRequest request_;
  const std::shared_ptr<artefact::Generator> model_;
  ReplyHead head_;
  const std::shared_ptr<void> foreground_ = context_.foreground.Hold();

  Tickets tickets_;
  std::mutex mutex_;
  std::vector<ChoiceStream> choices_;  // of a stream
  std::vector<artefact::GenerateResult> results_;
  size_t left_ = 0;
  bool begun_ = false;
  std::exception_ptr error_;
  std::optional<guard::KeyInfo> who_;
  int64_t reserved_ = 0;
};

// The conversation as a prompt, and how the model would write calls.
void FillChat(const runtime::ChatFormat& format, CompletionRequest* request) {
  if (!request->tools.is_null()) {
    try {
      request->generate.constraint.calls.syntax = format.Tools().syntax;
    } catch (const Error& error) {
      throw FieldError("tools", error.what(), error.hint(), error.code());
    }
  }
  try {
    request->prompts = {format.Render(request->messages, request->tools)};
  } catch (const Error& error) {
    throw FieldError("messages", error.what(), error.hint(), error.code());
  }
}

void Complete(Context& context, runtime::ChatFormats* formats, const std::shared_ptr<net::Exchange>& exchange,
              bool chat) {
  const net::Request& http = exchange->request();
  const Json body = ReadBody(context, http);
  CompletionRequest request = chat ? ReadChatRequest(body) : ReadCompletionRequest(body);
  if (const auto entry = FindModel(context, request.model); entry && MakesEmbeddings(*entry)) {
    throw FieldError("model", Cat("the model ", Quote(request.model), " makes embeddings and writes no text"),
                     "/v1/embeddings uses it");
  }
  std::shared_ptr<artefact::Generator> model;
  try {
    model = context.models.Get(request.model);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    exchange->Respond(ErrorResponse(404, error.Line(), "model_not_found", "model"));
    return;
  }
  model->CheckRoom();  // a refusal must cost less than an answer
  if (chat) FillChat(*formats->Of(*model), &request);
  if (body.find("seed") == body.end() || body["seed"].is_null()) request.generate.seed = Hash64(RandomHex(16));

  LogPrompts(context, http, request.prompts);

  const std::optional<guard::KeyInfo> who = WhoAsks(context, *exchange);
  int64_t reserved = 0;
  if (who) {
    const int64_t most = std::min<int64_t>(request.generate.max_tokens, model->info().context_length);
    int64_t prompts = 0;
    for (const std::string& prompt : request.prompts) prompts += static_cast<int64_t>(prompt.size() / 3 + 1);
    reserved = prompts + most * request.generate.samples * static_cast<int64_t>(request.prompts.size());
    const guard::KeyLimits::Verdict verdict = context.limits.Admit(*who, reserved);
    if (!verdict.allowed) {
      exchange->Respond(OverLimit(verdict));
      return;
    }
  }
  const std::vector<size_t> places = request.tool_places;
  const auto completion = std::make_shared<Completion>(context, exchange, std::move(request), std::move(model));
  if (who) completion->Charge(*who, reserved);
  try {
    completion->Start(who);
  } catch (const artefact::FunctionError& error) {
    if (who) context.limits.Settle(*who, reserved, 0);
    throw FieldError(Cat("tools[", places[error.function()], "].function.parameters"), error.what(), error.hint(),
                     error.code());
  } catch (...) {
    if (who) context.limits.Settle(*who, reserved, 0);
    throw;
  }
}

}  // namespace

void AddCompletionRoutes(Context& context) {
  const auto formats = std::make_shared<runtime::ChatFormats>();
  context.router.Add(
      {.method = "POST",
       .pattern = "/v1/chat/completions",
       .scope = "generate",
       .summary = "Answer a conversation",
       .handler = [&context, formats](std::shared_ptr<net::Exchange> exchange,
                                      const net::Params&) { Complete(context, formats.get(), exchange, true); },
       .request = ChatRequestSchema(),
       .reply = CompletionReplySchema(),
       .streams = true});
  context.router.Add({.method = "POST",
                      .pattern = "/v1/completions",
                      .scope = "generate",
                      .summary = "Continue texts",
                      .handler = [&context](std::shared_ptr<net::Exchange> exchange,
                                            const net::Params&) { Complete(context, nullptr, exchange, false); },
                      .request = CompletionRequestSchema(),
                      .reply = CompletionReplySchema(),
                      .streams = true});
}

}  // namespace atelier::serve
