// How near short answers are to the right ones: exact match and token F1 after the normalisation of SQuAD (Rajpurkar et
// al. 2016; empty answers as in version 2.0), and for Chinese the same by characters.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

enum class AnswerUnits {
  kWords,      // lower case, no ASCII punctuation, no "a", "an", "the"; words between white space
  kCharacters  // lower case, no punctuation or symbols; every Han, kana or Hangul character, other words as wholes
};

std::vector<std::string> AnswerTokens(std::string_view answer, AnswerUnits units);

struct AnswerScore {
  double exact = 0, f1 = 0;  // in [0, 1]
};
// The best of all right answers, each measure on its own. Two answers without tokens are equal; one of them is wrong.
// REQUIRES: at least one.
AnswerScore ScoreAnswer(std::string_view answer, std::span<const std::string_view> right,
                        AnswerUnits units = AnswerUnits::kWords);

}  // namespace atelier::evaluate
