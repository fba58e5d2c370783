#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/augment/operation.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

constexpr size_t kMostTokens = 6;  // of one term

class Synonyms : public AugmentOperation {
 public:
  Synonyms(Table* table, const std::string& folder) : rate_(table->DoubleOr("rate", 0.2, 0, 1)) {
    for (const std::string& name : table->StringOrStrings("dictionary")) Read(BesideConfig(folder, name));
    if (groups_.empty()) table->Refuse("dictionary", "has no terms", "a line is a group: quick, fast, rapid");
  }

  std::string Apply(const std::string& text, Rng* rng) const override {
    const std::vector<Token> tokens = CutWords(text);
    std::string out;
    for (size_t i = 0; i < tokens.size();) {
      // The longest term that begins here.
      size_t end = i, group = 0;
      if (tokens[i].word) {
        for (size_t n = std::min(kMostTokens, tokens.size() - i); n > 0 && end == i; --n) {
          if (!tokens[i + n - 1].word) continue;
          const char* first = tokens[i].text.data();
          const Token& last = tokens[i + n - 1];
          const auto found = group_of_.find(
              text::FoldForComparison({first, static_cast<size_t>(last.text.data() + last.text.size() - first)}));
          if (found != group_of_.end()) end = i + n, group = found->second;
        }
      }
      if (end == i || rng->Uniform() >= rate_) {
        end = std::max(end, i + 1);
        for (; i < end; ++i) out += tokens[i].text;
        continue;
      }
      const char* first = tokens[i].text.data();
      const std::string_view term(
          first, static_cast<size_t>(tokens[end - 1].text.data() + tokens[end - 1].text.size() - first));
      out += Dressed(Other(group, term, rng), term);
      i = end;
    }
    return out;
  }

 private:
  const std::string& Other(size_t group, std::string_view term, Rng* rng) const {
    const std::vector<std::string>& terms = groups_[group];
    const std::string folded = text::FoldForComparison(term);
    // Any of them but the term itself; a group has two at least.
    size_t at = rng->Below(terms.size() - 1);
    for (size_t i = 0; i <= at; ++i) {
      if (text::FoldForComparison(terms[i]) == folded) {
        ++at;
        break;
      }
    }
    return terms[at];
  }

  // A capital at the beginning stays one.
  static std::string Dressed(const std::string& word, std::string_view like) {
    if (like.empty() || like[0] < 'A' || like[0] > 'Z' || word.empty() || word[0] < 'a' || word[0] > 'z') return word;
    std::string out = word;
    out[0] = static_cast<char>(out[0] - 0x20);
    return out;
  }

  void Read(const std::string& path) {
    size_t number = 0;
    for (const std::string& line : Split(ReadFile(path, 256u << 20), '\n')) {
      ++number;
      const std::string_view trimmed = Trim(line);
      if (trimmed.empty() || trimmed.starts_with('#')) continue;
      if (!text::IsValidUtf8(trimmed)) throw Error(Code::kInvalidInput, Cat(path, ":", number, ": not UTF-8"));
      std::vector<std::string> terms;
      for (const std::string& tabbed : Split(ReplaceAll(trimmed, "，", ","), ',')) {
        for (const std::string& term : Split(tabbed, '\t')) {
          if (!Trim(term).empty()) terms.emplace_back(Trim(term));
        }
      }
      if (terms.size() < 2) {
        throw Error(Code::kInvalidInput, Cat(path, ":", number, ": ", Quote(line)),
                    "a line is a group of two terms or more, with commas or tabs between them");
      }
      for (const std::string& term : terms) group_of_.emplace(text::FoldForComparison(term), groups_.size());
      groups_.push_back(std::move(terms));
    }
  }

  double rate_;
  std::vector<std::vector<std::string>> groups_;
  std::unordered_map<std::string, size_t> group_of_;  // of a folded term: the first that has it
};

}  // namespace

std::unique_ptr<AugmentOperation> MakeSynonyms(Table* table, const std::string& folder) {
  return std::make_unique<Synonyms>(table, folder);
}

}  // namespace atelier::data
