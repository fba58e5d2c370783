#include "recipe/keep.h"

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"

namespace atelier::recipe {
namespace {

std::string Why(const Candidate& candidate) {
  for (const CheckResult& check : candidate.checks) {
    if (!check.passed) return Cat(check.check, ": ", check.reason);
  }
  return "";
}

// Roughly: what a row's documents take in memory is several times their text.
size_t BytesOf(const feedback::GenerationRow& row) {
  size_t text = 0;
  for (const Json* one : {&row.input, &row.output, &row.checks, &row.choices, &row.scores}) text += ToText(*one).size();
  return sizeof(row) + 4 * text;
}

}  // namespace

feedback::GenerationRow ToRow(const Run& run, const Record& record, const Candidate& candidate) {
  feedback::GenerationRow row;
  row.id = candidate.generation_id;
  row.recipe = run.recipe_name();
  row.variant = run.variant();
  row.config_hash = run.config_hash();
  row.record = static_cast<int64_t>(record.index);
  row.lang = record.lang;
  row.model = candidate.model;
  row.model_hash = candidate.model_hash;
  row.seed = candidate.seed;
  row.input = record.input;
  row.output = candidate.output;
  for (const CheckResult& check : candidate.checks) {
    row.checks.push_back({{"check", check.check}, {"passed", check.passed}, {"reason", check.reason}});
  }
  row.choices = candidate.choices.is_null() ? Json::object() : candidate.choices;
  for (const auto& [name, value] : candidate.scores) row.scores[name] = value;
  row.writer = candidate.writer;
  row.attempt = candidate.attempt;
  row.sample = candidate.sample;
  row.timings = {{"write", candidate.seconds}};
  row.prompt_tokens = candidate.prompt_tokens;
  row.output_tokens = candidate.output_tokens;
  return row;
}

Keeper::Keeper(StoreFn store, feedback::RunRow row) : store_(std::move(store)), row_(std::move(row)) {
  if (row_.id.empty()) row_.id = NewUuid();
  if (row_.started_at == 0) row_.started_at = NowMillis();
  store_([run = row_](feedback::Generations& generations) mutable { generations.InsertRun(run); }, sizeof(row_));
}

void Keeper::operator()(Run& run, bool finished) {
  std::vector<feedback::GenerationRow> rows;
  const auto add = [&](const Record& record, const Candidate& candidate, feedback::Status status, int64_t rank) {
    if (!done_.insert(candidate.generation_id).second) return;
    feedback::GenerationRow row = ToRow(run, record, candidate);
    row.run_id = row_.id;
    row.status = status;
    row.rank = rank;
    if (status == feedback::Status::kDropped) row.reason = Why(candidate);
    row.key_id = row_.key_id;
    row.traceparent = row_.traceparent;
    row.engine_build = row_.engine_build;
    if (!candidate.model.empty()) {  // a phrase grammar gives the same bytes on every machine
      const artefact::EngineInfo engine = run.Model(candidate.model)->engine();
      row.engine_build = engine.build;
      row.isa = engine.isa;
      row.threads = engine.threads;
    }
    rows.push_back(std::move(row));
  };
  for (const Record& record : run.records()) {
    for (const Candidate& candidate : record.dropped) add(record, candidate, feedback::Status::kDropped, -1);
    if (record.ranking.empty() && !finished) continue;
    for (size_t place = 0; place < record.ranking.size(); ++place) {
      const auto status = place == 0               ? feedback::Status::kChosen
                          : place < record.offered ? feedback::Status::kRunnerUp
                                                   : feedback::Status::kCandidate;
      add(record, record.candidates[record.ranking[place]], status, static_cast<int64_t>(place));
    }
    for (const Candidate& candidate : record.candidates) add(record, candidate, feedback::Status::kCandidate, -1);
  }
  stored_ += rows.size();
  size_t bytes = 0;
  for (const feedback::GenerationRow& row : rows) bytes += BytesOf(row);
  if (!rows.empty())
    store_([rows = std::move(rows)](feedback::Generations& generations) mutable { generations.InsertAll(rows); },
           bytes);
  if (finished) {
    store_([id = row_.id, now = NowMillis()](feedback::Generations& generations) { generations.EndRun(id, now); },
           sizeof(row_));
  }
}

}  // namespace atelier::recipe
