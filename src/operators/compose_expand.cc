#include "operators/compose_expand.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "base/str.h"
#include "operators/compose_language.h"

namespace atelier::operators {
namespace {

constexpr size_t kMaxFeatures = 40, kMaxFieldBytes = 2000;

// A sequence of choices, walked through like an odometer or drawn at random.
class Choices {
 public:
  explicit Choices(Rng* random) : random_(random) {}
  void Restart() { at_ = 0; }
  size_t Choose(size_t n) {
    if (at_ == picks_.size()) picks_.push_back({0, n});
    auto& [pick, of] = picks_[at_++];
    if (random_ != nullptr) pick = static_cast<size_t>(random_->Below(n));
    of = n;
    return pick;
  }
  // Moves on to the next sequence; false after the last.
  bool Next() {
    picks_.resize(at_);
    while (!picks_.empty() && picks_.back().first + 1 >= picks_.back().second) picks_.pop_back();
    if (picks_.empty()) return false;
    ++picks_.back().first;
    return true;
  }

 private:
  Rng* random_;
  std::vector<std::pair<size_t, size_t>> picks_;
  size_t at_ = 0;
};

std::string Field(const Facts& facts, std::string_view name) {
  auto at = facts.fields.find(name);
  return at == facts.fields.end() ? "" : at->second;
}

std::string FieldOrFeatures(const Facts& facts, std::string_view name) {
  return name == "features" ? Join(facts.features, "; ") : Field(facts, name);
}

bool ContainsAny(const std::string& folded, const std::vector<std::string>& texts) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return folded.find(text) != folded.npos; });
}

std::string FieldText(const Json& input, const char* key) {
  auto at = input.find(key);
  if (at == input.end()) return "";
  if (at->is_string()) return at->get<std::string>();
  if (at->is_number()) return at->dump();
  if (!at->is_array()) return "";
  std::vector<std::string> parts;
  for (const Json& item : *at) {
    if (item.is_string()) parts.push_back(item.get<std::string>());
  }
  return Join(parts, ", ");
}

// The words of each list that this record allows, asked for once.
class WordsAtHand {
 public:
  WordsAtHand(const Grammar& grammar, const Facts& facts) : grammar_(grammar), facts_(facts) {}
  const std::vector<const Phrase*>& Of(const std::string& name) {
    auto [at, fresh] = known_.try_emplace(name);
    if (fresh) {
      for (const WordList& list : grammar_.words().find(name)->second) {
        if (!Holds(list.when, facts_)) continue;
        for (const Phrase& phrase : list.any) at->second.push_back(&phrase);
      }
    }
    return at->second;
  }

 private:
  const Grammar& grammar_;
  const Facts& facts_;
  std::map<std::string, std::vector<const Phrase*>> known_;
};

// One filling of one pattern under way.
class Filling {
 public:
  Filling(const Grammar& grammar, const Facts& facts, const Pattern& pattern, WordsAtHand& words_at_hand,
          Choices& choices)
      : grammar_(grammar),
        facts_(facts),
        pattern_(pattern),
        words_at_hand_(words_at_hand),
        choices_(choices),
        chinese_(grammar.lang() == "zh") {
    bound_.fill(-1);
  }

  // The finished text, or "" where the choices lead nowhere.
  std::string Run() {
    if (!Bind(pattern_.phrase) || !Write(pattern_.phrase, 0)) return "";
    bool headline = pattern_.part == Part::kHeadline;
    return chinese_ ? FinishChinese(out_, headline) : FinishEnglish(out_, headline);
  }

  Json Slots() const {
    Json slots = Json::object();
    for (int f = 1; f <= kMaxFeatureSlots; ++f) {
      if (bound_[static_cast<size_t>(f)] >= 0) {
        slots[Cat("f", f)] = facts_.features[static_cast<size_t>(bound_[static_cast<size_t>(f)])];
      }
    }
    return slots;
  }
  const std::set<std::string, std::less<>>& said() const { return said_; }
  size_t longest() const { return longest_; }
  // The words as they came out, without the marks of sentence ends.
  Json Words() const {
    Json words = words_;
    for (auto& word : words) {
      std::string text = word.get<std::string>();
      std::erase(text, kSentence);
      word = std::string(Trim(text));
    }
    return words;
  }

