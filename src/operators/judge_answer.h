// What a judge may answer, and what it did: criteria, the JSON that an answer is held to, its reading, and the
// probabilities that the model gives the scale's answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/generator.h"
#include "base/config.h"
#include "base/json.h"

namespace atelier::operators {

struct Criterion {
  std::string name;                  // an output field
  std::vector<std::string> answers;  // as JSON writes them, the lowest first: 1, 2 ... or "bad", "good"
  std::vector<double> values;        // [answer], rising: the scale's numbers, or 1, 2 ... for labels
  std::string about_zh, about_en;    // what it asks, for the template
  double weight = 1;                 // in the overall score
  double low() const { return values.front(); }
  double high() const { return values.back(); }
};

// Reads one [[step.criterion]]. Pairwise, the answers are "A" and "B", worth 1 and 0 in this order.
Criterion ReadCriterion(Table& table, bool pairwise);

// JSON Schema of a whole answer: the reason first where `reason` names its key, then one answer per criterion.
Json AnswerSchema(const std::vector<Criterion>& criteria, const std::string& reason, size_t most_chars);

struct JudgeAnswer {
  std::vector<size_t> places;  // [criterion] of Criterion::answers
  std::string reason;
};
// What `text` answers; nothing, and `why`, where it is no answer: cut, no JSON object, a criterion missing or off the
// scale. `zh`: the language of `why`.
std::optional<JudgeAnswer> ReadAnswer(const artefact::Generated& text, const std::vector<Criterion>& criteria,
                                      const std::string& reason, bool zh, std::string* why);

// The answer's text up to the place where criterion `number` is answered: what the model goes on from.
std::string AnswerUpTo(const std::vector<Criterion>& criteria, size_t number, const JudgeAnswer& answer,
                       const std::string& reason);

// The model's probability of each answer after `prefix`, as they are: they do not sum to 1.
std::vector<double> AnswerProbabilities(artefact::Generator& model, const std::string& prefix,
                                        const Criterion& criterion, bool parse_special);

// Sum of probabilities, and the mean of the values that they weigh (Liu et al. 2023, "G-Eval").
struct Expected {
  double mass = 0, value = 0;
};
Expected ExpectedScore(const std::vector<double>& probabilities, const std::vector<double>& values);

// Texts from outside, deep inside a template's values, with nothing left that a model's control token could be read
// from: a space after each < and [ that may open one.
Json WithoutControlTokens(const Json& value);

// A line that stands in no text of `value`: what a template puts around what is judged. The same for the same value.
std::string FenceFor(const Json& value);

}  // namespace atelier::operators
