// Bytes of a search: its file, behind a line "===" its base; and as search.json. Only Error may come out.
#include <algorithm>
#include <cstdlib>

#include "base/config.h"
#include "base/error.h"
#include "track/search.h"
#include "track/search_report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t border = text.find("\n===\n");
  const std::string_view base =
      border == std::string_view::npos ? "a = 1\n[b]\nc = 0.5\nd = \"x\"\n" : text.substr(border + 5);
  try {
    track::SearchSettings settings = track::ParseSearch(text.substr(0, border), "fuzz.toml", std::string(base));
    const track::SearchSpace space(settings.text, settings.file, settings.base_text, "base.toml");
    settings.trials = std::min<int64_t>(settings.trials, 20);
    const track::TrialValues values = space.Draw(settings.seed, 0, 0);
    Table::Parse(space.Config(values), "trial.toml");  // what comes out is a configuration again
    if (track::PlannedSteps(track::PlanSearch(settings, space)) <= 0) std::abort();
  } catch (const Error&) {
  }
  try {
    const track::SearchState state = track::ParseSearchState(text, "search.json");
    if (track::SearchTable(state, "en").size() != state.trials.size() + 1) std::abort();
    if (track::SearchPage(state, "zh").find("<script") != std::string::npos) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
