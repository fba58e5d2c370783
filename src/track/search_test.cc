#include "track/search.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "track/search_report.h"

namespace atelier::track {
namespace {

constexpr const char* kBase = R"(
[run]
name = "诗"
[optimiser]
name = "adamw"
rate = 1e-3
[model]
layers = 4
dropout = 0.1
tied = true
widths = [64, 128]
)";
constexpr const char* kSpace = R"(
[search.space]
"optimiser.rate" = { log = [1e-5, 1e-1] }
"model.layers" = { int = [1, 8] }
optimiser.name = { choice = ["adamw", "lion"] }
)";

std::string Head(const std::string& rest) { return "[search]\nbase = \"base.toml\"\nmetric = \"loss\"\n" + rest; }

SearchSettings Settings(const std::string& rest) { return ParseSearch(Head(rest) + kSpace, "search.toml", kBase); }

// The loss of a trial is a function of its configuration and its steps, with its best at a rate of 1e-3, 5 layers,
// lion. Checkpoints are a file with the steps that were trained.
class KnownFunction : public TrialRunner {
 public:
  void Check(const std::string& config) override {
    Table::Parse(config, "trial");
    ++checked_;
  }
  double Run(const Trial& trial, int64_t steps) override {
    calls_.emplace_back(trial.number, steps);
    if (stop_after_ > 0 && static_cast<int64_t>(calls_.size()) > stop_after_) throw Error(Code::kCancelled, "stopped");
    const std::string checkpoint = trial.folder + "/steps";
    int64_t before = 0;
    if (FileExists(checkpoint)) before = *ParseInt(ReadFile(checkpoint));
    trained_ += steps - before;
    WriteFileAtomic(checkpoint, Cat(steps));
    Table table = Table::Parse(trial.config, "trial");
    Table optimiser = table.Sub("optimiser"), model = table.Sub("model");
    const double rate = std::log10(optimiser.Double("rate")) + 3;
    const double layers = static_cast<double>(model.Int("layers")) - 5;
    if (fails_above_ > 0 && model.Int("layers") >= fails_above_) throw Error(Code::kResourceExhausted, "too large");
    if (model.Int("layers") == no_number_) return NAN;
    const double loss = rate * rate + 0.1 * layers * layers + (optimiser.String("name") == "lion" ? 0 : 0.5);
    const double value = loss + 1000.0 / static_cast<double>(steps);
    return maximise_ ? -value : value;
  }

  std::vector<std::pair<int64_t, int64_t>> calls_;  // trial, steps
  int64_t trained_ = 0, stop_after_ = 0, fails_above_ = 0, no_number_ = 0;
  int checked_ = 0;
  bool maximise_ = false;
};

