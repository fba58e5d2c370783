// Outputs that were made before, as files named by a hash of all that decided them: what did not change is not made
// twice. What models and indexes a recipe asked for is known only once it has run, so an entry says them, and holds
// only while they are the same. The folder may be removed at any time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "experiment/output.h"

namespace atelier::experiment {

// What an output depended on beside its key: name to what stood behind it ("" : it was not there).
struct Dependencies {
  std::map<std::string, std::string> models, indexes;
};

class OutputCache {
 public:
  // Asks what stands behind a name now.
  using Now = std::function<std::string(const std::string& name)>;
  // folder "": nothing is kept.
  OutputCache(std::string folder, Now model, Now index);

  // `what` as canonical text in, a key out.
  static std::string Key(const Json& what);
  // Nothing where there is none, where it does not hold any more, or where the file is damaged.
  std::optional<Output> Get(const std::string& key) const;
  // From any thread.
  void Put(const std::string& key, const Output& output, const Dependencies& on) const;
  // Removes what was neither made nor used for so many days.
  void Prune(int days) const;

 private:
  std::string Path(const std::string& key) const;
  std::string folder_;
  Now model_, index_;
};

}  // namespace atelier::experiment