 private:
  // Gives every slot of the pattern its feature before anything is written: {rest} has to know.
  bool Bind(const Phrase& phrase) {
    for (const Piece& piece : phrase.pieces) {
      if (piece.kind == Piece::Kind::kFeature && BindOne(piece.feature, pattern_.feature_masks[piece.feature]) < 0)
        return false;
    }
    return true;
  }

  int BindOne(int slot, uint64_t mask) {
    int& bound = bound_[static_cast<size_t>(slot)];
    if (bound >= 0) return (mask >> facts_.classes[static_cast<size_t>(bound)] & 1) != 0 ? bound : -1;
    std::vector<int> free;
    for (size_t i = 0; i < facts_.features.size(); ++i) {
      bool taken = std::find(bound_.begin(), bound_.end(), static_cast<int>(i)) != bound_.end();
      if (!taken && (mask >> facts_.classes[i] & 1) != 0 && InOrder(slot, static_cast<int>(i)))
        free.push_back(static_cast<int>(i));
    }
    if (free.empty()) return -1;
    bound = free[choices_.Choose(free.size())];
    return bound;
  }

  // Rule sheet_order: among slots that accept the same, the smaller number takes the earlier feature.
  bool InOrder(int slot, int feature) const {
    if (!grammar_.rules().sheet_order) return true;
    for (int other = 1; other <= kMaxFeatureSlots; ++other) {
      int bound = bound_[static_cast<size_t>(other)];
      if (bound < 0 || pattern_.feature_masks[other] != pattern_.feature_masks[slot]) continue;
      if ((other < slot) != (bound < feature)) return false;
    }
    return true;
  }

  // Rule no_echo: whether `value` may stand in the clause under way.
  bool JoinsClause(const std::string& value) {
    longest_ = std::max(longest_, CountChars(value));
    if (!grammar_.rules().no_echo) return true;
    for (const std::string& other : clause_) {
      if (ShareHanPair(other, value)) return false;
    }
    clause_.push_back(value);
    return true;
  }

  bool Write(const Phrase& phrase, int depth) {
    for (const Piece& piece : phrase.pieces) {
      switch (piece.kind) {
        case Piece::Kind::kText: Literal(piece.text); break;
        case Piece::Kind::kField: {
          std::string value = Field(facts_, piece.text);
          if (value.empty()) return false;
          if (!piece.agrees) {
            if (!JoinsClause(value)) return false;
            said_.insert(piece.text);
          }
          if (!Slot(piece, value)) return false;
          break;
        }
        case Piece::Kind::kFeature: {
          int feature = BindOne(piece.feature, piece.classes);
          if (feature < 0 || !JoinsClause(facts_.features[static_cast<size_t>(feature)])) return false;
          countable_ = grammar_.Countable(facts_.classes[static_cast<size_t>(feature)]);
          if (!Slot(piece, facts_.inner[static_cast<size_t>(feature)])) return false;
          countable_ = true;
          break;
        }
        case Piece::Kind::kFeatures:
        case Piece::Kind::kRest: {
          std::vector<std::string> items;
          bool alike = true;
          int last = -1;
          for (size_t i = 0; i < facts_.inner.size(); ++i) {
            bool taken = std::find(bound_.begin(), bound_.end(), static_cast<int>(i)) != bound_.end();
            if (piece.kind == Piece::Kind::kRest && taken) continue;
            items.push_back(facts_.inner[i]);
            if (last >= 0) alike = alike && grammar_.Alike(last, facts_.classes[i]);
            last = facts_.classes[i];
          }
          if (items.empty() || !Slot(piece, chinese_ ? JoinChinese(items) : JoinEnglish(items, alike))) return false;
          break;
        }
        case Piece::Kind::kWords:
          if (!Word(piece, depth)) return false;
          break;
      }
      if (out_.size() > 16384) return false;
    }
    return true;
  }

