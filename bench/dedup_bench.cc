// De-duplication of JSON lines by itself, for tools/bench_dedup.py: dedup_bench FILE FIELD THRESHOLD RECALL ROUNDS
// [threads] Prints one JSON object: seconds of each round (processor and clock), what was found, and the pairs
// (removed, like).
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/file.h"
#include "base/ids.h"
#include "base/json.h"
#include "data/dedup/dedup.h"
#include "kernel/select.h"

namespace atelier::data {
namespace {

int Main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: dedup_bench FILE FIELD THRESHOLD RECALL ROUNDS [THREADS [MEMORY-MIB]]\n");
    return 2;
  }
  std::string text = ReadFile(argv[1], uint64_t{8} << 30);
  text.reserve(text.size() + 64);
  DedupOptions options;
  options.fields = {argv[2]};
  options.threshold = std::atof(argv[3]);
  options.recall = std::atof(argv[4]);
  if (argc > 6) options.threads = std::atoi(argv[6]);
  options.memory = size_t{1024} << 20;
  if (argc > 7) options.memory = static_cast<size_t>(std::atoi(argv[7])) << 20;
  Json cpu = Json::array(), wall = Json::array(), adding = Json::array(), out;
  const int rounds = std::atoi(argv[5]);
  for (int round = 0; round < rounds; ++round) {
    const std::clock_t began = std::clock();
    const double clock = MonotonicSeconds();
    Deduplicator dedup(options);
    for (size_t at = 0; at < text.size();) {  // blocks as a dataset's reader hands them out
      size_t end = std::min(at + (1u << 20), text.size());
      if (end < text.size()) end = text.find('\n', end) + 1;
      dedup.Add(std::string_view(text).substr(at, end - at));
      at = end;
    }
    adding.push_back(MonotonicSeconds() - clock);
    dedup.Finish();
    cpu.push_back(static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC);
    wall.push_back(MonotonicSeconds() - clock);
    if (round + 1 < rounds) continue;
    const DedupStats& s = dedup.stats();
    Json clusters = Json::array();
    for (uint32_t i = 0; i < s.records; ++i) clusters.push_back(dedup.clusters()->Find(i));
    out = {{"isa", std::string(kernel::BestTable().name)},
           {"records", s.records},
           {"exact", s.exact},
           {"near", s.near},
           {"candidates", s.candidates},
           {"pairs", s.pairs},
           {"bands", s.bands},
           {"rows", s.rows},
           {"spilled", s.spilled},
           {"clusters", std::move(clusters)}};
  }
  out["cpu"] = std::move(cpu);
  out["wall"] = std::move(wall);
  out["adding"] = std::move(adding);
  std::printf("%s\n", ToText(out).c_str());
  return 0;
}

}  // namespace
}  // namespace atelier::data

int main(int argc, char** argv) { return atelier::data::Main(argc, argv); }
