#include "operators/generate_text.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/str.h"
#include "operators/fields.h"
#include "operators/model_loop.h"
#include "operators/per_language.h"
#include "operators/prompt.h"
#include "recipe/input.h"

namespace atelier::operators {
namespace {

struct Slot {
  std::string name;
  int samples = 1, keep = 0, max_tokens = 64;
  std::vector<std::string> stop;
  bool sentences = false;
  size_t most_sentences = 2;
};

struct GenerateSettings {
  PerLanguage model;
  bool optional = false, chat = false;
  std::vector<std::string> tags;
  std::map<std::string, Json> examples;  // by language: an array of objects
  artefact::Sampling sampling;
  std::vector<Slot> slots;
};

// A candidate on its way through the slots.
struct SlotDraft {
  Json output = Json::object();
  double logprob = 0;  // mean per token of the slot written last
  uint64_t seed = 0;
  int sample = 0, prompt_tokens = 0, output_tokens = 0;
  double seconds = 0;
};

Json TagsOf(const recipe::Record& record, const std::vector<std::string>& fields) {
  Json tags = Json::array();
  const size_t most_chars = record.lang == "zh" ? 8 : 22;
  const auto add = [&](const Json& value) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty() || tags.size() >= 5) return;
    if (recipe::CountChars(value.get_ref<const std::string&>()) > most_chars) return;
    if (std::find(tags.begin(), tags.end(), value) == tags.end()) tags.push_back(value);
  };
  for (const std::string& field : fields) {
    const auto at = record.input.find(field);
    if (at == record.input.end()) continue;
    if (!at->is_array()) add(*at);
    if (at->is_array()) {
      for (const Json& item : *at) add(item);
    }
  }
  return tags;
}

class GenerateText : public recipe::Operator {
 public:
  GenerateText(std::string id, GenerateSettings settings, std::map<std::string, text::Template> templates)
      : id_(std::move(id)), settings_(std::move(settings)), templates_(std::move(templates)) {}

  void Apply(recipe::Run& run, std::span<const size_t> records, int attempt) override {
    seed_ = run.seed();
    ForEachRecord(run, {id_, settings_.model, settings_.optional}, records,
                  [&](artefact::Generator& model, const std::string& name, recipe::Record& record,
                      const artefact::StreamFn& going) { Write(model, name, record, attempt, going); });
  }

 private:
  void Write(artefact::Generator& model, const std::string& name, recipe::Record& record, int attempt,
             const artefact::StreamFn& going) {
    std::vector<SlotDraft> drafts(1);
    for (const Slot& slot : settings_.slots) {
      std::vector<artefact::GenerateRequest> requests;
      for (const SlotDraft& parent : drafts) requests.push_back(Ask(model, record, attempt, slot, parent));
      const double started = MonotonicSeconds();
      const auto results = artefact::GenerateAll(model, requests, going);
      const double seconds = (MonotonicSeconds() - started) / (static_cast<double>(drafts.size()) * slot.samples);
      std::vector<SlotDraft> next;
      for (size_t i = 0; i < drafts.size(); ++i) Take(slot, drafts[i], requests[i].seed, results[i], seconds, &next);
      if (slot.keep > 0 && next.size() > static_cast<size_t>(slot.keep)) {
        std::stable_sort(next.begin(), next.end(),
                         [](const SlotDraft& a, const SlotDraft& b) { return a.logprob > b.logprob; });
        next.resize(static_cast<size_t>(slot.keep));
      }
      drafts = std::move(next);
    }
    const artefact::Sampling& sampling = settings_.sampling;
    for (SlotDraft& draft : drafts) {
      recipe::Candidate candidate;
      candidate.output = std::move(draft.output);
      if (!settings_.tags.empty()) candidate.output["tags"] = TagsOf(record, settings_.tags);
      candidate.writer = id_;
      candidate.attempt = attempt;
      candidate.sample = draft.sample;
      candidate.choices = {{"temperature", sampling.temperature},
                           {"top_k", sampling.top_k},
                           {"top_p", sampling.top_p},
                           {"min_p", sampling.min_p},
                           {"repetition_penalty", sampling.repetition_penalty}};
      candidate.model = name;
      candidate.model_hash = model.info().hash;
      candidate.seed = draft.seed;
      candidate.prompt_tokens = draft.prompt_tokens;
      candidate.output_tokens = draft.output_tokens;
      candidate.seconds = draft.seconds;
      record.candidates.push_back(std::move(candidate));
    }
  }

