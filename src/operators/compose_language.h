// Rules of English and Chinese that hold for every pattern: articles, number, capitals, punctuation, spaces.
//
// Text is UTF-8. What comes from a record is never changed in its letters and digits; only the case of a first letter
// (English) and what surrounds it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::operators {

// Marks, inside text that is being put together, the places where the pattern ends a sentence: what follows takes a
// capital in English. (A stop inside a record's own text, as in "approx. 5 mm", ends none.) Finish* take them away.
inline constexpr char kSentence = '\x01';

// --- English
// "a" or "an", by the sound of what follows: "an hour", "a USB", "an 8-inch", "an 11 kW", "a one-piece".
std::string_view Article(std::string_view following);
// With its indefinite article if it takes one: not before plurals, numbers other than those before a unit and a noun,
// or where there is a determiner already.
std::string WithArticle(std::string_view noun_phrase);
std::string WithThe(std::string_view noun_phrase);
std::string WithoutArticle(std::string_view noun_phrase);
// Whether a noun phrase is plural by its head: "brass hooks", "basil and thyme"; not "glass", "canvas", "lens".
bool IsPlural(std::string_view noun_phrase);
std::string Pluralised(std::string_view noun_phrase);
std::string_view FirstWord(std::string_view text);
// The noun a phrase turns on: the last word before "of", "for", "with" ...: "18 m of line" -> "m".
std::string_view HeadWord(std::string_view text);
// First letter lower, unless the first word is a name, an acronym or holds a digit: "iPhone", "USB-C", "Italian".
std::string LowerFirst(std::string_view text);
// First letter upper, unless the word has capitals of its own inside ("iPhone", "pH").
std::string UpperFirst(std::string_view text);
// Joins a list: "a", "a and b", "a, b and c"; without "and" where the items are not alike, or where one has an "and" or
// a comma itself.
std::string JoinEnglish(const std::vector<std::string>& items, bool alike = true);
// Sentence capitals, spaces, one mark where two met; a body ends with a stop, a headline without.
std::string FinishEnglish(std::string_view text, bool headline);

// --- Chinese
std::string JoinChinese(const std::vector<std::string>& items);
// Full-width marks next to Han, no space between Han and Han, one mark where two met, "。" at a body's end only.
std::string FinishChinese(std::string_view text, bool headline);
// No spaces around digits: "500 毫升" -> "500毫升".
std::string Tight(std::string_view text);

// --- both
// How many bytes at the end of `before` repeat what `after` begins with, where that is a slip of two phrases meeting
// ("for " + "for left-handers", "的" + "的"): these bytes of the pattern's own text go.
size_t DoubledAtBorder(std::string_view before, std::string_view after, bool chinese);
// Whether two texts have two Han in a row in common: "保温" in "保温饭盒" and "保温6小时".
bool ShareHanPair(std::string_view a, std::string_view b);
// How many characters the longest run has that stands in both texts.
size_t SharedRun(std::string_view a, std::string_view b);
// Whether a pattern's own text has a mark that ends a clause: a comma, stop, colon, quotation mark ...
bool EndsClause(std::string_view text);
// A record's text as slots use it: controls and runs of white space are one space, no stop or comma at the end.
std::string CleanSlot(std::string_view text);
std::string FoldCase(std::string_view text);  // full Unicode
size_t CountChars(std::string_view text);     // code points

}  // namespace atelier::operators
