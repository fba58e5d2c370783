#include "runtime/constraint/schema.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/str.h"
#include "runtime/constraint/formats.h"
#include "runtime/constraint/json_grammar.h"
#include "runtime/constraint/regex.h"
#include "runtime/constraint/schema_merge.h"
#include "runtime/constraint/schema_numbers.h"

namespace atelier::runtime {
namespace {

using Kind = Grammar::Kind;

constexpr size_t kMostNames = 1024;  // listed properties of one object
constexpr int kMostLength = 10000;   // a string that must be longer is refused, a higher limit is taken as this

class SchemaCompiler {
 public:
  SchemaCompiler(const Json& root, Grammar* grammar, SchemaCosts* costs)
      : document_(root, costs),
        check_(document_),
        merger_(document_, &check_),
        grammar_(*grammar),
        before_(grammar->nodes.size()),
        any_(AddAnyJson(grammar)) {}

  void Compile() {
    const int32_t root = Value({document_.Root()});
    FillAll();
    grammar_.Finish(root, before_);
    while (!unsaid_.empty()) {  // where the types that were meant have no value, others have
      for (const Unsaid& one : std::exchange(unsaid_, {})) {
        if (grammar_.node(one.node).height <= Grammar::kMostDepth) continue;
        std::vector<int32_t> parts;
        AddTypes(one.merged, one.types, &parts);
        std::vector<int32_t>& all = grammar_.nodes[static_cast<size_t>(one.node)].parts;
        all.insert(all.end(), parts.begin(), parts.end());
      }
      FillAll();
      grammar_.Finish(root, before_);
    }
    if (grammar_.node(root).height > Grammar::kMostDepth) Explain(root);
  }

 private:
  struct Unsaid {
    int32_t node;
    Merged merged;
    int types;  // those that no keyword is about
  };
  void FillAll() {
    while (!todo_.empty()) {  // not by recursion: schemas may go deep
      const auto [node, sites] = std::move(todo_.front());
      todo_.pop_front();
      Fill(node, sites);
    }
  }

  // The node of a value for which all of these hold; filled later.
  int32_t Value(const std::vector<Site>& sites) {
    std::vector<const Json*> key;
    for (const Site& site : sites) {
      if (*site.schema != Json(true)) key.push_back(site.schema);
    }
    if (key.empty()) return any_.value;
    std::sort(key.begin(), key.end());
    key.erase(std::unique(key.begin(), key.end()), key.end());
    const auto [entry, fresh] = values_.emplace(std::move(key), 0);
    if (fresh) {
      entry->second = grammar_.Add({.kind = Kind::kChoice});
      todo_.emplace_back(entry->second, sites);
    }
    return entry->second;
  }

  void Fill(int32_t node, const std::vector<Site>& sites) {
    std::vector<int32_t> parts;
    std::string reason;
    for (const Merged& merged : merger_.Alternatives(sites)) {
      reason_.clear();
      if (merged.never) {
        reason_ = *merged.never;
      } else if (merged.Listing()) {
        AddListed(merged, &parts);
      } else {
        const int inferred = merged.InferredTypes(), all = merged.Types();
        const size_t before = parts.size();
        AddTypes(merged, inferred, &parts);
        if ((all & ~inferred) != 0) unsaid_.push_back({node, merged, all & ~inferred});
        if (parts.size() == before && reason_.empty()) reason_ = merged.Where("type");
      }
      if (reason.empty()) reason = reason_;
    }
    if (parts.empty()) reasons_[node] = reason.empty() && !sites.empty() ? sites[0].pointer : reason;
    std::sort(parts.begin(), parts.end());
    parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
    grammar_.nodes[static_cast<size_t>(node)].parts = std::move(parts);
  }

  void AddListed(const Merged& merged, std::vector<int32_t>* parts) {
    const Site listing = *merged.Listing();
    std::vector<std::string> texts;
    for (const Json& value : merger_.Listed(merged)) {
      CheckExact(value, listing);
      texts.push_back(ToText(value));
    }
    if (texts.empty()) {
      reason_ = listing.Pointer(listing.Has("const") ? "const" : "enum");
      return;
    }
    parts->push_back(grammar_.Lexeme(std::make_shared<LiteralAutomaton>(texts)));
  }

  // Numbers beyond 64 bits were rounded when the schema was read.
  void CheckExact(const Json& value, const Site& listing) {
    if (value.is_number_float() && std::abs(value.get<double>()) >= 1.8e19) {
      SchemaDocument::Refuse(listing.Pointer(listing.Has("const") ? "const" : "enum"),
                             "numbers of this size are not supported");
    }
    if (value.is_structured()) {
      for (const Json& item : value) CheckExact(item, listing);
    }
  }