  // All samples of one slot after one parent.
  artefact::GenerateRequest Ask(artefact::Generator& model, const recipe::Record& record, int attempt, const Slot& slot,
                                const SlotDraft& parent) const {
    Json context = RecordContext(record);
    context["slot"] = slot.name;
    if (const auto examples = settings_.examples.find(record.lang); examples != settings_.examples.end()) {
      context["examples"] = Others(examples->second, record);
    }
    for (const auto& [field, value] : parent.output.items()) context[field] = value;
    artefact::GenerateRequest request;
    request.prompt = Prompt(model, templates_.at(record.lang).Render(context), settings_.chat);
    request.parse_special = settings_.chat;
    request.max_tokens = slot.max_tokens;
    request.samples = slot.samples;
    request.seed = Hash64(Cat(id_, "/", record.index, "/", attempt, "/", slot.name, "/", parent.sample), seed_);
    request.sampling = settings_.sampling;
    request.stop = slot.stop;
    return request;
  }

  // The drafts that became of them; the same texts count once.
  static void Take(const Slot& slot, const SlotDraft& parent, uint64_t seed, const artefact::GenerateResult& result,
                   double seconds, std::vector<SlotDraft>* out) {
    std::set<std::string> seen;
    for (size_t i = 0; i < result.samples.size(); ++i) {
      const artefact::Generated& sample = result.samples[i];
      std::string text = slot.sentences ? CutSentences(sample.text, slot.most_sentences) : CutLine(sample.text);
      if (!slot.sentences && sample.finish == artefact::Finish::kLength && text.size() == Trim(sample.text).size())
        text.clear();
      if (text.empty() || !seen.insert(text).second) continue;
      SlotDraft draft = parent;
      draft.output[slot.name] = std::move(text);
      draft.logprob = sample.sum_logprob / static_cast<double>(std::max<size_t>(1, sample.tokens.size()));
      draft.seed = seed;
      draft.sample = parent.sample * slot.samples + static_cast<int>(i);
      draft.prompt_tokens += result.prompt_tokens;
      draft.output_tokens += static_cast<int>(sample.tokens.size());
      draft.seconds += seconds;
      out->push_back(std::move(draft));
    }
  }

  // The examples, but for the record itself: a model that has seen the answer proves nothing.
  static Json Others(const Json& examples, const recipe::Record& record) {
    const auto name = record.input.find("name");
    Json others = Json::array();
    for (const Json& example : examples) {
      if (name == record.input.end() || example.value("name", "") != *name) others.push_back(example);
    }
    return others;
  }

  std::string id_;
  GenerateSettings settings_;
  std::map<std::string, text::Template> templates_;
  uint64_t seed_ = 0;  // of the run
};

bool StartsWithAny(std::string_view text, std::initializer_list<std::string_view> starts, size_t* length) {
  for (const std::string_view start : starts) {
    if (text.starts_with(start)) {
      *length = start.size();
      return true;
    }
  }
  return false;
}

Slot ReadSlot(Table& table, const recipe::StepContext& context) {
  Slot slot;
  slot.name = table.String("name");
  RequireOutput(table, "name", slot.name, context);
  slot.samples = static_cast<int>(table.IntOr("samples", 1, 1, 256));
  slot.keep = static_cast<int>(table.IntOr("keep", 0, 0, 256));
  slot.max_tokens = static_cast<int>(table.IntOr("max_tokens", 64, 1, 4096));
  slot.stop = table.StringsOr("stop", {});
  for (const std::string& stop : slot.stop) {
    if (stop.empty()) table.Refuse("stop", "holds an empty text");
  }
  const std::string cut = table.StringOr("cut", "line");
  if (cut != "line" && cut != "sentences")
    table.Refuse("cut", Cat(Quote(cut), " is not a way to cut"), "line or sentences");
  slot.sentences = cut == "sentences";
  slot.most_sentences = static_cast<size_t>(table.IntOr("most_sentences", 2, 1, 50));
  table.Done();
  return slot;
}

}  // namespace

