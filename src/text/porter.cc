#include "text/porter.h"

#include <array>
#include <utility>

namespace atelier::text {
namespace {

enum class Variant { kPorter, kNltk };

class Stemmer {
 public:
  Stemmer(std::string_view word, Variant variant) : b_(word), nltk_(variant == Variant::kNltk) {}

  std::string Run() {
    if (!nltk_ || !ShortIes()) Plurals();
    if (!nltk_ || !Ied()) PastAndIng();
    if (EndsWith("y") && (nltk_ ? BehindConsonant() : HasVowel(b_.size() - 1))) b_.back() = 'i';
    if (nltk_ && EndsWith("alli") && Measure(b_.size() - 4) > 0) b_.resize(b_.size() - 2);
    Step2();
    Replace(kStep3);
    Step4();
    Step5();
    return b_;
  }

 private:
  using Rule = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Rule, 21> kStep2 = {
      {{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"},
       {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"}, {"eli", "e"},     {"ousli", "ous"},
       {"ization", "ize"}, {"ation", "ate"},   {"ator", "ate"},  {"alism", "al"},  {"iveness", "ive"},
       {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"},  {"iviti", "ive"}, {"biliti", "ble"},
       {"logi", "log"}}};
  static constexpr std::array<Rule, 7> kStep3 = {
      {{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"}, {"ical", "ic"}, {"ful", ""}, {"ness", ""}}};

  bool Consonant(size_t i) const {
    bool turned = false;  // by every y on the way to a letter that decides
    for (; i > 0 && b_[i] == 'y'; --i) turned = !turned;
    const char c = b_[i];
    return (c != 'a' && c != 'e' && c != 'i' && c != 'o' && c != 'u') != turned;
  }
  bool HasVowel(size_t length) const {
    for (size_t i = 0; i < length; ++i) {
      if (!Consonant(i)) return true;  // at the latest behind the second y in a row: linear
    }
    return false;
  }
  // How many times a vowel is followed by a consonant in the first `length` letters: m of the paper.
  int Measure(size_t length) const {
    int m = 0;
    bool vowel = false;
    for (size_t i = 0; i < length; ++i) {
      const bool consonant = b_[i] == 'y' && i > 0 ? vowel : Consonant(i);
      if (consonant && vowel) ++m;
      vowel = !consonant;
    }
    return m;
  }
  // Porter's: with something before the end.
  bool EndsWith(std::string_view end) const {
    return b_.size() + (nltk_ ? 1 : 0) > end.size() && std::string_view(b_).ends_with(end);
  }
  bool Doubled() const {
    const size_t n = b_.size();
    return n >= 2 && b_[n - 1] == b_[n - 2] && Consonant(n - 1);
  }
  bool ConsonantVowelConsonant(size_t length) const {
    if (nltk_ && length == 2) return !Consonant(0) && Consonant(1);
    if (length < 3 || !Consonant(length - 1) || Consonant(length - 2) || !Consonant(length - 3)) return false;
    const char c = b_[length - 1];
    return c != 'w' && c != 'x' && c != 'y';
  }

  bool ShortIes() {  // dies, ties
    if (b_.size() != 4 || !EndsWith("ies")) return false;
    b_.pop_back();
    return true;
  }
  bool Ied() {  // died, but spied
    if (!EndsWith("ied")) return false;
    b_.resize(b_.size() - (b_.size() == 4 ? 1 : 2));
    return true;
  }
  bool BehindConsonant() const { return b_.size() > 2 && Consonant(b_.size() - 2); }

  void Plurals() {
    if (b_.back() != 's') return;
    if (EndsWith("sses") || EndsWith("ies")) {
      b_.resize(b_.size() - 2);
    } else if (b_.size() > 1 && b_[b_.size() - 2] != 's') {
      b_.pop_back();
    }
  }

  void PastAndIng() {
    if (EndsWith("eed")) {
      if (Measure(b_.size() - 3) > 0) b_.pop_back();
      return;
    }
    size_t cut = 0;
    if (EndsWith("ed"))
      cut = 2;
    else if (EndsWith("ing"))
      cut = 3;
    if (cut == 0 || !HasVowel(b_.size() - cut)) return;
    b_.resize(b_.size() - cut);
    if (EndsWith("at") || EndsWith("bl") || EndsWith("iz")) {
      b_ += 'e';
    } else if (Doubled()) {
      if (b_.back() != 'l' && b_.back() != 's' && b_.back() != 'z') b_.pop_back();
    } else if (Measure(b_.size()) == 1 && ConsonantVowelConsonant(b_.size())) {
      b_ += 'e';
    }
  }

  // The longest end decides, whether or not it may be taken off.
  template <size_t kCount>
  const Rule* Longest(const std::array<Rule, kCount>& rules) const {
    const Rule* best = nullptr;
    for (const Rule& rule : rules) {
      if (EndsWith(rule.first) && (best == nullptr || rule.first.size() > best->first.size())) best = &rule;
    }
    return best;
  }
  void Apply(const Rule& rule) {
    if (Measure(b_.size() - rule.first.size()) == 0) return;
    b_.resize(b_.size() - rule.first.size());
    b_ += rule.second;
  }
  template <size_t kCount>
  void Replace(const std::array<Rule, kCount>& rules) {
    if (const Rule* rule = Longest(rules)) Apply(*rule);
  }

  void Step2() {
    if (nltk_ && EndsWith("fulli")) return Apply({"fulli", "ful"});
    if (nltk_ && EndsWith("logi")) {  // its l belongs to the stem: geo, theo
      if (Measure(b_.size() - 3) > 0) b_.pop_back();
      return;
    }
    Replace(kStep2);
  }

  void Step4() {
    static constexpr std::array<std::string_view, 19> kEnds = {"al",  "ance",  "ence", "er",  "ic",  "able", "ible",
                                                               "ant", "ement", "ment", "ent", "ion", "ou",   "ism",
                                                               "ate", "iti",   "ous",  "ive", "ize"};
    std::string_view best;
    for (const std::string_view end : kEnds) {
      if (EndsWith(end) && end.size() > best.size()) best = end;
    }
    if (best.empty()) return;
    const size_t left = b_.size() - best.size();
    if (best == "ion" && (left == 0 || (b_[left - 1] != 's' && b_[left - 1] != 't'))) return;
    if (Measure(left) > 1) b_.resize(left);
  }

  void Step5() {
    if (b_.back() == 'e') {
      const size_t left = b_.size() - 1;
      const int m = Measure(left);
      if (m > 1 || (m == 1 && !ConsonantVowelConsonant(left))) b_.pop_back();
    }
    if (b_.back() == 'l' && Doubled() && Measure(b_.size()) > 1) b_.pop_back();
  }

  std::string b_;
  const bool nltk_;
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kIrregular = {{{"sky", "sky"},
                                                                                       {"skies", "sky"},
                                                                                       {"dying", "die"},
                                                                                       {"lying", "lie"},
                                                                                       {"tying", "tie"},
                                                                                       {"news", "news"},
                                                                                       {"innings", "inning"},
                                                                                       {"inning", "inning"},
                                                                                       {"outings", "outing"},
                                                                                       {"outing", "outing"},
                                                                                       {"cannings", "canning"},
                                                                                       {"canning", "canning"},
                                                                                       {"howe", "howe"},
                                                                                       {"proceed", "proceed"},
                                                                                       {"exceed", "exceed"},
                                                                                       {"succeed", "succeed"}}};

}  // namespace

std::string PorterStem(std::string_view word) {
  if (word.size() <= 2 || word.size() > 64) return std::string(word);
  for (const char c : word) {
    if (c < 'a' || c > 'z') return std::string(word);
  }
  return Stemmer(word, Variant::kPorter).Run();
}

std::string NltkPorterStem(std::string_view word) {
  if (word.size() <= 2) return std::string(word);
  for (const auto& [form, stem] : kIrregular) {
    if (form == word) return std::string(stem);
  }
  return Stemmer(word, Variant::kNltk).Run();
}

}  // namespace atelier::text
