#include "track/suite_section.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "report/page.h"

namespace atelier::track {
namespace {

using report::Html;

// A measure's score with its interval; "–" where nothing was measured.
std::string Score(const Json& measure) {
  if (!measure.at("score").is_number()) return "–";
  return Cat("<b>", FormatFixed(measure.at("score").get<double>(), 3), "</b> <small>",
             FormatFixed(measure.at("low").get<double>(), 3), " – ", FormatFixed(measure.at("high").get<double>(), 3),
             "</small>");
}

// The difference with its interval and p, and in words where it is one.
std::string Difference(const Json& measure, bool chinese) {
  const auto first = measure.find("first");
  if (first == measure.end()) return "–";
  const auto number = [&](const char* key) { return first->at(key).get<double>(); };
  const double difference = number("difference");
  const bool better = measure.at("lower_is_better").get<bool>() ? difference < 0 : difference > 0;
  const char* said = number("p") >= 0.05 || difference == 0 ? ""
                     : chinese                              ? (better ? "，变好" : "，变差")
                                                            : (better ? ", better" : ", worse");
  return Cat(difference > 0 ? "+" : "", FormatFixed(difference, 3), said, " <small>", FormatFixed(number("low"), 3),
             " – ", FormatFixed(number("high"), 3), ", p = ", FormatFixed(number("p"), 3), "</small>");
}

// The measure of this name; null where the arm was not asked for it.
const Json* MeasureOf(const Json& arm, const std::string& name) {
  for (const Json& measure : arm.at("measures")) {
    if (measure.at("name") == name) return &measure;
  }
  return nullptr;
}

std::string Table(const Json& results, bool chinese) {
  const auto say = [&](const char* zh, const char* en) { return std::string(chinese ? zh : en); };
  std::string out = Cat("<h2>", say("评测集：训练前后", "Suite before and after"), "</h2>\n<p><a href=\"", kSuiteFolder,
                        "/index.html\"><bdi>", Html(results.at("suite").get<std::string>(), 200), "</bdi></a> · ",
                        results.at("cases").get<int64_t>(), say(" 个用例", " cases"), "</p>\n");
  const Json& arms = results.at("arms");
  for (const Json& arm : arms) {
    const auto against = arm.find("against");
    if (against == arm.end()) continue;
    const auto before = std::find_if(arms.begin(), arms.end(), [&](const Json& a) { return a.at("name") == *against; });
    if (before == arms.end()) continue;
    out += Cat("<table><tr><th>", say("指标", "measure"), "</th><th>", say("训练前", "before"), "<br><bdi>",
               Html(against->get<std::string>(), 200), "</bdi></th><th>", say("训练后", "after"), "<br><bdi>",
               Html(arm.at("name").get<std::string>(), 200), "</bdi></th><th>",
               say("差值（95 %）", "difference (95 %)"), "</th></tr>\n");
    for (const Json& after : arm.at("measures")) {
      const std::string name = after.at("name").get<std::string>();
      const Json* was = MeasureOf(*before, name);
      out += Cat("<tr><td>", report::HtmlName(name), "</td><td>", was ? Score(*was) : "–", "</td><td>", Score(after),
                 "</td><td>", Difference(after, chinese), "</td></tr>\n");
    }
    out += "</table>\n";
  }
  return out;
}

}  // namespace

std::string SuiteSection(const std::string& folder, bool chinese) {
  const std::string path = Cat(folder, "/", kSuiteFolder, "/results.json");
  if (!FileExists(path)) return "";
  try {
    return Table(ParseJson(ReadFile(path), path), chinese);
  } catch (const std::exception&) {  // not one of ours; the page has more to show
    return Cat("<p>", Html(path, 1'000), chinese ? "：不是评测结果" : ": no results of a suite", "</p>\n");
  }
}

}  // namespace atelier::track
