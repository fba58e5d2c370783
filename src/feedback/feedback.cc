#include "feedback/feedback.h"

#include <algorithm>

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"

namespace atelier::feedback {
namespace {

constexpr std::string_view kKindNames[] = {"impression", "click", "conversion", "rating", "edit", "flag", "comment"};

constexpr std::string_view kFeedbackColumns =
    "id, tenant, generation_id, kind, value, body, actor, idempotency_key, created_at";

FeedbackRow ReadFeedback(const store::Statement& s) {
  FeedbackRow row;
  row.id = s.Text(0);
  row.tenant = s.Text(1);
  row.generation_id = s.Text(2);
  const std::optional<Kind> kind = KindOf(s.Text(3));
  if (!kind) throw Error(Code::kCorrupt, Cat("feedback.kind: unknown value ", Quote(s.Text(3))));
  row.kind = *kind;
  if (!s.IsNull(4)) row.value = s.Double(4);
  row.body = s.Text(5);
  row.actor = s.Text(6);
  row.idempotency_key = s.Text(7);
  row.created_at = s.Int(8);
  return row;
}

}  // namespace

std::string_view Name(Kind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::optional<Kind> KindOf(std::string_view name) {
  for (size_t i = 0; i < std::size(kKindNames); ++i) {
    if (kKindNames[i] == name) return static_cast<Kind>(i);
  }
  return std::nullopt;
}

std::vector<std::string> KindNames() { return {std::begin(kKindNames), std::end(kKindNames)}; }

bool FeedbackLog::Insert(FeedbackRow& row) {
  if (db_.QueryInt("SELECT count(*) FROM generations WHERE tenant = ? AND id = ?", tenant_, row.generation_id) == 0)
    throw Error(Code::kNotFound, Cat("there is no generation ", Quote(row.generation_id)));
  if (!row.idempotency_key.empty()) {
    store::Statement same = db_.Prepare(
        Cat("SELECT ", kFeedbackColumns, " FROM feedback WHERE tenant = ? AND actor = ? AND idempotency_key = ?"));
    same.Bind(tenant_, row.actor, row.idempotency_key);
    if (same.Step()) {
      const FeedbackRow stored = ReadFeedback(same);
      if (stored.generation_id != row.generation_id || stored.kind != row.kind || stored.value != row.value ||
          stored.body != row.body) {
        throw Error(Code::kConflict,
                    Cat("the idempotency key ", Quote(row.idempotency_key), " stands for other feedback"),
                    "use a new key for each thing that is said");
      }
      row = stored;
      return false;
    }
  }
  if (row.id.empty()) row.id = NewUuid();
  if (row.created_at == 0) row.created_at = NowMillis();
  row.tenant = tenant_;
  db_.Run(Cat("INSERT INTO feedback (", kFeedbackColumns, ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"), row.id, row.tenant,
          row.generation_id, Name(row.kind), row.value, row.body, row.actor, row.idempotency_key, row.created_at);
  return true;
}

std::vector<FeedbackRow> FeedbackLog::ListByGeneration(std::string_view generation_id, int64_t most) {
  store::Statement s = db_.Prepare(Cat("SELECT ", kFeedbackColumns,
                                       " FROM feedback WHERE tenant = ? AND generation_id = ? "
                                       "ORDER BY created_at DESC, id DESC LIMIT ?"));
  s.Bind(tenant_, generation_id, most);
  std::vector<FeedbackRow> rows;
  while (s.Step()) rows.push_back(ReadFeedback(s));
  std::reverse(rows.begin(), rows.end());
  return rows;
}

}  // namespace atelier::feedback
