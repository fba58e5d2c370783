#include <algorithm>

#include "base/str.h"
#include "data/augment/operation.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

// Words: neighbours within a clause change places. Clauses: neighbours within a sentence do; the mark that ends a
// clause stays where it was. A sentence's end is never crossed.
class Order : public AugmentOperation {
 public:
  explicit Order(Table* table) : rate_(table->DoubleOr("rate", 0.1, 0, 1)) {
    const std::string unit = table->StringOr("unit", "words");
    if (unit != "words" && unit != "clauses") table->Refuse("unit", Quote(unit), "words or clauses");
    clauses_ = unit == "clauses";
  }

  std::string Apply(const std::string& text, Rng* rng) const override {
    const std::vector<Token> tokens = CutWords(text);
    return clauses_ ? Clauses(tokens, rng) : Words(tokens, rng);
  }

 private:
  static bool EndsClause(std::string_view gap) {
    for (size_t at = 0; at < gap.size();) {
      const text::DecodedChar d = text::DecodeChar(gap.substr(at));
      if (text::IsPunctuation(d.c) || d.c == U'\n') return true;
      at += d.length;
    }
    return false;
  }
  static bool EndsSentence(std::string_view gap) {
    constexpr std::u32string_view kEnds = U".!?。！？…\n";
    for (size_t at = 0; at < gap.size();) {
      const text::DecodedChar d = text::DecodeChar(gap.substr(at));
      if (kEnds.find(d.c) != std::u32string_view::npos) return true;
      at += d.length;
    }
    return false;
  }

  std::string Words(const std::vector<Token>& tokens, Rng* rng) const {
    std::vector<std::string_view> out;
    for (const Token& token : tokens) out.push_back(token.text);
    size_t last = tokens.size();  // the word before, if it may change places
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (!tokens[i].word) {
        if (EndsClause(tokens[i].text)) last = tokens.size();
        continue;
      }
      if (last < tokens.size() && rng->Uniform() < rate_) {
        std::swap(out[last], out[i]);
        last = tokens.size();  // each word moves once
      } else {
        last = i;
      }
    }
    std::string joined;
    for (std::string_view piece : out) joined += piece;
    return joined;
  }

  std::string Clauses(const std::vector<Token>& tokens, Rng* rng) const {
    struct Clause {
      std::string_view words, mark;  // "房间很干净", "，"
      bool ends_sentence;
    };
    std::vector<Clause> clauses;
    const char* begin = nullptr;
    const char* end = nullptr;  // of the words so far
    for (const Token& token : tokens) {
      const char* at = token.text.data();
      if (begin == nullptr) begin = end = at;
      if (!token.word && EndsClause(token.text)) {
        clauses.push_back({{begin, static_cast<size_t>(at - begin)}, token.text, EndsSentence(token.text)});
        begin = nullptr;
      } else {
        end = at + token.text.size();
      }
    }
    if (begin != nullptr) clauses.push_back({{begin, static_cast<size_t>(end - begin)}, {}, true});
    std::vector<std::string> words;  // of each clause, trimmed; blanks at the edges belong to the place
    for (const Clause& clause : clauses) words.emplace_back(Trim(clause.words));
    for (size_t i = 0; i + 1 < clauses.size(); ++i) {
      if (clauses[i].ends_sentence || words[i].empty() || words[i + 1].empty() || rng->Uniform() >= rate_) continue;
      std::swap(words[i], words[i + 1]);
      ++i;  // each clause moves once
    }
    std::string out;
    for (size_t i = 0; i < clauses.size(); ++i) {
      const std::string_view whole = clauses[i].words, inner = Trim(whole);
      const auto before = static_cast<size_t>(inner.empty() ? 0 : inner.data() - whole.data());
      out += Cat(whole.substr(0, before), words[i], whole.substr(before + inner.size()), clauses[i].mark);
    }
    return out;
  }

  double rate_;
  bool clauses_ = false;
};

}  // namespace

std::unique_ptr<AugmentOperation> MakeOrder(Table* table, const std::string&) { return std::make_unique<Order>(table); }

}  // namespace atelier::data
