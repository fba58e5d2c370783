#include "runtime/constraint/schema_check.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "runtime/constraint/decimal.h"
#include "runtime/constraint/regex.h"
#include "text/unicode.h"

namespace atelier::runtime {

Regulars::Id PatternAt(Regulars* regulars, const std::string& pattern, const std::string& where, bool wide) {
  try {
    return ParseRegex(regulars, pattern, {.anchored = false, .wide = wide});
  } catch (const Error& error) {
    throw error.Within(Cat("schema: ", where));
  }
}

CharDfa DfaAt(const SchemaDocument& document, Regulars* regulars, Regulars::Id root, const std::string& where) {
  document.Spend(0, where);
  try {
    CharDfa dfa = BuildDfa(regulars, root);
    document.Spend(regulars->work() + dfa.next.size(), where);
    return dfa;
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with("schema: ")) throw;
    throw error.Within(Cat("schema: ", where));
  }
}

bool SchemaCheck::Finds(const std::string& pattern, const std::string& text, const std::string& where) {
  auto found = patterns_.find(pattern);
  if (found == patterns_.end()) {
    Regulars regulars;
    found = patterns_.emplace(pattern, DfaAt(document_, &regulars, PatternAt(&regulars, pattern, where, false), where))
                .first;
  }
  return found->second.Matches(text::DecodeUtf8(text));
}

bool SchemaCheck::Equal(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return Compare(DecimalOf(a), DecimalOf(b)) == 0;
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_array()) return std::equal(a.begin(), a.end(), b.begin(), Equal);
  if (a.is_object()) {
    return std::all_of(a.items().begin(), a.items().end(), [&](const auto& entry) {
      return b.contains(entry.key()) && Equal(entry.value(), b[entry.key()]);
    });
  }
  return a == b;
}

bool SchemaCheck::Valid(const Json& value, const Site& site, int depth) {
  if (depth > 200) SchemaDocument::Refuse(site.pointer, "references without end");
  if (++steps_ > 2000000) SchemaDocument::Refuse(site.pointer, "too much to check");
  const Json& s = *site.schema;
  if (s.is_boolean()) return s.get<bool>();
  if (!s.is_object()) SchemaDocument::Malformed(site.pointer, "a schema is an object or a boolean");
  for (const char* keyword :
       {"unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef", "dependencies"}) {
    if (s.contains(keyword)) SchemaDocument::Refuse(site.Pointer(keyword), "not supported here");
  }
  const auto list = [&](const char* keyword) {
    if (!s[keyword].is_array()) SchemaDocument::Malformed(site.Pointer(keyword), "it must be a list");
    return s[keyword].size();
  };
  if (s.contains("not") && Valid(value, site.Sub("not"), depth + 1)) return false;
  if (s.contains("if")) {
    const char* then = Valid(value, site.Sub("if"), depth + 1) ? "then" : "else";
    if (s.contains(then) && !Valid(value, site.Sub(then), depth + 1)) return false;
  }
  document_.CheckForm(site);
  if (s.contains("$ref") && !Valid(value, document_.Follow(site), depth + 1)) return false;
  if (s.contains("allOf")) {
    for (size_t i = 0; i < list("allOf"); ++i) {
      if (!Valid(value, site.Sub("allOf", i), depth + 1)) return false;
    }
  }
  for (const char* keyword : {"anyOf", "oneOf"}) {
    if (!s.contains(keyword)) continue;
    int valid = 0;
    for (size_t i = 0; i < list(keyword); ++i) valid += Valid(value, site.Sub(keyword, i), depth + 1);
    if (valid == 0 || (valid > 1 && keyword[0] == 'o')) return false;
  }
  if (s.contains("const") && !Equal(value, s["const"])) return false;
  if (s.contains("enum") && !Listed(value, s["enum"])) return false;
  if (s.contains("type")) {
    const auto is = [&](const Json& type) {
      const std::string name = type.get<std::string>();
      if (name == "string") return value.is_string();
      if (name == "number") return value.is_number();
      if (name == "integer") return value.is_number() && DecimalOf(value).integer();
      if (name == "object") return value.is_object();
      if (name == "array") return value.is_array();
      if (name == "boolean") return value.is_boolean();
      return value.is_null();
    };
    const Json& type = s["type"];
    if (!(type.is_array() ? std::any_of(type.begin(), type.end(), is) : is(type))) return false;
  }
  if (value.is_number()) return ValidNumber(value, site);
  if (value.is_string()) return ValidString(value, site);
  if (value.is_array()) return ValidArray(value, site, depth);
  if (value.is_object()) return ValidObject(value, site, depth);
  return true;
}