  void AddTypes(const Merged& merged, int types, std::vector<int32_t>* parts) {
    if (types == kAllTypes && merged.Named() == 0) {
      parts->push_back(any_.value);
      return;
    }
    const auto add = [&](int32_t node) {
      if (node != Grammar::kNever) parts->push_back(node);
    };
    if ((types & kStringType) != 0) add(String(merged));
    if ((types & (kFractionType | kIntegerType)) != 0) add(Number(merged, (types & kFractionType) == 0));
    if ((types & kBooleanType) != 0) add(any_.boolean);
    if ((types & kNullType) != 0) add(any_.null);
    if ((types & kObjectType) != 0) add(Object(merged));
    if ((types & kArrayType) != 0) add(Array(merged));
  }

  int32_t Never(const std::string& where) {
    if (reason_.empty()) reason_ = where;
    return Grammar::kNever;
  }

  // The texts that pattern, format and lengths leave; `where` is the pointer that errors name.
  Regulars::Id Texts(const Merged& merged, Regulars* regulars, std::string* where) {
    const int least = merged.Least("minLength");
    int most = merged.Most("maxLength");
    if (least > kMostLength) SchemaDocument::Refuse(merged.Where("minLength"), Cat("at most ", kMostLength));
    if (most > kMostLength) most = kMostLength;
    std::vector<Regulars::Id> both;
    for (const Site& part : merged.parts) {
      if (part.Has("pattern")) {
        *where = part.Pointer("pattern");
        both.push_back(PatternAt(regulars, part.At("pattern").get<std::string>(), *where, false));
      }
      if (part.Has("format")) {
        const auto format = FormatRegex(part.At("format").get<std::string>());
        if (!format) continue;
        if (where->empty()) *where = part.Pointer("format");
        both.push_back(ParseRegex(regulars, *format, {.anchored = true}));
      }
    }
    for (const Site& part : merged.parts) merger_.negator().AddAllowed(part, regulars, where, &both);
    if (least > 0 || most >= 0) {
      if (where->empty() || (most >= 0 && least > most)) *where = merged.Where(least > 0 ? "minLength" : "maxLength");
      if (most >= 0 && least > most) return Regulars::kNothing;
      both.push_back(regulars->Repeat(regulars->Set(CharSet::All()), least, most));
    }
    return regulars->Both(std::move(both));
  }

  // Runs `work`; errors that do not name a place get one.
  template <typename Work>
  static auto Within(const std::string& where, const Work& work) {
    try {
      return work();
    } catch (const Error& error) {
      if (std::string_view(error.what()).starts_with("schema: ")) throw;
      throw error.Within(Cat("schema: ", where));
    }
  }

  int32_t String(const Merged& merged) {
    // Fields of one form share their automaton, and with it what is known of its states.
    std::string key = Cat(merged.Least("minLength"), " ", merged.Most("maxLength"));
    const auto add = [&](char kind, const std::string& text) { key += Cat(" ", kind, text.size(), ":", text); };
    for (const Site& part : merged.parts) {
      for (const char* keyword : {"pattern", "format"}) {
        if (part.Has(keyword)) add(keyword[0], part.At(keyword).get_ref<const std::string&>());
      }
      if (merger_.negator().ExcludedBy(part.schema) != nullptr) add('x', part.pointer);
    }
    if (const auto known = lexemes_.find(key); known != lexemes_.end()) return known->second;
    std::string where;
    Regulars regulars;
    CharDfa dfa;
    const Regulars::Id texts = Texts(merged, &regulars, &where);
    if (texts == regulars.AnyText()) return any_.string;
    dfa = DfaAt(document_, &regulars, texts, where);
    if (dfa.empty()) return Never(where);
    return lexemes_[key] =
               grammar_.Lexeme(std::make_shared<EncodedAutomaton>(std::move(dfa), EncodedAutomaton::Writing::kJson));
  }

  int32_t Number(const Merged& merged, bool integer) {
    const NumberRules rules = NumberRulesOf(merged, integer);
    const auto& [bounds, bounded, rounded, where] = rules;
    if (!bounded) return integer ? any_.integer : any_.number;
    if (bounds.Crossed()) return Never(where);
    Regulars regulars;
    const auto numbers = Within(rules.where, [&] { return NumbersWithin(&regulars, rules.bounds); });
    const CharDfa dfa = DfaAt(document_, &regulars, numbers, where);
    if (dfa.empty()) {
      if (rounded) SchemaDocument::Refuse(where, "no whole number lies within the bounds");
      for (const auto& bound : {bounds.least, bounds.most}) {
        if (bound && bound->whole.size() + bound->fraction.size() > 15) {
          SchemaDocument::Refuse(where, "bounds of more than 15 digits are not supported");
        }
      }
      return Never(where);
    }
    return grammar_.Lexeme(std::make_shared<EncodedAutomaton>(dfa, EncodedAutomaton::Writing::kPlain));
  }

