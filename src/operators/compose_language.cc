#include "operators/compose_language.h"

#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <set>

#include "base/str.h"

namespace atelier::operators {
namespace {

using WordSet = std::set<std::string_view>;

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsAlpha(char c) { return IsUpper(c) || IsLower(c); }

// The code point that starts at byte `at`; U+FFFD for bytes that are none.
int32_t CodeAt(std::string_view text, size_t at) {
  int32_t code = 0, i = static_cast<int32_t>(at);
  U8_NEXT_OR_FFFD(reinterpret_cast<const uint8_t*>(text.data()), i, static_cast<int32_t>(text.size()), code);
  return code;
}

std::vector<int32_t> Codes(std::string_view text) {
  std::vector<int32_t> codes;
  codes.reserve(text.size());
  for (int32_t i = 0; i < static_cast<int32_t>(text.size());) {
    int32_t code = 0;
    U8_NEXT_OR_FFFD(reinterpret_cast<const uint8_t*>(text.data()), i, static_cast<int32_t>(text.size()), code);
    codes.push_back(code);
  }
  return codes;
}

void Append(std::string* out, int32_t code) {
  uint8_t bytes[4];
  int32_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, code);
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
}

bool IsHan(int32_t code) { return u_hasBinaryProperty(code, UCHAR_IDEOGRAPHIC) || code == U'々' || code == U'〇'; }

bool IsWide(int32_t code) {  // Han, or a full-width mark
  if (IsHan(code)) return true;
  return std::u32string_view(U"，。！？；：、（）《》「」『』【】…—“”‘’·").find(static_cast<char32_t>(code)) !=
         std::u32string_view::npos;
}

std::string Folded(std::string_view word) { return ToLowerAscii(word); }

// WordSet, and the first word, without the marks around them.
std::string_view Bare(std::string_view word) {
  while (!word.empty() && !IsAlpha(word.front()) && !IsAsciiDigit(word.front()) && !(word.front() & 0x80))
    word.remove_prefix(1);
  while (!word.empty() && !IsAlpha(word.back()) && !IsAsciiDigit(word.back()) && !(word.back() & 0x80))
    word.remove_suffix(1);
  return word;
}

const WordSet& Prepositions() {
  static const WordSet words = {"of",     "for",   "with",    "in",     "to",     "from",    "on",      "at",
                                "by",     "per",   "without", "under",  "over",   "between", "against", "across",
                                "before", "after", "around",  "inside", "beside", "near",    "than",    "that",
                                "which",  "who",   "when",    "while",  "as",     "into",    "within"};
  return words;
}

const WordSet& Determiners() {
  static const WordSet words = {"a",    "an",     "the",     "this", "that", "these", "those", "my",    "your", "our",
                                "its",  "their",  "his",     "her",  "no",   "any",   "some",  "all",   "each", "every",
                                "both", "either", "another", "one",  "up",   "about", "over",  "under", "more", "less"};
  return words;
}

const WordSet& NumberWords() {
  static const WordSet words = {"two",     "three",    "four",   "five",   "six",      "seven",    "eight",
                                "nine",    "ten",      "eleven", "twelve", "thirteen", "fourteen", "fifteen",
                                "sixteen", "eighteen", "twenty", "thirty", "forty",    "fifty",    "sixty",
                                "hundred", "several",  "many",   "few",    "multiple"};
  return words;
}

// WordSet that are names wherever they stand: a sheet that writes "Italian leather" means a capital.
const WordSet& Names() {
  static const WordSet words = {
      "i",          "monday",       "tuesday",    "wednesday", "thursday",   "friday",    "saturday",      "sunday",
      "january",    "february",     "april",      "june",      "july",       "august",    "september",     "october",
      "november",   "december",     "christmas",  "easter",    "halloween",  "english",   "british",       "scottish",
      "irish",      "welsh",        "french",     "german",    "italian",    "spanish",   "portuguese",    "dutch",
      "belgian",    "swiss",        "austrian",   "danish",    "swedish",    "norwegian", "finnish",       "icelandic",
      "nordic",     "scandinavian", "polish",     "czech",     "hungarian",  "romanian",  "greek",         "turkish",
      "russian",    "ukrainian",    "european",   "american",  "canadian",   "mexican",   "brazilian",     "peruvian",
      "chilean",    "argentine",    "colombian",  "cuban",     "african",    "egyptian",  "moroccan",      "ethiopian",
      "kenyan",     "asian",        "chinese",    "japanese",  "korean",     "indian",    "thai",          "vietnamese",
      "indonesian", "malaysian",    "australian", "persian",   "israeli",    "lebanese",  "mediterranean", "atlantic",
      "pacific",    "himalayan",    "alpine",     "arctic",    "britain",    "england",   "scotland",      "ireland",
      "wales",      "france",       "germany",    "italy",     "spain",      "portugal",  "greece",        "sweden",
      "norway",     "denmark",      "finland",    "iceland",   "japan",      "china",     "india",         "korea",
      "vietnam",    "thailand",     "mexico",     "brazil",    "peru",       "kenya",     "ethiopia",      "colombia",
      "europe",     "america",      "africa",     "asia",      "australia",  "canada",    "london",        "paris",
      "tokyo",      "kyoto",        "milan",      "sheffield", "harris",     "shetland",  "devon",         "cornish",
      "yorkshire",  "bluetooth",    "android",    "windows",   "linux",      "apple",     "google",        "excel",
      "kevlar",     "gore-tex",     "velcro",     "teflon",    "cordura",    "lycra",     "alexa",         "siri",
      "kindle",     "arabica",      "braille",    "celsius",   "fahrenheit", "bpa-free"};
  return words;
}

bool VowelLetterName(char c) { return std::string_view("AEFHILMNORSX").find(c) != std::string_view::npos; }

bool StartsWithAny(std::string_view text, std::initializer_list<std::string_view> heads) {
  return std::any_of(heads.begin(), heads.end(), [&](std::string_view head) { return text.starts_with(head); });
}

bool NumberSoundsVowel(std::string_view text) {
  size_t digits = 0;
  std::string number;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsAsciiDigit(text[i])) {
      number.push_back(text[i]);
    } else if (!(text[i] == ',' && i + 3 < text.size() && IsAsciiDigit(text[i + 1]))) {
      break;
    }
  }
  digits = number.size();
  if (number.empty()) return false;
  if (number[0] == '8') return true;
  // eleven, eighteen, eleven thousand ... but one hundred and eighteen.
  return (number.starts_with("11") || number.starts_with("18")) && digits % 3 == 2;
}

