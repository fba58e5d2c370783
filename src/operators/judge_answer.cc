#include "operators/judge_answer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::operators {
namespace {

std::string Shown(const std::vector<std::string>& answers) {
  return answers.size() > 7 ? Cat(answers.front(), " ... ", answers.back()) : Join(answers, ", ");
}

bool MayOpen(std::string_view text, size_t at) {
  if (at + 1 >= text.size()) return false;
  const char next = text[at + 1];
  if (text[at] == '<') return next != ' ' && next != '=' && !(next >= '0' && next <= '9');
  return text[at] == '[' && (next == '/' || (next >= 'A' && next <= 'Z'));
}

}  // namespace

Criterion ReadCriterion(Table& table, bool pairwise) {
  Criterion criterion;
  criterion.name = table.String("name");
  if (criterion.name.empty()) table.Refuse("name", "is empty");
  criterion.weight = table.DoubleOr("weight", 1, 0, 1e6);
  if (auto about = table.SubOr("description")) {
    criterion.about_zh = about->StringOr("zh", "");
    criterion.about_en = about->StringOr("en", "");
    about->Done();
  }
  if (pairwise) {
    criterion.answers = {"\"A\"", "\"B\""};
    criterion.values = {1, 0};
  } else if (table.Has("labels")) {
    if (table.Has("scale")) table.Refuse("scale", "and labels exclude each other", "give one of them");
    for (const std::string& label : table.Strings("labels")) {
      criterion.answers.push_back(ToText(Json(label)));
      criterion.values.push_back(static_cast<double>(criterion.values.size() + 1));
      if (Trim(label).empty()) table.Refuse("labels", "holds an empty one");
      if (std::count(criterion.answers.begin(), criterion.answers.end(), criterion.answers.back()) > 1)
        table.Refuse("labels", Cat("holds ", Quote(label), " twice"));
    }
  } else {
    const std::vector<double> scale = table.Doubles("scale");
    const bool whole = scale.size() == 2 && std::all_of(scale.begin(), scale.end(), [](double value) {
                         return std::floor(value) == value && value >= 0 && value <= 100;
                       });
    if (!whole || scale[0] >= scale[1]) table.Refuse("scale", "is no scale", "two whole numbers in 0..100: [1, 5]");
    for (double value = scale[0]; value <= scale[1]; ++value) {
      criterion.values.push_back(value);
      criterion.answers.push_back(Cat(static_cast<int64_t>(value)));
    }
  }
  if (criterion.answers.size() < 2) table.Refuse("labels", "needs two or more", "the lowest first");
  table.Done();
  return criterion;
}

Json AnswerSchema(const std::vector<Criterion>& criteria, const std::string& reason, size_t most_chars) {
  Json properties = Json::object(), required = Json::array();
  if (!reason.empty()) {
    properties[reason] = {{"type", "string"}, {"minLength", 1}, {"maxLength", most_chars}};
    required.push_back(reason);
  }
  for (const Criterion& criterion : criteria) {
    Json values = Json::array();
    for (const std::string& answer : criterion.answers) values.push_back(ParseJson(answer, "answer"));
    properties[criterion.name] = {{"enum", values}};
    required.push_back(criterion.name);
  }
  return {{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}};
}

