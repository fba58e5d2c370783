// What is not valid under a schema, said with schemas: for `not`, `if` and branches of oneOf that other values share.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/constraint/regular.h"
#include "runtime/constraint/schema_document.h"

namespace atelier::runtime {

class SchemaNegator {
 public:
  explicit SchemaNegator(const SchemaDocument& document) : document_(document) {}

  using Branch = std::vector<Site>;  // schemas that hold together
  // Every value that is valid under a branch is invalid under `site`; the other way round too, but for what narrowed()
  // names. Throws kUnsupported with the pointer of a keyword whose complement cannot be said.
  std::vector<Branch> Alternatives(const Site& site);

  // A schema that stands for `not` of this one, and back: null for other schemas.
  Site Not(const Site& site);
  const Site* NegatedBy(const Json* schema) const;
  // A made schema, the same for the same place and word. Its pointer is the place's.
  Site Made(const Json* place, const std::string& word, const std::string& pointer, const Json& schema);

  // What a made schema excludes that no keyword can say.
  struct Excluded {
    std::vector<std::string> texts, patterns;
  };
  const Excluded* ExcludedBy(const Json* schema) const;
  // The texts that it leaves, where it excludes any; `where` is the pointer that errors name.
  void AddAllowed(const Site& part, Regulars* regulars, std::string* where, std::vector<Regulars::Id>* both) const;
  // Where a complement has less than it could; "" nowhere.
  const std::string& narrowed() const { return narrowed_; }

 private:
  void AddListed(const Site& site, const char* keyword, std::vector<Branch>* out);
  void AddLimit(const Site& site, const std::string& keyword, std::vector<Branch>* out);
  void AddProperties(const Site& site, std::vector<Branch>* out);

  const SchemaDocument& document_;
  std::map<std::pair<const Json*, std::string>, Json> made_;
  std::map<const Json*, Site> negated_;
  std::map<const Json*, Excluded> excluded_;
  std::string narrowed_;
};

}  // namespace atelier::runtime