bool SoundsVowel(std::string_view following) {
  std::string_view word = Bare(FirstWord(following));
  if (word.empty()) return false;
  if (IsAsciiDigit(word[0])) return NumberSoundsVowel(word);
  std::string_view head = word.substr(0, word.find_first_of("-/0123456789&+"));
  bool acronym = !head.empty() && std::all_of(head.begin(), head.end(), IsUpper) &&
                 (head.size() >= 2 || head.size() < word.size());
  if (acronym) {
    // Spoken as words, not as letters.
    static const WordSet spoken = {"NASA", "NATO",  "RAM",  "ROM",  "SIM",   "LAN",  "HEPA",
                                   "SATA", "MIDI",  "RAID", "MERV", "NEMA",  "MIG",  "SWAT",
                                   "FIFA", "LASER", "SAP",  "SIP",  "REACH", "ROHS", "SUDOKU"};
    static const WordSet spoken_vowel = {"OLED", "ANSI", "ISO", "OSHA", "ASCII", "AIDS", "OPEC", "ATEX", "UNESCO_"};
    if (spoken.contains(head)) return false;
    if (spoken_vowel.contains(head)) return true;
    return VowelLetterName(head[0]);
  }
  std::string low = Folded(word);
  if (low.size() == 1) return std::string_view("aefhilmnorsx").find(low[0]) != std::string_view::npos;
  if (low[0] == 'x' && (low[1] == '-' || low[1] == '_')) return true;  // an x-ray
  if (StartsWithAny(low, {"e-", "s-", "l-", "f-", "h-", "m-", "n-", "r-"})) return true;
  if (StartsWithAny(low, {"u-", "t-", "y-"})) return false;
  if (StartsWithAny(low, {"hour", "honest", "honor", "honour", "heir"})) return true;
  if (low == "one" || StartsWithAny(low, {"one-", "once", "ones", "oneness"})) return false;
  if (StartsWithAny(
          low, {"eu",  "ewe", "ubi", "uku",     "uran", "uret",  "uri",  "usab", "usag", "use",  "usi",  "usu", "ute",
                "uti", "uto", "ufo", "unicorn", "unif", "union", "uniq", "unis", "unit", "univ", "unic", "unil"})) {
    return false;
  }
  return std::string_view("aeiou").find(low[0]) != std::string_view::npos ||
         StartsWithAny(low, {"é", "è", "ê", "á", "à", "ö", "ü", "ó", "í"});
}

}  // namespace