class SearchTest : public testing::Test {
 protected:
  SearchTest() {
    folder_ = Cat(testing::TempDir(), "/", ::getpid(), "_search");
    std::filesystem::remove_all(folder_);
  }
  ~SearchTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

Code CodeOf(const std::function<void()>& call, std::string* message = nullptr) {
  try {
    call();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.Line();
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Code::kInternal;
}

std::vector<std::vector<std::pair<int64_t, double>>> Results(const SearchState& state) {
  std::vector<std::vector<std::pair<int64_t, double>>> out;
  for (const TrialState& trial : state.trials) {
    out.emplace_back();
    for (const TrialResult& result : trial.results) out.back().emplace_back(result.steps, result.value);
  }
  return out;
}

TEST_F(SearchTest, AGridTriesEveryCombinationOnce) {
  const SearchSettings settings = ParseSearch(Head(R"(method = "grid"
steps = 100
[search.space]
"optimiser.rate" = { log = [1e-5, 1e-1], points = 5 }
"model.layers" = { int = [3, 6] }
"model.dropout" = { uniform = [0.0, 0.2] }
"optimiser.name" = { choice = ["adamw", "lion"] }
)"),
                                              "search.toml", kBase);
  KnownFunction runner;
  const SearchState state = RunSearch(settings, folder_, &runner);
  EXPECT_EQ(state.trials.size(), 5u * 4 * 3 * 2);
  std::set<std::string> different;
  for (const TrialState& trial : state.trials) different.insert(ToText(Json(trial.values)));
  EXPECT_EQ(different.size(), state.trials.size());
  EXPECT_EQ(state.trials[0].values, (TrialValues{1e-5, 3, 0.0, "adamw"}));
  EXPECT_EQ(state.trials[1].values[3], "lion");  // the last key fastest
  EXPECT_EQ(state.trials[2].values[2], 0.1);
  const TrialState& best = state.trials[static_cast<size_t>(*state.Best())];
  EXPECT_EQ(best.values[0], 1e-3);
  EXPECT_EQ(best.values[1], 5);
  EXPECT_EQ(best.values[3], "lion");
  EXPECT_EQ(runner.checked_, 1);

  Table found = Table::Load(folder_ + "/best.toml");
  EXPECT_EQ(found.Sub("run").String("name"), "诗");
  EXPECT_EQ(found.Sub("optimiser").Double("rate"), 1e-3);
  EXPECT_EQ(found.Sub("model").Int("layers"), 5);
  EXPECT_EQ(found.Sub("model").Doubles("widths"), (std::vector<double>{64, 128}));
  EXPECT_TRUE(found.Sub("model").Bool("tied"));
  EXPECT_NE(ReadFile(folder_ + "/best.toml").find("of 120: loss 10 after 100 steps"), std::string::npos);
}

TEST_F(SearchTest, RandomIsSettledByItsSeedAndWithinItsRanges) {
  KnownFunction runner;
  const SearchState state =
      RunSearch(Settings("method = \"random\"\nsteps = 10\ntrials = 200\nseed = 7\n"), folder_, &runner);
  ASSERT_EQ(state.trials.size(), 200u);
  std::set<int64_t> layers;
  int low = 0, lion = 0;
  for (const TrialState& trial : state.trials) {
    const double rate = trial.values[0].get<double>();
    EXPECT_GE(rate, 1e-5);
    EXPECT_LE(rate, 1e-1);
    low += rate < 1e-3;
    layers.insert(trial.values[1].get<int64_t>());
    lion += trial.values[2] == "lion";
  }
  EXPECT_EQ(layers, (std::set<int64_t>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_NEAR(low, 100, 30) << "uniform in the logarithm: half of it is below 1e-3";
  EXPECT_NEAR(lion, 100, 30);

  const auto plan = [](const std::string& rest) {
    const SearchSettings settings = Settings(rest);
    return PlanSearch(settings, SearchSpace(settings.text, settings.file, settings.base_text, "base.toml"))[0].trials;
  };
  const auto again = plan("method = \"random\"\nsteps = 10\ntrials = 200\nseed = 7\n");
  for (size_t i = 0; i < 200; ++i) EXPECT_EQ(again[i], state.trials[i].values);
  const auto fewer = plan("method = \"random\"\nsteps = 10\ntrials = 3\nseed = 7\n");
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(fewer[i], state.trials[i].values) << "more trials begin with the same ones";
  EXPECT_NE(plan("method = \"random\"\nsteps = 10\ntrials = 200\nseed = 8\n"), again);
}

TEST_F(SearchTest, DrawsAreTheSameOnEveryMachine) {
  const SearchSettings settings = Settings("method = \"random\"\nsteps = 10\ntrials = 3\nseed = 42\n");
  const SearchSpace space(settings.text, settings.file, settings.base_text, "base.toml");
  // As this build drew them on 2026-11-28: resuming on another machine relies on it.
  EXPECT_EQ(ToText(Json(PlanSearch(settings, space)[0].trials)),
            R"([[3.151e-05,4,"lion"],[0.01245,7,"lion"],[0.01549,2,"adamw"]])");
}

TEST_F(SearchTest, ASpaceThatIsSmallerThanTheTrialsIsTriedOnce) {
  const SearchSettings settings = ParseSearch(Head(R"(method = "random"
steps = 5
trials = 50
[search.space]
"model.layers" = { int = [1, 3] }
"model.tied" = { choice = [true, false] }
)"),
                                              "s", kBase);
  KnownFunction runner;
  EXPECT_EQ(RunSearch(settings, folder_, &runner).trials.size(), 6u);
}

TEST_F(SearchTest, HalvingSpendsItsBudgetOnTheBetterHalf) {
  const SearchSettings settings =
      Settings("method = \"halving\"\nsteps = 900\nfirst_steps = 100\ntrials = 27\neta = 3\n");
  const SearchSpace space(settings.text, settings.file, settings.base_text, "base.toml");
  EXPECT_EQ(PlannedSteps(PlanSearch(settings, space)), 27 * 100 + 9 * 200 + 3 * 600);
  KnownFunction runner;
  const SearchState state = RunSearch(settings, folder_, &runner);
  EXPECT_EQ(runner.calls_.size(), 27u + 9 + 3);
  EXPECT_EQ(runner.trained_, 27 * 100 + 9 * 200 + 3 * 600) << "trials go on from their checkpoints";
  // A known function without noise: the nine best of the first rung, the three best of those.
  std::vector<double> first;
  for (const TrialState& trial : state.trials) first.push_back(trial.results[0].value);
  std::vector<double> sorted = first;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < first.size(); ++i) {
    const size_t rungs = first[i] <= sorted[2] ? 3 : first[i] <= sorted[8] ? 2 : 1;
    EXPECT_EQ(state.trials[i].results.size(), rungs) << i;
  }
  EXPECT_EQ(first[static_cast<size_t>(*state.Best())], sorted[0]);
}

TEST_F(SearchTest, HyperbandsBracketsAreThoseOfThePaper) {
  const SearchSettings settings = Settings("method = \"hyperband\"\nsteps = 81\nfirst_steps = 1\neta = 3\n");
  const SearchSpace space(settings.text, settings.file, settings.base_text, "base.toml");
  const std::vector<Bracket> plan = PlanSearch(settings, space);
  // Li et al. 2018, table 1: R = 81, eta = 3. There the last brackets have 8 and 5 trials: ceil(5/2 * 3) and 5.
  const std::vector<std::vector<std::pair<int64_t, int64_t>>> wanted = {{{81, 1}, {27, 3}, {9, 9}, {3, 27}, {1, 81}},
                                                                        {{34, 3}, {11, 9}, {3, 27}, {1, 81}},
                                                                        {{15, 9}, {5, 27}, {1, 81}},
                                                                        {{8, 27}, {2, 81}},
                                                                        {{5, 81}}};
  ASSERT_EQ(plan.size(), wanted.size());
  for (size_t b = 0; b < plan.size(); ++b) {
    ASSERT_EQ(plan[b].rungs.size(), wanted[b].size()) << b;
    for (size_t r = 0; r < wanted[b].size(); ++r) {
      EXPECT_EQ(std::pair(plan[b].rungs[r].trials, plan[b].rungs[r].steps), wanted[b][r]) << b << " " << r;
    }
  }
  KnownFunction runner;
  const SearchState state = RunSearch(settings, folder_, &runner);
  EXPECT_EQ(runner.trained_, PlannedSteps(plan));
  EXPECT_EQ(state.trials[static_cast<size_t>(*state.Best())].results.back().steps, 81);
}

TEST_F(SearchTest, FewTrialsAreTrainedToTheEndAllTheSame) {
  KnownFunction runner;
  const SearchState state =
      RunSearch(Settings("method = \"halving\"\nsteps = 1000\nfirst_steps = 10\ntrials = 4\n"), folder_, &runner);
  EXPECT_EQ(state.trials[static_cast<size_t>(*state.Best())].results.back().steps, 1000);
  EXPECT_EQ(runner.calls_.size(), 5u);
}

TEST_F(SearchTest, TheGreatestIsFoundWhereTheGoalIsMax) {
  KnownFunction low, high;
  high.maximise_ = true;
  const std::string rest = "method = \"halving\"\nsteps = 90\nfirst_steps = 10\ntrials = 9\n";
  const SearchState least = RunSearch(Settings(rest), folder_ + "/min", &low);
  const SearchState most = RunSearch(Settings("goal = \"max\"\n" + rest), folder_ + "/max", &high);
  EXPECT_EQ(least.Best(), most.Best());
  EXPECT_EQ(low.calls_, high.calls_);
  const std::string all = "method = \"random\"\nsteps = 10\ntrials = 20\n";  // many at the end to choose from
  EXPECT_EQ(RunSearch(Settings(all), folder_ + "/all_min", &low).Ranked(),
            RunSearch(Settings("goal = \"max\"\n" + all), folder_ + "/all_max", &high).Ranked());
}

TEST_F(SearchTest, FailuresAreKeptAndDoNotEndIt) {
  KnownFunction runner;
  runner.fails_above_ = 6;
  runner.no_number_ = 1;
  const SearchState state =
      RunSearch(Settings("method = \"halving\"\nsteps = 90\nfirst_steps = 10\ntrials = 27\n"), folder_, &runner);
  EXPECT_TRUE(state.finished);
  int failed = 0;
  for (const TrialState& trial : state.trials) {
    const int64_t layers = trial.values[1].get<int64_t>();
    EXPECT_EQ(trial.failure.empty(), layers < 6 && layers > 1) << layers;
    if (layers >= 6) EXPECT_EQ(trial.failure, "too large");
    if (layers == 1) EXPECT_EQ(trial.failure, "loss was no number after 10 steps");
    failed += !trial.failure.empty();
  }
  EXPECT_GT(failed, 3);
  std::set<int64_t> with_failure;
  for (const auto& [number, steps] : runner.calls_) {
    if (!state.trials[static_cast<size_t>(number)].failure.empty()) EXPECT_TRUE(with_failure.insert(number).second);
  }
  const std::string best = ReadFile(folder_ + "/best.toml");
  EXPECT_NE(best.find("loss"), std::string::npos);

  KnownFunction all;
  all.fails_above_ = 1;
  std::string message;
  EXPECT_EQ(CodeOf([&] { RunSearch(Settings("method = \"random\"\nsteps = 5\ntrials = 3\n"), folder_ + "/all", &all); },
                   &message),
            Code::kResourceExhausted);
  EXPECT_NE(message.find("every trial failed; trial 0: too large"), std::string::npos) << message;
  EXPECT_FALSE(FileExists(folder_ + "/all/best.toml"));
}

// The same trials with the same results, whichever of the runs was the last before the search died.
TEST_F(SearchTest, ResumedAfterAnyRunItIsTheSameSearch) {
  const std::string rest = "method = \"halving\"\nsteps = 90\nfirst_steps = 10\ntrials = 9\n";
  KnownFunction whole;
  const SearchState wanted = RunSearch(Settings(rest), folder_ + "/whole", &whole);
  for (int64_t stop = 1; stop < static_cast<int64_t>(whole.calls_.size()); ++stop) {
    const std::string folder = Cat(folder_, "/", stop);
    KnownFunction first, second;
    first.stop_after_ = stop;
    EXPECT_EQ(CodeOf([&] { RunSearch(Settings(rest), folder, &first); }), Code::kCancelled);
    EXPECT_FALSE(LoadSearchState(folder).finished);
    const SearchState state = RunSearch(Settings(rest), folder, &second);
    EXPECT_EQ(Results(state), Results(wanted)) << stop;
    first.calls_.pop_back();  // the one that was stopped
    std::vector<std::pair<int64_t, int64_t>> calls = first.calls_;
    calls.insert(calls.end(), second.calls_.begin(), second.calls_.end());
    EXPECT_EQ(calls, whole.calls_) << "nothing twice, nothing left out; stopped after " << stop;
    EXPECT_EQ(ReadFile(folder + "/best.toml"), ReadFile(folder_ + "/whole/best.toml"));
  }
  KnownFunction none;
  RunSearch(Settings(rest), folder_ + "/whole", &none);
  EXPECT_TRUE(none.calls_.empty()) << "what is finished is not done again";
}

TEST_F(SearchTest, KilledAtAnyTimeItGoesOn) {
  class Slow : public KnownFunction {
   public:
    double Run(const Trial& trial, int64_t steps) override {
      ::usleep(2000);
      return KnownFunction::Run(trial, steps);
    }
  };
  const SearchSettings settings = Settings("method = \"halving\"\nsteps = 90\nfirst_steps = 10\ntrials = 27\n");
  KnownFunction whole;
  const SearchState wanted = RunSearch(settings, folder_ + "/whole", &whole);
  int kills = 0;
  for (useconds_t wait = 3'000;; wait += 7'000) {
    const pid_t child = ::fork();
    if (child == 0) {
      Slow slow;
      try {
        RunSearch(settings, folder_ + "/killed", &slow);
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    ::usleep(wait);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      break;
    }
    ++kills;
  }
  EXPECT_GT(kills, 1);
  EXPECT_EQ(Results(LoadSearchState(folder_ + "/killed")), Results(wanted));
}

TEST_F(SearchTest, AFolderOfAnotherSearchIsRefused) {
  KnownFunction runner;
  RunSearch(Settings("method = \"random\"\nsteps = 5\ntrials = 2\n"), folder_, &runner);
  std::string message;
  EXPECT_EQ(
      CodeOf([&] { RunSearch(Settings("method = \"random\"\nsteps = 5\ntrials = 3\n"), folder_, &runner); }, &message),
      Code::kConflict);
  EXPECT_NE(message.find("search.toml"), std::string::npos) << message;
  SearchSettings other = Settings("method = \"random\"\nsteps = 5\ntrials = 2\n");
  other.base_text += "# other\n";
  EXPECT_EQ(CodeOf([&] { RunSearch(other, folder_, &runner); }), Code::kConflict);
}

TEST_F(SearchTest, TwoProcessesCannotSearchInOneFolder) {
  class Nested : public KnownFunction {
   public:
    explicit Nested(const std::string& folder) : folder_(folder) {}
    double Run(const Trial& trial, int64_t steps) override {
      KnownFunction inner;
      code_ = CodeOf([&] { RunSearch(Settings("method = \"random\"\nsteps = 5\ntrials = 1\n"), folder_, &inner); });
      return KnownFunction::Run(trial, steps);
    }
    std::string folder_;
    Code code_ = Code::kInternal;
  } runner(folder_);
  RunSearch(Settings("method = \"random\"\nsteps = 5\ntrials = 1\n"), folder_, &runner);
  EXPECT_EQ(runner.code_, Code::kConflict);
}

TEST_F(SearchTest, WhatIsWrongInTheFileIsNamed) {
  const auto refused = [&](const std::string& space, const std::string& wanted) {
    std::string message;
    const auto parse = [&] {
      const SearchSettings settings =
          ParseSearch(Head("method = \"grid\"\nsteps = 5\n[search.space]\n") + space, "search.toml", kBase);
      const SearchSpace made(settings.text, settings.file, settings.base_text, "base.toml");
      PlanSearch(settings, made);
    };
    EXPECT_EQ(CodeOf(parse, &message), Code::kInvalidInput) << space;
    EXPECT_NE(message.find(wanted), std::string::npos) << space << " said: " << message;
  };
  refused("\"optimiser.rat\" = { log = [1e-5, 1e-2] }", "did you mean 'optimiser.rate'");
  refused("\"optimiser.rat\" = { log = [1e-5, 1e-2] }", "search.toml:");
  refused("\"nothing.like.it\" = { log = [1e-5, 1e-2] }", "base.toml has no key 'nothing.like.it'");
  refused("model = { int = [1, 2] }", "no single value");
  refused("\"model.widths\" = { int = [1, 2] }", "no single value");
  refused("\"optimiser.rate\" = { int = [1, 2], log = [1, 2] }", "exactly one");
  refused("\"optimiser.rate\" = { log = [0.0, 1.0] }", "above 0");
  refused("\"optimiser.rate\" = { log = [-1.0, 1.0] }", "above 0");
  refused("\"optimiser.rate\" = { uniform = [2.0, 1.0] }", "wrong way round");
  refused("\"optimiser.rate\" = { uniform = [1.0] }", "[least, most]");
  refused("\"optimiser.rate\" = { uniform = [0.0, inf] }", "beyond 1e15");
  refused("\"optimiser.rate\" = { uniform = [nan, nan] }", "wrong way round");
  refused("\"model.layers\" = { uniform = [1.0, 2.0] }", "does not fit 'model.layers', which is a whole number");
  refused("\"model.layers\" = { int = [1.5, 2.0] }", "whole numbers");
  refused("\"model.layers\" = { int = [1, 1e300] }", "beyond 1e15");
  refused("\"model.layers\" = { choice = [] }", "1 to 1000");
  refused("\"model.layers\" = { choice = 3 }", "1 to 1000");
  refused("\"model.layers\" = { choice = [1, \"2\"] }", "does not fit");
  refused("\"model.layers\" = { choice = [1, 2.5] }", "does not fit");
  refused("\"model.layers\" = { choice = [[1], [2]] }", "does not fit");
  refused("\"optimiser.rate\" = { choice = [nan] }", "does not fit");
  refused("\"model.layers\" = { choice = [1, 1] }", "twice");
  refused("\"model.layers\" = { choice = [1, 2], points = 3 }", "alone");
  refused("\"model.layers\" = { int = [1, 2], poimts = 3 }", "poimts");
  refused("\"model.layers\" = { int = [1, 1000000] }", "more than 10000 trials");
  refused("\"model.layers\" = { int = [1, 200] }\n\"optimiser.rate\" = { log = [1e-5, 1e-2], points = 100 }",
          "more than 10000 trials");
  refused("\"model.layers\" = { int = [1, 2] }\nmodel.layers = { int = [1, 2] }", "twice");
  refused("\"model.layers\" = 3", "");
  refused("", "no keys");
  refused("model.layers = {}", "no range");

  for (const std::string& rest : std::vector<std::string>{
           "method = \"bayes\"\nsteps = 5\n", "method = \"random\"\nsteps = 5\n",
           "method = \"random\"\nsteps = 0\ntrials = 1\n", "method = \"random\"\nsteps = 5\ntrials = 100000\n",
           "method = \"halving\"\nsteps = 5\ntrials = 3\n",
           "method = \"halving\"\nsteps = 5\ntrials = 3\nfirst_steps = 6\n",
           "method = \"grid\"\nsteps = 5\ntrials = 3\n",
           "method = \"halving\"\nsteps = 5\ntrials = 3\nfirst_steps = 1\neta = 1\n",
           "method = \"random\"\nsteps = 5\ntrials = 1\ngoal = \"best\"\n", "steps = 5\n",
           "method = \"random\"\nsteps = 5\ntrials = 1\nsede = 3\n"}) {
    EXPECT_EQ(CodeOf([&] { Settings(rest); }), Code::kInvalidInput) << rest;
  }
  const SearchSettings large = Settings("method = \"hyperband\"\nsteps = 1000000000\nfirst_steps = 1\neta = 2\n");
  EXPECT_EQ(CodeOf([&] { PlanSearch(large, SearchSpace(large.text, "s", large.base_text, "b")); }),
            Code::kInvalidInput);
}

TEST_F(SearchTest, TheBaseIsFoundBesideTheFile) {
  MakeFolders(folder_ + "/a");
  WriteFileAtomic(folder_ + "/a/search.toml", Head("method = \"random\"\nsteps = 5\ntrials = 1\n") + kSpace);
  std::string message;
  EXPECT_EQ(CodeOf([&] { LoadSearch(folder_ + "/a/search.toml"); }, &message), Code::kInvalidInput);
  EXPECT_NE(message.find("a/base.toml"), std::string::npos) << message;
  WriteFileAtomic(folder_ + "/a/base.toml", kBase);
  EXPECT_EQ(LoadSearch(folder_ + "/a/search.toml").base, folder_ + "/a/base.toml");
}

TEST_F(SearchTest, ABrokenStateIsRefused) {
  KnownFunction runner;
  RunSearch(Settings("method = \"random\"\nsteps = 5\ntrials = 2\n"), folder_, &runner);
  const std::string state = ReadFile(folder_ + "/search.json");
  EXPECT_EQ(ParseSearchState(state, "x").trials.size(), 2u);
  for (size_t cut = 0; cut + 2 < state.size(); cut += 37) {
    EXPECT_EQ(CodeOf([&] { ParseSearchState(state.substr(0, cut), "x"); }), Code::kCorrupt) << cut;
  }
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"\"number\": 1", "\"number\": 7"},
                                                        {"\"steps\": 5", "\"steps\": -5"},
                                                        {"\"bracket\": 0", "\"bracket\": -1"},
                                                        {"\"finished\": true", "\"finished\": 3"},
                                                        {"\"trials\": [", "\"trials\": [3,"},
                                                        {"\"keys\": [", "\"keys\": [\"a\","}}) {
    ASSERT_NE(state.find(from), std::string::npos) << from;
    EXPECT_EQ(CodeOf([&] { ParseSearchState(ReplaceAll(state, from, to), "x"); }), Code::kCorrupt) << to;
  }
  EXPECT_EQ(CodeOf([&] { ParseSearchState(ReplaceAll(state, "\"format\": 1", "\"format\": 2"), "x"); }),
            Code::kUnsupported);
  EXPECT_EQ(CodeOf([&] { LoadSearchState(folder_ + "/nowhere"); }), Code::kNotFound);
}

TEST_F(SearchTest, TheReportRanksAndDraws) {
  KnownFunction runner;
  runner.fails_above_ = 8;
  const SearchState state =
      RunSearch(Settings("method = \"halving\"\nsteps = 90\nfirst_steps = 10\ntrials = 27\n"), folder_, &runner);
  const auto table = SearchTable(state, "en");
  ASSERT_EQ(table.size(), 28u);
  EXPECT_EQ(table[0], (std::vector<std::string>{"trial", "loss", "steps", "optimiser.rate", "model.layers",
                                                "optimiser.name", "failure"}));
  EXPECT_EQ(table[1][0], Cat(*state.Best()));
  EXPECT_EQ(table[1][2], "90");
  EXPECT_EQ(table[27][6], "too large");
  EXPECT_EQ(table[27][1], "");
  const Json json = SearchJson(state);
  EXPECT_EQ(json["best"], *state.Best());
  EXPECT_EQ(json["trials"][0]["number"], *state.Best());
  EXPECT_EQ(json["trials"][0]["results"].size(), 3u);
  EXPECT_TRUE(json["trials"][26]["value"].is_null());
  EXPECT_EQ(json["trials"][26]["failure"], "too large");
  for (const std::string language : {"zh", "en"}) {
    const std::string page = SearchPage(state, language);
    size_t charts = 0;
    for (size_t at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1)) ++charts;
    EXPECT_EQ(charts, 4u) << "two scatters, one of bars, the courses";
    EXPECT_NE(page.find("log10 optimiser.rate"), std::string::npos);
    EXPECT_EQ(page.find("超参数搜索") != std::string::npos, language == "zh");
    EXPECT_NE(page.find("too large"), std::string::npos);
  }
  SearchState hostile = state;
  hostile.trials[0].failure = "<script>alert(1)</script>";
  hostile.keys[0] = "</table><script>";
  EXPECT_EQ(SearchPage(hostile, "en").find("<script"), std::string::npos);
  SearchState empty;
  EXPECT_NE(SearchPage(empty, "en").find("not finished yet"), std::string::npos);
  EXPECT_EQ(CodeOf([&] { SearchPage(state, "fr"); }), Code::kUsage);
}

}  // namespace
}  // namespace atelier::track
