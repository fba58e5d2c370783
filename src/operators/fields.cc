#include "operators/fields.h"

#include <algorithm>

#include "base/str.h"

namespace atelier::operators {
namespace {

void Require(const Table& table, std::string_view key, const std::string& field, const std::vector<std::string>& known,
             std::string_view kind) {
  if (known.empty() || std::find(known.begin(), known.end(), field) != known.end()) return;
  const std::string near = Nearest(field, known);
  table.Refuse(key, Cat("the recipe has no ", kind, " field ", Quote(field)),
               near.empty() ? Cat("it has ", Join(known, ", ")) : Cat("did you mean '", near, "'?"));
}

}  // namespace

void RequireInput(const Table& table, std::string_view key, const std::string& field,
                  const recipe::StepContext& context) {
  Require(table, key, field, context.inputs, "input");
}

void RequireOutput(const Table& table, std::string_view key, const std::string& field,
                   const recipe::StepContext& context) {
  Require(table, key, field, context.outputs, "output");
}

}  // namespace atelier::operators
