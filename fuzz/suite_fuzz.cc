// A suite's file, or results of an earlier run that are compared with. Only Error may come out.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "experiment/suite_report.h"
#include "experiment/suite_run.h"

namespace {

// A recipe for the suites to be about, and one case; made once.
const std::string& Folder() {
  static const std::string folder = [] {
    std::string made = (std::filesystem::temp_directory_path() / atelier::Cat("suite_fuzz_", getpid())).string();
    atelier::MakeFolders(made + "/r");
    atelier::WriteFileAtomic(made + "/r/recipe.toml",
                             "[recipe]\nname='r'\nversion=1\n[input]\n[[input.field]]\nname='text'\n[[output.field]]\n"
                             "name='said'\n[[step]]\nid='s'\nuse='none'\n[variants.v]\ns={a=1}\n");
    atelier::WriteFileAtomic(made + "/c.jsonl", "{\"id\":\"a\",\"text\":\"x\",\"ref\":\"y\"}\n");
    return made;
  }();
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const experiment::Suite suite =
        experiment::ParseSuite(text, Folder() + "/suite.toml", [](const std::string&) { return Folder() + "/r"; });
    if (suite.measures.empty() || suite.arms.empty() || suite.cases.files.empty()) std::abort();
    experiment::ReadCases(suite.cases, recipe::LoadRecipe(suite.recipe, ""));
  } catch (const Error&) {
  }
  try {
    const experiment::Baseline baseline = experiment::ParseBaseline(text, "results.json");
    for (const auto& [arm, measures] : baseline.arms) {
      for (const auto& [name, measured] : measures) {
        if (measured.counts.size() > size) std::abort();
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
