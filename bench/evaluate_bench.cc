// Scores against references by themselves, for tools/bench_evaluate.py: evaluate_bench METRIC BOOTSTRAP HYP REF...
// Prints one JSON object: the score, and the seconds of processor time from lines in memory to score (and interval).
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/json.h"
#include "evaluate/line_file.h"
#include "evaluate/reference_metrics.h"
#include "evaluate/resample.h"

namespace atelier::evaluate {
namespace {

int Main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: evaluate_bench METRIC BOOTSTRAP HYP REF...\n");
    return 2;
  }
  const auto hyp = ReadLineFile(argv[3]);
  std::vector<std::vector<std::string_view>> references;
  std::vector<std::unique_ptr<LineFile>> files;
  for (int i = 4; i < argc; ++i) {
    files.push_back(ReadLineFile(argv[i]));
    references.push_back(files.back()->lines);
  }
  const std::clock_t began = std::clock();
  const auto metric = RequestMetric(argv[1])->Make();
  const LineCounts counts = CountLines(*metric, hyp->lines, references);
  Json out = {{"score", metric->Score(counts.Sum(), 0)}};
  if (const int64_t samples = std::atoll(argv[2]); samples > 0) {
    const LineCounts* systems[] = {&counts};
    const Interval interval = IntervalOf(Bootstrap(*metric, systems, samples, 12345)[0][0]);
    out["low"] = interval.low;
    out["high"] = interval.high;
  }
  out["seconds"] = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  std::printf("%s\n", ToText(out).c_str());
  return 0;
}

}  // namespace
}  // namespace atelier::evaluate

int main(int argc, char** argv) { return atelier::evaluate::Main(argc, argv); }
