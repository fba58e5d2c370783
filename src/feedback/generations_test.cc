#include "feedback/generations.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/str.h"
#include "store/migrations.h"

namespace atelier::feedback {
namespace {

store::Database Fresh(const std::string& name) {
  const std::string path = Cat(::testing::TempDir(), "/", ::getpid(), "_g_", name);
  for (const char* end : {"", "-wal", "-shm"}) RemoveFile(path + end);
  store::Database db = store::Database::Open(path);
  store::Migrate(db);
  return db;
}

RunRow SomeRun() {
  RunRow run;
  run.recipe = "ad_copy";
  run.variant = "warm";
  run.config_hash = "c0";
  run.input_path = "产品.csv";
  run.input_hash = "ff";
  run.seed = 0xfedcba9876543210ull;
  run.options = {{"samples", 8}};
  run.engine_build = "0.1.0";
  run.isa = "avx2";
  run.threads = 2;
  run.traceparent = NewTraceparent();
  run.key_id = "k";
  return run;
}

GenerationRow SomeGeneration(const std::string& run_id) {
  GenerationRow row;
  row.run_id = run_id;
  row.recipe = "ad_copy";
  row.variant = "warm";
  row.config_hash = "c0";
  row.record = 3;
  row.lang = "zh";
  row.model = "gemma3-270m";
  row.model_hash = "a5";
  row.seed = 0xffffffffffffffffull;
  row.input = {{"name", "龙井 🙂"}, {"features", {"明前", "手炒"}}};
  row.output = {{"headline", "一杯春天"}, {"body", "\"引号\"\n换行"}, {"tags", Json::array()}};
  row.checks = {{{"check", "facts"}, {"passed", false}, {"reason", "含有 99"}}};
  row.choices = {{"pattern", "zh.h.001"}};
  row.scores = {{"likelihood", -1.25}, {"total", 0.1}};
  row.writer = "compose";
  row.attempt = 1;
  row.sample = 7;
  row.rank = 2;
  row.status = Status::kDropped;
  row.reason = "含有 99";
  row.timings = {{"seconds", 0.5}};
  row.prompt_tokens = 10;
  row.output_tokens = 20;
  row.key_id = "k";
  row.traceparent = NewTraceparent();
  row.engine_build = "0.1.0";
  row.isa = "avx2";
  row.threads = 2;
  return row;
}

TEST(Generations, EveryColumnComesBack) {
  store::Database db = Fresh("columns.db");
  Generations generations(db, "team");
  RunRow run = SomeRun();
  const std::string run_id = generations.InsertRun(run);
  EXPECT_TRUE(IsUuid(run_id));
  const std::optional<RunRow> run_back = generations.GetRun(run_id);
  ASSERT_TRUE(run_back);
  EXPECT_EQ(run_back->tenant, "team");
  EXPECT_EQ(run_back->recipe, run.recipe);
  EXPECT_EQ(run_back->variant, run.variant);
  EXPECT_EQ(run_back->config_hash, run.config_hash);
  EXPECT_EQ(run_back->input_path, run.input_path);
  EXPECT_EQ(run_back->input_hash, run.input_hash);
  EXPECT_EQ(run_back->seed, run.seed);
  EXPECT_EQ(run_back->options, run.options);
  EXPECT_EQ(run_back->engine_build, run.engine_build);
  EXPECT_EQ(run_back->isa, run.isa);
  EXPECT_EQ(run_back->threads, run.threads);
  EXPECT_EQ(run_back->traceparent, run.traceparent);
  EXPECT_EQ(run_back->key_id, run.key_id);
  EXPECT_EQ(run_back->started_at, run.started_at);
  EXPECT_GT(run_back->started_at, 0);
  EXPECT_EQ(run_back->ended_at, 0);
  generations.EndRun(run_id, 42);
  EXPECT_EQ(generations.GetRun(run_id)->ended_at, 42);

  GenerationRow row = SomeGeneration(run_id);
  const std::string id = generations.Insert(row);
  EXPECT_TRUE(IsUuid(id));
  const std::optional<GenerationRow> back = generations.Get(id);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, id);
  EXPECT_EQ(back->tenant, "team");
  EXPECT_EQ(back->run_id, run_id);
  EXPECT_EQ(back->recipe, row.recipe);
  EXPECT_EQ(back->variant, row.variant);
  EXPECT_EQ(back->config_hash, row.config_hash);
  EXPECT_EQ(back->record, row.record);
  EXPECT_EQ(back->lang, row.lang);
  EXPECT_EQ(back->model, row.model);
  EXPECT_EQ(back->model_hash, row.model_hash);
  EXPECT_EQ(back->seed, row.seed);
  EXPECT_EQ(ToText(back->input), ToText(row.input));
  EXPECT_EQ(ToText(back->output), ToText(row.output));
  EXPECT_EQ(ToText(back->checks), ToText(row.checks));
  EXPECT_EQ(ToText(back->choices), ToText(row.choices));
  EXPECT_EQ(ToText(back->scores), ToText(row.scores));
  EXPECT_EQ(back->writer, row.writer);
  EXPECT_EQ(back->attempt, row.attempt);
  EXPECT_EQ(back->sample, row.sample);
  EXPECT_EQ(back->rank, row.rank);
  EXPECT_EQ(back->status, row.status);
  EXPECT_EQ(back->reason, row.reason);
  EXPECT_EQ(ToText(back->timings), ToText(row.timings));
  EXPECT_EQ(back->prompt_tokens, row.prompt_tokens);
  EXPECT_EQ(back->output_tokens, row.output_tokens);
  EXPECT_EQ(back->key_id, row.key_id);
  EXPECT_EQ(back->traceparent, row.traceparent);
  EXPECT_EQ(back->engine_build, row.engine_build);
  EXPECT_EQ(back->isa, row.isa);
  EXPECT_EQ(back->threads, row.threads);
  EXPECT_EQ(back->created_at, row.created_at);
  EXPECT_GT(back->created_at, 0);
}

TEST(Generations, ListsByRecordThenRankThenUnranked) {
  store::Database db = Fresh("order.db");
  Generations generations(db);
  RunRow run = SomeRun();
  generations.InsertRun(run);
  std::vector<GenerationRow> rows(4, SomeGeneration(run.id));
  rows[0].record = 1;
  rows[1].record = 0, rows[1].rank = -1;
  rows[2].record = 0, rows[2].rank = 1, rows[2].status = Status::kRunnerUp;
  rows[3].record = 0, rows[3].rank = 0, rows[3].status = Status::kChosen;
  generations.InsertAll(rows);
  const std::vector<GenerationRow> all = generations.ListByRun(run.id);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].id, rows[3].id);
  EXPECT_EQ(all[1].id, rows[2].id);
  EXPECT_EQ(all[2].id, rows[1].id);
  EXPECT_EQ(all[3].id, rows[0].id);
  const std::vector<GenerationRow> chosen = generations.ListByRun(run.id, Status::kChosen);
  ASSERT_EQ(chosen.size(), 1u);
  EXPECT_EQ(chosen[0].id, rows[3].id);
  RunRow later = SomeRun();
  later.recipe = "other";
  later.started_at = run.started_at + 1;
  generations.InsertRun(later);
  ASSERT_EQ(generations.ListRuns().size(), 2u);
  EXPECT_EQ(generations.ListRuns()[0].id, later.id);
  EXPECT_EQ(generations.ListRuns("ad_copy").size(), 1u);
  EXPECT_EQ(generations.ListRuns("", 1).size(), 1u);
}