  bool Word(const Piece& piece, int depth) {
    if (depth >= kMaxWordDepth) return false;
    if (auto known = words_.find(piece.text); known != words_.end()) {  // one list, one word, however often it is named
      return Slot(piece, known->get<std::string>());
    }
    const std::vector<const Phrase*>& all = words_at_hand_.Of(piece.text);
    if (all.empty()) return false;
    const Phrase& phrase = *all[choices_.Choose(all.size())];
    std::string before = std::move(out_);
    out_.clear();
    bool written = Write(phrase, depth + 1);
    std::string word = std::exchange(out_, std::move(before));
    if (!written) return false;
    words_[piece.text] = word;
    return Slot(piece, word);
  }

  // The pattern's own text: here sentences end.
  void Literal(std::string_view text) {
    if (pattern_.part == Part::kBody && EndsClause(text)) clause_.clear();
    if (chinese_) {
      if (after_slot_) text.remove_prefix(DoubledAtBorder(out_, text, true));
      out_ += text;
      after_slot_ = false;
      return;
    }
    for (size_t i = 0; i < text.size(); ++i) {
      out_.push_back(text[i]);
      bool stop = text[i] == '.' || text[i] == '!' || text[i] == '?';
      if (stop && (i + 1 == text.size() || text[i + 1] == ' ')) out_.push_back(kSentence);
    }
    after_slot_ = false;
  }

  bool Slot(const Piece& piece, std::string value) {
    if (piece.agrees) {
      Literal(IsPlural(value) ? piece.plural : piece.singular);
      return true;
    }
    for (Filter filter : piece.filters) {
      switch (filter) {
        case Filter::kCap: value = UpperFirst(value); break;
        case Filter::kLower: value = LowerFirst(value); break;
        case Filter::kA: value = countable_ ? WithArticle(value) : value; break;
        case Filter::kThe: value = WithThe(value); break;
        case Filter::kPlural: value = Pluralised(value); break;
        case Filter::kBare: value = WithoutArticle(value); break;
        case Filter::kTight: value = Tight(value); break;
      }
    }
    if (value.empty()) return false;
    if (!after_slot_) out_.erase(out_.size() - DoubledAtBorder(out_, value, chinese_));
    out_ += value;
    after_slot_ = true;
    return true;
  }

  const Grammar& grammar_;
  const Facts& facts_;
  const Pattern& pattern_;
  WordsAtHand& words_at_hand_;
  Choices& choices_;
  const bool chinese_;
  std::array<int, kMaxFeatureSlots + 1> bound_;
  Json words_ = Json::object();
  std::set<std::string, std::less<>> said_;
  size_t longest_ = 0;
  std::vector<std::string> clause_;  // what the record has said since the last mark
  std::string out_;
  bool after_slot_ = false;
  bool countable_ = true;  // of the feature that is being written
};

}  // namespace

Facts ReadFacts(const Json& input, const Grammar& grammar) {
  Facts facts;
  bool english = grammar.lang() == "en";
  for (const char* key : {"name", "category", "audience", "price", "tone"}) {
    std::string value = CleanSlot(FieldText(input, key).substr(0, kMaxFieldBytes));
    if (english && (std::string_view(key) == "audience" || std::string_view(key) == "category"))
      value = LowerFirst(value);
    facts.fields[key] = value;
  }
  std::vector<std::string> raw;
  if (auto at = input.find("features"); at != input.end()) {
    if (at->is_array()) {
      for (const Json& item : *at) {
        if (item.is_string()) raw.push_back(item.get<std::string>());
      }
    } else if (at->is_string()) {
      raw = Split(ReplaceAll(ReplaceAll(at->get<std::string>(), "；", ";"), "|", ";"), ';');
    }
  }
  for (const std::string& text : raw) {
    std::string feature = CleanSlot(text.substr(0, kMaxFieldBytes));
    bool twice = std::find(facts.features.begin(), facts.features.end(), feature) != facts.features.end();
    if (feature.empty() || twice || facts.features.size() == kMaxFeatures) continue;
    facts.features.push_back(std::move(feature));
  }
  // A sheet that begins every feature with a capital means nothing by it; one capital among small letters is a name.
  bool all_capitals = std::none_of(facts.features.begin(), facts.features.end(), [](const std::string& feature) {
    return !feature.empty() && feature[0] >= 'a' && feature[0] <= 'z';
  });
  for (const std::string& feature : facts.features) {
    facts.inner.push_back(english && all_capitals ? LowerFirst(feature) : feature);
    facts.classes.push_back(grammar.ClassOf(feature));
  }
  return facts;
}