  int32_t Array(const Merged& merged) {
    Grammar::Node node{.kind = Kind::kArray};
    size_t listed = 0;
    bool says_rest = false;
    std::vector<Site> contained;  // item by item, what must be in the array
    for (const Site& part : merged.parts) {
      if (part.Has("prefixItems")) listed = std::max(listed, part.At("prefixItems").size());
      says_rest |= part.Has("items") || part.Has("unevaluatedItems");
      if (part.Has("contains")) AddContained(merged, part, &contained);
    }
    for (const Site& part : merged.parts) {
      if (!part.Has("uniqueItems") || part.At("uniqueItems") == false) continue;
      if (merged.Most("maxItems") == 0 || merged.Most("maxItems") == 1) continue;
      if (listed == 0 && contained.empty()) return Set(merged, part.Pointer("uniqueItems"));
      SchemaDocument::Refuse(part.Pointer("uniqueItems"), "not together with prefixItems or contains");
    }
    if (listed > kMostNames) SchemaDocument::Refuse(merged.Where("prefixItems"), Cat("more than ", kMostNames));
    node.least = merged.Least("minItems");
    node.most = merged.Most("maxItems");
    if (node.most >= 0 && node.least > node.most) return Never(merged.Where("minItems"));
    for (size_t i = 0; i < std::max(listed, contained.size()); ++i) {
      std::vector<Site> sites = merger_.OfItem(merged, i);
      if (i < contained.size()) sites.push_back(contained[i]);
      node.parts.push_back(Value(sites));
    }
    if (!contained.empty()) {
      node.least = std::max(node.least, static_cast<int>(contained.size()));
      if (node.most >= 0 && node.least > node.most) {
        SchemaDocument::Refuse(merged.Where("contains"), "maxItems leaves no room for what the array must contain");
      }
    }
    // A list of items without a word about more ends there.
    if (says_rest || listed == 0 || static_cast<size_t>(node.least) > listed) {
      node.rest = Value(merger_.OfItem(merged, listed));
    }
    return grammar_.Add(std::move(node));
  }

  // What must be in an array is written first.
  void AddContained(const Merged& merged, const Site& part, std::vector<Site>* out) {
    const int least = part.Has("minContains") ? CountAt(part, "minContains") : 1;
    if (part.Has("maxContains")) SchemaDocument::Refuse(part.Pointer("maxContains"), "maxContains is not supported");
    if (least == 0) return;
    if (out->size() + static_cast<size_t>(least) > kMostNames) {
      SchemaDocument::Refuse(part.Pointer("minContains"), Cat("more than ", kMostNames));
    }
    for (const Site& other : merged.parts) {
      if (other.Has("prefixItems") || other.Has("unevaluatedItems")) {
        SchemaDocument::Refuse(part.Pointer("contains"), "not together with prefixItems or unevaluatedItems");
      }
    }
    out->insert(out->end(), static_cast<size_t>(least), part.Sub("contains"));
  }

  // An array whose items differ: each of the values that they may have at most once, in their order.
  int32_t Set(const Merged& merged, const std::string& where) {
    std::vector<Json> values;
    std::set<std::string> known;
    const auto add = [&](const Json& value) {
      if (values.size() > kMostNames) SchemaDocument::Refuse(where, Cat("more than ", kMostNames, " values"));
      if (known.insert(SchemaCheck::Canonical(value)).second) values.push_back(value);
    };
    for (const Merged& item : merger_.Alternatives(merger_.OfItem(merged, 0))) {
      const int types = item.Types();
      if (item.never) continue;
      if (const auto listing = item.Listing()) {
        for (const Json& value : merger_.Listed(item)) {
          CheckExact(value, *listing);
          add(value);
        }
      } else if ((types & ~(kBooleanType | kNullType)) == 0) {
        if ((types & kBooleanType) != 0) add(false), add(true);
        if ((types & kNullType) != 0) add(nullptr);
      } else {
        SchemaDocument::Refuse(where, "only for items with enum or const, or with maxItems of at most 1");
      }
    }
    Grammar::Node node{.kind = Kind::kSet};
    for (const Json& value : values)
      node.properties.push_back({.key = grammar_.Literal(ToText(value)), .value = any_.null});
    node.least = merged.Least("minItems");
    node.most = merged.Most("maxItems");
    if ((node.most >= 0 && node.least > node.most) || static_cast<size_t>(node.least) > values.size()) {
      return Never(merged.Where("minItems"));
    }
    return grammar_.Add(std::move(node));
  }

