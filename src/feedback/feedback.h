// What people say of generations, as it is stored. Table in store/migrations.cc. Feedback on exposures comes with the
// experiments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/database.h"

namespace atelier::feedback {

enum class Kind { kImpression, kClick, kConversion, kRating, kEdit, kFlag, kComment };
std::string_view Name(Kind kind);  // "impression", "click" ...
std::optional<Kind> KindOf(std::string_view name);
std::vector<std::string> KindNames();

struct FeedbackRow {
  std::string id;  // UUIDv7; "" on insert: a new one is given
  std::string tenant = "default";
  std::string generation_id;
  Kind kind = Kind::kImpression;
  std::optional<double> value;  // rating: 1 to 5; conversion: what it was worth
  std::string body;             // comment, flag: text; edit: the output as it should have been, a JSON object
  std::string actor;            // a key's id; "local" where none was needed
  std::string idempotency_key;  // the actor's own name for it; "" : none
  int64_t created_at = 0;       // Unix milliseconds; 0 on insert: now
};

// One tenant's feedback. Holds a reference to the database: one thread at a time, as that.
class FeedbackLog {
 public:
  explicit FeedbackLog(store::Database& db, std::string tenant = "default") : db_(db), tenant_(std::move(tenant)) {}

  // Stores it, fills in id and time, and says true; false when the actor said the same under that idempotency key
  // before: the row is then the stored one. Throws kNotFound for a generation that is not there, kConflict when the key
  // stands for something else.
  bool Insert(FeedbackRow& row);
  // The newest `most`, in the order of time.
  std::vector<FeedbackRow> ListByGeneration(std::string_view generation_id, int64_t most = 1000);

 private:
  store::Database& db_;
  std::string tenant_;
};

}  // namespace atelier::feedback