bool Holds(const When& when, const Facts& facts) {
  std::string tone = FoldCase(Field(facts, "tone")), category = FoldCase(Field(facts, "category"));
  std::string audience = FoldCase(Field(facts, "audience"));
  if (!when.tone.empty() && !ContainsAny(tone, when.tone)) return false;
  if (!when.category.empty() && !ContainsAny(category, when.category)) return false;
  if (!when.audience.empty() && !ContainsAny(audience, when.audience)) return false;
  if (ContainsAny(category, when.not_category) || ContainsAny(tone, when.not_tone)) return false;
  if (ContainsAny(audience, when.not_audience)) return false;
  for (const std::string& field : when.has) {
    if (FieldOrFeatures(facts, field).empty()) return false;
  }
  int features = static_cast<int>(facts.features.size());
  if (features < when.min_features || features > when.max_features) return false;
  for (const auto& [field, most] : when.max_chars) {
    if (CountChars(FieldOrFeatures(facts, field)) > static_cast<size_t>(most)) return false;
  }
  for (const auto& [field, re] : when.match) {
    if (!re2::RE2::PartialMatch(FieldOrFeatures(facts, field), *re)) return false;
  }
  for (const auto& [field, re] : when.not_match) {
    if (re2::RE2::PartialMatch(FieldOrFeatures(facts, field), *re)) return false;
  }
  for (const std::string& field : when.singular) {
    if (IsPlural(FieldOrFeatures(facts, field))) return false;
  }
  for (const std::string& field : when.plural) {
    if (!IsPlural(FieldOrFeatures(facts, field))) return false;
  }
  auto in = [&](const std::shared_ptr<const Group>& group) {
    return std::any_of(group->any.begin(), group->any.end(), [&](const When& one) { return Holds(one, facts); });
  };
  if (!std::all_of(when.group.begin(), when.group.end(), in)) return false;
  if (std::any_of(when.not_group.begin(), when.not_group.end(), in)) return false;
  uint64_t present = 0;
  for (int bit : facts.classes) present |= 1ull << bit;
  return (when.classes & ~present) == 0;
}

std::vector<Expansion> Expand(const Grammar& grammar, const Facts& facts, Part part, Rng& rng,
                              const ExpandOptions& options) {
  std::vector<Expansion> all;
  std::set<std::string> seen;  // two patterns may come to the same text
  WordsAtHand words_at_hand(grammar, facts);
  for (const Pattern& pattern : grammar.patterns()) {
    if (pattern.part != part || pattern.slots > static_cast<int>(facts.features.size())) continue;
    if (!Holds(pattern.when, facts)) continue;
    size_t first = all.size();
    auto keep = [&](Filling& filling) {
      std::string text = filling.Run();
      if (text.empty() || CountChars(text) > options.max_chars || !seen.insert(text).second) return;
      all.push_back(
          {&pattern, std::move(text), filling.Slots(), filling.Words(), filling.said(), filling.longest(), 0});
    };
    // Every filling, unless they are too many.
    Choices walk(nullptr);
    bool whole = false;
    for (size_t tries = 0; tries < options.tries && all.size() - first <= options.per_pattern; ++tries) {
      walk.Restart();
      Filling filling(grammar, facts, pattern, words_at_hand, walk);
      keep(filling);
      if (!walk.Next()) {
        whole = true;
        break;
      }
    }
    if (!whole) {
      for (size_t i = first; i < all.size(); ++i) seen.erase(all[i].text);
      all.resize(first);
      Choices draw(&rng);
      for (size_t tries = 0; tries < options.tries && all.size() - first < options.per_pattern; ++tries) {
        draw.Restart();
        Filling filling(grammar, facts, pattern, words_at_hand, draw);
        keep(filling);
      }
    }
    for (size_t i = first; i < all.size(); ++i)
      all[i].weight =
          pattern.weight * (0.05 + 3.8 * pattern.grade * pattern.grade) / static_cast<double>(all.size() - first);
  }
  return all;
}

