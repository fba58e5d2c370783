// What was made, as it is stored: runs and their generations. Tables in store/migrations.cc.
//
// A generation keeps its input arguments (not only rendered text) and everything that decides its bytes (recipe,
// variant, config hash, model hash, seed, writer, attempt, sample, engine build, ISA, threads), so that it can be made
// again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "store/database.h"

namespace atelier::feedback {

struct RunRow {
  std::string id;  // UUIDv7; "" on insert: a new one is given
  std::string tenant = "default";
  std::string recipe, variant, config_hash;
  std::string input_path, input_hash;
  uint64_t seed = 0;
  Json options = Json::object();  // what else the command line said
  std::string key_id, traceparent;
  std::string engine_build, isa;
  int threads = 0;
  int64_t started_at = 0;  // Unix milliseconds; 0 on insert: now
  int64_t ended_at = 0;    // 0: not ended (still running, or cut off)
};

enum class Status { kChosen, kRunnerUp, kCandidate, kDropped };
std::string_view Name(Status status);  // "chosen", "runner_up", "candidate", "dropped"

struct GenerationRow {
  std::string id;  // UUIDv7; "" on insert: a new one is given
  std::string tenant = "default";
  std::string run_id;  // must be there
  std::string recipe, variant, config_hash;
  int64_t record = 0;  // index of the input record in the run's input
  std::string lang;
  std::string model, model_hash;  // "" where no model wrote it
  uint64_t seed = 0;
  Json input = Json::object();  // the record, as read
  Json output = Json::object();
  Json checks = Json::array();  // [{"check","passed","reason"}]
  Json choices = Json::object();
  Json scores = Json::object();  // name -> number
  std::string writer;            // id of the step
  int attempt = 0, sample = 0;
  int64_t rank = -1;  // 0 best; -1: not ranked
  Status status = Status::kCandidate;
  std::string reason;             // why it was dropped
  Json timings = Json::object();  // name -> seconds
  int prompt_tokens = 0, output_tokens = 0;
  std::string key_id, traceparent;
  std::string engine_build, isa;
  int threads = 0;
  int64_t created_at = 0;  // Unix milliseconds; 0 on insert: now
};

// Reads and writes one tenant's rows. Holds a reference to the database: one thread at a time, as that.
class Generations {
 public:
  explicit Generations(store::Database& db, std::string tenant = "default") : db_(db), tenant_(std::move(tenant)) {}

  // Both give the row its id (and time) where it has none, and return the id. The row's tenant is the object's.
  std::string InsertRun(RunRow& row);
  std::string Insert(GenerationRow& row);
  // All or none, in one transaction (or in the one that is open). Fills the ids in.
  void InsertAll(std::span<GenerationRow> rows);
  void EndRun(std::string_view id, int64_t ended_at = 0);  // 0: now

  // Nothing when there is none (of this tenant).
  std::optional<RunRow> GetRun(std::string_view id);
  std::optional<GenerationRow> Get(std::string_view id);
  // By record, then rank (unranked last), then id. With `status`, only those.
  std::vector<GenerationRow> ListByRun(std::string_view run_id, std::optional<Status> status = std::nullopt);
  // Newest first; of one recipe where it is not empty.
  std::vector<RunRow> ListRuns(std::string_view recipe = "", int64_t most = 50);

 private:
  store::Database& db_;
  std::string tenant_;
};

}  // namespace atelier::feedback
