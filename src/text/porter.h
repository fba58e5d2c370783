// The stem of an English word: M. F. Porter, An algorithm for suffix stripping (1980).
#pragma once

#include <string>
#include <string_view>

namespace atelier::text {

// With the departures that the author's later programs have ("bli" and "logi"). Words of other characters than a-z,
// and those of one or two letters or of more than 64, come back as they are.
std::string PorterStem(std::string_view word);

// The variant that summaries are scored with: that of NLTK's PorterStemmer as it comes (its extensions: a few irregular
// words, "died" and "dies" to "die", y to i only behind a consonant, "fulli", short "logi"). Any lower-case ASCII
// letters and digits, which count as consonants; equal to NLTK's for every such word of any length.
std::string NltkPorterStem(std::string_view word);

}  // namespace atelier::text