  int32_t Object(const Merged& merged) {
    Grammar::Node node{.kind = Kind::kObject};
    std::vector<std::string> names;
    std::map<std::string, bool> required;  // of all names
    bool says_open = false;
    const Patterns patterns = merged.OpenPatterns();
    const auto add = [&](const std::string& name, bool must) {
      const auto [entry, fresh] = required.emplace(name, must);
      entry->second |= must;
      if (fresh) names.push_back(name);
    };
    for (const Site& part : merged.parts) {
      if (part.Has("properties")) {
        for (const auto& [name, ignored] : part.At("properties").items()) add(name, false);
      }
      says_open |= part.Has("additionalProperties") || part.Has("patternProperties") || part.Has("propertyNames") ||
                   part.Has("unevaluatedProperties");
    }
    for (const Site& part : merged.parts) {
      if (!part.Has("required")) continue;
      for (const Json& name : part.At("required")) add(name.get<std::string>(), true);
    }
    const Names allowed = AllowedNames(merged);
    if (allowed.listed) {
      for (const std::string& name : *allowed.listed) add(name, false);
    }
    if (names.size() > kMostNames) {
      SchemaDocument::Refuse(merged.Where("properties"), Cat("more than ", kMostNames, " properties"));
    }
    node.least = merged.Least("minProperties");
    node.most = merged.Most("maxProperties");
    if (node.most >= 0 && node.least > node.most) return Never(merged.Where("minProperties"));
    for (const std::string& name : names) {
      const bool fits = std::all_of(allowed.sites.begin(), allowed.sites.end(),
                                    [&](const Site& site) { return check_.Valid(Json(name), site); });
      if (!fits && required[name]) return Never(merged.Where("propertyNames"));
      if (!fits) continue;
      node.properties.push_back({.key = grammar_.Literal(ToText(Json(name))),
                                 .value = Value(merger_.OfProperty(merged, name)),
                                 .required = required[name]});
    }
    // An object that lists its properties and says nothing of others has no others.
    const bool needs_open = says_open || names.empty() || static_cast<size_t>(node.least) > node.properties.size();
    if (needs_open && !allowed.listed) AddOpen(merged, names, patterns, allowed.sites, &node);
    return grammar_.Add(std::move(node));
  }

  // What propertyNames says of an object's names.
  struct Names {
    std::vector<Site> sites;
    std::optional<std::vector<std::string>> listed;  // where it lists them
  };
  Names AllowedNames(const Merged& merged) {
    Names out;
    for (const Site& part : merged.parts) {
      if (part.Has("propertyNames")) out.sites.push_back(part.Sub("propertyNames"));
    }
    if (out.sites.empty()) return out;
    std::vector<std::string> names;
    for (const Merged& one : merger_.Alternatives(out.sites)) {
      if (one.never) continue;
      if (!one.Listing()) return out;
      for (const Json& name : merger_.Listed(one)) {
        if (name.is_string()) names.push_back(name.get<std::string>());
      }
    }
    out.listed = std::move(names);
    return out;
  }

  using Patterns = Merged::Patterns;

  // Names that are not listed: those of one pattern each, and those of none.
  void AddOpen(const Merged& merged, const std::vector<std::string>& names, const Patterns& patterns,
               const std::vector<Site>& name_sites, Grammar::Node* node) {
    for (size_t which = 0; which <= patterns.size(); ++which) {  // the last: no pattern
      const std::vector<Site> sites =
          merger_.OfOpen(merged, which < patterns.size() ? &patterns[which].first : nullptr);
      if (std::any_of(sites.begin(), sites.end(), [](const Site& s) { return *s.schema == Json(false); })) continue;
      const std::string where = which < patterns.size() ? patterns[which].second : merged.Where("additionalProperties");
      const int32_t key = OpenKey(names, patterns, which, name_sites, where);
      if (key >= 0) node->open.push_back({.key = key, .value = Value(sites)});
    }
  }

