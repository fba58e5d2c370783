#include "experiment/output.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::experiment {

Note Output::Absence() const {
  if (!error.empty()) return {error, error};
  if (!needs_person.empty()) return {needs_person, needs_person};
  if (there()) return {};
  return {"no candidate passed the recipe's checks", "没有一条通过配方的检查"};
}

Note Output::NoOutput() const {
  const Note why = Absence();
  return {Cat("no output: ", why.en), Cat("没有输出：", why.zh)};
}

Output OutputOf(const recipe::Record& record) {
  Output output;
  output.lang = record.lang;
  output.needs_person = record.needs_person;
  for (const auto* list : {&record.candidates, &record.dropped}) {
    for (const recipe::Candidate& candidate : *list) output.tokens += candidate.output_tokens;
  }
  const recipe::Candidate* best = record.Best();
  if (best == nullptr) return output;
  output.fields = best->output;
  output.writer = best->writer;
  output.model = best->model;
  output.scores = best->scores;
  return output;
}

Json ToJson(const Output& output) {
  Json json = {{"output", output.fields}, {"lang", output.lang}};
  if (!output.needs_person.empty()) json["needs_person"] = output.needs_person;
  if (!output.error.empty()) json["error"] = output.error;
  if (!output.writer.empty()) json["writer"] = output.writer;
  if (!output.model.empty()) json["model"] = output.model;
  if (!output.scores.empty()) json["scores"] = output.scores;
  if (!output.notes.empty()) json["notes"] = output.notes;
  if (output.timed()) {
    json["seconds"] = output.seconds;
    json["tokens"] = output.tokens;
  }
  return json;
}

Output OutputFromJson(const Json& json, const std::string& what) {
  Output output;
  try {
    output.fields = json.at("output");
    if (!output.fields.is_object() && !output.fields.is_null()) throw Error(Code::kCorrupt, "an output is no object");
    output.lang = json.at("lang").get<std::string>();
    output.needs_person = json.value("needs_person", "");
    output.error = json.value("error", "");
    output.writer = json.value("writer", "");
    output.model = json.value("model", "");
    if (json.contains("scores")) output.scores = json.at("scores").get<std::map<std::string, double>>();
    if (json.contains("notes")) output.notes = json.at("notes").get<std::vector<std::string>>();
    output.seconds = json.at("seconds").get<double>();
    const Json& tokens = json.at("tokens");
    if (!tokens.is_number_integer() || tokens < 0 || tokens > INT32_MAX || !(output.seconds >= 0)) {
      throw Error(Code::kCorrupt, "its seconds or tokens are no such thing");
    }
    output.tokens = tokens.get<int>();
  } catch (const Error& e) {
    throw e.Within(what);
  } catch (const nlohmann::json::exception& e) {
    throw Error(Code::kCorrupt, Cat(what, ": not an output: ", e.what()));
  }
  return output;
}

std::string TextOf(const Output& output, const std::vector<std::string>& of) {
  std::vector<std::string> parts;
  for (const std::string& name : of) {
    if (!output.there() || !output.fields.contains(name)) continue;
    const Json& value = output.fields.at(name);
    for (const Json& item : value.is_array() ? value : Json::array({value})) {
      parts.push_back(item.is_string() ? item.get<std::string>() : ToText(item));
    }
  }
  return Join(parts, "\n");
}

}  // namespace atelier::experiment
