#include "evaluate/names.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "base/str.h"
#include "evaluate/name_lists.h"
#include "text/segmenter.h"
#include "text/sentences.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

using text::DecodeChar;
using text::DecodedChar;

// --- cased letters --------------------------------------------------------------------------------------------------

struct CasedWord {
  size_t begin = 0, end = 0;
  size_t letters = 0, capitals = 0;
  bool first_capital = false, digit_first = false, digits = false;
  bool opens = false;  // first of a sentence, or behind what opens one
  bool capitals_inside() const { return capitals > (first_capital ? 1u : 0u); }
  bool shouts() const { return letters >= 2 && capitals == letters; }
};

bool Cased(char32_t c) { return (text::Properties(c) & (text::kUpper | text::kLower)) != 0; }
bool Apostrophe(char32_t c) { return c == U'\'' || c == U'’'; }

bool Opens(char32_t c) {
  return c == U'.' || c == U'!' || c == U'?' || c == U':' || c == U'\n' || c == U'"' || c == U'“' || c == U'‘' ||
         c == U'(' || c == U'—' || c == U'–' || c == U'|' || c == U'•' || c == U'·' || c == U'…' || c == U'/';
}

// Words in order. `han`: whether there are Chinese characters, too.
std::vector<CasedWord> CasedWords(std::string_view text, bool* han) {
  std::vector<CasedWord> words;
  bool opens = true, open = false;
  *han = false;
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = DecodeChar(text.substr(at));
    const size_t next = at + c.length;
    const bool letter = c.valid && Cased(c.c), digit = c.valid && IsAsciiDigit(c.c);
    if (letter || digit) {
      if (!open) {
        words.push_back({.begin = at, .opens = opens});
        words.back().digit_first = digit;
        words.back().first_capital = letter && (text::Properties(c.c) & text::kUpper) != 0;
        open = true;
        opens = false;
      }
      words.back().letters += letter ? 1 : 0;
      words.back().digits = words.back().digits || digit;
      words.back().capitals += letter && (text::Properties(c.c) & text::kUpper) != 0 ? 1 : 0;
      words.back().end = next;
    } else if (open && c.valid && Apostrophe(c.c) && next < text.size() && Cased(DecodeChar(text.substr(next)).c)) {
      // don't, Anna's: one word
    } else {
      open = false;
      if (c.valid && text::IsHan(c.c)) *han = true;
      if (c.valid && Opens(c.c)) opens = true;
    }
    at = next;
  }
  return words;
}

// A word for comparing: lower case, without 's and the plural's s.
std::string Comparable(std::string_view word) {
  std::string form = ReplaceAll(text::ToLower(word), "’", "'");
  if (form.ends_with("'s")) form.resize(form.size() - 2);
  if (form.size() > 3 && form.ends_with("s") && !form.ends_with("ss")) form.pop_back();
  return form;
}

