#include "operators/extract.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/str.h"
#include "operators/checks/checks.h"
#include "operators/fields.h"
#include "operators/model_loop.h"
#include "operators/per_language.h"
#include "operators/prompt.h"
#include "recipe/input.h"

namespace atelier::operators {
namespace {

enum class Form { kText, kList, kNumber, kLanguage };

struct ExtractField {
  std::string name;
  Form form = Form::kText;
};

struct ExtractSettings {
  PerLanguage model;
  bool optional = false, chat = false;
  std::vector<ExtractField> fields;
  int most_chars = 200, most_items = 20, max_tokens = 400, samples = 1;
  size_t batch = 8;
  double temperature = 0, retry_temperature = 0.7;
};

// The schema of a reply about a record in this language.
Json ReplySchema(const ExtractSettings& settings, const std::string& lang) {
  Json properties = Json::object(), required = Json::array();
  const Json text = {{"type", "string"}, {"maxLength", settings.most_chars}};
  for (const ExtractField& field : settings.fields) {
    Json& schema = properties[field.name];
    if (field.form == Form::kText) schema = text;
    if (field.form == Form::kNumber) schema = {{"type", "number"}};
    if (field.form == Form::kLanguage) schema = {{"const", lang}};
    if (field.form == Form::kList) schema = {{"type", "array"}, {"items", text}, {"maxItems", settings.most_items}};
    required.push_back(field.name);
  }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

// What a reply says, cleaned; null where it is not of the form.
Json ReadReply(const ExtractSettings& settings, const std::string& reply) {
  Json said;
  try {
    said = ParseJson(reply, "reply");
  } catch (const Error&) {
    return nullptr;
  }
  if (!said.is_object() || said.size() != settings.fields.size()) return nullptr;
  Json output = Json::object();
  for (const ExtractField& field : settings.fields) {
    const auto at = said.find(field.name);
    if (at == said.end()) return nullptr;
    if (field.form == Form::kNumber) {
      if (!at->is_number()) return nullptr;
      output[field.name] = *at;
    } else if (field.form == Form::kList) {
      if (!at->is_array()) return nullptr;
      Json items = Json::array();
      for (const Json& item : *at) {
        if (!item.is_string()) return nullptr;
        Json clean = recipe::CleanField(item.get_ref<const std::string&>());
        if (clean != "" && std::find(items.begin(), items.end(), clean) == items.end())
          items.push_back(std::move(clean));
      }
      output[field.name] = std::move(items);
    } else {
      if (!at->is_string()) return nullptr;
      output[field.name] = recipe::CleanField(at->get_ref<const std::string&>());
    }
  }
  return output;
}

class Extract : public recipe::Operator {
 public:
  Extract(std::string id, ExtractSettings settings, std::map<std::string, text::Template> templates)
      : id_(std::move(id)), settings_(std::move(settings)), templates_(std::move(templates)) {
    for (const auto& [lang, model] : settings_.model) schemas_[lang] = ToText(ReplySchema(settings_, lang));
  }

  void Apply(recipe::Run& run, std::span<const size_t> records, int attempt) override {
    ForEachBatch(run, {id_, settings_.model, settings_.optional}, records, settings_.batch,
                 [&](artefact::Generator& model, const std::string& name, std::span<recipe::Record* const> batch,
                     const artefact::StreamFn& going) { Write(run, model, name, batch, attempt, going); });
  }

 private:
  void Write(recipe::Run& run, artefact::Generator& model, const std::string& name,
             std::span<recipe::Record* const> batch, int attempt, const artefact::StreamFn& going) {
    std::vector<artefact::GenerateRequest> requests;
    for (const recipe::Record* record : batch) requests.push_back(Ask(model, *record, attempt, run.seed()));
    const auto from = [&](size_t i) {
      recipe::Candidate candidate;
      candidate.output = Json::object();
      candidate.writer = id_;
      candidate.attempt = attempt;
      candidate.model = name;
      candidate.model_hash = model.info().hash;
      candidate.seed = requests[i].seed;
      candidate.choices = {{"temperature", requests[i].sampling.temperature}};
      return candidate;
    };
    const double started = MonotonicSeconds();
    std::vector<artefact::GenerateResult> results;
    try {
      results = artefact::GenerateAll(model, requests, going);
    } catch (const Error& e) {
      if (e.code() != Code::kInvalidInput) throw e.Within(Cat("step ", id_));
      if (batch.size() == 1) {  // a text that the context does not hold is this record's fault alone
        Drop(from(0), e.Line(), batch[0]);
      } else {
        for (size_t i = 0; i < batch.size(); ++i) Write(run, model, name, batch.subspan(i, 1), attempt, going);
      }
      return;
    }
    const double seconds = (MonotonicSeconds() - started) / static_cast<double>(batch.size() * requests[0].samples);
    for (size_t i = 0; i < batch.size(); ++i) {
      recipe::Candidate candidate = from(i);
      candidate.prompt_tokens = results[i].prompt_tokens;
      candidate.seconds = seconds;
      Take(results[i], candidate, batch[i]);
    }
  }

  artefact::GenerateRequest Ask(artefact::Generator& model, const recipe::Record& record, int attempt,
                                uint64_t seed) const {
    artefact::GenerateRequest request;
    request.prompt = Prompt(model, templates_.at(record.lang).Render(RecordContext(record)), settings_.chat);
    request.parse_special = settings_.chat;
    request.max_tokens = settings_.max_tokens;
    request.samples = settings_.samples;
    request.seed = Hash64(Cat(id_, "/", record.index, "/", attempt), seed);
    request.sampling.temperature = attempt == 0 ? settings_.temperature : settings_.retry_temperature;
    request.constraint.kind = artefact::ConstraintSpec::Kind::kJsonSchema;
    request.constraint.text = schemas_.at(record.lang);
    return request;
  }

  // A candidate for each different reply that is whole.
  void Take(const artefact::GenerateResult& result, const recipe::Candidate& from, recipe::Record* record) const {
    std::set<std::string> seen;
    bool cut = false;
    for (size_t i = 0; i < result.samples.size(); ++i) {
      const artefact::Generated& sample = result.samples[i];
      cut = cut || sample.finish == artefact::Finish::kLength;
      if (sample.finish != artefact::Finish::kEnd) continue;
      Json output = ReadReply(settings_, sample.text);
      if (output.is_null() || !seen.insert(ToText(output)).second) continue;
      recipe::Candidate candidate = from;
      candidate.output = std::move(output);
      candidate.sample = static_cast<int>(i);
      candidate.output_tokens = static_cast<int>(sample.tokens.size());
      candidate.scores[id_] = sample.sum_logprob / static_cast<double>(std::max<size_t>(1, sample.tokens.size()));
      record->candidates.push_back(std::move(candidate));
    }
    if (!seen.empty()) return;
    Drop(from,
         cut ? Say(*record, "回答太长，没有写完", "the reply was cut before its end")
             : Say(*record, "回答不是一行", "the reply is no row"),
         record);
  }

  static void Drop(recipe::Candidate candidate, std::string why, recipe::Record* record) {
    candidate.checks.push_back({"form", false, std::move(why), 0});
    record->dropped.push_back(std::move(candidate));
  }

  std::string id_;
  ExtractSettings settings_;
  std::map<std::string, text::Template> templates_;
  std::map<std::string, std::string> schemas_;  // by language
};

std::vector<ExtractField> ReadFields(Table& step, const recipe::StepContext& context) {
  const auto is = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const std::string language = step.StringOr("language", "");
  std::vector<ExtractField> fields;
  for (const std::string& name : step.StringsOr("fields", context.outputs)) {
    RequireOutput(step, "fields", name, context);
    for (const ExtractField& before : fields) {
      if (before.name == name) step.Refuse("fields", Cat(Quote(name), " stands here twice"));
    }
    const Form form = name == language            ? Form::kLanguage
                      : is(context.lists, name)   ? Form::kList
                      : is(context.numbers, name) ? Form::kNumber
                                                  : Form::kText;
    fields.push_back({name, form});
  }
  if (fields.empty()) step.Refuse("fields", "is empty");
  const bool found =
      std::any_of(fields.begin(), fields.end(), [&](const ExtractField& f) { return f.name == language; });
  if (!language.empty() && !found) step.Refuse("language", Cat(Quote(language), " is not among the fields"));
  return fields;
}

}  // namespace

std::unique_ptr<recipe::Operator> MakeExtract(Table& step, const recipe::StepContext& context) {
  ExtractSettings settings;
  settings.model = ReadPerLanguage(step, "model");
  settings.optional = step.BoolOr("optional", false);
  settings.chat = step.BoolOr("chat", false);
  settings.fields = ReadFields(step, context);
  settings.most_chars = static_cast<int>(step.IntOr("most_chars", 200, 1, 10'000));
  settings.most_items = static_cast<int>(step.IntOr("most_items", 20, 1, 1000));
  settings.max_tokens = static_cast<int>(step.IntOr("max_tokens", 400, 1, 4096));
  settings.samples = static_cast<int>(step.IntOr("samples", 1, 1, 256));
  settings.batch = static_cast<size_t>(step.IntOr("batch", 8, 1, 256));
  settings.temperature = step.DoubleOr("temperature", 0, 0, 10);
  settings.retry_temperature = step.DoubleOr("retry_temperature", 0.7, 0, 10);
  std::map<std::string, text::Template> templates = ReadTemplates(step, "template", context);
  RequireTemplates(step, templates, settings.model);
  return std::make_unique<Extract>(context.id, std::move(settings), std::move(templates));
}

}  // namespace atelier::operators
