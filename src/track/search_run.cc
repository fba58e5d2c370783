#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "track/search.h"

namespace atelier::track {
namespace {

constexpr int kFormat = 1;
constexpr uint64_t kMostState = 64u << 20;
constexpr std::string_view kStateFile = "search.json";

// Held on a file of its own as long as the search runs: search.json is replaced with every run.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder) {
    const std::string path = folder + "/.search.lock";
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) throw Error(Code::kIo, Cat(path, ": cannot be made"));
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(fd_);
    throw Error(Code::kConflict, Cat(folder, ": another process searches here"), "wait for it, or stop it");
  }
  ~FolderLock() { ::close(fd_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

std::string_view MethodName(SearchMethod method) {
  switch (method) {
    case SearchMethod::kGrid: return "grid";
    case SearchMethod::kRandom: return "random";
    case SearchMethod::kHalving: return "halving";
    case SearchMethod::kHyperband: return "hyperband";
  }
  return "";
}

void WriteState(const SearchState& state, const std::string& folder) {
  Json trials = Json::array();
  for (const TrialState& trial : state.trials) {
    Json results = Json::array();
    for (const TrialResult& result : trial.results)
      results.push_back({{"steps", result.steps}, {"value", result.value}});
    Json one = {{"number", trial.number}, {"bracket", trial.bracket}, {"values", trial.values}, {"results", results}};
    if (!trial.failure.empty()) one["failure"] = trial.failure;
    trials.push_back(std::move(one));
  }
  const Json json = {{"format", kFormat},
                     {"finished", state.finished},
                     {"file", state.settings.file},
                     {"base", state.settings.base},
                     {"method", MethodName(state.settings.method)},
                     {"search", state.settings.text},
                     {"base_text", state.settings.base_text},
                     {"keys", state.keys},
                     {"trials", trials}};
  WriteFileAtomic(Cat(folder, "/", kStateFile), ToPrettyText(json) + "\n");
}

// Lays what was found of the plan's trials into `state`; refuses a folder of another search.
void TakeUp(const SearchState& found, SearchState* state, const std::string& folder) {
  const auto refuse = [&](std::string_view what) {
    throw Error(Code::kConflict, Cat(folder, ": the search was begun with another ", what),
                "name another folder, or put back what it was");
  };
  if (found.settings.base_text != state->settings.base_text) refuse(Cat("content of ", state->settings.base));
  if (found.settings.text != state->settings.text) refuse(Cat("content of ", state->settings.file));
  bool same = found.keys == state->keys && found.trials.size() == state->trials.size();
  for (size_t i = 0; same && i < state->trials.size(); ++i) {
    same = found.trials[i].values == state->trials[i].values && found.trials[i].bracket == state->trials[i].bracket;
  }
  if (!same) refuse("version of Atelier: its trials are others");
  for (size_t i = 0; i < state->trials.size(); ++i) {
    state->trials[i].results = found.trials[i].results;
    state->trials[i].failure = found.trials[i].failure;
  }
}

std::string BestConfig(const SearchState& state, const SearchSpace& space) {
  const TrialState& best = state.trials[static_cast<size_t>(*state.Best())];
  const TrialResult& result = best.results.back();
  std::string out =
      Cat("# Trial ", best.number, ", the best of ", state.trials.size(), ": ",
          ReplaceAll(state.settings.metric, "\n", " "), " ", result.value, " after ", result.steps, " steps.\n");
  for (size_t i = 0; i < state.keys.size(); ++i) out += Cat("#   ", state.keys[i], " = ", ToText(best.values[i]), "\n");
  return out + space.Config(best.values);
}

}  // namespace

SearchState ParseSearchState(std::string_view json, const std::string& file) {
  const auto refuse = [&](std::string_view why) { throw Error(Code::kCorrupt, Cat(file, ": ", why)); };
  SearchState out;
  try {
    const Json state = ParseJson(json, file);
    if (state.at("format") != kFormat) {
      throw Error(Code::kUnsupported,
                  Cat(file, ": format ", ToText(state.at("format")), "; this Atelier reads ", kFormat));
    }
    out.finished = state.at("finished").get<bool>();
    const std::string name = state.at("file").get<std::string>();
    out.settings = ParseSearch(state.at("search").get<std::string>(), name, state.at("base_text").get<std::string>());
    out.settings.base = state.at("base").get<std::string>();
    out.keys = state.at("keys").get<std::vector<std::string>>();
    for (const Json& one : state.at("trials")) {
      TrialState trial;
      trial.number = one.at("number").get<int64_t>();
      if (trial.number != static_cast<int64_t>(out.trials.size())) refuse("the trials are not in their order");
      trial.bracket = one.at("bracket").get<int64_t>();
      if (trial.bracket < 0) refuse("a bracket has no number");
      trial.values = one.at("values").get<TrialValues>();
      if (trial.values.size() != out.keys.size()) refuse("a trial's values do not fit the keys");
      for (const Json& value : trial.values) {
        if (!value.is_primitive() || value.is_null()) refuse("a value is no single one");
      }
      for (const Json& result : one.at("results")) {
        trial.results.push_back({result.at("steps").get<int64_t>(), result.at("value").get<double>()});
        const bool rises =
            trial.results.size() < 2 || trial.results.back().steps > trial.results[trial.results.size() - 2].steps;
        if (!rises || trial.results.back().steps <= 0 || !std::isfinite(trial.results.back().value)) {
          refuse("a trial's results are none");
        }
      }
      if (one.contains("failure")) trial.failure = one.at("failure").get<std::string>();
      out.trials.push_back(std::move(trial));
    }
  } catch (const Json::exception&) {
    refuse("is not the state of a search");
  } catch (const Error& error) {
    if (error.code() == Code::kInvalidInput) refuse(error.what());
    throw;
  }
  return out;
}

SearchState LoadSearchState(const std::string& folder) {
  const std::string path = Cat(folder, "/", kStateFile);
  if (!FileExists(path)) throw Error(Code::kNotFound, Cat(path, ": no search here"));
  return ParseSearchState(ReadFile(path, kMostState), path);
}

SearchState RunSearch(const SearchSettings& settings, const std::string& folder, TrialRunner* runner,
                      const std::function<void(const SearchProgress&)>& progress) {
  const SearchSpace space(settings.text, settings.file, settings.base_text, settings.base);
  const std::vector<Bracket> plan = PlanSearch(settings, space);
  SearchState state;
  state.settings = settings;
  for (const SearchKey& key : space.keys()) state.keys.push_back(key.name);
  SearchProgress now;
  for (size_t b = 0; b < plan.size(); ++b) {
    for (const TrialValues& values : plan[b].trials) {
      state.trials.push_back({static_cast<int64_t>(state.trials.size()), static_cast<int64_t>(b), values, {}, ""});
    }
    for (const Rung& rung : plan[b].rungs) now.planned += rung.trials;
  }
  MakeFolders(folder);
  const FolderLock lock(folder);
  if (FileExists(Cat(folder, "/", kStateFile))) {
    TakeUp(LoadSearchState(folder), &state, folder);
  } else {
    runner->Check(space.Config(state.trials[0].values));
    WriteState(state, folder);
  }

  size_t first = 0;
  for (const Bracket& bracket : plan) {
    std::vector<int64_t> alive;
    for (size_t i = 0; i < bracket.trials.size(); ++i) alive.push_back(static_cast<int64_t>(first + i));
    first += bracket.trials.size();
    for (size_t r = 0; r < bracket.rungs.size(); ++r) {
      const Rung& rung = bracket.rungs[r];
      alive.resize(std::min(alive.size(), static_cast<size_t>(rung.trials)));
      std::vector<int64_t> order = alive;
      std::sort(order.begin(), order.end());
      for (const int64_t number : order) {
        TrialState& trial = state.trials[static_cast<size_t>(number)];
        ++now.runs;
        if (!trial.failure.empty() || trial.results.size() > r) continue;
        now.trial = &trial;
        if (progress) progress(now);
        const Trial todo = {number, Cat(folder, "/trials/", number), space.Config(trial.values)};
        MakeFolders(todo.folder);
        try {
          const double value = runner->Run(todo, rung.steps);
          if (std::isfinite(value)) {
            trial.results.push_back({rung.steps, value});
          } else {
            trial.failure = Cat(settings.metric, " was no number after ", rung.steps, " steps");
          }
        } catch (const Error& error) {
          if (error.code() == Code::kCancelled) throw;
          trial.failure = error.Line();
        }
        WriteState(state, folder);
      }
      std::erase_if(alive, [&](int64_t number) { return !state.trials[static_cast<size_t>(number)].failure.empty(); });
      if (alive.empty()) break;
      std::stable_sort(alive.begin(), alive.end(), [&](int64_t a, int64_t b) {
        const double left = state.trials[static_cast<size_t>(a)].results[r].value;
        const double right = state.trials[static_cast<size_t>(b)].results[r].value;
        if (left == right) return a < b;
        return (left < right) != settings.maximise;
      });
    }
  }
  state.finished = true;
  WriteState(state, folder);
  if (!state.Best()) {
    throw Error(Code::kResourceExhausted, Cat(folder, ": every trial failed; trial 0: ", state.trials[0].failure),
                "mend the base configuration or narrow the space, and search in another folder");
  }
  WriteFileAtomic(folder + "/best.toml", BestConfig(state, space));
  return state;
}

}  // namespace atelier::track
