#include "feedback/generations.h"

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"

namespace atelier::feedback {
namespace {

constexpr std::string_view kStatusNames[] = {"chosen", "runner_up", "candidate", "dropped"};

Status StatusOf(std::string_view name) {
  for (size_t i = 0; i < std::size(kStatusNames); ++i) {
    if (kStatusNames[i] == name) return static_cast<Status>(i);
  }
  throw Error(Code::kCorrupt, Cat("generations.status: unknown value ", Quote(name)));
}

constexpr std::string_view kRunColumns =
    "id, tenant, recipe, variant, config_hash, input_path, input_hash, seed, options, key_id, traceparent, "
    "engine_build, "
    "isa, threads, started_at, ended_at";

constexpr std::string_view kColumns =
    "id, tenant, run_id, recipe, variant, config_hash, record, lang, model, model_hash, seed, input, output, checks, "
    "choices, scores, writer, attempt, sample, rank, status, reason, timings, prompt_tokens, output_tokens, key_id, "
    "traceparent, engine_build, isa, threads, created_at";

std::string Marks(std::string_view columns) {
  std::string out = "?";
  for (const char c : columns) {
    if (c == ',') out += ", ?";
  }
  return out;
}

RunRow ReadRun(const store::Statement& s) {
  RunRow row;
  int c = 0;
  row.id = s.Text(c++);
  row.tenant = s.Text(c++);
  row.recipe = s.Text(c++);
  row.variant = s.Text(c++);
  row.config_hash = s.Text(c++);
  row.input_path = s.Text(c++);
  row.input_hash = s.Text(c++);
  row.seed = s.Uint(c++);
  row.options = ParseJson(s.Text(c++), "runs.options");
  row.key_id = s.Text(c++);
  row.traceparent = s.Text(c++);
  row.engine_build = s.Text(c++);
  row.isa = s.Text(c++);
  row.threads = static_cast<int>(s.Int(c++));
  row.started_at = s.Int(c++);
  row.ended_at = s.Int(c++);
  return row;
}

GenerationRow Read(const store::Statement& s) {
  GenerationRow row;
  int c = 0;
  row.id = s.Text(c++);
  row.tenant = s.Text(c++);
  row.run_id = s.Text(c++);
  row.recipe = s.Text(c++);
  row.variant = s.Text(c++);
  row.config_hash = s.Text(c++);
  row.record = s.Int(c++);
  row.lang = s.Text(c++);
  row.model = s.Text(c++);
  row.model_hash = s.Text(c++);
  row.seed = s.Uint(c++);
  row.input = ParseJson(s.Text(c++), "generations.input");
  row.output = ParseJson(s.Text(c++), "generations.output");
  row.checks = ParseJson(s.Text(c++), "generations.checks");
  row.choices = ParseJson(s.Text(c++), "generations.choices");
  row.scores = ParseJson(s.Text(c++), "generations.scores");
  row.writer = s.Text(c++);
  row.attempt = static_cast<int>(s.Int(c++));
  row.sample = static_cast<int>(s.Int(c++));
  row.rank = s.IsNull(c) ? -1 : s.Int(c);
  ++c;
  row.status = StatusOf(s.Text(c++));
  row.reason = s.Text(c++);
  row.timings = ParseJson(s.Text(c++), "generations.timings");
  row.prompt_tokens = static_cast<int>(s.Int(c++));
  row.output_tokens = static_cast<int>(s.Int(c++));
  row.key_id = s.Text(c++);
  row.traceparent = s.Text(c++);
  row.engine_build = s.Text(c++);
  row.isa = s.Text(c++);
  row.threads = static_cast<int>(s.Int(c++));
  row.created_at = s.Int(c++);
  return row;
}

std::string InsertSql() { return Cat("INSERT INTO generations (", kColumns, ") VALUES (", Marks(kColumns), ")"); }

void InsertWith(store::Statement& insert, GenerationRow& row, const std::string& tenant) {
  if (row.id.empty()) row.id = NewUuid();
  if (row.created_at == 0) row.created_at = NowMillis();
  row.tenant = tenant;
  std::optional<int64_t> rank;
  if (row.rank >= 0) rank = row.rank;
  insert.Bind(row.id, row.tenant, row.run_id, row.recipe, row.variant, row.config_hash, row.record, row.lang, row.model,
              row.model_hash, row.seed, ToText(row.input), ToText(row.output), ToText(row.checks), ToText(row.choices),
              ToText(row.scores), row.writer, row.attempt, row.sample, rank, Name(row.status), row.reason,
              ToText(row.timings), row.prompt_tokens, row.output_tokens, row.key_id, row.traceparent, row.engine_build,
              row.isa, row.threads, row.created_at);
  insert.Step();
}

}  // namespace

std::string_view Name(Status status) { return kStatusNames[static_cast<size_t>(status)]; }

std::string Generations::InsertRun(RunRow& row) {
  if (row.id.empty()) row.id = NewUuid();
  if (row.started_at == 0) row.started_at = NowMillis();
  row.tenant = tenant_;
  std::optional<int64_t> ended;
  if (row.ended_at != 0) ended = row.ended_at;
  db_.Run(Cat("INSERT INTO runs (", kRunColumns, ") VALUES (", Marks(kRunColumns), ")"), row.id, row.tenant, row.recipe,
          row.variant, row.config_hash, row.input_path, row.input_hash, row.seed, ToText(row.options), row.key_id,
          row.traceparent, row.engine_build, row.isa, row.threads, row.started_at, ended);
  return row.id;
}

std::string Generations::Insert(GenerationRow& row) {
  store::Statement insert = db_.Prepare(InsertSql());
  InsertWith(insert, row, tenant_);
  return row.id;
}

void Generations::InsertAll(std::span<GenerationRow> rows) {
  std::optional<store::Transaction> transaction;
  if (!db_.InTransaction()) transaction.emplace(db_);
  store::Statement insert = db_.Prepare(InsertSql());
  for (GenerationRow& row : rows) InsertWith(insert, row, tenant_);
  if (transaction) transaction->Commit();
}

void Generations::EndRun(std::string_view id, int64_t ended_at) {
  const int64_t changed = db_.Run("UPDATE runs SET ended_at = ? WHERE id = ? AND tenant = ?",
                                  ended_at == 0 ? NowMillis() : ended_at, id, tenant_);
  if (changed == 0) throw Error(Code::kNotFound, Cat("there is no run ", Quote(id)));
}

std::optional<RunRow> Generations::GetRun(std::string_view id) {
  store::Statement query = db_.Prepare(Cat("SELECT ", kRunColumns, " FROM runs WHERE id = ? AND tenant = ?"));
  query.Bind(id, tenant_);
  if (!query.Step()) return std::nullopt;
  return ReadRun(query);
}

std::optional<GenerationRow> Generations::Get(std::string_view id) {
  store::Statement query = db_.Prepare(Cat("SELECT ", kColumns, " FROM generations WHERE id = ? AND tenant = ?"));
  query.Bind(id, tenant_);
  if (!query.Step()) return std::nullopt;
  return Read(query);
}

std::vector<GenerationRow> Generations::ListByRun(std::string_view run_id, std::optional<Status> status) {
  store::Statement query =
      db_.Prepare(Cat("SELECT ", kColumns,
                      " FROM generations WHERE run_id = ?1 AND tenant = ?2 AND (?3 = '' OR status = ?3)"
                      " ORDER BY record, rank IS NULL, rank, id"));
  query.Bind(run_id, tenant_, status ? Name(*status) : std::string_view(""));
  std::vector<GenerationRow> rows;
  while (query.Step()) rows.push_back(Read(query));
  return rows;
}

std::vector<RunRow> Generations::ListRuns(std::string_view recipe, int64_t most) {
  store::Statement query = db_.Prepare(Cat("SELECT ", kRunColumns,
                                           " FROM runs WHERE tenant = ?1 AND (?2 = '' OR recipe = ?2)"
                                           " ORDER BY started_at DESC, id DESC LIMIT ?3"));
  query.Bind(tenant_, recipe, most);
  std::vector<RunRow> rows;
  while (query.Step()) rows.push_back(ReadRun(query));
  return rows;
}

}  // namespace atelier::feedback