std::string CutLine(std::string_view text) {
  text = Trim(text);
  text = Trim(text.substr(0, text.find('\n')));
  size_t length = 0;
  while (StartsWithAny(text, {"**", "#", "- ", "* ", "• "}, &length)) text = Trim(text.substr(length));
  while (text.ends_with("**")) text = Trim(text.substr(0, text.size() - 2));
  constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
      {"\"", "\""}, {"“", "”"}, {"「", "」"}, {"‘", "’"}, {"《", "》"}};
  for (const auto& [open, close] : kPairs) {
    if (text.size() >= open.size() + close.size() && text.starts_with(open) && text.ends_with(close)) {
      const std::string_view inside = text.substr(open.size(), text.size() - open.size() - close.size());
      if (inside.find(open) == std::string_view::npos) text = Trim(inside);
    }
  }
  return std::string(text);
}

std::string CutSentences(std::string_view text, size_t most) {
  const std::string line = CutLine(text);
  size_t end = 0, count = 0;
  for (size_t at = 0; at < line.size() && count < most;) {
    size_t length = 0;
    if (!StartsWithAny(std::string_view(line).substr(at), {"。", "！", "？", ".", "!", "?"}, &length)) {
      ++at;
      continue;
    }
    at += length;
    // A point between digits or inside a word ends nothing: 1.5, e.g.
    if (line[at - 1] == '.' && at < line.size() && line[at] != ' ' && line[at] != '"') continue;
    while (StartsWithAny(std::string_view(line).substr(at),
                         {"。", "！", "？", ".", "!", "?", "”", "」", "』", "’", "\"", "'", "）", ")"}, &length))
      at += length;
    end = at;
    ++count;
  }
  return line.substr(0, end);
}

std::unique_ptr<recipe::Operator> MakeGenerateText(Table& step, const recipe::StepContext& context) {
  GenerateSettings settings;
  settings.model = ReadPerLanguage(step, "model");
  settings.optional = step.BoolOr("optional", false);
  settings.chat = step.BoolOr("chat", false);
  settings.tags = step.StringsOr("tags", {});
  artefact::Sampling& sampling = settings.sampling;
  sampling.temperature = step.DoubleOr("temperature", 0.8, 0, 10);
  sampling.top_k = static_cast<int>(step.IntOr("top_k", 0, 0, 1'000'000));
  sampling.top_p = step.DoubleOr("top_p", 1, 0, 1);
  sampling.min_p = step.DoubleOr("min_p", 0, 0, 1);
  sampling.repetition_penalty = step.DoubleOr("repetition_penalty", 1, 0.1, 10);
  sampling.presence_penalty = step.DoubleOr("presence_penalty", 0, -10, 10);
  sampling.frequency_penalty = step.DoubleOr("frequency_penalty", 0, -10, 10);
  std::map<std::string, text::Template> templates = ReadTemplates(step, "template", context);
  RequireTemplates(step, templates, settings.model);
  if (step.Has("examples")) {
    for (const auto& [lang, name] : ReadPerLanguage(step, "examples")) {
      const std::string path = JoinInside(context.folder, name);
      Json& list = settings.examples[lang] = Json::array();
      size_t line = 0;
      for (const std::string& row : Split(ReadFile(path, 4u << 20), '\n')) {
        ++line;
        if (Trim(row).empty()) continue;
        list.push_back(ParseJson(row, Cat(path, ":", line)));
        if (!list.back().is_object())
          throw Error(Code::kInvalidInput, Cat(path, ":", line, ": not a JSON object"), "one {...} per line");
      }
      if (list.empty()) throw Error(Code::kInvalidInput, Cat(path, ": no examples"));
    }
  }
  for (Table& slot : step.Tables("slot")) settings.slots.push_back(ReadSlot(slot, context));
  if (settings.slots.empty()) step.Refuse("slot", "generate.text writes at least one [[step.slot]]");
  return std::make_unique<GenerateText>(context.id, std::move(settings), std::move(templates));
}

}  // namespace atelier::operators
