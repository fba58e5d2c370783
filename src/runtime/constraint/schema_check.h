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
  // Whether a pattern is found in a text. `where` is the pointer that errors name. Throws kUnsupported where validators
  // disagree about it.
  bool Finds(const std::string& pattern, const std::string& text, const std::string& where);

  // Equal values are equal texts here: 1 and 1.0 are one number, the order of names says nothing.
  static std::string Canonical(const Json& value);

 private:
  bool Valid(const Json& value, const Site& site, int depth);
  void Spend(size_t steps, const std::string& where);
  // Whether the value is in `list`, which is in the document; for const a list of one.
  bool Listed(const Json& value, const Json& list, bool is_const, const std::string& where);
  bool HasFormat(const std::string& text, const Site& site);
  bool ValidNumber(const Json& value, const Site& site);
  bool ValidString(const Json& value, const Site& site);
  bool ValidArray(const Json& value, const Site& site, int depth);
  bool ValidObject(const Json& value, const Site& site, int depth);

  const SchemaDocument& document_;
  struct Pattern {
    CharDfa narrow, wide;  // what both Python and ECMA find, what either does
  };
  std::map<std::string, Pattern> patterns_;
  std::map<std::string, CharDfa> formats_;
  std::map<const Json*, std::unordered_set<std::string>> lists_;  // the canonical texts of an enum or const
  static constexpr size_t kMostSteps = 2000000;
};

// The pattern as a language, any text around it allowed; errors name `where`. Then its automaton, from the document's
// budget.
Regulars::Id PatternAt(Regulars* regulars, const std::string& pattern, const std::string& where, bool wide);
CharDfa DfaAt(const SchemaDocument& document, Regulars* regulars, Regulars::Id root, const std::string& where);

}  // namespace atelier::runtime