bool SchemaCheck::Listed(const Json& value, const Json& list) {
  if (value.is_structured()) {
    return std::any_of(list.begin(), list.end(), [&](const Json& one) { return Equal(value, one); });
  }
  // Lists may be long: equal scalars are equal texts here.
  const auto text = [](const Json& scalar) {
    if (!scalar.is_number()) return ToText(scalar);
    const Decimal d = DecimalOf(scalar);
    return Cat(d.negative ? "-" : "", d.whole, ".", d.fraction);
  };
  const auto [entry, fresh] = lists_.try_emplace(&list);
  for (size_t i = 0; fresh && i < list.size(); ++i) {
    if (!list[i].is_structured()) entry->second.insert(text(list[i]));
  }
  return entry->second.contains(text(value));
}

bool SchemaCheck::ValidNumber(const Json& value, const Site& site) {
  const Decimal number = DecimalOf(value);
  const auto order = [&](const char* keyword) { return Compare(number, DecimalOf(site.At(keyword))); };
  if (site.Has("minimum") && order("minimum") < 0) return false;
  if (site.Has("maximum") && order("maximum") > 0) return false;
  if (site.Has("exclusiveMinimum") && order("exclusiveMinimum") <= 0) return false;
  if (site.Has("exclusiveMaximum") && order("exclusiveMaximum") >= 0) return false;
  if (site.Has("multipleOf")) {
    const auto is = IsMultiple(number, DecimalOf(site.At("multipleOf")));
    if (!is) SchemaDocument::Refuse(site.Pointer("multipleOf"), "numbers of this length are not supported");
    return *is;
  }
  return true;
}

bool SchemaCheck::ValidString(const Json& value, const Site& site) {
  const std::string& text = value.get_ref<const std::string&>();
  const auto length = static_cast<int64_t>(text::CountChars(text));
  if (site.Has("minLength") && length < CountAt(site, "minLength")) return false;
  if (site.Has("maxLength") && length > CountAt(site, "maxLength")) return false;
  return !site.Has("pattern") || Finds(site.At("pattern").get<std::string>(), text, site.Pointer("pattern"));
}

bool SchemaCheck::ValidArray(const Json& value, const Site& site, int depth) {
  const auto size = static_cast<int64_t>(value.size());
  if (site.Has("minItems") && size < CountAt(site, "minItems")) return false;
  if (site.Has("maxItems") && size > CountAt(site, "maxItems")) return false;
  const size_t listed = site.Has("prefixItems") ? site.At("prefixItems").size() : 0;
  for (size_t i = 0; i < value.size(); ++i) {
    if (i < listed) {
      if (!Valid(value[i], site.Sub("prefixItems", i), depth + 1)) return false;
    } else if (site.Has("items") && !Valid(value[i], site.Sub("items"), depth + 1)) {
      return false;
    }
    for (size_t j = 0; site.Has("uniqueItems") && site.At("uniqueItems") == true && j < i; ++j) {
      if (Equal(value[i], value[j])) return false;
    }
  }
  if (!site.Has("contains")) return true;
  int64_t found = 0;
  for (const Json& item : value) found += Valid(item, site.Sub("contains"), depth + 1);
  return found >= (site.Has("minContains") ? CountAt(site, "minContains") : 1) &&
         !(site.Has("maxContains") && found > CountAt(site, "maxContains"));
}

bool SchemaCheck::ValidObject(const Json& value, const Site& site, int depth) {
  const auto size = static_cast<int64_t>(value.size());
  if (site.Has("minProperties") && size < CountAt(site, "minProperties")) return false;
  if (site.Has("maxProperties") && size > CountAt(site, "maxProperties")) return false;
  if (site.Has("required")) {
    for (const Json& name : site.At("required")) {
      if (!value.contains(name.get<std::string>())) return false;
    }
  }
  for (const char* keyword : {"dependentRequired", "dependentSchemas"}) {
    if (!site.Has(keyword)) continue;
    for (const auto& [name, dependent] : site.At(keyword).items()) {
      if (!value.contains(name)) continue;
      if (keyword == std::string_view("dependentSchemas")) {
        if (!Valid(value, site.Sub(keyword, name), depth + 1)) return false;
      } else if (!std::all_of(dependent.begin(), dependent.end(),
                              [&](const Json& other) { return value.contains(other.get<std::string>()); })) {
        return false;
      }
    }
  }
  for (const auto& [key, item] : value.items()) {
    bool listed = false;
    if (site.Has("propertyNames") && !Valid(Json(key), site.Sub("propertyNames"), depth + 1)) return false;
    if (site.Has("properties") && site.At("properties").contains(key)) {
      listed = true;
      if (!Valid(item, site.Sub("properties", key), depth + 1)) return false;
    }
    if (site.Has("patternProperties")) {
      for (const auto& [pattern, ignored] : site.At("patternProperties").items()) {
        const Site sub = site.Sub("patternProperties", pattern);
        if (!Finds(pattern, key, sub.pointer)) continue;
        listed = true;
        if (!Valid(item, sub, depth + 1)) return false;
      }
    }
    if (!listed && site.Has("additionalProperties") && !Valid(item, site.Sub("additionalProperties"), depth + 1)) {
      return false;
    }
  }
  return true;
}

}  // namespace atelier::runtime
