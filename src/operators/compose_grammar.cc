#include "operators/compose_grammar.h"

#include <re2/re2.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "operators/compose_language.h"

namespace atelier::operators {
namespace {

constexpr size_t kMaxClasses = 60, kMaxPatterns = 2000, kMaxLists = 500, kMaxWordsOfList = 2000, kMaxPhrase = 2000;

const std::vector<std::pair<std::string, Filter>>& Filters() {
  static const std::vector<std::pair<std::string, Filter>> list = {
      {"cap", Filter::kCap},       {"lower", Filter::kLower}, {"a", Filter::kA},        {"the", Filter::kThe},
      {"plural", Filter::kPlural}, {"bare", Filter::kBare},   {"tight", Filter::kTight}};
  return list;
}

const std::vector<std::string>& SlotFields() {
  static const std::vector<std::string> list = {"name", "category", "audience", "price"};
  return list;
}

const std::vector<std::string>& ConditionFields() {
  static const std::vector<std::string> list = {"name", "category", "audience", "price", "tone", "features"};
  return list;
}

template <typename T>
bool Contains(const std::vector<T>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string Known(std::string_view word, const std::vector<std::string>& list) {
  std::string near = Nearest(word, list);
  return near.empty() ? Cat("known: ", Join(list, ", ")) : Cat("did you mean '", near, "'?");
}

std::shared_ptr<const re2::RE2> Compile(const Table& owner, std::string_view key, const std::string& pattern) {
  if (pattern.empty() || pattern.size() > 4000) owner.Refuse(key, "a regular expression has 1 to 4000 bytes");
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(false);
  options.set_max_mem(4 << 20);
  auto compiled = std::make_shared<re2::RE2>(pattern, options);
  if (!compiled->ok()) {
    owner.Refuse(key, Cat("bad regular expression ", Quote(pattern), ": ", compiled->error()), "RE2 syntax");
  }
  return compiled;
}

std::vector<std::string> Lowered(std::vector<std::string> list) {
  for (std::string& item : list) item = ToLowerAscii(item);
  return list;
}

bool ValidName(std::string_view name) {
  if (name.empty() || name.size() > 60) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace

std::string_view Name(Part part) { return part == Part::kHeadline ? "headline" : "body"; }

Grammar Grammar::Load(const std::string& path) { return Parse(ReadFile(path, 4u << 20), path); }

Grammar Grammar::Parse(std::string_view text, std::string file) {
  Table table = Table::Parse(text, file);
  Grammar grammar;
  grammar.file_ = std::move(file);
  if (int64_t format = table.Int("format"); format != 1) {
    table.Refuse("format", Cat("version ", format, " is not known here"), "write format = 1");
  }
  grammar.lang_ = table.String("lang");
  if (grammar.lang_ != "zh" && grammar.lang_ != "en") {
    table.Refuse("lang", Cat(Quote(grammar.lang_), " is not a language with rules here"), "zh or en");
  }
  if (std::optional<Table> rules = table.SubOr("rules")) grammar.ReadRules(std::move(*rules));
  for (Table& item : table.TablesOr("class")) grammar.ReadClass(std::move(item));
  grammar.class_names_.push_back("plain");
  for (Table& item : table.TablesOr("group")) grammar.ReadGroup(std::move(item));
  std::vector<Table> words = table.TablesOr("words");
  if (words.size() > kMaxLists) table.Refuse("words", Cat("more than ", kMaxLists, " word lists"));
  // Names first: a word may use a list that stands further down.
  for (Table& item : words) {
    std::string name = item.String("name");
    if (!ValidName(name)) item.Refuse("name", Cat(Quote(name), " is not a name"), "lower-case letters, digits, _ - .");
    grammar.words_[name];
  }
  for (Table& item : words) grammar.ReadWords(std::move(item));
  grammar.CheckWords();
  std::vector<Table> patterns = table.Tables("pattern");
  if (patterns.size() > kMaxPatterns) table.Refuse("pattern", Cat("more than ", kMaxPatterns, " patterns"));
  for (Table& item : patterns) grammar.ReadPattern(std::move(item));
  for (Part part : {Part::kHeadline, Part::kBody}) {
    bool any = false;
    for (const Pattern& pattern : grammar.patterns_) any |= pattern.part == part;
    if (!any) table.Refuse("pattern", Cat("no pattern of part \"", Name(part), "\""));
  }
  table.Done();
  return grammar;
}

void Grammar::ReadRules(Table table) {
  rules_.sheet_order = table.BoolOr("sheet_order", false);
  rules_.no_echo = table.BoolOr("no_echo", false);
  for (auto [key, list] : {std::pair{"once", &rules_.once}, std::pair{"some", &rules_.some}}) {
    *list = table.StringsOr(key, {});
    for (const std::string& field : *list) {
      if (!Contains(SlotFields(), field)) table.Refuse(key, Cat("no field ", Quote(field)), Known(field, SlotFields()));
    }
  }
  rules_.apart = table.StringsOr("apart", {});
  for (const std::string& device : rules_.apart) {
    if (!ValidName(device)) table.Refuse("apart", Cat(Quote(device), " is not a name"));
  }
  table.Done();
}

void Grammar::ReadClass(Table table) {
  std::string name = table.String("name");
  if (!ValidName(name)) table.Refuse("name", Cat(Quote(name), " is not a name"), "lower-case letters, digits, _ - .");
  if (name == "plain") table.Refuse("name", "'plain' is the class of features that no other class matches");
  for (const auto& [filter, id] : Filters()) {
    if (filter == name) table.Refuse("name", Cat("'", name, "' is a filter's name"));
  }
  FeatureClass item;
  auto at = std::find(class_names_.begin(), class_names_.end(), name);
  item.bit = static_cast<int>(at - class_names_.begin());
  if (at == class_names_.end()) class_names_.push_back(name);
  if (class_names_.size() > kMaxClasses) table.Refuse("name", Cat("more than ", kMaxClasses, " classes"));
  if (table.Has("match")) {
    for (const std::string& text : table.StringOrStrings("match")) item.match.push_back(Compile(table, "match", text));
  }
  if (table.Has("unless")) {
    for (const std::string& text : table.StringOrStrings("unless"))
      item.unless.push_back(Compile(table, "unless", text));
  }
  item.first = Lowered(table.StringsOr("first", {}));
  item.head = Lowered(table.StringsOr("head", {}));
  std::sort(item.first.begin(), item.first.end());
  std::sort(item.head.begin(), item.head.end());
  item.plural = table.BoolOr("plural", false);
  if (std::string kind = table.StringOr("kind", ""); !kind.empty()) kinds_[item.bit] = kind;
  if (!table.BoolOr("countable", true)) uncountable_ |= 1ull << item.bit;
  if (item.match.empty() && item.first.empty() && item.head.empty() && !item.plural) {
    table.Refuse("", Cat("class '", name, "' matches nothing"), "give match, first, head or plural");
  }
  table.Done();
  classes_.push_back(std::move(item));
}

void Grammar::ReadGroup(Table table) {
  std::string name = table.String("name");
  if (!ValidName(name)) table.Refuse("name", Cat(Quote(name), " is not a name"), "lower-case letters, digits, _ - .");
  When when = ReadWhen(table);  // groups that stand further up may be named, so that none names itself
  table.Done();
  std::shared_ptr<Group>& group = groups_[name];
  auto grown = group == nullptr ? std::make_shared<Group>() : std::make_shared<Group>(*group);
  grown->any.push_back(std::move(when));
  group = std::move(grown);
}

void Grammar::ReadWords(Table table) {
  std::string name = table.String("name");
  WordList list;
  list.where = table.Where();
  list.when = ReadWhen(table);
  std::vector<std::string> any = table.Strings("any");
  if (any.empty()) table.Refuse("any", Cat("the word list '", name, "' is empty"));
  if (any.size() > kMaxWordsOfList) table.Refuse("any", Cat("more than ", kMaxWordsOfList, " words"));
  std::set<std::string> seen;
  for (const std::string& word : any) {
    if (!seen.insert(word).second) table.Refuse("any", Cat(Quote(word), " stands twice"));
    list.any.push_back(ReadPhrase(table, "any", word));
  }
  table.Done();
  words_[name].push_back(std::move(list));
}

void Grammar::ReadPattern(Table table) {
  Pattern pattern;
  pattern.where = table.Where();
  pattern.id = table.String("id");
  if (pattern.id.empty() || pattern.id.size() > 60) table.Refuse("id", "an id has 1 to 60 bytes");
  for (const Pattern& other : patterns_) {
    if (other.id == pattern.id) table.Refuse("id", Cat(Quote(pattern.id), " is taken by ", other.where));
  }
  std::string part = table.String("part");
  if (part != "headline" && part != "body") table.Refuse("part", Quote(part), "headline or body");
  pattern.part = part == "headline" ? Part::kHeadline : Part::kBody;
  pattern.device = table.String("device");
  if (!ValidName(pattern.device)) table.Refuse("device", Cat(Quote(pattern.device), " is not a name"));
  pattern.weight = table.DoubleOr("weight", 1.0, 1e-6, 1e6);
  pattern.grade = table.DoubleOr("grade", 0.5, 0, 1);
  pattern.when = ReadWhen(table);
  pattern.phrase = ReadPhrase(table, "text", table.String("text"));
  std::fill(std::begin(pattern.feature_masks), std::end(pattern.feature_masks), ~0ull);
  std::set<int> slots;
  for (const Piece& piece : pattern.phrase.pieces) {
    if (piece.kind != Piece::Kind::kFeature) continue;
    slots.insert(piece.feature);
    uint64_t& mask = pattern.feature_masks[piece.feature];
    if ((mask & piece.classes) == 0)
      table.Refuse("text", Cat("no feature can be all that {f", piece.feature, "} asks"));
    mask &= piece.classes;
  }
  pattern.slots = static_cast<int>(slots.size());
  table.Done();
  for (const Pattern& other : patterns_) {
    if (other.part != pattern.part || other.phrase.pieces.size() != pattern.phrase.pieces.size()) continue;
    bool same = true;
    for (size_t i = 0; i < other.phrase.pieces.size() && same; ++i) {
      const Piece &a = other.phrase.pieces[i], &b = pattern.phrase.pieces[i];
      same = a.kind == b.kind && a.text == b.text && a.feature == b.feature && a.classes == b.classes &&
             a.filters == b.filters && a.agrees == b.agrees && a.singular == b.singular;
    }
    if (same) table.Refuse("text", Cat("the same text as '", other.id, "' at ", other.where));
  }
  patterns_.push_back(std::move(pattern));
}

When Grammar::ReadWhen(Table& owner) const {
  When when;
  std::optional<Table> found = owner.SubOr("when");
  if (!found) return when;
  Table& table = *found;
  auto texts = [&](std::string_view key) {
    if (!table.Has(key)) return table.StringsOr(key, {});  // asked for, so that a slip is offered it
    std::vector<std::string> list = table.StringOrStrings(key);
    if (list.empty()) table.Refuse(key, "an empty list never holds");
    for (std::string& item : list) {
      if (item.empty()) table.Refuse(key, "an empty text");
      item = FoldCase(item);
    }
    return list;
  };
  auto fields = [&](std::string_view key) {
    if (!table.Has(key)) return table.StringsOr(key, {});
    std::vector<std::string> list = table.StringOrStrings(key);
    for (const std::string& item : list) {
      if (!Contains(ConditionFields(), item)) {
        table.Refuse(key, Cat("no field ", Quote(item)), Known(item, ConditionFields()));
      }
    }
    return list;
  };
  when.tone = texts("tone");
  when.category = texts("category");
  when.audience = texts("audience");
  when.not_category = texts("not_category");
  when.not_tone = texts("not_tone");
  when.not_audience = texts("not_audience");
  when.has = fields("has");
  when.singular = fields("singular");
  when.plural = fields("plural");
  when.min_features = static_cast<int>(table.IntOr("min_features", 0, 0, 1000));
  when.max_features = static_cast<int>(table.IntOr("max_features", 1 << 20, 0, 1 << 20));
  if (when.min_features > when.max_features) table.Refuse("min_features", "more than max_features: never holds");
  if (std::optional<Table> sub = table.SubOr("max_chars")) {
    for (const std::string& key : sub->Keys()) {
      if (!Contains(ConditionFields(), key))
        sub->Refuse(key, Cat("no field '", key, "'"), Known(key, ConditionFields()));
      when.max_chars.emplace_back(key, static_cast<int>(sub->Int(key, 0, 100000)));
    }
    sub->Done();
  }
  for (auto [key, list] : {std::pair{"match", &when.match}, std::pair{"not_match", &when.not_match}}) {
    std::optional<Table> sub = table.SubOr(key);
    if (!sub) continue;
    for (const std::string& field : sub->Keys()) {
      if (!Contains(ConditionFields(), field)) {
        sub->Refuse(field, Cat("no field '", field, "'"), Known(field, ConditionFields()));
      }
      list->emplace_back(field, Compile(*sub, field, sub->String(field)));
    }
    sub->Done();
  }
  for (auto [key, list] : {std::pair{"group", &when.group}, std::pair{"not_group", &when.not_group}}) {
    if (!table.Has(key)) {
      table.StringsOr(key, {});
      continue;
    }
    for (const std::string& name : table.StringOrStrings(key)) {
      auto at = groups_.find(name);
      if (at == groups_.end()) {
        std::vector<std::string> known;
        for (const auto& [other, unused] : groups_) known.push_back(other);
        table.Refuse(key, Cat("no group ", Quote(name)),
                     known.empty() ? "there are no [[group]]s above" : Known(name, known));
      }
      list->push_back(at->second);
    }
  }
  if (table.Has("class")) {
    for (const std::string& name : table.StringOrStrings("class")) {
      auto at = std::find(class_names_.begin(), class_names_.end(), name);
      if (at == class_names_.end()) table.Refuse("class", Cat("no class ", Quote(name)), Known(name, class_names_));
      when.classes |= 1ull << (at - class_names_.begin());
    }
  }
  table.Done();
  return when;
}

Piece Grammar::ReadSlot(const Table& owner, std::string_view key, std::string_view inside, bool angle) const {
  auto refuse = [&](std::string why, std::string hint = "") { owner.Refuse(key, why, std::move(hint)); };
  Piece piece;
  std::string_view head = inside;
  if (size_t at = inside.find('?'); at != inside.npos && !angle) {
    head = inside.substr(0, at);
    std::vector<std::string> forms = Split(inside.substr(at + 1), ':');
    if (forms.size() != 2) refuse(Cat("{", inside, "}: two forms are wanted"), "{name?is:are}");
    piece.agrees = true;
    piece.singular = forms[0];
    piece.plural = forms[1];
  }
  std::vector<std::string> tail;
  size_t colon = head.find(':'), bar = head.find('|');
  std::string_view name = head.substr(0, std::min({colon, bar, head.size()}));
  if (name.size() < head.size()) tail = Split(head.substr(name.size() + 1), '|');
  if (angle) {
    piece.kind = Piece::Kind::kWords;
    piece.text = name;
    if (!words_.contains(name)) {
      std::vector<std::string> known;
      for (const auto& [list, unused] : words_) known.push_back(list);
      refuse(Cat("no word list <", name, ">"), known.empty() ? "there are no [[words]]" : Known(name, known));
    }
    if (colon != head.npos) refuse(Cat("<", inside, ">: word lists have no classes"));
  } else if (name == "features" || name == "rest") {
    piece.kind = name == "rest" ? Piece::Kind::kRest : Piece::Kind::kFeatures;
    if (colon != head.npos) refuse(Cat("{", inside, "}: a list has no class"));
  } else if (Contains(SlotFields(), name)) {
    piece.kind = Piece::Kind::kField;
    piece.text = name;
    if (colon != head.npos) refuse(Cat("{", inside, "}: only features have classes"), "filters come after '|'");
  } else if (name.size() == 2 && name[0] == 'f' && name[1] >= '1' && name[1] <= '0' + kMaxFeatureSlots) {
    piece.kind = Piece::Kind::kFeature;
    piece.feature = name[1] - '0';
  } else {
    std::vector<std::string> known = SlotFields();
    known.insert(known.end(), {"f1", "f2", "f3", "f4", "f5", "features", "rest"});
    refuse(Cat("no slot {", name, "}"), Known(name, known));
  }
  bool in_classes = colon < bar;
  if (in_classes) piece.classes = 0;
  for (size_t i = 0; i < tail.size(); ++i) {
    const std::string& word = tail[i];
    auto filter =
        std::find_if(Filters().begin(), Filters().end(), [&](const auto& entry) { return entry.first == word; });
    if (filter != Filters().end() && !(in_classes && i == 0)) {
      in_classes = false;
      piece.filters.push_back(filter->second);
      continue;
    }
    auto at = std::find(class_names_.begin(), class_names_.end(), word);
    if (in_classes && at != class_names_.end()) {
      piece.classes |= 1ull << (at - class_names_.begin());
      continue;
    }
    std::vector<std::string> known;
    for (const auto& entry : Filters()) known.push_back(entry.first);
    if (!in_classes) refuse(Cat("{", inside, "}: no filter '", word, "'"), Known(word, known));
    known.insert(known.end(), class_names_.begin(), class_names_.end());
    refuse(Cat("{", inside, "}: no class '", word, "'"), Known(word, known));
  }
  if (piece.agrees && !piece.filters.empty()) refuse(Cat("{", inside, "}: agreement takes no filter"));
  return piece;
}

Phrase Grammar::ReadPhrase(const Table& owner, std::string_view key, const std::string& text) const {
  auto refuse = [&](std::string why, std::string hint = "") {
    owner.Refuse(key, Cat(why, " in ", Quote(text)), std::move(hint));
  };
  if (text.empty()) owner.Refuse(key, "an empty text");
  if (text.size() > kMaxPhrase) owner.Refuse(key, Cat("a text has at most ", kMaxPhrase, " bytes"));
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    refuse("a control character");
  }
  Phrase phrase;
  std::string literal;
  auto flush = [&] {
    if (literal.empty()) return;
    Piece piece;
    piece.text = std::move(literal);
    literal.clear();
    phrase.pieces.push_back(std::move(piece));
  };
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c != '{' && c != '}' && c != '<' && c != '>') {
      literal.push_back(c);
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == c) {
      literal.push_back(c);
      ++i;
      continue;
    }
    if (c == '}' || c == '>') refuse(Cat("a '", c, "' that closes nothing"), Cat("write it twice for the character"));
    char close = c == '{' ? '}' : '>';
    size_t end = text.find(close, i);
    size_t again = text.find_first_of("{<", i + 1);
    if (end == text.npos || again < end)
      refuse(Cat("a '", c, "' that is not closed"), "write it twice for the character");
    flush();
    phrase.pieces.push_back(ReadSlot(owner, key, std::string_view(text).substr(i + 1, end - i - 1), c == '<'));
    i = end;
  }
  flush();
  return phrase;
}

void Grammar::CheckWords() const {
  std::vector<std::string> path;
  std::set<std::string> done;
  std::map<std::string, int> depth;
  std::function<int(const std::string&)> visit = [&](const std::string& name) -> int {
    const std::vector<WordList>& lists = words_.find(name)->second;
    if (Contains(path, name)) {
      path.push_back(name);
      throw Error(Code::kInvalidInput, Cat(lists.front().where, ": word lists in a circle: <", Join(path, "> <"), ">"),
                  "a word list may not use itself");
    }
    if (auto known = depth.find(name); known != depth.end()) return known->second;
    path.push_back(name);
    int most = 1;
    for (const WordList& list : lists) {
      for (const Phrase& phrase : list.any) {
        for (const Piece& piece : phrase.pieces) {
          if (piece.kind == Piece::Kind::kWords) most = std::max(most, 1 + visit(piece.text));
        }
      }
    }
    if (most > kMaxWordDepth) {
      throw Error(Code::kInvalidInput, Cat(lists.front().where, ": <", name, "> nests word lists ", most, " deep"),
                  Cat(kMaxWordDepth, " is the most"));
    }
    path.pop_back();
    return depth[name] = most;
  };
  for (const auto& [name, lists] : words_) visit(name);
}

bool Grammar::Alike(int a, int b) const {
  int plain = static_cast<int>(class_names_.size()) - 1;
  if (a == plain || b == plain) return false;
  auto left = kinds_.find(a), right = kinds_.find(b);
  return a == b || (left != kinds_.end() && right != kinds_.end() && left->second == right->second);
}

int Grammar::ClassOf(std::string_view feature) const {
  std::string lowered = ToLowerAscii(feature);
  std::string first(FirstWord(lowered)), head(HeadWord(lowered));
  auto any = [&](const std::vector<std::shared_ptr<const re2::RE2>>& list) {
    return std::any_of(list.begin(), list.end(), [&](const auto& re) { return re2::RE2::PartialMatch(feature, *re); });
  };
  for (const FeatureClass& item : classes_) {
    bool hit = any(item.match) || std::binary_search(item.first.begin(), item.first.end(), first) ||
               std::binary_search(item.head.begin(), item.head.end(), head) || (item.plural && IsPlural(lowered));
    if (hit && !any(item.unless)) return item.bit;
  }
  return static_cast<int>(class_names_.size()) - 1;
}

}  // namespace atelier::operators