std::string_view FirstWord(std::string_view text) {
  size_t from = text.find_first_not_of(" \"'(");
  if (from == text.npos) return "";
  text.remove_prefix(from);
  return text.substr(0, text.find_first_of(" ,;:"));
}

std::string_view HeadWord(std::string_view text) {
  std::string_view head, rest = text;
  while (true) {
    size_t from = rest.find_first_not_of(' ');
    if (from == rest.npos) break;
    rest.remove_prefix(from);
    size_t end = std::min(rest.find(' '), rest.size());
    std::string_view word = rest.substr(0, end);
    if (!head.empty() && Prepositions().contains(Folded(word))) break;
    if (std::string_view bare = Bare(word); !bare.empty()) head = bare;
    if (word.back() == ',' || word.back() == '(' || word.back() == ':') break;
    rest.remove_prefix(end);
  }
  return head;
}

std::string_view Article(std::string_view following) { return SoundsVowel(following) ? "an" : "a"; }

bool IsPlural(std::string_view noun_phrase) {
  std::string low = Folded(noun_phrase);
  // "basil and thyme" is two things; "wet and dry vacuum" is one: what counts is whether the last word joins the list.
  std::string_view head_view = HeadWord(low);
  size_t head_at = head_view.empty() ? 0 : static_cast<size_t>(head_view.data() - low.data());
  if (size_t comma = low.find(", "); comma != low.npos && low.find(" and ", comma) != low.npos) return true;
  if (head_at >= 4 && std::string_view(low).substr(0, head_at).ends_with(" and ")) return true;
  std::string head(head_view);
  if (size_t dash = head.rfind('-'); dash != head.npos && dash + 2 < head.size()) head = head.substr(dash + 1);
  static const WordSet irregular = {"people",   "children", "men",    "women",       "feet",        "teeth",
                                    "mice",     "geese",    "oxen",   "salespeople", "data",        "media",
                                    "criteria", "cattle",   "police", "folk",        "craftspeople"};
  if (irregular.contains(head) || head.ends_with("women") || head.ends_with("people")) return true;
  static const WordSet singular = {
      "gas",         "bus",       "canvas",    "atlas",      "lens",      "news",   "series",    "species",
      "chaos",       "always",    "tennis",    "chassis",    "basis",     "plus",   "yes",       "this",
      "pass",        "iris",      "analysis",  "diagnosis",  "hypnosis",  "cosmos", "asbestos",  "pancreas",
      "mathematics", "physics",   "economics", "gymnastics", "logistics", "bias",   "christmas", "texas",
      "electronics", "athletics", "ceramics",  "pilates",    "asparagus", "hummus", "couscous",  "molasses",
      "swiss",       "alias",     "pampas",    "pyjamas_",   "sas",       "gps",    "abs",       "ios",
      "dns",         "sms",       "pos",       "css",        "rss",       "cms",    "saas",      "ips",
      "nas"};
  if (singular.contains(head)) return false;
  return head.size() > 2 && head.ends_with('s') && !head.ends_with("ss") && !head.ends_with("us") &&
         !head.ends_with("'s") && !head.ends_with("is");
}

std::string WithArticle(std::string_view noun_phrase) {
  std::string first = Folded(FirstWord(noun_phrase));
  if (Determiners().contains(first) || NumberWords().contains(first) || IsPlural(noun_phrase)) {
    return std::string(noun_phrase);
  }
  return Cat(Article(noun_phrase), " ", noun_phrase);
}

std::string WithThe(std::string_view noun_phrase) {
  std::string first = Folded(FirstWord(noun_phrase));
  if (first == "a" || first == "an") return Cat("the ", WithoutArticle(noun_phrase));
  if (Determiners().contains(first) && first != "one") return std::string(noun_phrase);
  if (first.empty() || IsAsciiDigit(first[0])) return std::string(noun_phrase);
  return Cat("the ", noun_phrase);
}

std::string WithoutArticle(std::string_view noun_phrase) {
  std::string low = Folded(noun_phrase.substr(0, 5));
  for (std::string_view article : {"a ", "an ", "the "}) {
    if (low.starts_with(article)) return std::string(noun_phrase.substr(article.size()));
  }
  return std::string(noun_phrase);
}

