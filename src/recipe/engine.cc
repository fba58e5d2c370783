#include "recipe/engine.h"

#include <algorithm>

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"

namespace atelier::recipe {

StepContext ContextOf(const Recipe& recipe) {
  StepContext context{.folder = recipe.folder};
  for (const Field& field : recipe.input.fields) context.inputs.push_back(field.name);
  for (const OutputField& field : recipe.output) {
    context.outputs.push_back(field.name);
    if (field.type == FieldType::kList) context.lists.push_back(field.name);
    if (field.type == FieldType::kNumber) context.numbers.push_back(field.name);
  }
  return context;
}

Engine::Engine(Recipe recipe, RunOptions options)
    : recipe_(std::move(recipe)), options_(std::move(options)), started_(MonotonicSeconds()) {
  StepContext context = ContextOf(recipe_);
  std::vector<std::string> known;
  for (const OperatorEntry& entry : options_.operators) known.emplace_back(entry.name);
  for (StepSpec& spec : recipe_.steps) {
    const auto at = std::find(known.begin(), known.end(), spec.use);
    if (at == known.end()) {
      const std::string near = Nearest(spec.use, known);
      spec.table.Refuse("use", Cat("no operator is named ", Quote(spec.use)),
                        near.empty() ? Cat("there are ", Join(known, ", ")) : Cat("did you mean '", near, "'?"));
    }
    Step step{spec.id, spec.use, spec.table.BoolOr("skip", false), nullptr};
    const OperatorEntry& entry = options_.operators[static_cast<size_t>(at - known.begin())];
    context.id = spec.id;
    step.work = entry.make(spec.table, context);
    spec.table.Done();
    ids_.push_back(spec.id);
    context.earlier = ids_;
    context.uses[spec.id] = spec.use;
    steps_.push_back(std::move(step));
  }
}

Engine::~Engine() = default;

void Engine::CheckCancelled() const {
  if (options_.cancelled && options_.cancelled())
    throw Error(Code::kCancelled, "stopped", "what was stored so far is kept");
}

void Engine::Execute(std::vector<Record> records) {
  records_ = std::move(records);
  std::vector<size_t> all;
  for (size_t i = 0; i < records_.size(); ++i) all.push_back(i);
  for (running_ = 0; running_ < steps_.size(); ++running_) {
    Step& step = steps_[running_];
    if (step.skip) continue;
    CheckCancelled();
    progress_ =
        std::make_unique<Progress>(Cat("step ", running_ + 1, "/", steps_.size(), "  ", step.id, " (", step.use, ")"),
                                   ProgressUnit::kItems, options_.quiet);
    Tell(0, records_.size(), "");
    step.work->Apply(*this, all, 0);
    progress_.reset();
    NameCandidates();
    if (options_.keep) options_.keep(*this, false);
  }
  if (options_.keep) options_.keep(*this, true);
}

// Ids come here and not from the database, so that a page can show them before anything is stored.
void Engine::NameCandidates() {
  for (Record& record : records_) {
    for (std::vector<Candidate>* list : {&record.candidates, &record.dropped}) {
      for (Candidate& candidate : *list) {
        if (candidate.generation_id.empty()) candidate.generation_id = NewUuid();
      }
    }
  }
}

void Engine::ExecuteStep(const std::string& id, std::vector<Record> records, int attempt) {
  records_ = std::move(records);
  std::vector<size_t> all;
  for (size_t i = 0; i < records_.size(); ++i) all.push_back(i);
  Rerun(id, all, attempt);
}

void Engine::Rerun(const std::string& id, std::span<const size_t> records, int attempt) {
  for (Step& step : steps_) {
    if (step.id != id) continue;
    CheckCancelled();
    if (!step.skip) step.work->Apply(*this, records, attempt);
    return;
  }
  throw Error(Code::kNotFound, Cat("the recipe ", recipe_.name, " has no step ", Quote(id)),
              Cat("it has ", Join(ids_, ", ")));
}

std::shared_ptr<artefact::Generator> Engine::Model(const std::string& name) {
  if (!options_.models) throw Error(Code::kNotFound, Cat("the model ", Quote(name), " is not here"));
  std::shared_ptr<artefact::Generator> model = options_.models(name);
  if (engine_.build.empty()) engine_ = model->engine();
  return model;
}

artefact::Searcher& Engine::Search() { return options_.search ? *options_.search : Run::Search(); }

std::shared_ptr<artefact::Ranker> Engine::Ranker(const std::string& name) {
  return options_.rankers ? options_.rankers(name) : Run::Ranker(name);
}

void Engine::Report(uint64_t done, uint64_t total, std::string_view note) {
  CheckCancelled();
  if (progress_) progress_->Update(done, total, note);
  Tell(done, total, note);
}

void Engine::Tell(uint64_t done, uint64_t total, std::string_view note) const {
  if (!options_.progress || running_ >= steps_.size()) return;
  const Step& step = steps_[running_];
  options_.progress({step.id, step.use, running_ + 1, steps_.size(), done, total, note});
}

void Engine::Note(std::string_view note) {
  if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.emplace_back(note);
}

double Engine::seconds() const { return MonotonicSeconds() - started_; }

Json Engine::facts() const {
  Json labels = Json::object();
  for (const Field& field : recipe_.input.fields) labels[field.name] = {{"zh", field.label_zh}, {"en", field.label_en}};
  return {{"version", recipe_.version},
          {"summary", recipe_.summary},
          {"labels", labels},
          {"steps", ids_},
          {"engine", {{"build", engine_.build}, {"isa", engine_.isa}, {"threads", engine_.threads}}},
          {"time", FormatTime(NowMillis())},
          {"seconds", seconds()},
          {"took", FormatDuration(seconds())}};
}

}  // namespace atelier::recipe
