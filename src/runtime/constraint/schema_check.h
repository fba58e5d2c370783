// Whether a JSON value is valid under a schema, exactly: for the values that `enum` and `const` list, and for names
// that patterns are held against.
#pragma once

#include <map>
#include <string>
#include <unordered_set>

#include "runtime/constraint/char_dfa.h"
#include "runtime/constraint/schema_document.h"

namespace atelier::runtime {

class SchemaCheck {
 public:
  explicit SchemaCheck(const SchemaDocument& document) : document_(document) {}

  // Throws kUnsupported with the pointer of a keyword that cannot be decided.
  bool Valid(const Json& value, const Site& site) { return Valid(value, site, 0); }
  // Whether a pattern is found in a text. `where` is the pointer that errors name.
  bool Finds(const std::string& pattern, const std::string& text, const std::string& where);

  static bool Equal(const Json& a, const Json& b);  // 1 and 1.0 are one number

 private:
  bool Valid(const Json& value, const Site& site, int depth);
  bool Listed(const Json& value, const Json& list);
  bool ValidNumber(const Json& value, const Site& site);
  bool ValidString(const Json& value, const Site& site);
  bool ValidArray(const Json& value, const Site& site, int depth);
  bool ValidObject(const Json& value, const Site& site, int depth);

  const SchemaDocument& document_;
  std::map<std::string, CharDfa> patterns_;
  std::map<const Json*, std::unordered_set<std::string>> lists_;  // the scalars of an enum
  size_t steps_ = 0;
};

// The pattern as a language, any text around it allowed; errors name `where`. Then its automaton, from the document's
// budget.
Regulars::Id PatternAt(Regulars* regulars, const std::string& pattern, const std::string& where, bool wide);
CharDfa DfaAt(const SchemaDocument& document, Regulars* regulars, Regulars::Id root, const std::string& where);

}  // namespace atelier::runtime
