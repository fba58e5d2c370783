#include "runtime/constraint/schema_check.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "runtime/constraint/decimal.h"
#include "runtime/constraint/formats.h"
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
    const auto made = [&](bool wide) {
      Regulars regulars;
      return DfaAt(document_, &regulars, PatternAt(&regulars, pattern, where, wide), where);
    };
    found = patterns_.emplace(pattern, Pattern{made(false), made(true)}).first;
  }
  Spend(text.size() / 16, where);
  const std::u32string characters = text::DecodeUtf8(text);
  const bool finds = found->second.narrow.Matches(characters);
  if (finds != found->second.wide.Matches(characters)) {
    SchemaDocument::Refuse(where, Cat("validators disagree whether it is found in ", Quote(text)));
  }
  return finds;
}

std::string SchemaCheck::Canonical(const Json& value) {
  if (value.is_number()) {
    const Decimal d = DecimalOf(value);
    return Cat(d.negative ? "-" : "", d.whole, ".", d.fraction);
  }
  if (!value.is_structured()) return ToText(value);
  std::string out = value.is_array() ? "[" : "{";
  std::map<std::string, const Json*> members;
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) members.emplace(name, &member);
    for (const auto& [name, member] : members) out += Cat(ToText(Json(name)), ":", Canonical(*member), ",");
  } else {
    for (const Json& item : value) out += Canonical(item) + ",";
  }
  return out + (value.is_array() ? "]" : "}");
}

void SchemaCheck::Spend(size_t steps, const std::string& where) {
  size_t& checked = document_.costs().checked;
  checked += steps;
  if (checked > kMostSteps) SchemaDocument::Refuse(where, "too much to check");
}

bool SchemaCheck::Valid(const Json& value, const Site& site, int depth) {
  if (depth > 200) SchemaDocument::Refuse(site.pointer, "references without end");
  const Json& s = *site.schema;
  Spend(1 + s.size() / 16, site.pointer);
  document_.CheckForm(site);
  document_.CheckKept(site);
  if (s.is_boolean()) return s.get<bool>();
  for (const char* keyword : {"unevaluatedItems", "unevaluatedProperties"}) {
    if (s.contains(keyword)) SchemaDocument::Refuse(site.Pointer(keyword), "not supported here");
  }
  if (s.contains("not") && Valid(value, site.Sub("not"), depth + 1)) return false;
  if (s.contains("if")) {
    const char* then = Valid(value, site.Sub("if"), depth + 1) ? "then" : "else";
    if (s.contains(then) && !Valid(value, site.Sub(then), depth + 1)) return false;
  }
  if (s.contains("$ref") && !Valid(value, document_.Follow(site), depth + 1)) return false;
  if (s.contains("allOf")) {
    for (size_t i = 0; i < s["allOf"].size(); ++i) {
      if (!Valid(value, site.Sub("allOf", i), depth + 1)) return false;
    }
  }
  for (const char* keyword : {"anyOf", "oneOf"}) {
    if (!s.contains(keyword)) continue;
    int valid = 0;
    for (size_t i = 0; i < s[keyword].size(); ++i) valid += Valid(value, site.Sub(keyword, i), depth + 1);
    if (valid == 0 || (valid > 1 && keyword[0] == 'o')) return false;
  }
  for (const char* keyword : {"const", "enum"}) {
    if (s.contains(keyword) && !Listed(value, s[keyword], keyword[0] == 'c', site.Pointer(keyword))) return false;
  }
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

bool SchemaCheck::Listed(const Json& value, const Json& list, bool is_const, const std::string& where) {
  const auto [entry, fresh] = lists_.try_emplace(&list);
  if (fresh && is_const) entry->second.insert(Canonical(list));
  for (size_t i = 0; fresh && !is_const && i < list.size(); ++i) entry->second.insert(Canonical(list[i]));
  const std::string text = Canonical(value);
  Spend(text.size() / 16, where);
  return entry->second.contains(text);
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
  if (site.Has("format") && !HasFormat(text, site)) {
    SchemaDocument::Refuse(site.Pointer("format"), Cat("whether it is kept by ", Quote(text), " is not known"));
  }
  return !site.Has("pattern") || Finds(site.At("pattern").get<std::string>(), text, site.Pointer("pattern"));
}

// False also where it is only not known: the formats are a part of what their RFC allows.
bool SchemaCheck::HasFormat(const std::string& text, const Site& site) {
  const auto& format = site.At("format").get_ref<const std::string&>();
  const auto regex = FormatRegex(format);
  if (!regex) return true;
  auto found = formats_.find(format);
  if (found == formats_.end()) {
    Regulars regulars;
    const Regulars::Id whole = ParseRegex(&regulars, *regex, {.anchored = true});
    found = formats_.emplace(format, DfaAt(document_, &regulars, whole, site.Pointer("format"))).first;
  }
  return found->second.Matches(text::DecodeUtf8(text));
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
  }
  if (site.Has("uniqueItems") && site.At("uniqueItems") == true) {
    std::unordered_set<std::string> seen;
    for (const Json& item : value) {
      const auto [text, fresh] = seen.insert(Canonical(item));
      Spend(text->size() / 16, site.pointer);
      if (!fresh) return false;
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
    Spend(site.At("required").size() * (value.size() + 1) / 16, site.Pointer("required"));
    for (const Json& name : site.At("required")) {
      if (!value.contains(name.get<std::string>())) return false;
    }
  }
  for (const char* keyword : {"dependentRequired", "dependentSchemas"}) {
    if (!site.Has(keyword)) continue;
    for (const auto& [name, dependent] : site.At(keyword).items()) {
      Spend(1 + dependent.size() * (value.size() + 1) / 16, site.Pointer(keyword));
      if (!value.contains(name)) continue;
      if (keyword == std::string_view("dependentSchemas")) {
        if (!Valid(value, site.Sub(keyword, name), depth + 1)) return false;
      } else if (!std::all_of(dependent.begin(), dependent.end(),
                              [&](const Json& other) { return value.contains(other.get<std::string>()); })) {
        return false;
      }
    }
  }
  if (site.Has("patternProperties")) document_.CheckPatterns(site);
  for (const auto& [key, item] : value.items()) {
    bool listed = false;
    if (site.Has("properties")) Spend(site.At("properties").size() / 16, site.Pointer("properties"));
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
