#include "runtime/constraint/schema_document.h"

#include <algorithm>
#include <climits>
#include <cmath>

#include "base/error.h"
#include "base/str.h"

namespace atelier::runtime {
namespace {

std::string Escaped(std::string_view key) { return ReplaceAll(ReplaceAll(key, "~", "~0"), "/", "~1"); }

// What a validator would check and we cannot keep.
struct Refused {
  const char* keyword;
  const char* why;
};
constexpr Refused kRefused[] = {
    {"dependencies", "dependencies is not of draft 2020-12, dependentRequired and dependentSchemas are"},
    {"additionalItems", "additionalItems is not of draft 2020-12"},
    {"$dynamicRef", "dynamic references are not supported"},
    {"$recursiveRef", "dynamic references are not supported"},
    {"extends", "extends is not of draft 2020-12"},
    {"disallow", "disallow is not of draft 2020-12"},
    {"divisibleBy", "divisibleBy is not of draft 2020-12"},
};

// In the schemas of this document: not in values, nor in documents inside it.
void FindAnchors(const Site& site, std::unordered_map<std::string, Site>* out) {
  const Json& s = *site.schema;
  if (!s.is_object() || (s.contains("$id") && !site.pointer.empty())) return;
  if (s.contains("$anchor") && s["$anchor"].is_string()) out->emplace(s["$anchor"].get<std::string>(), site);
  for (const auto& [key, sub] : s.items()) {
    const auto is = [&, &k = key](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), k) != names.end();
    };
    const std::string pointer = site.Pointer(key);
    if (is({"not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames",
            "unevaluatedItems", "unevaluatedProperties"})) {
      FindAnchors({&sub, pointer}, out);
    } else if (is({"allOf", "anyOf", "oneOf", "prefixItems"}) && sub.is_array()) {
      for (size_t i = 0; i < sub.size(); ++i) FindAnchors({&sub[i], Cat(pointer, "/", i)}, out);
    } else if (is({"$defs", "definitions", "properties", "patternProperties", "dependentSchemas"}) && sub.is_object()) {
      for (const auto& [name, one] : sub.items()) FindAnchors({&one, Cat(pointer, "/", Escaped(name))}, out);
    }
  }
}

}  // namespace

bool IsTrivial(const Json& schema) { return schema == Json(true) || (schema.is_object() && schema.empty()); }

std::string Site::Pointer(std::string_view keyword) const { return Cat(pointer, "/", Escaped(keyword)); }

Site Site::Sub(const std::string& keyword) const { return {&schema->at(keyword), Pointer(keyword)}; }

Site Site::Sub(const std::string& keyword, const std::string& key) const {
  return {&schema->at(keyword).at(key), Cat(Pointer(keyword), "/", Escaped(key))};
}

Site Site::Sub(const std::string& keyword, size_t index) const {
  return {&schema->at(keyword).at(index), Cat(Pointer(keyword), "/", index)};
}

void SchemaDocument::Spend(size_t steps, const std::string& pointer) const {
  constexpr size_t kMost = 8000000;  // about two seconds, some 30 MB
  costs_.automata += steps;
  if (costs_.automata > kMost)
    Refuse(pointer, "the patterns and lengths of the schema need too large automata together");
}

void SchemaDocument::Refuse(const std::string& pointer, std::string_view why, std::string_view hint) {
  throw Error(Code::kUnsupported, Cat("schema: ", pointer.empty() ? "/" : pointer, ": ", why), std::string(hint));
}

void SchemaDocument::Malformed(const std::string& pointer, std::string_view why) {
  throw Error(Code::kInvalidInput, Cat("schema: ", pointer.empty() ? "/" : pointer, ": ", why));
}

int CountAt(const Site& site, const char* keyword) {
  const double value = site.At(keyword).get<double>();
  return value >= INT_MAX ? INT_MAX : static_cast<int>(value);
}

