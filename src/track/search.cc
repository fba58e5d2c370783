#include "track/search.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::track {
namespace {

constexpr int64_t kMostTrials = 10'000, kMostSteps = 1'000'000'000'000;
constexpr uint64_t kMostSpace = 4u << 20;

SearchMethod MethodOf(Table* table) {
  const std::string name = table->String("method");
  if (name == "grid") return SearchMethod::kGrid;
  if (name == "random") return SearchMethod::kRandom;
  if (name == "halving") return SearchMethod::kHalving;
  if (name == "hyperband") return SearchMethod::kHyperband;
  table->Refuse("method", Cat(Quote(name), " is none"), "known: grid, random, halving, hyperband");
}

// `count` different trials where the space has so many; drawn by number, so that more trials begin with the same ones.
std::vector<TrialValues> DrawTrials(const SearchSettings& settings, const SearchSpace& space, int64_t first,
                                    int64_t count, std::set<std::string>* seen) {
  constexpr int64_t kAttempts = 100;
  std::vector<TrialValues> out;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t attempt = 0; attempt < kAttempts; ++attempt) {
      TrialValues values = space.Draw(settings.seed, first + i, attempt);
      if (!seen->insert(ToText(Json(values))).second) continue;
      out.push_back(std::move(values));
      break;
    }
  }
  return out;
}

// Rungs from `first` steps to all of them, each eta times the one before; a trial in `eta` goes on.
std::vector<Rung> Halve(int64_t trials, int64_t first, const SearchSettings& settings) {
  std::vector<Rung> rungs;
  for (int64_t steps = first; trials > 0; steps *= settings.eta, trials /= settings.eta) {
    // What is left by the last rung is trained to the end, be it one trial.
    const bool last = steps >= settings.steps || trials < settings.eta;
    rungs.push_back({trials, last ? settings.steps : steps});
    if (last) break;
  }
  return rungs;
}

}  // namespace

SearchSettings ParseSearch(std::string_view text, const std::string& file, std::string base_text) {
  Table whole = Table::Parse(text, file);
  Table table = whole.Sub("search");
  whole.Done();
  SearchSettings out;
  out.file = file;
  out.text = text;
  out.base_text = std::move(base_text);
  out.base = table.String("base");
  out.metric = table.String("metric");
  if (out.metric.empty()) table.Refuse("metric", "is empty");
  const std::string goal = table.StringOr("goal", "min");
  if (goal != "min" && goal != "max") table.Refuse("goal", Cat(Quote(goal), " is none"), "known: min, max");
  out.maximise = goal == "max";
  out.method = MethodOf(&table);
  out.steps = table.Int("steps", 1, kMostSteps);
  out.seed = static_cast<uint64_t>(table.IntOr("seed", 1, 0));
  const bool rungs = out.method == SearchMethod::kHalving || out.method == SearchMethod::kHyperband;
  if (out.method == SearchMethod::kRandom || out.method == SearchMethod::kHalving) {
    out.trials = table.Int("trials", 1, kMostTrials);
  }
  if (rungs) {
    out.first_steps = table.Int("first_steps", 1, out.steps);
    out.eta = table.IntOr("eta", 3, 2, 1000);
  }
  table.Sub("space");
  table.Done();
  return out;
}

SearchSettings LoadSearch(const std::string& path) {
  const std::string text = ReadFile(path, kMostSpace);
  Table whole = Table::Parse(text, path);
  Table table = whole.Sub("search");
  const std::string base = table.String("base");
  const size_t slash = path.rfind('/');
  const bool absolute = base.starts_with('/');
  const std::string at = absolute || slash == std::string::npos ? base : Cat(path.substr(0, slash + 1), base);
  if (!FileExists(at)) table.Refuse("base", Cat("there is no file ", at));
  SearchSettings out = ParseSearch(text, path, ReadFile(at, kMostSpace));
  out.base = at;
  return out;
}

std::vector<Bracket> PlanSearch(const SearchSettings& settings, const SearchSpace& space) {
  std::vector<Bracket> plan;
  std::set<std::string> seen;
  switch (settings.method) {
    case SearchMethod::kGrid: {
      Bracket bracket;
      bracket.trials = space.Grid(kMostTrials);
      bracket.rungs = {{static_cast<int64_t>(bracket.trials.size()), settings.steps}};
      plan.push_back(std::move(bracket));
      break;
    }
    case SearchMethod::kRandom: {
      Bracket bracket;
      bracket.trials = DrawTrials(settings, space, 0, settings.trials, &seen);
      bracket.rungs = {{static_cast<int64_t>(bracket.trials.size()), settings.steps}};
      plan.push_back(std::move(bracket));
      break;
    }
    case SearchMethod::kHalving: {
      Bracket bracket;
      bracket.trials = DrawTrials(settings, space, 0, settings.trials, &seen);
      bracket.rungs = Halve(static_cast<int64_t>(bracket.trials.size()), settings.first_steps, settings);
      plan.push_back(std::move(bracket));
      break;
    }
    case SearchMethod::kHyperband: {
      // Li et al. 2018, algorithm 1, with R counted in first rungs.
      int64_t most = 0;  // s_max
      for (int64_t steps = settings.first_steps; steps <= settings.steps / settings.eta; steps *= settings.eta) ++most;
      int64_t first = 0;
      for (int64_t s = most; s >= 0; --s) {
        int64_t power = 1;
        for (int64_t i = 0; i < s; ++i) power *= settings.eta;
        const int64_t count = ((most + 1) * power + s) / (s + 1);  // rounded up
        if (first + count > kMostTrials) {
          throw Error(Code::kInvalidInput,
                      Cat(settings.file, ": Hyperband would try more than ", kMostTrials, " trials"),
                      "raise first_steps or eta");
        }
        Bracket bracket;
        bracket.trials = DrawTrials(settings, space, first, count, &seen);
        bracket.rungs =
            Halve(static_cast<int64_t>(bracket.trials.size()), std::max<int64_t>(1, settings.steps / power), settings);
        first += count;
        if (!bracket.trials.empty()) plan.push_back(std::move(bracket));
      }
      break;
    }
  }
  return plan;
}

int64_t PlannedSteps(const std::vector<Bracket>& plan) {
  int64_t sum = 0;
  for (const Bracket& bracket : plan) {
    int64_t before = 0;
    for (const Rung& rung : bracket.rungs) {
      sum += rung.trials * (rung.steps - before);
      before = rung.steps;
    }
  }
  return sum;
}

std::vector<int64_t> SearchState::Ranked() const {
  std::vector<int64_t> order;
  for (const TrialState& trial : trials) order.push_back(trial.number);
  const auto reached = [](const TrialState& trial) { return trial.results.empty() ? 0 : trial.results.back().steps; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    const TrialState& left = trials[static_cast<size_t>(a)];
    const TrialState& right = trials[static_cast<size_t>(b)];
    if (reached(left) != reached(right)) return reached(left) > reached(right);
    if (left.results.empty() || left.results.back().value == right.results.back().value) return a < b;
    return (left.results.back().value < right.results.back().value) != settings.maximise;
  });
  return order;
}

std::optional<int64_t> SearchState::Best() const {
  const std::vector<int64_t> order = Ranked();
  if (order.empty() || trials[static_cast<size_t>(order[0])].results.empty()) return std::nullopt;
  return order[0];
}

}  // namespace atelier::track
