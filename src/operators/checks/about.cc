// about: the copy speaks of this product.
//
//   names = ["name", "category"]           # fields of which a word should occur
//   features = "features"                  # the list whose items are to be spoken of
//   least_features = 1                     # features touched
//   least_share = { zh = 0.1, en = 0.1 }   # of the content that comes from the sheet
#include "operators/checks/about.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/str.h"
#include "evaluate/units.h"
#include "operators/checks/checks.h"

namespace atelier::operators {
namespace {

bool IsHan(std::string_view unit) { return static_cast<unsigned char>(unit[0]) >= 0xE3 && unit.size() >= 3; }

const std::set<std::string, std::less<>>& StopWords() {
  static const std::set<std::string, std::less<>> words = {
      "a",    "an",     "the",   "and",  "or",    "but",   "of",    "to",     "in",   "on",    "at",   "for",
      "with", "by",     "from",  "up",   "out",   "as",    "is",    "are",    "was",  "were",  "be",   "been",
      "it",   "its",    "this",  "that", "these", "those", "you",   "your",   "we",   "our",   "they", "their",
      "he",   "she",    "his",   "her",  "i",     "my",    "me",    "not",    "no",   "so",    "if",   "when",
      "then", "than",   "just",  "can",  "will",  "do",    "does",  "has",    "have", "had",   "all",  "one",
      "who",  "what",   "which", "into", "over",  "there", "here",  "more",   "too",  "very",  "any",  "some",
      "yet",  "only",   "also",  "even", "still", "about", "after", "before", "off",  "down",  "them", "youre",
      "dont", "doesnt", "its",   "us",   "him",   "while", "where", "how",    "why",  "every", "each", "both"};
  return words;
}

// The content of a field's text, each item on its own, so that no pair spans two of them.
std::set<std::string> SheetContent(const recipe::Record& record, std::string_view field) {
  std::set<std::string> out;
  for (const std::string& line : Split(SheetText(record, field), '\n')) {
    for (std::string& piece : Content(line)) out.insert(std::move(piece));
  }
  return out;
}

// A capitalised word inside an English sentence that the sheet does not have: a name made up. `letters` is the sheet in
// lower case: what stands there within a word ("4XL", "Clockmaker's") is known too.
std::string Stranger(std::string_view text, const std::set<std::string>& sheet, const std::string& letters) {
  bool start = true;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const bool upper = c >= 'A' && c <= 'Z';
    if (!upper && !(c >= 'a' && c <= 'z')) {
      if (c == '.' || c == '!' || c == '?' || c == ':' || c == '\n' || c == '"') start = true;
      if (text.substr(at).starts_with("“") || text.substr(at).starts_with("—")) start = true;
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '\'')) ++end;
    const std::string word(text.substr(at, end - at));
    if (upper && !start && word != "I" && !word.starts_with("I'")) {
      const std::string stem = Stem(ToLowerAscii(word));
      static const std::set<std::string, std::less<>> kDays = {"monday", "tuesday",  "wednesday", "thursday",
                                                               "friday", "saturday", "sunday"};
      std::string lower = ToLowerAscii(word);
      if (lower.ends_with("'s")) lower.resize(lower.size() - 2);
      if (!sheet.contains(stem) && !StopWords().contains(lower) && !kDays.contains(lower) &&
          letters.find(lower) == std::string::npos)
        return word;
    }
    start = false;
    at = end;
  }
  return "";
}

bool TitleCase(std::string_view line) {
  size_t upper = 0, words = 0;
  for (const std::string& word : Split(line, ' ')) {
    if (word.size() < 4) continue;
    ++words;
    upper += word[0] >= 'A' && word[0] <= 'Z';
  }
  return words >= 2 && upper * 3 >= words * 2;
}

class About : public Check {
 public:
  About(AboutFields fields, size_t least_features, std::map<std::string, double> least_share)
      : fields_(std::move(fields)), least_features_(least_features), least_share_(std::move(least_share)) {}

  Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
               std::span<const recipe::Candidate>) const override {
    std::string text;
    for (const std::string& field : TextFields(candidate)) text.append(OutputText(candidate, field)).push_back('\n');
    const Aboutness about = MeasureAbout(record, text, fields_);
    if (!about.stranger.empty()) {
      return {Say(record, Cat("提到资料里没有的“", about.stranger, "”"),
                  Cat("names '", about.stranger, "', which is not on the sheet")),
              0};
    }
    if (about.touched < std::min(least_features_, about.features)) {
      return {Say(record, "没有说到产品的特点", "speaks of none of the features"), 0};
    }
    if (!about.names_it && about.touched == 0)
      return {Say(record, "说的不是这个产品", "does not speak of the product"), 0};
    const auto least = least_share_.find(record.lang);
    const double cut = least == least_share_.end() ? 0 : least->second;
    if (about.share < cut)
      return {Say(record, "离题：太多资料里没有的话", "wanders off: too little of it is on the sheet"), 0};
    return {"", std::min(1.0, (about.share - cut) / 0.25)};
  }

 private:
  AboutFields fields_;
  size_t least_features_;
  std::map<std::string, double> least_share_;
};

}  // namespace