Site SchemaDocument::Follow(const Site& from) const {
  const std::string at = from.Pointer("$ref");
  std::string ref = from.At("$ref").get<std::string>();
  if (root_.is_object() && root_.contains("$id") && root_["$id"].is_string()) {
    const std::string id = root_["$id"].get<std::string>();
    if (!id.empty() && ref.starts_with(id)) ref = ref.substr(id.size());
    if (ref.empty()) ref = "#";
  }
  if (!ref.starts_with('#')) Refuse(at, Cat(Quote(ref), " is in another document"));
  std::string fragment;
  for (size_t i = 1; i < ref.size(); ++i) {
    if (ref[i] == '%' && i + 2 < ref.size() && std::isxdigit(static_cast<unsigned char>(ref[i + 1])) &&
        std::isxdigit(static_cast<unsigned char>(ref[i + 2]))) {
      fragment.push_back(static_cast<char>(std::stoi(ref.substr(i + 1, 2), nullptr, 16)));
      i += 2;
    } else {
      fragment.push_back(ref[i]);
    }
  }
  if (!fragment.empty() && fragment[0] != '/') {
    if (!anchors_known_) FindAnchors(Root(), &anchors_);
    anchors_known_ = true;
    const auto found = anchors_.find(fragment);
    if (found == anchors_.end()) Malformed(at, Cat("there is no anchor ", Quote(fragment)));
    return found->second;
  }
  Site site = Root();
  if (fragment.empty()) return site;
  for (const std::string& part : Split(std::string_view(fragment).substr(1), '/')) {
    const std::string key = ReplaceAll(ReplaceAll(part, "~1", "/"), "~0", "~");
    const Json* next = nullptr;
    if (site.schema->is_object() && site.schema->contains(key)) {
      next = &site.schema->at(key);
    } else if (site.schema->is_array()) {
      const auto index = ParseInt(key);
      if (index && *index >= 0 && static_cast<size_t>(*index) < site.schema->size()) {
        next = &site.schema->at(static_cast<size_t>(*index));
      }
    }
    if (next == nullptr) Malformed(at, Cat(Quote(ref), " is not there"));
    site = {next, Cat(site.pointer, "/", Escaped(key))};
    if (next->is_object() && next->contains("$id") && (*next)["$id"].is_string()) {
      Refuse(site.Pointer("$id"), "documents inside documents are not supported");
    }
  }
  return site;
}

void SchemaDocument::CheckKept(const Site& site) const {
  const Json& s = *site.schema;
  if (!s.is_object()) return;
  if (s.contains("$id") && !site.pointer.empty()) {
    Refuse(site.Pointer("$id"), "documents inside documents are not supported");
  }
  for (const Refused& refused : kRefused) {
    if (!s.contains(refused.keyword)) continue;
    const std::string_view keyword = refused.keyword;
    const Json& value = s[refused.keyword];
    // What says nothing can be kept.
    if (keyword[0] != '$' && IsTrivial(value)) continue;
    Refuse(site.Pointer(keyword), refused.why);
  }
}

void SchemaDocument::CheckPatterns(const Site& site) const {
  if (site.At("patternProperties").size() > kMostPatterns) {
    Refuse(site.Pointer("patternProperties"), Cat("more than ", kMostPatterns, " patterns"));
  }
}

void SchemaDocument::CheckForm(const Site& site) const {
  const Json& s = *site.schema;
  if (s.is_boolean() || formed_.contains(&s)) return;
  if (!s.is_object()) Malformed(site.pointer, "a schema is an object or a boolean");
  const auto must = [&](const char* keyword, bool fine, const char* what) {
    if (!fine) Malformed(site.Pointer(keyword), Cat("it must be ", what));
  };
  for (const auto& entry : s.items()) {
    const std::string& key = entry.key();
    const Json& value = entry.value();
    const char* k = key.c_str();
    const auto is = [&](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), key) != names.end();
    };
    if (is({"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains",
            "maxContains"})) {
      must(k, value.is_number() && value.get<double>() >= 0 && value.get<double>() == std::floor(value.get<double>()),
           "a non-negative integer");
    } else if (is({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})) {
      must(k, value.is_number(), "a number");
    } else if (key == "multipleOf") {
      must(k, value.is_number() && value.get<double>() > 0, "a number above 0");
    } else if (is({"properties", "patternProperties", "$defs", "dependentSchemas", "dependentRequired"})) {
      must(k, value.is_object(), "an object");
      for (const Json& names : key == "dependentRequired" ? value : Json::object()) {
        must(k,
             names.is_array() && std::all_of(names.begin(), names.end(), [](const Json& n) { return n.is_string(); }),
             "an object of lists of names");
      }
    } else if (is({"allOf", "anyOf", "oneOf", "prefixItems"})) {
      must(k, value.is_array() && !value.empty(), "a list of schemas");
    } else if (key == "enum") {
      must(k, value.is_array(), "a list");
    } else if (is({"pattern", "format", "$ref"})) {
      must(k, value.is_string(), "a text");
    } else if (key == "uniqueItems") {
      must(k, value.is_boolean(), "true or false");
    } else if (key == "required") {
      must(k, value.is_array(), "a list of names");
      for (const Json& name : value) must(k, name.is_string(), "a list of names");
    } else if (is({"items", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties"})) {
      if (value.is_array()) {
        Refuse(site.Pointer(key), "a list of schemas is not of draft 2020-12", "prefixItems is its name there");
      }
    } else if (key == "type") {
      const auto known = [](const Json& type) {
        static const std::vector<std::string> names = {"string", "number",  "integer", "object",
                                                       "array",  "boolean", "null"};
        return type.is_string() && std::find(names.begin(), names.end(), type.get<std::string>()) != names.end();
      };
      const bool fine = value.is_array() ? std::all_of(value.begin(), value.end(), known) : known(value);
      must(k, fine, "string, number, integer, object, array, boolean, null, or a list of these");
    }
  }
  formed_.insert(&s);
}

}  // namespace atelier::runtime
