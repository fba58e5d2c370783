// What several schemas say together: references and allOf are taken in, anyOf and oneOf become alternatives.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/constraint/decimal.h"
#include "runtime/constraint/schema_check.h"
#include "runtime/constraint/schema_document.h"
#include "runtime/constraint/schema_negate.h"

namespace atelier::runtime {

enum TypeBit : int {
  kStringType = 1,
  kFractionType = 2,  // numbers that are no integers
  kIntegerType = 4,
  kObjectType = 8,
  kArrayType = 16,
  kBooleanType = 32,
  kNullType = 64,
  kAllTypes = 127
};

// Schemas that all hold; of them only the keywords that look at the value itself count: no $ref, allOf, anyOf, oneOf.
struct Merged {
  using Around = std::vector<const Json*>;
  std::vector<Site> parts;
  std::vector<std::shared_ptr<const Around>> around;  // [part]: the schemas it stands in by $ref, allOf ..., and itself
  std::optional<std::string> never;                   // the pointer of a `false`

  int Types() const;                    // allowed by `type`
  int Named() const;                    // those that other keywords are about; 0: there is no such keyword
  int InferredTypes() const;            // Types(), and where nobody says `type`: Named(), if there are any
  std::optional<Site> Listing() const;  // a part with const or enum
  // The tightest of all parts; least 0, most -1 where nobody says.
  int Least(const char* keyword) const;
  int Most(const char* keyword) const;
  std::string Where(const char* keyword) const;  // of the first part that has it
  // Of patternProperties, each once, and where. Throws kUnsupported for very many.
  using Patterns = std::vector<std::pair<std::string, std::string>>;
  Patterns OpenPatterns() const;
};

class SchemaMerger {
 public:
  static constexpr size_t kMostAlternatives = 1024;
  static constexpr size_t kMostParts = 4096;  // schemas that hold together

  SchemaMerger(const SchemaDocument& document, SchemaCheck* check)
      : document_(document), check_(*check), negator_(document) {}

  // Together they allow what `sites` allow together. Throws kUnsupported for keywords that cannot be kept, for oneOf
  // whose branches could hold together, and for schemas that contain themselves.
  std::vector<Merged> Alternatives(const std::vector<Site>& sites);
  // The schemas that hold for a property's value, an array's item.
  std::vector<Site> OfProperty(const Merged& merged, const std::string& name);
  std::vector<Site> OfItem(const Merged& merged, size_t index);
  // The same for names that are not listed: those of one pattern, and (null) those of none.
  std::vector<Site> OfOpen(const Merged& merged, const std::string* pattern);
  // The values that const and enum leave.
  std::vector<Json> Listed(const Merged& merged);

  // What schemas exclude that no keyword of theirs says.
  const SchemaNegator& negator() const { return negator_; }

 private:
  struct Choice {
    std::string pointer;    // for errors
    bool only_one = false;  // no value may be valid under two branches
    std::vector<SchemaNegator::Branch> branches;
    std::vector<Site> inside;  // the schemas around it
    bool negates = false;      // what the branches say of properties and items does not evaluate them
  };
  using Choices = std::vector<std::shared_ptr<const Choice>>;  // shared: they are copied for every branch
  static void Add(Choice choice, Choices* choices) {
    choices->push_back(std::make_shared<const Choice>(std::move(choice)));
  }
  void AddNegation(const Site& negated, const std::vector<Site>& inside, Merged* into, Choices* choices);
  void AddDependents(const Site& site, const std::vector<Site>& inside, Choices* choices);
  void Gather(const Site& site, std::vector<Site>* inside, Merged* into, Choices* choices);
  bool IsKnown(const Site& site, const std::vector<Site>& inside, const Merged& merged) const;
  void Divide(const Merged& merged, const Choices& choices, size_t next, std::vector<Merged>* out);
  // Whether nothing can be valid under `merged` and all of `sites` (which stand inside `around`); false where it cannot
  // tell.
  bool Nothing(const Merged& given, const std::vector<Site>& sites, const std::vector<Site>& around, int depth);
  bool Nothing(const Merged& merged, int depth);

  const SchemaDocument& document_;
  SchemaCheck& check_;
  // Adds what `unevaluated...` says where no part around which it stands has spoken.
  template <typename Speaks>
  void AddUnevaluated(const Merged& merged, const char* keyword, const Speaks& speaks, std::vector<Site>* out);
  void Work(size_t work, const std::string& where);

  SchemaNegator negator_;
  bool loosely_ = false;  // only for Nothing: keywords that are not kept are passed over, oneOf is anyOf
  static constexpr size_t kMostSteps = 500000;
  static constexpr size_t kMostWork = 4000000;  // parts looked at and copied
};

}  // namespace atelier::runtime