std::string Pluralised(std::string_view noun_phrase) {
  if (IsPlural(noun_phrase)) return std::string(noun_phrase);
  std::string_view head = HeadWord(noun_phrase);
  if (head.empty()) return std::string(noun_phrase);
  size_t at = static_cast<size_t>(head.data() - noun_phrase.data());
  std::string low = Folded(head), plural(head);
  static const std::pair<std::string_view, std::string_view> irregular[] = {
      {"person", "people"}, {"child", "children"},  {"foot", "feet"},       {"tooth", "teeth"},
      {"mouse", "mice"},    {"goose", "geese"},     {"knife", "knives"},    {"life", "lives"},
      {"wife", "wives"},    {"leaf", "leaves"},     {"loaf", "loaves"},     {"shelf", "shelves"},
      {"half", "halves"},   {"potato", "potatoes"}, {"tomato", "tomatoes"}, {"scarf", "scarves"},
      {"series", "series"}, {"species", "species"}, {"gas", "gases"},       {"analysis", "analyses"}};
  auto ends_vowel_y = [&] {
    return low.size() > 1 && std::string_view("aeiou").find(low[low.size() - 2]) != std::string_view::npos;
  };
  bool done = false;
  for (const auto& [one, many] : irregular) {
    if (low != one) continue;
    plural = IsUpper(head[0]) ? Cat(static_cast<char>(std::toupper(many[0])), many.substr(1)) : std::string(many);
    done = true;
  }
  if (!done && low.ends_with("man") && low != "human" && low != "german") {
    plural.replace(plural.size() - 2, 2, "en");
  } else if (!done && low.ends_with('y') && !ends_vowel_y()) {
    plural.replace(plural.size() - 1, 1, "ies");
  } else if (!done && (low.ends_with('s') || low.ends_with('x') || low.ends_with('z') || low.ends_with("ch") ||
                       low.ends_with("sh"))) {
    plural += "es";
  } else if (!done) {
    plural += "s";
  }
  return Cat(noun_phrase.substr(0, at), plural, noun_phrase.substr(at + head.size()));
}

std::string LowerFirst(std::string_view text) {
  std::string out(text);
  std::string_view word = FirstWord(text);
  std::string_view bare = Bare(word);
  if (bare.empty() || !IsUpper(bare[0])) return out;
  bool article = bare == "A";
  if (!article && bare.size() == 1) return out;
  if (std::any_of(bare.begin() + 1, bare.end(), [](char c) { return IsUpper(c) || IsAsciiDigit(c); })) return out;
  std::string low = Folded(bare);
  std::string_view stem = std::string_view(low).substr(0, low.find_first_of("-/'"));
  if (Names().contains(low) || Names().contains(stem)) return out;
  // A second word with a capital makes a name of both: "New Zealand wool".
  std::string_view rest = text.substr(static_cast<size_t>(word.data() - text.data()) + word.size());
  std::string_view second = Bare(FirstWord(rest));
  if (!second.empty() && IsUpper(second[0]) && !(second.size() > 1 && IsUpper(second[1]))) return out;
  size_t at = static_cast<size_t>(bare.data() - text.data());
  out[at] = static_cast<char>(std::tolower(out[at]));
  return out;
}

std::string UpperFirst(std::string_view text) {
  std::string out(text);
  std::string_view word = FirstWord(text);
  size_t at = text.find_first_not_of(" \"'(");
  if (at == text.npos) return out;
  if (std::any_of(word.begin(), word.end(), IsUpper)) return out;
  if (IsLower(text[at])) {
    out[at] = static_cast<char>(std::toupper(out[at]));
  } else if (text[at] & 0x80) {
    int32_t code = CodeAt(text, at), upper = u_toupper(code);
    if (code != 0xFFFD && upper != code) {
      std::string bytes;
      Append(&bytes, upper);
      int32_t length = 0;
      length = U8_LENGTH(code);
      out.replace(at, static_cast<size_t>(length), bytes);
    }
  }
  return out;
}

std::string JoinEnglish(const std::vector<std::string>& items, bool alike) {
  bool joined = !alike || std::any_of(items.begin(), items.end(), [](const std::string& item) {
    return item.find(',') != item.npos || item.find(" and ") != item.npos || item.find(" or ") != item.npos;
  });
  if (joined) return Join(items, ", ");
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += i + 1 == items.size() ? " and " : ", ";
    out += items[i];
  }
  return out;
}

