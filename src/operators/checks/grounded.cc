// grounded: what a model wrote says nothing that the sheet does not. Every word of it is on the sheet or among the safe
// words: what the recipe's own phrases say for such a record, and the words that hold a sentence together.
//
//   writers = ["model"]                                             # whose candidates are looked at
//   safe = { zh = "grammar/zh.toml", en = "grammar/en.toml" }       # phrase grammars
//
// English: the stem of each word. Chinese, which has no word borders: the text must come apart into pieces of two or
// more characters of the sheet or of a phrase, and single function words.
#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "evaluate/units.h"
#include "operators/checks/about.h"
#include "operators/checks/checks.h"
#include "operators/compose_expand.h"
#include "operators/compose_grammar.h"
#include "operators/per_language.h"

namespace atelier::operators {
namespace {

constexpr size_t kLongestPiece = 12;  // Han; a longer piece comes apart into two

// Single characters that carry grammar and no fact. Words of two or more come from the phrases.
constexpr std::string_view kFunction =
    "的了和与及在是有把给让为到从向跟就也都还又再只吧吗呢啊这那它你我您他她们个来去着上下里中时等用看说要会能可想选买"
    "不没一更每各并且而则之其若如但或以于对";

bool Han(std::string_view unit) { return unit.size() >= 3 && static_cast<unsigned char>(unit[0]) >= 0xE3; }

using Words = std::set<std::string, std::less<>>;

class Grounded : public Check {
 public:
  Grounded(std::vector<std::string> writers, std::map<std::string, Grammar, std::less<>> safe)
      : writers_(std::move(writers)), safe_(std::move(safe)) {}

  Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
               std::span<const recipe::Candidate>) const override {
    if (std::find(writers_.begin(), writers_.end(), candidate.writer) == writers_.end()) return {};
    const bool zh = record.lang == "zh";
    const Words known = Known(record);
    for (const std::string& field : TextFields(candidate)) {
      const std::vector<std::string> units = evaluate::Units(OutputText(candidate, field));
      const std::string stranger = zh ? StrangeHan(units, known) : StrangeWord(units, known);
      if (!stranger.empty()) {
        return {Say(record, Cat("“", stranger, "”资料里没有"), Cat("'", stranger, "' is not on the sheet")), 0};
      }
    }
    return {};
  }

 private:
  static std::string StrangeWord(const std::vector<std::string>& units, const Words& known) {
    for (const std::string& unit : units) {
      if (!known.contains(Stem(unit)) && !IsStopWord(unit)) return unit;
    }
    return "";
  }

  // The stretch of Han that comes apart into no known pieces, or "": the longest prefix that does is found by dynamic
  // programming over each run.
  static std::string StrangeHan(const std::vector<std::string>& units, const Words& known) {
    for (size_t begin = 0; begin < units.size();) {
      if (!Han(units[begin])) {
        if (!known.contains(units[begin])) return units[begin];
        ++begin;
        continue;
      }
      size_t end = begin;
      while (end < units.size() && Han(units[end])) ++end;
      std::vector<bool> reached(end - begin + 1, false);
      reached[0] = true;
      size_t furthest = 0;
      for (size_t at = 0; at < end - begin; ++at) {
        if (!reached[at]) continue;
        furthest = at;
        std::string piece;
        for (size_t n = 1; n <= kLongestPiece && at + n <= end - begin; ++n) {
          piece += units[begin + at + n - 1];
          if (known.contains(piece) || (n == 1 && kFunction.find(piece) != std::string_view::npos))
            reached[at + n] = true;
        }
      }
      if (!reached[end - begin]) {
        std::string stranger;
        for (size_t i = begin + furthest; i < std::min(end, begin + furthest + 4); ++i) stranger += units[i];
        return stranger;
      }
      begin = end;
    }
    return "";
  }

  static void Add(std::string_view text, bool zh, Words* known) {
    const std::vector<std::string> units = evaluate::Units(text);
    for (size_t i = 0; i < units.size(); ++i) {
      if (!zh) known->insert(Stem(units[i]));
      if (!zh) continue;
      if (!Han(units[i])) known->insert(units[i]);
      std::string piece;
      for (size_t n = 0; n < kLongestPiece && i + n < units.size() && Han(units[i + n]); ++n) {
        piece += units[i + n];
        const bool alone = n == 0 && (i == 0 || !Han(units[i - 1])) && (i + 1 == units.size() || !Han(units[i + 1]));
        if (n > 0 || alone) known->insert(piece);  // alone: the 克 of 100克
      }
    }
  }

  static void Add(const Phrase& phrase, bool zh, Words* known) {
    for (const Piece& piece : phrase.pieces) {
      if (piece.kind == Piece::Kind::kText) Add(piece.text, zh, known);
    }
  }

  Words Known(const recipe::Record& record) const {
    const bool zh = record.lang == "zh";
    Words known;
    for (const std::string& line : Split(SheetText(record), '\n')) Add(line, zh, &known);
    const auto grammar = safe_.find(record.lang);
    if (grammar == safe_.end()) return known;
    const Facts facts = ReadFacts(record.input, grammar->second);
    for (const Pattern& pattern : grammar->second.patterns()) {
      if (Holds(pattern.when, facts)) Add(pattern.phrase, zh, &known);
    }
    for (const auto& [name, lists] : grammar->second.words()) {
      for (const WordList& list : lists) {
        if (!Holds(list.when, facts)) continue;
        for (const Phrase& phrase : list.any) Add(phrase, zh, &known);
      }
    }
    return known;
  }

  std::vector<std::string> writers_;
  std::map<std::string, Grammar, std::less<>> safe_;
};

}  // namespace

std::unique_ptr<Check> MakeGrounded(Table& table, const recipe::StepContext& context) {
  std::vector<std::string> writers = table.Strings("writers");
  for (const std::string& writer : writers) {
    if (std::find(context.earlier.begin(), context.earlier.end(), writer) == context.earlier.end()) {
      const std::string near = Nearest(writer, context.earlier);
      table.Refuse("writers", Cat("no earlier step is named ", Quote(writer)),
                   near.empty() ? "" : Cat("did you mean '", near, "'?"));
    }
  }
  std::map<std::string, Grammar, std::less<>> safe;
  for (const auto& [lang, name] : ReadPerLanguage(table, "safe")) {
    safe.emplace(lang, Grammar::Load(JoinInside(context.folder, name)));
  }
  return std::make_unique<Grounded>(std::move(writers), std::move(safe));
}

}  // namespace atelier::operators