// Words whose capital says nothing.
bool IsNoName(const std::string& word) {
  static constexpr std::array<std::string_view, 28> kWords = {
      "i",   "i'm", "i'd",    "i'll",    "i've",      "a",        "an",     "the", "and",  "or",
      "of",  "in",  "on",     "at",      "with",      "for",      "to",     "by",  "from", "it",
      "you", "we",  "monday", "tuesday", "wednesday", "thursday", "friday", "ok"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end() || word == "saturday" || word == "sunday" ||
         word == "mr" || word == "mrs" || word == "ms" || word == "dr";
}

// A heading's capitals say nothing. One that ends like a sentence has to be long, and to have them throughout.
bool InTitleCase(std::string_view sentence, const std::vector<CasedWord>& words) {
  size_t capitals = 0, long_words = 0;
  for (const CasedWord& word : words) {
    if (word.letters < 4) continue;
    ++long_words;
    capitals += word.first_capital ? 1 : 0;
  }
  const std::string trimmed(Trim(sentence));
  if (words.empty() || !words[0].first_capital) return false;
  if (!trimmed.empty() && std::string_view(".!?").find(trimmed.back()) != std::string_view::npos) {
    return long_words >= 5 && capitals == long_words;
  }
  return long_words >= 2 && capitals * 4 >= long_words * 3;
}

void FindCased(std::string_view sentence, size_t offset, std::vector<Name>* names) {
  bool han = false;
  const std::vector<CasedWord> words = CasedWords(sentence, &han);
  const bool title = !han && InTitleCase(sentence, words);
  size_t real = 0, loud = 0;
  for (const CasedWord& word : words) {
    real += word.letters >= 2 ? 1 : 0;
    loud += word.shouts() ? 1 : 0;
  }
  const bool shouted = real >= 3 && loud * 2 > real;
  size_t last = sentence.size() + 1;  // where the last name's last word ends
  for (const CasedWord& word : words) {
    const std::string_view said = sentence.substr(word.begin, word.end - word.begin);
    if (word.digit_first || word.letters < 2 || word.capitals == 0) continue;
    bool is_name = false;
    if (word.shouts()) {
      is_name = !shouted && (word.letters <= 5 || word.digits);  // USB; longer ones are mostly shouted
    } else if (word.capitals_inside()) {
      is_name = true;
    } else {
      is_name = !title && (han || !word.opens);
    }
    if (!is_name || IsNoName(text::ToLower(said))) continue;
    const bool goes_on =
        last < word.begin && word.begin - last == 1 && (sentence[last] == ' ' || sentence[last] == '-');
    if (goes_on) {
      Name& name = names->back();
      name.end = offset + word.end;
      name.text = Cat(name.text, sentence.substr(last, word.end - last));
    } else {
      names->push_back(
          {.kind = "name", .text = std::string(said), .begin = offset + word.begin, .end = offset + word.end});
    }
    names->back().words.push_back(Comparable(said));
    last = word.end;
  }
}

// --- Chinese --------------------------------------------------------------------------------------------------------

constexpr std::string_view kFunction =
    "的了和与及在是有把给让为到从向跟就也都还又再只吧吗呢啊这那它你我您他她们个来去着上下里中时等用看要会能"
    "可想不没一每各并且而则之其若如但或以于对地得过很最更";

size_t HanLength(std::string_view word) {
  size_t count = 0;
  while (!word.empty()) {
    const DecodedChar c = DecodeChar(word);
    if (!c.valid || !text::IsHan(c.c)) return 0;
    ++count;
    word.remove_prefix(c.length);
  }
  return count;
}

template <typename List>
bool Has(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool HasFunctionWord(std::string_view han) {
  for (size_t at = 0; at + 3 <= han.size(); at += 3) {
    if (kFunction.find(han.substr(at, 3)) != std::string_view::npos) return true;
  }
  return false;
}

class ChineseNames {
 public:
  ChineseNames(std::string_view sentence, size_t offset, std::vector<Name>* names)
      : sentence_(sentence), offset_(offset), names_(names) {
    static const std::unique_ptr<text::Segmenter> segmenter = text::MakeIcuSegmenter();
    segmenter->Segment(sentence, &words_);
  }

  void Find() {
    FindWorks();
    for (size_t i = 0; i < words_.size(); ++i) {
      if (HanLength(words_[i]) == 0) continue;
      if (const size_t used = Place(i); used > 0) {
        i += used - 1;
        continue;
      }
      Suffix(i);
      Person(i);
    }
  }

 private:
  size_t At(std::string_view part) const { return static_cast<size_t>(part.data() - sentence_.data()); }
  std::string_view Span(size_t first, size_t last) const {  // words
    const size_t begin = At(words_[first]);
    return sentence_.substr(begin, At(words_[last]) + words_[last].size() - begin);
  }
  void Add(std::string_view kind, std::string_view said, std::vector<std::string> forms) {
    Name name{.kind = std::string(kind), .text = std::string(said)};
    name.begin = offset_ + At(said);
    name.end = name.begin + said.size();
    name.forms = std::move(forms);
    names_->push_back(std::move(name));
  }

  void FindWorks() {
    constexpr std::string_view kOpen = "《", kClose = "》";
    for (size_t at = sentence_.find(kOpen); at != sentence_.npos; at = sentence_.find(kOpen, at + 1)) {
      const size_t behind = sentence_.substr(at, 120).find(kClose);  // forty characters
      if (behind == sentence_.npos) continue;
      const size_t close = at + behind;
      const std::string inside(sentence_.substr(at + kOpen.size(), close - at - kOpen.size()));
      if (!inside.empty()) Add("work", sentence_.substr(at, close + kClose.size() - at), {text::ToLower(inside)});
    }
  }

  // How many words from `i` on are a place.
  size_t Place(size_t i) {
    size_t used = 0;
    for (size_t n = 1; n <= 3 && i + n <= words_.size(); ++n) {
      if (Has(Places(), Span(i, i + n - 1))) used = n;
    }
    if (used > 0) Add("place", Span(i, i + used - 1), {std::string(Span(i, i + used - 1))});
    return used;
  }

  void Suffix(size_t i) {
    const std::string_view word = words_[i];
    for (const NameSuffix& suffix : NameSuffixes()) {
      if (!word.ends_with(suffix.word)) continue;
      const std::string_view stem = word.substr(0, word.size() - suffix.word.size());
      if (!stem.empty() && !Has(NoNames(), stem)) {  // the segmenter knows it whole
        if (HanLength(stem) >= 2 && !HasFunctionWord(stem)) Add(suffix.kind, word, {std::string(stem)});
        return;
      }
      size_t first = i;
      while (first > 0 && i - first < 3 && Has(NoNames(), words_[first - 1])) --first;  // 科技 有限
      if (first == 0 || HanLength(words_[first - 1]) == 0 || Has(NoNames(), words_[first - 1])) return;
      --first;
      if (HanLength(words_[first]) == 1) {  // a name that falls apart
        if (first == 0 || HanLength(words_[first - 1]) != 1) return;
        --first;
      }
      const std::string_view said = Span(first, i);
      const std::string_view name = said.substr(0, said.size() - word.size());
      if (!HasFunctionWord(name)) Add(suffix.kind, said, {std::string(name)});
      return;
    }
  }

  void Person(size_t i) {
    // Surname and given name: the words from `i` on that are two or three characters (four with a surname of two).
    size_t length = 0;
    const std::string_view first = words_[i];
    const std::string_view surname = [&]() -> std::string_view {
      for (const std::string_view known : Surnames()) {
        if (first.starts_with(known) || (known.size() > first.size() && sentence_.substr(At(first)).starts_with(known)))
          return known;
      }
      return "";
    }();
    if (surname.empty() || (HanLength(first) > surname.size() / 3 && HanLength(first) > 3)) return;
    const auto stands = [&](std::span<const std::string_view> titles, const auto& where) {
      return std::any_of(titles.begin(), titles.end(), where);
    };
    const std::string_view ahead = sentence_.substr(0, At(first));
    const bool before = stands(TitlesBefore(), [&](std::string_view title) { return ahead.ends_with(title); });
    std::string_view best;
    for (size_t last = i; last < words_.size() && last < i + 3; ++last) {
      const size_t more = HanLength(words_[last]);
      if (more == 0) break;
      length += more;
      const size_t given = length - surname.size() / 3;
      if (length <= surname.size() / 3 || given > 2) continue;
      // A word that only begins like a surname (高兴, 任何) is no name, unless the words are the name.
      if (HanLength(first) > surname.size() / 3 && last > i && !before) break;
      const std::string_view said = Span(i, last), rest = sentence_.substr(At(said) + said.size());
      const bool behind = stands(TitlesBehind(), [&](std::string_view title) { return rest.starts_with(title); });
      const bool people = said.ends_with("人") || said.ends_with("们") || said.ends_with("者");  // 任何人
      if ((behind || before) && !people && !HasFunctionWord(said) && (behind || given == 2 || best.empty()))
        best = said;
    }
    if (!best.empty()) Add("person", best, {std::string(best)});
  }

  std::string_view sentence_;
  size_t offset_;
  std::vector<Name>* names_;
  std::vector<std::string_view> words_;
};

}  // namespace

std::vector<Name> FindNames(std::string_view text) {
  std::vector<Name> all;
  size_t at = 0;
  for (const std::string_view sentence : text::Sentences(text)) {
    FindCased(sentence, at, &all);
    ChineseNames(sentence, at, &all).Find();
    at += sentence.size();
  }
  std::stable_sort(all.begin(), all.end(), [](const Name& a, const Name& b) { return a.begin < b.begin; });
  std::vector<Name> names;
  for (Name& name : all) {
    if (names.empty() || name.begin >= names.back().end) names.push_back(std::move(name));
  }
  return names;
}

NameSource::NameSource(std::string_view text) : text_(text::ToLower(text)) {
  bool han = false;
  for (const CasedWord& word : CasedWords(text, &han)) {
    words_.insert(Comparable(text.substr(word.begin, word.end - word.begin)));
  }
}

bool NameSource::Has(const Name& name) const {
  if (!name.forms.empty()) {
    return std::any_of(name.forms.begin(), name.forms.end(),
                       [&](const std::string& form) { return text_.find(form) != std::string::npos; });
  }
  return std::all_of(name.words.begin(), name.words.end(), [&](const std::string& word) {
    return words_.contains(word) || (word.size() >= 5 && text_.find(word) != std::string::npos);
  });
}

}  // namespace atelier::evaluate