std::string FinishEnglish(std::string_view text, bool headline) {
  // Spaces and marks first, then capitals (which the marks of sentences call for).
  std::string flat;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ' ') {
      if (flat.empty() || flat.back() == ' ') continue;
      size_t next = text.find_first_not_of(" \x01", i);
      bool mark = next != text.npos && std::string_view(".,;:!?").find(text[next]) != std::string_view::npos;
      // " .5 mm" keeps its space, and so does " :)".
      if (mark && !(next + 1 < text.size() && text[next] == '.' && IsAsciiDigit(text[next + 1]))) continue;
      flat.push_back(c);
    } else if (std::string_view(".,;:!?").find(c) != std::string_view::npos) {
      size_t last = flat.find_last_not_of(kSentence);
      char before = last == flat.npos ? ' ' : flat[last];
      if (before == ' ' && flat.size() <= 1) continue;  // a mark at the very start
      bool ellipsis = c == '.' && before == '.' && text[i - 1] == '.' &&
                      ((i + 1 < text.size() && text[i + 1] == '.') || (i > 1 && text[i - 2] == '.'));
      if (std::string_view(".,;:!?").find(before) != std::string_view::npos && !ellipsis) {
        // Two marks met: the one that ends the sentence stays.
        bool strong = c == '.' || c == '!' || c == '?', was = before == '.' || before == '!' || before == '?';
        if (strong && !was) flat[last] = c;
        continue;
      }
      flat.push_back(c);
    } else {
      flat.push_back(c);
    }
  }
  std::string out;
  bool start = true;
  size_t i = 0;
  while (i < flat.size()) {
    if (flat[i] == kSentence) {
      start = true;
      ++i;
      continue;
    }
    if (flat[i] == ' ') {
      if (!out.empty() && out.back() != ' ') out.push_back(' ');
      ++i;
      continue;
    }
    size_t end = std::min(flat.find_first_of(" \x01", i), flat.size());
    std::string word = flat.substr(i, end - i);
    out += start ? UpperFirst(word) : word;
    start = false;
    i = end;
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == ',' || out.back() == ';' || out.back() == ':'))
    out.pop_back();
  if (headline) {
    if (!out.empty() && out.back() == '.' && !out.ends_with("...")) out.pop_back();
  } else if (!out.empty() && std::string_view(".!?").find(out.back()) == std::string_view::npos &&
             !out.ends_with("…")) {
    out.push_back('.');
  }
  return out;
}

std::string JoinChinese(const std::vector<std::string>& items) {
  bool joined = std::any_of(items.begin(), items.end(), [](const std::string& item) {
    return item.find("、") != item.npos || item.find("，") != item.npos;
  });
  return Join(items, joined ? "，" : "、");
}

std::string FinishChinese(std::string_view text, bool headline) {
  std::vector<int32_t> in = Codes(text), out;
  auto next_visible = [&](size_t i) -> int32_t {
    for (; i < in.size(); ++i) {
      if (in[i] != ' ' && in[i] != kSentence) return in[i];
    }
    return 0;
  };
  auto full = [](int32_t code) -> int32_t {
    switch (code) {
      case ',': return U'，';
      case '.': return U'。';
      case '!': return U'！';
      case '?': return U'？';
      case ';': return U'；';
      case ':': return U'：';
      default: return 0;
    }
  };
  auto rank = [](int32_t code) {  // which of two marks that meet stays; 0: no mark
    switch (code) {
      case U'、': return 1;
      case U'，': return 2;
      case U'：': return 3;
      case U'；': return 4;
      case U'。': return 5;
      case U'！':
      case U'？': return 6;
      default: return 0;
    }
  };
  for (size_t i = 0; i < in.size(); ++i) {
    int32_t code = in[i];
    if (code == kSentence) continue;
    int32_t before = out.empty() ? 0 : out.back();
    if (code == ' ') {
      int32_t next = next_visible(i);
      if (before == 0 || before == ' ' || next == 0) continue;
      if (IsWide(before) && IsWide(next)) continue;
      if (rank(before) != 0 || rank(next) != 0) continue;  // no space beside a full-width mark
      out.push_back(' ');
      continue;
    }
    if (int32_t wide = full(code); wide != 0 && IsWide(before)) {
      // "12:30" and "3.5" stay as they are: the mark stands between digits there, not after Han.
      code = wide;
    }
    if (rank(code) != 0) {
      if (before == 0) continue;
      if (rank(before) != 0) {
        if (rank(code) > rank(before)) out.back() = code;
        continue;
      }
    }
    out.push_back(code);
  }
  while (!out.empty() && (out.back() == ' ' || (rank(out.back()) != 0 && rank(out.back()) < 5))) out.pop_back();
  if (headline) {
    while (!out.empty() && out.back() == U'。') out.pop_back();
  } else if (!out.empty() && rank(out.back()) < 5 && out.back() != U'…' && out.back() != U'”' && out.back() != U'」') {
    out.push_back(U'。');
  }
  std::string result;
  for (int32_t code : out) Append(&result, code);
  return result;
}