std::vector<Draft> Draw(const std::vector<Expansion>& headlines, const std::vector<Expansion>& bodies, size_t count,
                        Rng& rng, const Rules& rules) {
  std::vector<Draft> drafts;
  if (headlines.empty() || bodies.empty()) return drafts;
  auto weights = [](const std::vector<Expansion>& list) {
    std::vector<double> out;
    for (const Expansion& item : list) out.push_back(item.weight);
    return out;
  };
  std::vector<double> left_weights = weights(headlines), right_weights = weights(bodies);
  auto pick = [&](const std::vector<double>& list) {
    double total = 0;
    for (double weight : list) total += weight;
    double at = rng.Uniform() * total;
    for (size_t i = 0; i < list.size(); ++i) {
      at -= list[i];
      if (at < 0) return i;
    }
    return list.size() - 1;
  };
  auto used = [](const std::vector<Expansion>& list, std::vector<double>& list_weights, size_t at) {
    for (size_t i = 0; i < list.size(); ++i) {
      if (i == at) {
        list_weights[i] *= 0.1;
      } else if (list[i].pattern == list[at].pattern) {
        list_weights[i] *= 0.4;
      }
      list_weights[i] = std::max(list_weights[i], list[i].weight * 1e-3);
    }
  };
  auto clash = [&](const Expansion& headline, const Expansion& body) {
    std::string head = FoldCase(headline.text);
    while (!head.empty() && (head.back() == '?' || head.back() == '!')) head.pop_back();
    if (FoldCase(body.text).find(head) != std::string::npos) return true;
    for (const auto& [list, word] : headline.words.items()) {
      if (auto at = body.words.find(list); at != body.words.end() && *at == word) return true;
    }
    for (const std::string& field : rules.once) {
      if (headline.said.contains(field) && body.said.contains(field)) return true;
    }
    for (const std::string& field : rules.some) {
      if (!headline.said.contains(field) && !body.said.contains(field)) return true;
    }
    // Both say the same words of the record, and words of their own around them: 可折叠的手机支架 twice.
    if (rules.no_echo && SharedRun(headline.text, body.text) >= std::max(headline.longest, body.longest) + 3)
      return true;
    const std::string& device = headline.pattern->device;
    return device == body.pattern->device &&
           std::find(rules.apart.begin(), rules.apart.end(), device) != rules.apart.end();
  };
  std::set<std::pair<size_t, size_t>> seen;  // drawn, or not to be drawn
  size_t all = headlines.size() * bodies.size();
  auto take = [&](size_t h, size_t b) {
    if (!seen.insert({h, b}).second || clash(headlines[h], bodies[b])) return;
    drafts.push_back({&headlines[h], &bodies[b]});
    used(headlines, left_weights, h);
    used(bodies, right_weights, b);
  };
  for (size_t tries = 0; drafts.size() < count && seen.size() < all && tries < count * 12 + 64; ++tries) {
    take(pick(left_weights), pick(right_weights));
  }
  // Few pairs are left: draws mostly hit what is taken, so walk through all of them from a random place.
  if (drafts.size() < count && seen.size() < all) {
    size_t from = static_cast<size_t>(rng.Below(all)), step = 1 + static_cast<size_t>(rng.Below(all));
    while (std::gcd(step, all) != 1) ++step;
    for (size_t i = 0; i < all && drafts.size() < count; ++i) {
      size_t at = (from + i * step) % all;
      take(at / bodies.size(), at % bodies.size());
    }
  }
  return drafts;
}

}  // namespace atelier::operators
