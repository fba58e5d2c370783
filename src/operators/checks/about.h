// How much a text speaks of what is on the sheet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "recipe/run.h"

namespace atelier::operators {

struct AboutFields {
  std::vector<std::string> names = {"name", "category"};  // fields whose words name the product
  std::string features = "features";
};

struct Aboutness {
  bool names_it = false;  // a word of the name or the category occurs
  size_t touched = 0;     // features of which a word occurs
  size_t features = 0;    // on the sheet
  double share = 0;       // of the text's content that comes from the sheet: words (English), pairs of Han
  std::string stranger;   // a name in the text that the sheet does not have, or ""
  // The share of features touched, counting up to three of them, in [0, 1].
  double coverage() const;
};

Aboutness MeasureAbout(const recipe::Record& record, std::string_view text, const AboutFields& fields);

// What carries meaning: pairs of neighbouring Han, and stems of words that are not stop words.
std::vector<std::string> Content(std::string_view text);

// Words that hold an English sentence together; lower case.
bool IsStopWord(std::string_view word);

// An English word without its commonest endings, lower case: "brewing", "brewed" and "brews" are one.
std::string Stem(std::string_view word);

}  // namespace atelier::operators