std::string Tight(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    bool beside = (i > 0 && IsAsciiDigit(text[i - 1])) || (i + 1 < text.size() && IsAsciiDigit(text[i + 1]));
    if (text[i] == ' ' && beside) continue;
    out.push_back(text[i]);
  }
  return out;
}

size_t DoubledAtBorder(std::string_view before, std::string_view after, bool chinese) {
  if (!chinese) {
    if (!before.ends_with(' ')) return 0;
    std::string_view trimmed = before.substr(0, before.size() - 1);
    std::string_view last = trimmed.substr(trimmed.rfind(' ') + 1);
    static const WordSet function = {"a",  "an", "the", "for", "with", "from", "in", "at",  "by",      "on",
                                     "to", "of", "no",  "and", "is",   "are",  "it", "its", "without", "up"};
    std::string word = Folded(last);
    if (!function.contains(word) || Folded(FirstWord(after)) != word) return 0;
    return last.size() + 1;
  }
  // Two characters or more that come again, or one particle or preposition; no verb, for names begin like verbs too
  // (有机小青菜 after 桌上有).
  std::vector<int32_t> a = Codes(before.substr(before.size() > 48 ? before.size() - 48 : 0));
  std::vector<int32_t> b = Codes(after.substr(0, 48));
  for (size_t n = std::min({a.size(), b.size(), size_t{6}}); n >= 1; --n) {
    if (!std::equal(a.end() - static_cast<std::ptrdiff_t>(n), a.end(), b.begin())) continue;
    if (n == 1 && std::u32string_view(U"的了给为").find(static_cast<char32_t>(b[0])) == std::u32string_view::npos) {
      return 0;
    }
    if (!std::all_of(b.begin(), b.begin() + static_cast<std::ptrdiff_t>(n), [](int32_t c) { return IsHan(c); }))
      return 0;
    std::string bytes;
    for (size_t i = 0; i < n; ++i) Append(&bytes, b[i]);
    return bytes.size();
  }
  return 0;
}

bool ShareHanPair(std::string_view a, std::string_view b) {
  std::vector<int32_t> left = Codes(a), right = Codes(b);
  for (size_t i = 0; i + 1 < left.size(); ++i) {
    if (!IsHan(left[i]) || !IsHan(left[i + 1])) continue;
    if (std::search(right.begin(), right.end(), left.begin() + static_cast<std::ptrdiff_t>(i),
                    left.begin() + static_cast<std::ptrdiff_t>(i) + 2) != right.end()) {
      return true;
    }
  }
  return false;
}

size_t SharedRun(std::string_view a, std::string_view b) {
  std::vector<int32_t> left = Codes(a), right = Codes(b);
  std::vector<size_t> row(right.size() + 1, 0);  // row[j]: the run that ends at left[i] and right[j - 1]
  size_t most = 0;
  for (int32_t code : left) {
    for (size_t j = right.size(); j > 0; --j) {
      row[j] = code == right[j - 1] ? row[j - 1] + 1 : 0;
      most = std::max(most, row[j]);
    }
  }
  return most;
}

bool EndsClause(std::string_view text) {
  std::vector<int32_t> codes = Codes(text);
  return std::any_of(codes.begin(), codes.end(), [](int32_t code) {
    return std::u32string_view(U",.!?;:，。！？；：、（）“”…—").find(static_cast<char32_t>(code)) !=
           std::u32string_view::npos;
  });
}

std::string CleanSlot(std::string_view text) {
  std::string out;
  for (int32_t code : Codes(text)) {
    bool space = u_isUWhiteSpace(code) || u_iscntrl(code);
    if (space && (out.empty() || out.back() == ' ')) continue;
    if (space) {
      out.push_back(' ');
    } else {
      Append(&out, code);
    }
  }
  for (bool again = true; again;) {
    again = false;
    for (std::string_view mark : {" ", ".", ",", ";", "。", "，", "；", "、"}) {
      if (!out.ends_with(mark) || out.ends_with("...")) continue;
      out.erase(out.size() - mark.size());
      again = true;
    }
  }
  return out;
}

std::string FoldCase(std::string_view text) {
  std::string out;
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
      .foldCase()
      .toUTF8String(out);
  return out;
}

size_t CountChars(std::string_view text) { return Codes(text).size(); }

}  // namespace atelier::operators