TEST(Generations, AllOrNone) {
  store::Database db = Fresh("all.db");
  Generations generations(db);
  RunRow run = SomeRun();
  generations.InsertRun(run);
  std::vector<GenerationRow> rows(3, SomeGeneration(run.id));
  rows[2].run_id = "no such run";
  EXPECT_THROW(generations.InsertAll(rows), Error);
  EXPECT_TRUE(generations.ListByRun(run.id).empty());
}

TEST(Generations, TenantsDoNotSeeEachOther) {
  store::Database db = Fresh("tenants.db");
  Generations mine(db, "mine"), theirs(db, "theirs");
  RunRow run = SomeRun();
  mine.InsertRun(run);
  GenerationRow row = SomeGeneration(run.id);
  mine.Insert(row);
  EXPECT_FALSE(theirs.GetRun(run.id));
  EXPECT_FALSE(theirs.Get(row.id));
  EXPECT_TRUE(theirs.ListByRun(run.id).empty());
  EXPECT_TRUE(theirs.ListRuns().empty());
  EXPECT_THROW(theirs.EndRun(run.id), Error);
  GenerationRow stolen = SomeGeneration(run.id);
  EXPECT_THROW(theirs.Insert(stolen), Error);
}

}  // namespace
}  // namespace atelier::feedback