bool IsStopWord(std::string_view word) { return StopWords().contains(word); }

std::vector<std::string> Content(std::string_view text) {
  std::vector<std::string> out;
  const std::vector<std::string> units = evaluate::Units(text);
  for (size_t i = 0; i < units.size(); ++i) {
    if (!IsHan(units[i])) {
      if (!StopWords().contains(units[i])) out.push_back(Stem(units[i]));
    } else if (i + 1 < units.size() && IsHan(units[i + 1])) {
      out.push_back(units[i] + units[i + 1]);
    } else if (i == 0 || !IsHan(units[i - 1])) {
      out.push_back(units[i]);
    }
  }
  return out;
}

std::string Stem(std::string_view word) {
  std::string stem(word);
  const auto ends = [&](std::string_view suffix, size_t left) {
    return stem.size() >= suffix.size() + left && stem.ends_with(suffix);
  };
  const auto undouble = [&] {
    const size_t n = stem.size();
    if (n >= 3 && stem[n - 1] == stem[n - 2] &&
        std::string_view("bdgmnprt").find(stem[n - 1]) != std::string_view::npos)
      stem.pop_back();
  };
  if (ends("ies", 2)) {
    stem.replace(stem.size() - 3, 3, "y");
  } else if (ends("sses", 1) || ends("shes", 1) || ends("ches", 1) || ends("xes", 1)) {
    stem.resize(stem.size() - 2);
  } else if (ends("s", 3) && !ends("ss", 0) && !ends("us", 0)) {
    stem.pop_back();
  }
  if (ends("ing", 3)) {
    stem.resize(stem.size() - 3);
    undouble();
  } else if (ends("ed", 3)) {
    stem.resize(stem.size() - 2);
    undouble();
  }
  if (ends("e", 3)) stem.pop_back();
  return stem;
}

double Aboutness::coverage() const {
  const size_t most = std::min<size_t>(features, 3);
  return most == 0 ? 0 : static_cast<double>(std::min(touched, most)) / static_cast<double>(most);
}

Aboutness MeasureAbout(const recipe::Record& record, std::string_view text, const AboutFields& fields) {
  Aboutness out;
  const std::set<std::string> sheet = SheetContent(record, "");
  const std::vector<std::string> content = Content(text);
  const std::set<std::string> said(content.begin(), content.end());
  size_t known = 0;
  for (const std::string& piece : content) known += sheet.contains(piece);
  out.share = content.empty() ? 0 : static_cast<double>(known) / static_cast<double>(content.size());
  for (const std::string& field : fields.names) {
    for (const std::string& piece : SheetContent(record, field)) out.names_it = out.names_it || said.contains(piece);
  }
  if (const auto at = record.input.find(fields.features); at != record.input.end() && at->is_array()) {
    for (const Json& feature : *at) {
      ++out.features;
      const std::vector<std::string> pieces = Content(feature.get_ref<const std::string&>());
      out.touched +=
          std::any_of(pieces.begin(), pieces.end(), [&](const std::string& piece) { return said.contains(piece); });
    }
  }
  if (record.lang == "en") {
    const std::string letters = ToLowerAscii(SheetText(record));
    // Headlines In Title Case say nothing about names.
    for (const std::string& line : Split(text, '\n')) {
      if (out.stranger.empty() && !TitleCase(line)) out.stranger = Stranger(line, sheet, letters);
    }
  }
  return out;
}

std::unique_ptr<Check> MakeAbout(Table& table, const recipe::StepContext&) {
  AboutFields fields;
  fields.names = table.StringsOr("names", fields.names);
  fields.features = table.StringOr("features", fields.features);
  const size_t least_features = static_cast<size_t>(table.IntOr("least_features", 1, 0, 100));
  std::map<std::string, double> share;
  if (auto least = table.SubOr("least_share")) {
    share["zh"] = least->DoubleOr("zh", 0, 0, 1);
    share["en"] = least->DoubleOr("en", 0, 0, 1);
    least->Done();
  }
  return std::make_unique<About>(std::move(fields), least_features, std::move(share));
}

}  // namespace atelier::operators
