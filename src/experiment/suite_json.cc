// A run of a suite as JSON, and such a file read again as a baseline.
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "experiment/suite_run.h"

namespace atelier::experiment {
namespace {

constexpr int kFormat = 1;
constexpr int64_t kMostCount = 10'000'000'000'000;  // so that sums over all cases cannot overflow

Json DifferenceJson(const Difference& difference) {
  return {{"cases", difference.cases}, {"score", difference.other}, {"difference", difference.difference},
          {"low", difference.low},     {"high", difference.high},   {"p", difference.p}};
}

Json CutoffJson(const Cutoff& cutoff) {
  Json json = Json::object();
  if (cutoff.least) json["least"] = *cutoff.least;
  if (cutoff.most) json["most"] = *cutoff.most;
  if (cutoff.drop) json["drop"] = *cutoff.drop;
  return json;
}

Json CellJson(const MeasureSpec& spec, const Cell& cell, const std::vector<Case>& cases) {
  const Measure& measure = *spec.measure;
  Json json = {{"name", spec.name},
               {"use", spec.use},
               {"kind", measure.assertion() ? "assertion" : "metric"},
               {"signature", cell.signature},
               {"lower_is_better", measure.score().lower_is_better()},
               {"cases", cell.rows.size()},
               {"missing", cell.missing}};
  if (cell.rows.empty()) {
    json["score"] = nullptr;
  } else {
    json["score"] = cell.score;
    json["low"] = cell.interval.low;
    json["high"] = cell.interval.high;
  }
  if (spec.cutoff.any()) {
    json["cutoff"] = CutoffJson(spec.cutoff);
    json["passed"] = cell.failures.empty();
    Json failures = Json::array();
    for (const Note& failure : cell.failures) failures.push_back(failure.en);
    json["failures"] = std::move(failures);
  }
  if (cell.baseline) json["baseline"] = DifferenceJson(*cell.baseline);
  if (cell.first) json["first"] = DifferenceJson(*cell.first);
  Json failing = Json::array();
  for (size_t i = 0; i < cell.values.size(); ++i) {
    const std::optional<Value>& value = cell.values[i];
    if (value && (!value->held || !value->counted))
      failing.push_back({{"case", cases[i].id}, {"reason", value->reason.en}});
  }
  json["failing"] = std::move(failing);
  return json;
}

}  // namespace

Json ToJson(const SuiteResult& result, const Suite& suite) {
  Json arms = Json::array(), outputs = Json::array();
  for (const ArmResult& arm : result.arms) {
    Json measures = Json::array();
    for (size_t m = 0; m < suite.measures.size(); ++m) {
      if (arm.cells[m].asked) measures.push_back(CellJson(suite.measures[m], arm.cells[m], result.cases));
    }
    arms.push_back({{"name", arm.arm.name},
                    {"variant", arm.arm.variant},
                    {"model", arm.arm.model},
                    {"outputs", arm.arm.outputs},
                    {"recipe_hash", arm.recipe_hash},
                    {"seconds", arm.seconds},
                    {"cached", arm.cached},
                    {"errors", arm.errors},
                    {"measures", std::move(measures)}});
    if (!arm.arm.against.empty()) arms.back()["against"] = arm.arm.against;
  }
  // Where each case's row of counts is, by arm and measure.
  std::vector<std::vector<size_t>> next(result.arms.size(), std::vector<size_t>(suite.measures.size()));
  for (size_t i = 0; i < result.cases.size(); ++i) {
    Json of_case = Json::object();
    for (size_t a = 0; a < result.arms.size(); ++a) {
      const ArmResult& arm = result.arms[a];
      Json json = ToJson(arm.outputs[i]), values = Json::object();
      for (size_t m = 0; m < suite.measures.size(); ++m) {
        const Cell& cell = arm.cells[m];
        if (!cell.values[i]) continue;
        const Value& value = *cell.values[i];
        Json one = {{"value", value.counted ? Json(value.value) : Json()}};
        if (!value.reason.empty()) one["reason"] = value.reason.en;
        if (value.counted) {
          const auto row = cell.counts.row(next[a][m]++);
          one["counts"] = std::vector<int64_t>(row.begin(), row.end());
        }
        values[suite.measures[m].name] = std::move(one);
      }
      json["values"] = std::move(values);
      of_case[arm.arm.name] = std::move(json);
    }
    const Case& item = result.cases[i];
    outputs.push_back({{"case", item.id}, {"where", item.where}, {"input", item.fields}, {"arms", std::move(of_case)}});
  }
  Json json = {{"format", kFormat},  {"suite", suite.name},         {"summary", suite.summary},
               {"run", result.run},  {"time", result.time},         {"passed", result.passed},
               {"seed", suite.seed}, {"cases", result.cases.size()}};
  json["baseline"] =
      result.baseline_run.empty() ? Json() : Json{{"run", result.baseline_run}, {"time", result.baseline_time}};
  json["notes"] = result.notes;
  json["arms"] = std::move(arms);
  json["outputs"] = std::move(outputs);
  return json;
}

Baseline ReadBaseline(const std::string& path) { return ParseBaseline(ReadFile(path), path); }

Baseline ParseBaseline(std::string_view text, const std::string& path) {
  const Json json = ParseJson(text, path);
  Baseline baseline;
  baseline.file = path;
  try {
    if (const int format = json.at("format").get<int>(); format != kFormat) {
      throw Error(Code::kUnsupported, Cat(path, ": results of format ", format, "; this program reads ", kFormat));
    }
    baseline.suite = json.at("suite").get<std::string>();
    baseline.run = json.at("run").get<std::string>();
    baseline.time = json.at("time").get<std::string>();
    for (const Json& arm : json.at("arms")) {
      auto& measures = baseline.arms[arm.at("name").get<std::string>()];
      for (const Json& measure : arm.at("measures")) {
        Baseline::Measured& measured = measures[measure.at("name").get<std::string>()];
        measured.signature = measure.at("signature").get<std::string>();
        if (measure.at("score").is_number()) measured.score = measure.at("score").get<double>();
      }
    }
    for (const Json& item : json.at("outputs")) {
      const std::string id = item.at("case").get<std::string>();
      for (const auto& [arm, output] : item.at("arms").items()) {
        for (const auto& [name, value] : output.at("values").items()) {
          if (!value.contains("counts")) continue;
          std::vector<int64_t> counts = value.at("counts").get<std::vector<int64_t>>();
          for (const int64_t count : counts) {
            if (count > kMostCount || count < -kMostCount) {
              throw Error(Code::kCorrupt, Cat(path, ": the case ", Quote(id), " counts ", count, " for ", Quote(name)));
            }
          }
          baseline.arms[arm][name].counts[id] = std::move(counts);
        }
      }
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(Code::kCorrupt, Cat(path, ": no results of a suite: ", e.what()), "results.json of an earlier run");
  }
  return baseline;
}

}  // namespace atelier::experiment