std::optional<JudgeAnswer> ReadAnswer(const artefact::Generated& text, const std::vector<Criterion>& criteria,
                                      const std::string& reason, bool zh, std::string* why) {
  if (text.finish == artefact::Finish::kLength) {
    *why = zh ? Cat("评分模型的回答没写完：", Quote(text.text)) : Cat("the judge's answer was cut: ", Quote(text.text));
    return std::nullopt;
  }
  Json object;
  try {
    object = ParseJson(text.text, "answer", 8);
  } catch (const Error&) {
  }
  if (!object.is_object()) {
    *why = zh ? Cat("评分模型没有给出 JSON 对象：", Quote(text.text))
              : Cat("the judge's answer is no JSON object: ", Quote(text.text));
    return std::nullopt;
  }
  JudgeAnswer answer;
  for (const Criterion& criterion : criteria) {
    const auto given = object.find(criterion.name);
    if (given == object.end()) {
      *why = zh ? Cat("评分模型没有回答“", criterion.name, "”：", Quote(text.text))
                : Cat("the judge did not answer ", Quote(criterion.name), ": ", Quote(text.text));
      return std::nullopt;
    }
    const auto place = std::find(criterion.answers.begin(), criterion.answers.end(), ToText(*given));
    if (place == criterion.answers.end()) {
      *why = zh ? Cat("评分模型对“", criterion.name, "”的回答 ", Quote(ToText(*given)), " 不在 ",
                      Shown(criterion.answers), " 之内")
                : Cat("the judge answered ", Quote(ToText(*given)), " to ", Quote(criterion.name), ", which is not in ",
                      Shown(criterion.answers));
      return std::nullopt;
    }
    answer.places.push_back(static_cast<size_t>(place - criterion.answers.begin()));
  }
  if (!reason.empty()) {
    const auto given = object.find(reason);
    if (given != object.end() && given->is_string()) answer.reason = given->get<std::string>();
  }
  return answer;
}

std::string AnswerUpTo(const std::vector<Criterion>& criteria, size_t number, const JudgeAnswer& answer,
                       const std::string& reason) {
  std::string out = "{";
  if (!reason.empty()) out += Cat(ToText(Json(reason)), ": ", ToText(Json(answer.reason)), ", ");
  for (size_t i = 0; i <= number; ++i) {
    out += Cat(ToText(Json(criteria[i].name)), ": ");
    if (i < number) out += Cat(criteria[i].answers[answer.places[i]], ", ");
  }
  return out;
}

std::vector<double> AnswerProbabilities(artefact::Generator& model, const std::string& prefix,
                                        const Criterion& criterion, bool parse_special) {
  // A label without its quotes: where a text's closing quote and the bracket after it are one token, the quote alone is
  // improbable, whatever the model means.
  std::vector<std::string> texts;
  for (const std::string& answer : criterion.answers) {
    const Json value = ParseJson(answer, "answer");
    texts.push_back(value.is_string() ? answer.substr(1, answer.size() - 2) : answer);
  }
  const bool labels = texts[0] != criterion.answers[0];
  const std::vector<artefact::Scored> scored = model.Score(labels ? Cat(prefix, "\"") : prefix, texts, parse_special);
  std::vector<double> probabilities;
  for (const artefact::Scored& one : scored) probabilities.push_back(std::exp(one.sum_logprob));
  // Where 1 goes on to 10 (token after token), what 10 has is a part of what 1 has.
  std::vector<double> own = probabilities;
  for (size_t j = 0; j < own.size(); ++j) {
    size_t longest = j;
    for (size_t i = 0; i < own.size(); ++i) {
      if (i == j || !texts[j].starts_with(texts[i])) continue;
      if (longest == j || texts[i].size() > texts[longest].size()) longest = i;
    }
    if (longest != j && scored[j].tokens > scored[longest].tokens) own[longest] -= probabilities[j];
  }
  for (double& one : own) one = std::isnan(one) ? one : std::max(one, 0.0);
  return own;
}

Expected ExpectedScore(const std::vector<double>& probabilities, const std::vector<double>& values) {
  Expected expected;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    expected.mass += probabilities[i];
    expected.value += probabilities[i] * values[i];
  }
  expected.value /= expected.mass;
  return expected;
}

Json WithoutControlTokens(const Json& value) {
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      out.push_back(text[i]);
      if (MayOpen(text, i)) out.push_back(' ');
    }
    return out;
  }
  Json out = value;
  if (out.is_structured()) {
    for (Json& inner : out) inner = WithoutControlTokens(inner);
  }
  return out;
}

std::string FenceFor(const Json& value) {
  const std::string text = ToText(value);
  for (uint64_t seed = 0;; ++seed) {
    const std::string fence = Cat("-----", Sha256Hex(Cat(text, "\n", seed)).substr(0, 8), "-----");
    if (text.find(fence) == std::string::npos) return fence;
  }
}

}  // namespace atelier::operators
