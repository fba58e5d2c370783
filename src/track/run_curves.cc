#include "track/run_curves.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/str.h"
#include "report/chart.h"
#include "track/curve.h"
#include "track/metrics_file.h"

namespace atelier::track {

std::string DrawRuns(const std::vector<std::string>& folders, const std::vector<std::string>& metrics,
                     std::string_view title, bool chinese) {
  report::Lines lines;
  lines.frame.title = title;
  lines.frame.x = chinese ? "步" : "step";
  lines.frame.y = metrics.size() == 1 ? metrics[0] : "";
  lines.frame.chinese = chinese;
  for (const std::string& folder : folders) {
    std::map<std::string, Curve> curves;
    ReadMetrics(Cat(folder, "/", kMetricsFile), [&](const MetricRow& row, std::string_view) {
      for (const auto& [name, value] : row.values) {
        if (std::find(metrics.begin(), metrics.end(), name) != metrics.end()) curves[name].Add(row.step, value);
      }
    });
    const std::string run = folder.substr(0, folder.find_last_not_of('/') + 1);
    for (const std::string& metric : metrics) {
      if (!curves.contains(metric)) continue;
      const std::string name = run.substr(run.rfind('/') + 1);
      lines.series.push_back({metrics.size() == 1 ? name : Cat(name, " ", metric), curves[metric].Points(), false});
    }
  }
  if (lines.series.empty()) {
    throw Error(Code::kNotFound, Cat("no run has told of ", Join(metrics, " or ")),
                "its metrics.jsonl says what it has");
  }
  return report::Draw(lines);
}

}  // namespace atelier::track