  // The lexeme of such names, -1 where there is none.
  int32_t OpenKey(const std::vector<std::string>& names, const Patterns& patterns, size_t which,
                  const std::vector<Site>& name_sites, const std::string& where) {
    if (names.empty() && patterns.empty() && name_sites.empty()) return grammar_.AddLexeme(AnyJsonString());
    return Within(where, [&] {
      Regulars regulars;
      std::vector<Regulars::Id> both, listed;
      for (const std::string& name : names) listed.push_back(regulars.Text(std::string_view(name)));
      if (!listed.empty()) both.push_back(regulars.Not(regulars.Either(std::move(listed))));
      for (size_t i = 0; i < patterns.size(); ++i) {
        const Regulars::Id pattern = PatternAt(&regulars, patterns[i].first, patterns[i].second, i != which);
        both.push_back(i == which ? pattern : regulars.Not(pattern));
      }
      if (!name_sites.empty()) {
        std::vector<Regulars::Id> either;
        for (const Merged& one : merger_.Alternatives(name_sites)) {
          std::string ignored;
          if (one.never || (one.Types() & kStringType) == 0) continue;
          if (!one.Listing()) either.push_back(Texts(one, &regulars, &ignored));
          for (const Json& name : one.Listing() ? merger_.Listed(one) : std::vector<Json>()) {
            if (name.is_string()) either.push_back(regulars.Text(std::string_view(name.get_ref<const std::string&>())));
          }
        }
        both.push_back(regulars.Either(std::move(either)));
      }
      CharDfa dfa = DfaAt(document_, &regulars, regulars.Both(both), where);
      if (dfa.empty()) return int32_t{-1};
      const bool endless =
          std::all_of(dfa.counts.begin(), dfa.counts.end(), [](int64_t count) { return count >= CharDfa::kMany; });
      if (endless) {
        return grammar_.AddLexeme(std::make_shared<EncodedAutomaton>(std::move(dfa), EncodedAutomaton::Writing::kJson));
      }
      // Names could run out: they are counted, which goes without escapes and with one byte per character.
      const CharSet plain = CharSet{{' ', '~'}}.And(CharSet{{'"', '"'}, {'\\', '\\'}}.Negated());
      both.push_back(regulars.Repeat(regulars.Set(plain), 0, Regulars::kNoLimit));
      dfa = DfaAt(document_, &regulars, regulars.Both(both), where);
      if (dfa.empty()) return int32_t{-1};
      return grammar_.AddLexeme(
          std::make_shared<EncodedAutomaton>(std::move(dfa), EncodedAutomaton::Writing::kJsonKey));
    });
  }

  // Says why nothing satisfies the schema.
  [[noreturn]] void Explain(int32_t node) const {
    if (const std::string& where = merger_.negator().narrowed(); !where.empty()) {
      SchemaDocument::Refuse(where, "what is left of its complement here, if anything is, is not supported");
    }
    for (int depth = 0; depth < 1000; ++depth) {
      if (const auto found = reasons_.find(node); found != reasons_.end()) {
        SchemaDocument::Refuse(found->second, "nothing can satisfy the schema because of this");
      }
      const Grammar::Node& n = grammar_.node(node);
      const auto fails = [&](int32_t id) { return grammar_.node(id).height > Grammar::kMostDepth; };
      int32_t next = Grammar::kNever;
      if (n.kind == Kind::kChoice && !n.parts.empty()) next = n.parts[0];
      for (const Grammar::Property& p : n.properties) {
        if (p.required && fails(p.value) && next == Grammar::kNever) next = p.value;
      }
      for (int i = 0; n.kind == Kind::kArray && i < n.least && next == Grammar::kNever; ++i) {
        if (fails(grammar_.Item(n, i))) next = grammar_.Item(n, i);
        if (static_cast<size_t>(i) >= n.parts.size()) break;
      }
      if (next == Grammar::kNever) break;
      node = next;
    }
    SchemaDocument::Refuse("", Cat("what satisfies the schema, if anything does, nests deeper than ",
                                   Grammar::kMostDepth, " arrays and objects"));
  }

  SchemaDocument document_;
  SchemaCheck check_;
  SchemaMerger merger_;
  Grammar& grammar_;
  const size_t before_;  // nodes of other schemas, which know nothing of these
  AnyJson any_;
  std::map<std::vector<const Json*>, int32_t> values_;
  std::deque<std::pair<int32_t, std::vector<Site>>> todo_;
  std::vector<Unsaid> unsaid_;
  std::map<int32_t, std::string> reasons_;
  std::map<std::string, int32_t> lexemes_;  // strings by what is said of them
  std::string reason_;
};

}  // namespace

void CompileSchema(const Json& schema, Grammar* grammar, SchemaCosts* costs) {
  SchemaCompiler(schema, grammar, costs).Compile();
}

}  // namespace atelier::runtime
