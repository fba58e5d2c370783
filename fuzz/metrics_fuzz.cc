// Bytes of a metrics.jsonl: its rows, and the page that is made of them. Only Error may come out.
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "track/metrics_file.h"
#include "track/run_report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  static const std::string folder = [] {
    const char* temporary = std::getenv("TMPDIR");
    const std::string path = Cat(temporary != nullptr ? temporary : "/tmp", "/metrics_fuzz_", ::getpid());
    MakeFolders(path);
    return path;
  }();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const track::MetricRow row = track::ParseMetricRow(text.substr(0, text.find('\n')), "fuzz:1");
    if (row.step < 0) std::abort();
  } catch (const Error&) {
  }
  std::ofstream(folder + "/metrics.jsonl", std::ios::binary) << text;
  try {
    const std::string page = track::ReportOfRun(folder, size % 2 == 0 ? "zh" : "en");
    if (page.find("<script") != std::string::npos || !page.ends_with("</html>\n")) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
