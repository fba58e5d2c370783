#include "feedback/feedback.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "feedback/generations.h"
#include "store/migrations.h"

namespace atelier::feedback {
namespace {

class FeedbackTest : public ::testing::Test {
 protected:
  FeedbackTest() : db_(Fresh()) {
    store::Migrate(db_);
    Generations generations(db_);
    RunRow run;
    run.recipe = "ad_copy";
    GenerationRow row;
    row.run_id = generations.InsertRun(run);
    row.writer = "phrases";
    generation_ = generations.Insert(row);
  }
  static store::Database Fresh() {
    const std::string path = Cat(::testing::TempDir(), "/feedback_", ::getpid(), "_",
                                 ::testing::UnitTest::GetInstance()->current_test_info()->name(), ".db");
    for (const char* end : {"", "-wal", "-shm"}) RemoveFile(path + end);
    return store::Database::Open(path);
  }
  FeedbackRow Some(Kind kind) const {
    FeedbackRow row;
    row.generation_id = generation_;
    row.kind = kind;
    row.actor = "atl_1";
    return row;
  }
  static Code CodeOf(FeedbackLog& log, FeedbackRow row) {
    try {
      log.Insert(row);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;
  }
  store::Database db_;
  std::string generation_;
};

TEST_F(FeedbackTest, EveryKindComesBackAsItWasSaid) {
  FeedbackLog log(db_);
  for (const std::string& name : KindNames()) {
    FeedbackRow row = Some(*KindOf(name));
    if (name == "rating") row.value = 4.5;
    if (name == "edit") row.body = R"({"headline":"茶 🍵 \"x\""})";
    if (name == "comment") row.body = std::string("零\0字节", 10);
    EXPECT_TRUE(log.Insert(row));
    EXPECT_FALSE(row.id.empty());
  }
  const std::vector<FeedbackRow> rows = log.ListByGeneration(generation_);
  ASSERT_EQ(rows.size(), 7u);
  EXPECT_EQ(Name(rows[3].kind), "rating");
  EXPECT_EQ(rows[3].value, 4.5);
  EXPECT_EQ(rows[0].value, std::nullopt);
  EXPECT_EQ(rows[4].body, R"({"headline":"茶 🍵 \"x\""})");
  EXPECT_EQ(rows[6].body.size(), 10u) << "NUL is a character as any other";
  EXPECT_TRUE(FeedbackLog(db_, "other").ListByGeneration(generation_).empty());
}

TEST_F(FeedbackTest, WhatIsSaidTwiceUnderOneKeyIsKeptOnce) {
  FeedbackLog log(db_);
  FeedbackRow row = Some(Kind::kRating);
  row.value = 5;
  row.idempotency_key = "k";
  EXPECT_TRUE(log.Insert(row));
  FeedbackRow again = Some(Kind::kRating);
  again.value = 5;
  again.idempotency_key = "k";
  EXPECT_FALSE(log.Insert(again));
  EXPECT_EQ(again.id, row.id);
  again.id.clear();
  again.value = 1;
  EXPECT_EQ(CodeOf(log, again), Code::kConflict);
  again.actor = "atl_2";  // keys are each actor's own
  EXPECT_TRUE(log.Insert(again));
  EXPECT_EQ(log.ListByGeneration(generation_).size(), 2u);
}

TEST_F(FeedbackTest, AGenerationThatIsNotThereIsNotFound) {
  FeedbackLog log(db_), other(db_, "other");
  FeedbackRow row = Some(Kind::kClick);
  EXPECT_EQ(CodeOf(other, row), Code::kNotFound) << "another tenant's";
  row.generation_id = "../nothing";
  EXPECT_EQ(CodeOf(log, row), Code::kNotFound);
}

}  // namespace
}  // namespace atelier::feedback
