// /api/generations/{id}: what was made, with everything that made it. /api/feedback: what people say of it.
#include <algorithm>

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"
#include "feedback/feedback.h"
#include "feedback/generations.h"
#include "serve/api_schemas.h"
#include "serve/fields.h"
#include "serve/studio_server.h"

namespace atelier::serve {
namespace {

constexpr double kWriteSeconds = 5;
constexpr size_t kMostText = 64 << 10;
constexpr int64_t kMostShown = 1000;  // feedback, the newest

Json OrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json FeedbackJson(const feedback::FeedbackRow& row) {
  Json json = {{"id", row.id},
               {"object", "feedback"},
               {"generation", row.generation_id},
               {"kind", feedback::Name(row.kind)},
               {"value", row.value ? Json(*row.value) : Json()}};
  if (row.kind == feedback::Kind::kEdit) {
    json["output"] = ParseJson(row.body, "feedback.body");
  } else {
    json["text"] = OrNull(row.body);
  }
  json["actor"] = row.actor;
  json["created_at"] = FormatTime(row.created_at);
  return json;
}

Json GenerationJson(const feedback::GenerationRow& row) {
  return {{"id", row.id},
          {"object", "generation"},
          {"run", row.run_id},
          {"recipe", row.recipe},
          {"variant", row.variant},
          {"config_hash", row.config_hash},
          {"record", row.record},
          {"lang", row.lang},
          {"input", row.input},
          {"output", row.output},
          {"status", feedback::Name(row.status)},
          {"rank", row.rank >= 0 ? Json(row.rank) : Json()},
          {"reason", OrNull(row.reason)},
          {"writer", row.writer},
          {"model", OrNull(row.model)},
          {"model_hash", OrNull(row.model_hash)},
          {"seed", row.seed},
          {"attempt", row.attempt},
          {"sample", row.sample},
          {"choices", row.choices},
          {"checks", row.checks},
          {"scores", row.scores},
          {"timings", row.timings},
          {"usage", {{"prompt_tokens", row.prompt_tokens}, {"completion_tokens", row.output_tokens}}},
          {"key", OrNull(row.key_id)},
          {"traceparent", OrNull(row.traceparent)},
          {"engine", {{"build", row.engine_build}, {"isa", OrNull(row.isa)}, {"threads", row.threads}}},
          {"created_at", FormatTime(row.created_at)}};
}

void ShowGeneration(Context& context, net::Exchange& exchange, std::string_view id) {
  const std::string tenant = context.studio.tenant();
  std::optional<feedback::GenerationRow> row;
  std::vector<feedback::FeedbackRow> said;
  {
    const std::lock_guard lock(context.database);
    row = feedback::Generations(context.studio.db(), tenant).Get(id);
    said = feedback::FeedbackLog(context.studio.db(), tenant).ListByGeneration(id, kMostShown);
  }
  if (!row) throw Error(Code::kNotFound, Cat("there is no generation ", Quote(id)));
  Json json = GenerationJson(*row);
  json["feedback"] = Json::array();
  for (const feedback::FeedbackRow& one : said) json["feedback"].push_back(FeedbackJson(one));
  RespondJson(exchange, json);
}

std::string ReadText(Fields& fields, bool required) {
  const std::optional<std::string> text = fields.StringOr("text");
  if (required && (!text || Trim(*text).empty())) fields.Refuse("text", "is missing");
  if (text && text->size() > kMostText) fields.Refuse("text", Cat("is longer than ", FormatBytes(kMostText)));
  return text.value_or("");
}

// The output as somebody would have it: texts, and lists of texts.
std::string ReadEdit(Fields& fields) {
  const Json* output = fields.Any("output");
  if (output == nullptr) fields.Refuse("output", "is missing", "the whole output as it should have been");
  if (!output->is_object() || output->empty())
    fields.Refuse("output", "is not an object of the recipe's output fields");
  for (const auto& [name, value] : output->items()) {
    const auto is_text = [](const Json& one) { return one.is_string(); };
    if (!value.is_string() && !(value.is_array() && std::all_of(value.begin(), value.end(), is_text)))
      fields.Refuse(Cat("output.", name), "is neither a text nor a list of texts");
  }
  std::string text = ToText(*output);
  if (text.size() > kMostText) fields.Refuse("output", Cat("is longer than ", FormatBytes(kMostText)));
  return text;
}

feedback::FeedbackRow ReadFeedback(const Json& body) {
  using feedback::Kind;
  feedback::FeedbackRow row;
  Fields fields(body, "");
  row.generation_id = fields.String("generation");
  const std::string kind = fields.String("kind");
  const auto known = feedback::KindOf(kind);
  if (!known) fields.Refuse("kind", Cat(Quote(kind), " is not known"), Join(feedback::KindNames(), ", "));
  row.kind = *known;
  if (row.kind == Kind::kRating) {
    row.value = fields.NumberOr("value", 1, 5);
    if (!row.value) fields.Refuse("value", "is missing", "from 1, poor, to 5, excellent");
  } else if (row.kind == Kind::kConversion) {
    row.value = fields.NumberOr("value", -1e15, 1e15);
  } else if (row.kind == Kind::kEdit) {
    row.body = ReadEdit(fields);
  }
  if (row.kind == Kind::kComment || row.kind == Kind::kFlag || row.kind == Kind::kRating)
    row.body = ReadText(fields, row.kind == Kind::kComment);
  row.idempotency_key = fields.StringOr("idempotency_key").value_or("");
  if (row.idempotency_key.size() > 200) fields.Refuse("idempotency_key", "is longer than 200 bytes");
  fields.Done();
  return row;
}

void TakeFeedback(Context& context, const std::shared_ptr<net::Exchange>& exchange) {
  feedback::FeedbackRow row = ReadFeedback(ReadBody(context, exchange->request()));
  const std::optional<guard::KeyInfo> who = WhoAsks(context, *exchange);
  if (who) {
    const guard::KeyLimits::Verdict verdict = context.limits.Admit(*who, 0);
    if (!verdict.allowed) {
      exchange->Respond(OverLimit(verdict));
      return;
    }
  }
  row.actor = who ? who->id : "local";
  struct Said {
    feedback::FeedbackRow row;
    bool fresh = false;
  };
  const auto said = std::make_shared<Said>();
  context.ledger.Write(
      [said, row, tenant = context.studio.tenant()](store::Database& db) {
        said->row = row;  // it may be tried more than once
        said->fresh = feedback::FeedbackLog(db, tenant).Insert(said->row);
      },
      kWriteSeconds,
      [said, exchange](const std::exception_ptr& error) {
        error ? exchange->Respond(ErrorResponse(error))
              : RespondJson(*exchange, FeedbackJson(said->row), said->fresh ? 201 : 200);
      });
}

}  // namespace

void AddGenerationRoutes(Context& context) {
  context.router.Add({"GET", "/api/generations/{id}", "recipes", "One stored output, with all that made it",
                      [&context](std::shared_ptr<net::Exchange> exchange, const net::Params& params) {
                        ShowGeneration(context, *exchange, params["id"]);
                      }});
  context.router.Add({.method = "POST",
                      .pattern = "/api/feedback",
                      .scope = "feedback",
                      .summary = "Say something of a generation: a rating, an edit, a click ...",
                      .handler = [&context](std::shared_ptr<net::Exchange> exchange,
                                            const net::Params&) { TakeFeedback(context, exchange); },
                      .request = FeedbackRequestSchema(),
                      .reply = {{"type", "object"}}});
}

}  // namespace atelier::serve
