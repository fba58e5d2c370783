// /v1/embeddings: texts as vectors, by the studio's embedding models.
#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "serve/api_schemas.h"
#include "serve/embedding_request.h"
#include "serve/fields.h"
#include "serve/prompt_log.h"
#include "serve/studio_server.h"
#include "serve/tickets.h"

namespace atelier::serve {
namespace {

// One request of a client on its way; the exchange may vanish at any time.
class Embedding : public std::enable_shared_from_this<Embedding> {
 public:
  Embedding(Context& context, std::shared_ptr<net::Exchange> exchange, EmbeddingRequest request,
            std::vector<int64_t> tokens, size_t dims)
      : context_(context),
        exchange_(std::move(exchange)),
        request_(std::move(request)),
        tokens_(std::move(tokens)),
        dims_(dims) {}

  void Charge(const guard::KeyInfo& who, int64_t reserved) {
    who_ = who;
    reserved_ = reserved;
  }

  // Throws where the request cannot be taken; nothing has been said to the client by then.
  void Start(EmbeddingQueue& queue) {
    const std::string owner = who_ ? who_->id : "";
    tickets_.Add(queue.Submit(owner, std::move(request_.texts), request_.role,
                              [self = shared_from_this()](EmbeddingQueue::Result result, std::exception_ptr error) {
                                self->Ended(std::move(result), error);
                              }));
    exchange_->OnGone([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->tickets_.Cancel();
    });
  }

 private:
  void Ended(EmbeddingQueue::Result result, std::exception_ptr error) {
    result_ = std::move(result);
    error_ = error;
    // The answer may be long: other clients' texts do not wait for it.
    if (!context_.replies.Submit([self = shared_from_this()] { self->Conclude(); })) Conclude();
  }

  void Conclude() {
    int64_t used = 0;
    for (size_t i = 0; i < result_.truncated.size(); ++i) used += tokens_[i];
    if (who_) context_.limits.Settle(*who_, reserved_, used);
    if (tickets_.cancelled()) return exchange_->Abort();
    if (error_) {
      exchange_->Respond(ErrorResponse(error_));
      return;
    }
    // By hand: a document of numbers would take many times the memory.
    std::string body = R"({"object":"list","data":[)";
    for (size_t i = 0; i < result_.truncated.size(); ++i) {
      const float* vector = result_.vectors.data() + i * dims_;
      if (i > 0) body += ',';
      body += Cat(R"({"object":"embedding","index":)", i, R"(,"embedding":)");
      if (request_.base64) {
        body += Cat("\"", FloatsInBase64(vector, dims_), "\"");
      } else {
        for (size_t d = 0; d < dims_; ++d) {
          body += d == 0 ? '[' : ',';
          AppendFloat(&body, vector[d]);
        }
        body += ']';
      }
      body += result_.truncated[i] ? R"(,"truncated":true})" : "}";
    }
    const Json usage = {{"prompt_tokens", used}, {"total_tokens", used}};
    body += Cat(R"(],"model":)", ToText(Json(request_.model)), R"(,"usage":)", ToText(usage), "}\n");
    exchange_->Respond({.status = 200, .content_type = "application/json", .body = std::move(body)});
  }

  Context& context_;
  const std::shared_ptr<net::Exchange> exchange_;
  EmbeddingRequest request_;
  const std::vector<int64_t> tokens_;  // that are read of each text
  const size_t dims_;
  const std::shared_ptr<void> foreground_ = context_.foreground.Hold();
  Tickets tickets_;
  EmbeddingQueue::Result result_;
  std::exception_ptr error_;
  std::optional<guard::KeyInfo> who_;
  int64_t reserved_ = 0;
};

void Embed(Context& context, const std::shared_ptr<net::Exchange>& exchange) {
  EmbeddingRequest request = ReadEmbeddingRequest(ReadBody(context, exchange->request()));
  const std::optional<artefact::ModelEntry> entry = FindModel(context, request.model);
  if (!entry) {
    exchange->Respond(
        ErrorResponse(404, Cat("the model ", Quote(request.model), " does not exist"), "model_not_found", "model"));
    return;
  }
  if (!MakesEmbeddings(*entry)) {
    throw FieldError("model", Cat("the model ", Quote(request.model), " writes texts and makes no embeddings"),
                     "/v1/chat/completions and /v1/completions use it");
  }
  const std::shared_ptr<EmbeddingQueue> queue = context.embedders.Get(*entry);
  const artefact::Embedder& model = queue->model();
  if (request.dimensions != 0 && request.dimensions != model.dims()) {
    throw FieldError("dimensions",
                     Cat("is ", request.dimensions, "; this model's vectors have ", model.dims(), " and are not cut"));
  }
  const std::optional<guard::KeyInfo> who = WhoAsks(context, *exchange);
  queue->CheckRoom(who ? who->id : "");  // a refusal must cost less than an answer
  LogPrompts(context, exchange->request(), request.texts);
  std::vector<int64_t> tokens;
  int64_t all = 0;
  for (const std::string& text : request.texts) {
    tokens.push_back(std::min(model.CountTokens(text, request.role), model.context()));
    all += tokens.back();
  }
  if (who) {
    const guard::KeyLimits::Verdict verdict = context.limits.Admit(*who, all);
    if (!verdict.allowed) {
      exchange->Respond(OverLimit(verdict));
      return;
    }
  }
  const auto embedding = std::make_shared<Embedding>(context, exchange, std::move(request), std::move(tokens),
                                                     static_cast<size_t>(model.dims()));
  if (who) embedding->Charge(*who, all);
  try {
    embedding->Start(*queue);
  } catch (...) {
    if (who) context.limits.Settle(*who, all, 0);
    throw;
  }
}

}  // namespace

void AddEmbeddingRoutes(Context& context) {
  context.router.Add(
      {.method = "POST",
       .pattern = "/v1/embeddings",
       .scope = "generate",
       .summary = "Turn texts into vectors",
       .handler = [&context](std::shared_ptr<net::Exchange> exchange, const net::Params&) { Embed(context, exchange); },
       .request = EmbeddingRequestSchema(),
       .reply = EmbeddingReplySchema()});
}

}  // namespace atelier::serve
