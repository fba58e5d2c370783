#include "runtime/constraint/schema_merge.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "runtime/constraint/schema_numbers.h"

namespace atelier::runtime {
namespace {

int TypeBitsOf(const std::string& name) {
  if (name == "string") return kStringType;
  if (name == "number") return kFractionType | kIntegerType;
  if (name == "integer") return kIntegerType;
  if (name == "object") return kObjectType;
  if (name == "array") return kArrayType;
  return name == "boolean" ? kBooleanType : kNullType;
}

}  // namespace

int Merged::Types() const {
  int types = kAllTypes;
  for (const Site& part : parts) {
    if (!part.Has("type")) continue;
    const Json& type = part.At("type");
    int own = 0;
    if (type.is_string()) own = TypeBitsOf(type.get<std::string>());
    for (size_t i = 0; type.is_array() && i < type.size(); ++i) own |= TypeBitsOf(type[i].get<std::string>());
    types &= own;
  }
  return types;
}

int Merged::Named() const {
  constexpr std::pair<const char*, int> kAbout[] = {{"minLength", kStringType},
                                                    {"maxLength", kStringType},
                                                    {"pattern", kStringType},
                                                    {"format", kStringType},
                                                    {"minimum", kFractionType | kIntegerType},
                                                    {"maximum", kFractionType | kIntegerType},
                                                    {"exclusiveMinimum", kFractionType | kIntegerType},
                                                    {"exclusiveMaximum", kFractionType | kIntegerType},
                                                    {"multipleOf", kFractionType | kIntegerType},
                                                    {"properties", kObjectType},
                                                    {"required", kObjectType},
                                                    {"additionalProperties", kObjectType},
                                                    {"patternProperties", kObjectType},
                                                    {"propertyNames", kObjectType},
                                                    {"unevaluatedProperties", kObjectType},
                                                    {"unevaluatedItems", kArrayType},
                                                    {"minProperties", kObjectType},
                                                    {"maxProperties", kObjectType},
                                                    {"items", kArrayType},
                                                    {"prefixItems", kArrayType},
                                                    {"minItems", kArrayType},
                                                    {"maxItems", kArrayType},
                                                    {"uniqueItems", kArrayType},
                                                    {"contains", kArrayType}};
  int named = 0;
  for (const Site& part : parts) {
    for (const auto& [keyword, types] : kAbout) {
      if (part.Has(keyword)) named |= types;
    }
  }
  return named;
}

int Merged::InferredTypes() const {
  const bool says = std::any_of(parts.begin(), parts.end(), [](const Site& part) { return part.Has("type"); });
  const int named = says ? 0 : Named();
  return named != 0 ? named : Types();
}

std::optional<Site> Merged::Listing() const {
  for (const char* keyword : {"const", "enum"}) {
    for (const Site& part : parts) {
      if (part.Has(keyword)) return part;
    }
  }
  return std::nullopt;
}

int Merged::Least(const char* keyword) const {
  int least = 0;
  for (const Site& part : parts) {
    if (part.Has(keyword)) least = std::max(least, CountAt(part, keyword));
  }
  return least;
}

int Merged::Most(const char* keyword) const {
  int most = -1;
  for (const Site& part : parts) {
    if (!part.Has(keyword)) continue;
    const int own = CountAt(part, keyword);
    most = most < 0 ? own : std::min(most, own);
  }
  return most;
}

std::string Merged::Where(const char* keyword) const {
  for (const Site& part : parts) {
    if (part.Has(keyword)) return part.Pointer(keyword);
  }
  return parts.empty() ? "" : parts[0].pointer;
}

Merged::Patterns Merged::OpenPatterns() const {
  Patterns patterns;
  for (const Site& part : parts) {
    if (!part.Has("patternProperties")) continue;
    for (const auto& [pattern, ignored] : part.At("patternProperties").items()) {
      const bool known = std::any_of(patterns.begin(), patterns.end(),
                                     [&, &p = pattern](const auto& entry) { return entry.first == p; });
      if (!known) patterns.emplace_back(pattern, Cat(part.Pointer("patternProperties"), "/", pattern));
      if (patterns.size() > SchemaDocument::kMostPatterns) {
        SchemaDocument::Refuse(Where("patternProperties"),
                               Cat("more than ", SchemaDocument::kMostPatterns, " patterns"));
      }
    }
  }
  return patterns;
}

void SchemaMerger::Gather(const Site& site, std::vector<Site>* inside, Merged* into, Choices* choices) {
  size_t& gathered = document_.costs().gathered;
  gathered += 1 + (into->parts.size() + (site.schema->is_object() ? site.schema->size() : 0)) / 64;
  if (gathered > kMostSteps) SchemaDocument::Refuse(site.pointer, "the schema is too large");
  if (std::find(inside->begin(), inside->end(), site) != inside->end() || inside->size() > 200) {
    SchemaDocument::Refuse(site.pointer, "this schema contains itself without an object or array between");
  }
  const Json& s = *site.schema;
  document_.CheckForm(site);
  if (s.is_boolean()) {
    if (!s.get<bool>() && !into->never) into->never = site.pointer;
    return;
  }
  if (IsKnown(site, *inside, *into)) return;
  if (into->parts.size() >= kMostParts) {
    SchemaDocument::Refuse(site.pointer, Cat("more than ", kMostParts, " schemas that hold together"));
  }
  if (!loosely_) document_.CheckKept(site);
  into->parts.push_back(site);
  inside->push_back(site);
  Merged::Around around;
  for (const Site& outer : *inside) {
    if (outer.schema == nullptr) around.clear();  // a negation: nothing inside evaluates for outside
    if (outer.schema != nullptr) around.push_back(outer.schema);
  }
  into->around.push_back(std::make_shared<const Merged::Around>(std::move(around)));
  if (s.contains("$ref")) Gather(document_.Follow(site), inside, into, choices);
  if (s.contains("allOf")) {
    for (size_t i = 0; i < s["allOf"].size(); ++i) Gather(site.Sub("allOf", i), inside, into, choices);
  }
  for (const char* keyword : {"anyOf", "oneOf"}) {
    if (!s.contains(keyword)) continue;
    if (s[keyword].size() > kMostAlternatives) {
      SchemaDocument::Refuse(site.Pointer(keyword), Cat("more than ", kMostAlternatives, " alternatives"));
    }
    Choice choice{site.Pointer(keyword), keyword[0] == 'o', {}, *inside};
    for (size_t i = 0; i < s[keyword].size(); ++i) choice.branches.push_back({site.Sub(keyword, i)});
    Add(std::move(choice), choices);
  }
  AddDependents(site, *inside, choices);
  if (!loosely_) {
    if (const Site* negated = negator_.NegatedBy(site.schema)) AddNegation(*negated, *inside, into, choices);
    if (s.contains("not")) AddNegation(site.Sub("not"), *inside, into, choices);
    if (s.contains("if") && (s.contains("then") || s.contains("else"))) {
      Choice choice{site.Pointer("if"), false, {{site.Sub("if")}, {negator_.Not(site.Sub("if"))}}, *inside};
      if (s.contains("then")) choice.branches[0].push_back(site.Sub("then"));
      if (s.contains("else")) choice.branches[1].push_back(site.Sub("else"));
      Add(std::move(choice), choices);
    }
  }
  inside->pop_back();
}

void SchemaMerger::Work(size_t work, const std::string& where) {
  size_t& merged = document_.costs().merged;
  merged += work;
  if (merged > kMostWork) SchemaDocument::Refuse(where, "too many schemas inside and beside each other");
}

// Whether it is among the parts already; where something outside speaks of what is not evaluated, inside that too.
bool SchemaMerger::IsKnown(const Site& site, const std::vector<Site>& inside, const Merged& merged) const {
  const auto at = std::find(merged.parts.begin(), merged.parts.end(), site);
  if (at == merged.parts.end()) return false;
  const Merged::Around& around = *merged.around[static_cast<size_t>(at - merged.parts.begin())];
  return std::none_of(inside.begin(), inside.end(), [&](const Site& outer) {
    return outer.schema != nullptr && (outer.Has("unevaluatedProperties") || outer.Has("unevaluatedItems")) &&
           std::find(around.begin(), around.end(), outer.schema) == around.end();
  });
}

void SchemaMerger::AddNegation(const Site& negated, const std::vector<Site>& inside, Merged* into, Choices* choices) {
  Choice choice{negated.pointer, false, negator_.Alternatives(negated), inside, true};
  if (choice.branches.empty() && !into->never) into->never = negated.pointer;
  if (!choice.branches.empty()) Add(std::move(choice), choices);
}

// A name that others depend on is not there, or it is and they hold.
void SchemaMerger::AddDependents(const Site& site, const std::vector<Site>& inside, Choices* choices) {
  for (const char* keyword : {"dependentRequired", "dependentSchemas"}) {
    if (!site.Has(keyword)) continue;
    for (const auto& item : site.At(keyword).items()) {
      const std::string& name = item.key();
      const Json& dependent = item.value();
      const std::string pointer = site.Sub(keyword, name).pointer;
      const auto make = [&](std::string_view which, const Json& schema) {
        return negator_.Made(&dependent, std::string(which), pointer, schema);
      };
      const Site absent = make("absent", {{"properties", {{name, false}}}});
      Json needed = Json::array({name});
      if (keyword == std::string_view("dependentRequired"))
        needed.insert(needed.end(), dependent.begin(), dependent.end());
      std::vector<Site> present = {make("present", {{"required", std::move(needed)}})};
      if (keyword == std::string_view("dependentSchemas")) present.push_back(site.Sub(keyword, name));
      Add({pointer, false, {{absent}, std::move(present)}, inside}, choices);
    }
  }
}

void SchemaMerger::Divide(const Merged& merged, const Choices& choices, size_t next, std::vector<Merged>* out) {
  if (next == choices.size()) {
    if (out->size() >= kMostAlternatives) {
      SchemaDocument::Refuse(choices.back()->pointer, Cat("more than ", kMostAlternatives, " alternatives"));
    }
    out->push_back(merged);
    return;
  }
  const Choice& choice = *choices[next];
  const size_t count = choice.branches.size();
  Work(count * (choices.size() + merged.parts.size()), choice.pointer);  // they are copied
  for (size_t i = 0; i < count; ++i) {
    Merged own = merged;
    Choices more = choices;
    std::vector<Site> inside = choice.inside;
    if (choice.negates) inside.push_back({});
    for (const Site& site : choice.branches[i]) Gather(site, &inside, &own, &more);
    for (size_t j = 0; choice.only_one && !loosely_ && !own.never && j < count; ++j) {
      const std::vector<Site> both = {choice.branches[i][0], choice.branches[j][0]};
      if (j == i || Nothing(merged, both, choice.inside, 0)) continue;
      document_.CheckKept(choice.branches[j][0]);
      try {
        negator_.Alternatives(choice.branches[j][0]);
      } catch (const Error& error) {
        if (error.code() != Code::kUnsupported) throw;
        SchemaDocument::Refuse(choice.pointer, Cat("a value could be valid under branch ", i, " and branch ", j),
                               "use anyOf, or give the branches types, constants or required properties that differ");
      }
      Gather(negator_.Not(choice.branches[j][0]), &inside, &own, &more);
    }
    if (own.never && next + 1 < more.size()) more.resize(next + 1);  // no need to look further
    Divide(own, more, next + 1, out);
  }
}

std::vector<Merged> SchemaMerger::Alternatives(const std::vector<Site>& sites) {
  Merged merged;
  Choices choices;
  for (const Site& site : sites) {
    std::vector<Site> inside;
    Gather(site, &inside, &merged, &choices);
  }
  std::vector<Merged> out;
  if (merged.never) choices.clear();
  Divide(merged, choices, 0, &out);
  return out;
}

template <typename Speaks>
void SchemaMerger::AddUnevaluated(const Merged& merged, const char* keyword, const Speaks& speaks,
                                  std::vector<Site>* out) {
  if (loosely_) return;  // choices that are not followed could speak
  for (const Site& part : merged.parts) {
    if (!part.Has(keyword)) continue;
    Work(merged.parts.size(), part.pointer);
    bool spoken = false;
    for (size_t i = 0; i < merged.parts.size() && !spoken; ++i) {
      const Merged::Around& around = *merged.around[i];
      spoken = std::find(around.begin(), around.end(), part.schema) != around.end() && speaks(merged.parts[i]);
    }
    if (!spoken) out->push_back(part.Sub(keyword));
  }
}

std::vector<Site> SchemaMerger::OfProperty(const Merged& merged, const std::string& name) {
  std::vector<Site> out;
  const auto add = [&](const Site& part, std::vector<Site>* to) {
    bool listed = false;
    if (part.Has("properties") && part.At("properties").contains(name)) {
      listed = true;
      to->push_back(part.Sub("properties", name));
    }
    if (part.Has("patternProperties")) {
      document_.CheckPatterns(part);
      for (const auto& [pattern, ignored] : part.At("patternProperties").items()) {
        const Site sub = part.Sub("patternProperties", pattern);
        if (!check_.Finds(pattern, name, sub.pointer)) continue;
        listed = true;
        to->push_back(sub);
      }
    }
    if (!listed && part.Has("additionalProperties")) to->push_back(part.Sub("additionalProperties"));
  };
  for (const Site& part : merged.parts) {
    Work(1 + (part.Has("properties") ? part.At("properties").size() / 16 : 0), part.pointer);
    add(part, &out);
  }
  const auto speaks = [&](const Site& part) {
    std::vector<Site> said;
    add(part, &said);
    return !said.empty();
  };
  AddUnevaluated(merged, "unevaluatedProperties", speaks, &out);
  return out;
}

std::vector<Site> SchemaMerger::OfOpen(const Merged& merged, const std::string* pattern) {
  std::vector<Site> out;
  const auto has = [&](const Site& part) {
    return pattern != nullptr && part.Has("patternProperties") && part.At("patternProperties").contains(*pattern);
  };
  for (const Site& part : merged.parts) {
    if (has(part)) {
      out.push_back(part.Sub("patternProperties", *pattern));
    } else if (part.Has("additionalProperties")) {
      out.push_back(part.Sub("additionalProperties"));
    }
  }
  const auto speaks = [&](const Site& part) { return has(part) || part.Has("additionalProperties"); };
  AddUnevaluated(merged, "unevaluatedProperties", speaks, &out);
  return out;
}

std::vector<Site> SchemaMerger::OfItem(const Merged& merged, size_t index) {
  std::vector<Site> out;
  const auto listed = [&](const Site& part) {
    return part.Has("prefixItems") && index < part.At("prefixItems").size();
  };
  for (const Site& part : merged.parts) {
    if (listed(part)) {
      out.push_back(part.Sub("prefixItems", index));
    } else if (part.Has("items")) {
      out.push_back(part.Sub("items"));
    }
  }
  AddUnevaluated(
      merged, "unevaluatedItems", [&](const Site& part) { return listed(part) || part.Has("items"); }, &out);
  return out;
}

std::vector<Json> SchemaMerger::Listed(const Merged& merged) {
  const std::optional<Site> listing = merged.Listing();
  std::vector<Json> out;
  const auto consider = [&](const Json& value) {
    for (const Site& part : merged.parts) {
      const Site* negated = negator_.NegatedBy(part.schema);
      if (!check_.Valid(value, part) || (negated != nullptr && check_.Valid(value, *negated))) return;
    }
    out.push_back(value);
  };
  if (listing->Has("const")) {
    consider(listing->At("const"));
  } else {
    for (const Json& value : listing->At("enum")) consider(value);
  }
  return out;
}

bool SchemaMerger::Nothing(const Merged& given, const std::vector<Site>& sites, const std::vector<Site>& around,
                           int depth) {
  if (depth > 8) return false;
  const bool before = loosely_;
  loosely_ = true;
  bool nothing = true;
  try {
    Work(1 + given.parts.size(), "");
    Merged merged = given;
    Choices choices;
    std::vector<Merged> alternatives;
    for (const Site& site : sites) {
      std::vector<Site> inside = around;
      Gather(site, &inside, &merged, &choices);
    }
    // Few choices are followed; the others are left open, which only makes more possible.
    size_t product = 1, kept = 0;
    for (const auto& choice : choices) {
      const size_t count = choice->branches.size();
      if (product * count > 64) continue;
      product *= count;
      choices[kept++] = choice;
    }
    choices.resize(kept);
    Divide(merged, choices, 0, &alternatives);
    for (const Merged& one : alternatives) nothing = nothing && Nothing(one, depth);
  } catch (const Error& error) {
    if (error.code() != Code::kUnsupported) throw;
    nothing = false;
  }
  loosely_ = before;
  return nothing;
}

bool SchemaMerger::Nothing(const Merged& merged, int depth) {
  if (merged.never) return true;
  if (merged.Listing()) return Listed(merged).empty();
  const int types = merged.Types();
  if ((types & (kBooleanType | kNullType)) != 0) return false;
  const auto crossed = [&](const char* least, const char* most) {
    return merged.Most(most) >= 0 && merged.Least(least) > merged.Most(most);
  };
  if ((types & kStringType) != 0 && !crossed("minLength", "maxLength")) {
    Regulars regulars;
    std::vector<Regulars::Id> both;
    for (const Site& part : merged.parts) {
      if (!part.Has("pattern")) continue;
      both.push_back(
          PatternAt(&regulars, part.At("pattern").get<std::string>(), part.Pointer("pattern"), /*wide=*/true));
    }
    if (both.empty() || !DfaAt(document_, &regulars, regulars.Both(both), merged.Where("pattern")).empty())
      return false;
  }
  if ((types & (kFractionType | kIntegerType)) != 0) {
    if (!NumberRulesOf(merged, false).bounds.Crossed()) return false;
  }
  if ((types & kObjectType) != 0 && !crossed("minProperties", "maxProperties")) {
    bool possible = true;
    for (const Site& part : merged.parts) {
      if (!part.Has("required")) continue;
      for (const Json& name : part.At("required")) {
        possible = possible && !Nothing({}, OfProperty(merged, name.get<std::string>()), {}, depth + 1);
      }
    }
    if (possible) return false;
  }
  if ((types & kArrayType) != 0 && !crossed("minItems", "maxItems")) {
    bool possible = true;
    const auto least = static_cast<size_t>(merged.Least("minItems"));
    for (size_t i = 0; i < std::min<size_t>(least, 16); ++i) {
      possible = possible && !Nothing({}, OfItem(merged, i), {}, depth + 1);
    }
    if (possible) return false;
  }
  return true;
}

}  // namespace atelier::runtime
