#include "runtime/constraint/schema_negate.h"

#include <algorithm>
#include <climits>

#include "base/str.h"
#include "runtime/constraint/decimal.h"
#include "runtime/constraint/schema_check.h"

namespace atelier::runtime {
namespace {

constexpr size_t kMostBranches = 64;

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string TypeOf(const Json& value) {
  if (value.is_string()) return "string";
  if (value.is_number()) return "number";
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  return value.is_boolean() ? "boolean" : "null";
}

// All types but these; a list of none is nothing's.
Json OtherTypes(const std::vector<std::string>& types) {
  Json out = Json::array();
  for (const char* type : {"string", "number", "object", "array", "boolean", "null"}) {
    if (std::find(types.begin(), types.end(), type) == types.end()) out.push_back(type);
  }
  return out;
}

}  // namespace

Site SchemaNegator::Made(const Json* place, const std::string& word, const std::string& pointer, const Json& schema) {
  return {&made_.try_emplace({place, word}, schema).first->second, pointer};
}

Site SchemaNegator::Not(const Site& site) {
  Site out = Made(site.schema, "not", site.pointer, Json::object());
  negated_.emplace(out.schema, site);
  return out;
}

const Site* SchemaNegator::NegatedBy(const Json* schema) const {
  const auto found = negated_.find(schema);
  return found == negated_.end() ? nullptr : &found->second;
}

const SchemaNegator::Excluded* SchemaNegator::ExcludedBy(const Json* schema) const {
  const auto found = excluded_.find(schema);
  return found == excluded_.end() ? nullptr : &found->second;
}

void SchemaNegator::AddAllowed(const Site& part, Regulars* regulars, std::string* where,
                               std::vector<Regulars::Id>* both) const {
  const Excluded* excluded = ExcludedBy(part.schema);
  if (excluded == nullptr) return;
  if (where->empty()) *where = part.pointer;
  std::vector<Regulars::Id> out;
  for (const std::string& text : excluded->texts) out.push_back(regulars->Text(std::string_view(text)));
  for (const std::string& pattern : excluded->patterns) {
    out.push_back(PatternAt(regulars, pattern, part.pointer, /*wide=*/true));
  }
  both->push_back(regulars->Not(regulars->Either(std::move(out))));
}

std::vector<SchemaNegator::Branch> SchemaNegator::Alternatives(const Site& site) {
  document_.CheckForm(site);
  const Json& s = *site.schema;
  if (s.is_boolean()) return s.get<bool>() ? std::vector<Branch>() : std::vector<Branch>{{}};
  if (const Site* negated = NegatedBy(site.schema)) return {{*negated}};
  document_.CheckKept(site);
  std::vector<Branch> out;
  for (const auto& [key, value] : s.items()) {
    if (key == "type") {
      std::vector<std::string> types;
      if (value.is_string()) types.push_back(value.get<std::string>());
      for (const Json& type : value.is_array() ? value : Json::array()) types.push_back(type.get<std::string>());
      const auto has = [&](const char* type) { return std::find(types.begin(), types.end(), type) != types.end(); };
      if (has("integer") && !has("number")) {  // fractions are left out
        types.emplace_back("number");
        narrowed_ = site.Pointer(key);
      }
      const Json others = OtherTypes(types);
      if (!others.empty()) out.push_back({Made(site.schema, "type", site.Pointer(key), {{"type", others}})});
    } else if (key == "const" || key == "enum") {
      AddListed(site, key.c_str(), &out);
    } else if (key == "required") {
      for (const Json& name : value) {
        const std::string word = Cat("required ", name.get<std::string>());
        out.push_back({Made(site.schema, word, site.Pointer(key),
                            {{"type", "object"}, {"properties", {{name.get<std::string>(), false}}}})});
      }
    } else if (key == "properties") {
      AddProperties(site, &out);
    } else if (key == "pattern") {
      const Site other = Made(site.schema, "pattern", site.Pointer(key), {{"type", "string"}});
      excluded_[other.schema].patterns = {value.get<std::string>()};
      out.push_back({other});
    } else if (key == "not") {
      out.push_back({site.Sub("not")});
    } else if (key == "$ref") {
      out.push_back({Not(document_.Follow(site))});
    } else if (key == "allOf") {
      for (size_t i = 0; i < value.size(); ++i) out.push_back({Not(site.Sub(key, i))});
    } else if (key == "anyOf" || key == "oneOf") {
      if (value.size() > 8) SchemaDocument::Refuse(site.Pointer(key), "the complement of more than 8 branches");
      Branch none;
      for (size_t i = 0; i < value.size(); ++i) none.push_back(Not(site.Sub(key, i)));
      out.push_back(std::move(none));
      for (size_t i = 0; key == "oneOf" && i < value.size(); ++i) {
        for (size_t j = i + 1; j < value.size(); ++j) out.push_back({site.Sub(key, i), site.Sub(key, j)});
      }
    } else if (IsOneOf(key, {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
                             "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})) {
      AddLimit(site, key, &out);
    } else if (IsOneOf(key, {"format", "multipleOf", "items", "prefixItems", "contains", "uniqueItems",
                             "patternProperties", "additionalProperties", "propertyNames", "dependentRequired",
                             "dependentSchemas", "if", "unevaluatedItems", "unevaluatedProperties"})) {
      if (!IsTrivial(value) && value != Json(false)) {
        SchemaDocument::Refuse(site.Pointer(key), "its complement is not supported");
      }
      if (value == Json(key == "uniqueItems") && key != "if") {
        SchemaDocument::Refuse(site.Pointer(key), "its complement is not supported");
      }
      if (key == "contains" || (key == "if" && (s.contains("then") || s.contains("else")))) {
        SchemaDocument::Refuse(site.Pointer(key), "its complement is not supported");
      }
    }
  }
  if (out.size() > kMostBranches) SchemaDocument::Refuse(site.pointer, "its complement has too many cases");
  return out;
}

// Other types, and other values of the types that are listed.
void SchemaNegator::AddListed(const Site& site, const char* keyword, std::vector<Branch>* out) {
  const std::string pointer = site.Pointer(keyword);
  const Json values = keyword[0] == 'c' ? Json::array({site.At(keyword)}) : site.At(keyword);
  std::vector<std::string> types;
  std::vector<Json> numbers;
  Excluded texts;
  bool booleans[2] = {false, false};
  for (const Json& value : values) {
    types.push_back(TypeOf(value));
    if (value.is_structured()) narrowed_ = pointer;  // other lists and objects are left out
    if (value.is_string()) texts.texts.push_back(value.get<std::string>());
    if (value.is_number()) numbers.push_back(value);
    if (value.is_boolean()) booleans[value.get<bool>()] = true;
  }
  const auto add = [&](std::string_view word, const Json& schema) {
    out->push_back({Made(site.schema, Cat(keyword, " ", word), pointer, schema)});
  };
  const Json others = OtherTypes(types);
  if (!others.empty()) add("types", {{"type", others}});
  if (!texts.texts.empty()) {
    add("texts", {{"type", "string"}});
    excluded_[out->back()[0].schema] = std::move(texts);
  }
  if (booleans[0] != booleans[1]) add("booleans", {{"const", booleans[0]}});
  const auto less = [](const Json& a, const Json& b) { return Compare(DecimalOf(a), DecimalOf(b)) < 0; };
  std::sort(numbers.begin(), numbers.end(), less);
  for (size_t i = 0; !numbers.empty() && i <= numbers.size(); ++i) {
    Json between = {{"type", "number"}};
    if (i > 0) between["exclusiveMinimum"] = numbers[i - 1];
    if (i < numbers.size()) between["exclusiveMaximum"] = numbers[i];
    if (i == 0 || i == numbers.size() || less(numbers[i - 1], numbers[i])) add(Cat("number ", i), between);
  }
}

void SchemaNegator::AddLimit(const Site& site, const std::string& keyword, std::vector<Branch>* out) {
  struct Other {
    std::string_view keyword;
    const char *type, *other;
    int change;
  };
  static constexpr Other kOthers[] = {{"minLength", "string", "maxLength", -1},
                                      {"maxLength", "string", "minLength", 1},
                                      {"minItems", "array", "maxItems", -1},
                                      {"maxItems", "array", "minItems", 1},
                                      {"minProperties", "object", "maxProperties", -1},
                                      {"maxProperties", "object", "minProperties", 1},
                                      {"minimum", "number", "exclusiveMaximum", 0},
                                      {"maximum", "number", "exclusiveMinimum", 0},
                                      {"exclusiveMinimum", "number", "maximum", 0},
                                      {"exclusiveMaximum", "number", "minimum", 0}};
  const auto other =
      std::find_if(std::begin(kOthers), std::end(kOthers), [&](const Other& o) { return o.keyword == keyword; });
  Json limit = site.At(keyword.c_str());
  if (other->change != 0) {
    const int count = CountAt(site, keyword.c_str());
    if (count == (other->change < 0 ? 0 : INT_MAX)) return;
    limit = count + other->change;
  }
  out->push_back({Made(site.schema, keyword, site.Pointer(keyword), {{"type", other->type}, {other->other, limit}})});
}

// One of the properties is there, and not as it must be.
void SchemaNegator::AddProperties(const Site& site, std::vector<Branch>* out) {
  for (const auto& [name, sub] : site.At("properties").items()) {
    if (IsTrivial(sub)) continue;
    const Site other = Made(site.schema, Cat("property ", name), site.Sub("properties", name).pointer,
                            {{"type", "object"}, {"required", {name}}, {"properties", {{name, Json::object()}}}});
    negated_.emplace(&other.schema->at("properties").at(name), site.Sub("properties", name));
    out->push_back({other});
  }
}

}  // namespace atelier::runtime
