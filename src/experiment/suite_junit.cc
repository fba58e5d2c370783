#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "experiment/suite_report.h"
#include "text/unicode.h"

namespace atelier::experiment {
namespace {

// Text for XML 1.0, which knows no way to write most control characters.
std::string Xml(std::string_view text) {
  std::string out;
  for (char32_t c : text::DecodeUtf8(text)) {
    const bool fine = c == '\t' || c == '\n' || (c >= 0x20 && c != 0xFFFE && c != 0xFFFF);
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      default: text::AppendUtf8(&out, fine ? c : text::kReplacement);
    }
  }
  return out;
}

constexpr size_t kMostDetails = 8'000;  // bytes; servers refuse huge ones

struct TestCase {
  std::string name;
  std::string failure;  // "" : it passed
  std::string details;
  double seconds = 0;
};

}  // namespace

std::string FailureLine(const Cell& cell, bool chinese) {
  std::vector<std::string> parts;
  for (const Note& failure : cell.failures) parts.push_back(failure.In(chinese));
  return Join(parts, chinese ? "；" : "; ");
}

std::vector<size_t> WorstCases(const Cell& cell, bool lower_is_better) {
  std::vector<size_t> worst;
  for (size_t i = 0; i < cell.values.size(); ++i) {
    if (cell.values[i]) worst.push_back(i);
  }
  std::stable_sort(worst.begin(), worst.end(), [&](size_t a, size_t b) {
    const Value &x = *cell.values[a], &y = *cell.values[b];
    if (x.counted != y.counted) return !x.counted;
    return lower_is_better ? x.value > y.value : x.value < y.value;
  });
  return worst;
}

std::string JUnit(const SuiteResult& result, const Suite& suite) {
  std::string arms;
  size_t tests = 0, failures = 0;
  double seconds = 0;
  for (const ArmResult& arm : result.arms) {
    std::vector<TestCase> all;
    for (size_t m = 0; m < suite.measures.size(); ++m) {
      const MeasureSpec& spec = suite.measures[m];
      const Cell& cell = arm.cells[m];
      if (!cell.asked || !spec.cutoff.any()) continue;
      TestCase test{Cat("cut-off: ", spec.name), FailureLine(cell), ""};
      if (!test.failure.empty()) {
        for (const size_t i : WorstCases(cell, spec.measure->score().lower_is_better())) {
          const Value& value = *cell.values[i];
          if (spec.measure->assertion() && value.held) break;
          if (test.details.size() > kMostDetails) break;
          test.details +=
              Cat(result.cases[i].id, ": ", value.reason.empty() ? Cat(value.value) : value.reason.en, "\n");
        }
      }
      all.push_back(std::move(test));
    }
    for (size_t i = 0; i < result.cases.size(); ++i) {
      TestCase test{result.cases[i].id, "", "", arm.outputs[i].cached ? 0 : arm.outputs[i].seconds};
      std::vector<std::string> reasons;
      for (size_t m = 0; m < suite.measures.size(); ++m) {
        const Cell& cell = arm.cells[m];
        if (!suite.measures[m].measure->assertion() || cell.failures.empty()) continue;
        if (cell.values[i] && !cell.values[i]->held) {
          reasons.push_back(Cat(suite.measures[m].name, ": ", cell.values[i]->reason.en));
        }
      }
      test.failure = Join(reasons, "; ");
      if (!arm.outputs[i].error.empty()) test.failure = arm.outputs[i].error;
      if (!test.failure.empty()) test.details = Quote(ToText(arm.outputs[i].fields), kMostDetails);
      all.push_back(std::move(test));
    }
    std::string cases;
    size_t failed = 0;
    for (const TestCase& test : all) {
      cases += Cat("  <testcase classname=\"", Xml(Cat(suite.name, ".", arm.arm.name)), "\" name=\"", Xml(test.name),
                   "\" time=\"", FormatFixed(test.seconds, 3), "\"");
      if (test.failure.empty()) {
        cases += "/>\n";
        continue;
      }
      ++failed;
      cases += Cat("><failure message=\"", Xml(test.failure), "\">", Xml(test.details), "</failure></testcase>\n");
    }
    arms += Cat(" <testsuite name=\"", Xml(Cat(suite.name, ".", arm.arm.name)), "\" tests=\"", all.size(),
                "\" failures=\"", failed, "\" errors=\"0\" time=\"", FormatFixed(arm.seconds, 3), "\" timestamp=\"",
                Xml(result.time.substr(0, 19)), "\">\n", cases, " </testsuite>\n");
    tests += all.size();
    failures += failed;
    seconds += arm.seconds;
  }
  return Cat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"", Xml(suite.name), "\" tests=\"", tests,
             "\" failures=\"", failures, "\" errors=\"0\" time=\"", FormatFixed(seconds, 3), "\">\n", arms,
             "</testsuites>\n");
}

std::string HistoryLine(const SuiteResult& result, const Suite& suite) {
  Json scores = Json::object();
  for (const ArmResult& arm : result.arms) {
    Json of_arm = Json::object();
    for (size_t m = 0; m < suite.measures.size(); ++m) {
      if (!arm.cells[m].rows.empty()) of_arm[suite.measures[m].name] = arm.cells[m].score;
    }
    scores[arm.arm.name] = std::move(of_arm);
  }
  return ToText({{"run", result.run}, {"time", result.time}, {"passed", result.passed}, {"scores", scores}}) + "\n";
}

std::vector<Trend> ReadHistory(const std::string& path) {
  std::vector<Trend> history;
  if (!FileExists(path)) return history;
  for (const std::string& line : Split(ReadFile(path), '\n')) {
    if (Trim(line).empty()) continue;
    try {
      const Json json = ParseJson(line, path);
      Trend trend{json.at("run").get<std::string>(), json.at("time").get<std::string>(), {}};
      for (const auto& [arm, scores] : json.at("scores").items()) {
        trend.scores[arm] = scores.get<std::map<std::string, double>>();
      }
      history.push_back(std::move(trend));
    } catch (const Error&) {
    } catch (const nlohmann::json::exception&) {
    }
  }
  return history;
}

}  // namespace atelier::experiment
