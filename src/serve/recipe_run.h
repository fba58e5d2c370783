// One run of a recipe for a client: what was asked, checked before anything begins; the run with its progress; the
// result as JSON. Every generation is kept in the studio's ledger.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "feedback/generations.h"
#include "recipe/engine.h"
#include "serve/client_model.h"
#include "serve/studio_server.h"

namespace atelier::serve {

struct RunRequest {
  std::string recipe, variant;
  uint64_t seed = 1;
  Json records = Json::array();    // objects
  std::vector<std::string> paths;  // what messages call each of them: "records[3]"
};

// A recipe by name. Throws kNotFound; for one that is there and broken kCorrupt, without the server's paths.
recipe::Recipe FindRecipe(const Context& context, const std::string& name, const std::string& variant = "");

class RecipeRun {
 public:
  struct Hooks {
    std::function<void(const recipe::StepProgress& at)> progress = {};  // as in RunOptions
    std::function<void(const Json& record)> record = {};  // a record's state, after each step that changed it
  };

  // Throws FieldError and kNotFound for what is wrong with the request.
  RecipeRun(Context& context, const RunRequest& request, const std::optional<guard::KeyInfo>& who,
            std::string traceparent);

  const std::string& id() const { return id_; }
  size_t records() const { return records_.size(); }
  void Cancel() { run_->tickets.Cancel(); }  // from any thread
  bool cancelled() const { return run_->tickets.cancelled(); }
  // REQUIRES: called once. Throws kUnavailable when the studio cannot keep what would be made.
  Json Execute(Hooks hooks);
  int64_t tokens() const { return run_->prompt_tokens() + run_->output_tokens(); }  // that models read and wrote

 private:
  Json Result(recipe::Engine& engine, bool stored) const;

  Context& context_;
  const std::string id_;
  recipe::Recipe recipe_;
  std::vector<recipe::Record> records_;
  feedback::RunRow row_;
  const std::string owner_;
  std::shared_ptr<ClientRun> run_ = std::make_shared<ClientRun>();
};

// Makes a run and puts its job in the queue, in the turn of whoever asks and within their limits; answers 429 where it
// cannot. Throws what RecipeRun throws. What the job throws is answered. The run is cancelled when the client goes.
void StartRun(Context& context, const std::shared_ptr<net::Exchange>& exchange, const RunRequest& request,
              std::function<void(RecipeRun& run)> job);

}  // namespace atelier::serve
