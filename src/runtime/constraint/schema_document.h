// A JSON Schema as a document: subschemas with their JSON pointers, references between them, and the list of what no
// keyword of it may say.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/json.h"

namespace atelier::runtime {

// A schema inside the document. REQUIRES: the document outlives it.
struct Site {
  const Json* schema = nullptr;
  std::string pointer;  // "" is the whole document

  bool operator==(const Site& other) const { return schema == other.schema; }
  bool Has(const char* keyword) const { return schema->is_object() && schema->contains(keyword); }
  const Json& At(const char* keyword) const { return (*schema)[keyword]; }
  std::string Pointer(std::string_view keyword) const;  // of a keyword's value
  Site Sub(const std::string& keyword) const;           // the schema that is the keyword's value
  Site Sub(const std::string& keyword, const std::string& key) const;
  Site Sub(const std::string& keyword, size_t index) const;
};

// Says nothing, wherever it stands: true or {}.
bool IsTrivial(const Json& schema);

// What the schemas of one request have cost together.
struct SchemaCosts {
  size_t automata = 0;              // states and the work to make them
  size_t gathered = 0, merged = 0;  // schemas taken in, parts looked at and copied
  size_t checked = 0;               // values held against schemas
};

class SchemaDocument {
 public:
  // REQUIRES: both outlive it.
  SchemaDocument(const Json& root, SchemaCosts* costs) : root_(root), costs_(*costs) {}

  Site Root() const { return {&root_, ""}; }
  // Where `$ref` leads. Throws kUnsupported for other documents, kInvalidInput for what is not there.
  Site Follow(const Site& from) const;
  // Throws kInvalidInput where a keyword of this schema is malformed, naming its pointer. Subschemas are not looked
  // into.
  void CheckForm(const Site& site) const;
  // The same for kUnsupported and keywords that cannot be kept.
  void CheckKept(const Site& site) const;
  // The same for very many patterns: each is held against each name. REQUIRES: the form is checked.
  static constexpr size_t kMostPatterns = 16;
  void CheckPatterns(const Site& site) const;

  // All automata share a budget; throws kUnsupported at `pointer` when it is spent.
  void Spend(size_t steps, const std::string& pointer) const;
  SchemaCosts& costs() const { return costs_; }

  [[noreturn]] static void Refuse(const std::string& pointer, std::string_view why, std::string_view hint = "");
  [[noreturn]] static void Malformed(const std::string& pointer, std::string_view why);

 private:
  const Json& root_;
  mutable std::unordered_map<std::string, Site> anchors_;
  mutable bool anchors_known_ = false;
  mutable std::unordered_set<const Json*> formed_;  // whose form is checked: a schema may be asked for very often
  SchemaCosts& costs_;
};

// Keyword values that Check has seen.
int CountAt(const Site& site, const char* keyword);  // a non-negative integer; large ones as INT_MAX

}  // namespace atelier::runtime
