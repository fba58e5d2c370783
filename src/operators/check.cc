#include "operators/check.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/str.h"
#include "recipe/engine.h"

namespace atelier::operators {
namespace {

void LookAt(std::span<const NamedCheck> checks, const recipe::Record& record, recipe::Candidate& candidate,
            std::span<const recipe::Candidate> earlier) {
  for (const NamedCheck& named : checks) {
    Verdict verdict = named.check->Look(record, candidate, earlier);
    candidate.checks.push_back({named.name, verdict.reason.empty(), std::move(verdict.reason), verdict.margin});
  }
}

struct Retry {
  std::vector<std::string> steps;
  int most = 0;
  size_t want = 0;
};

class CheckOperator : public recipe::Operator {
 public:
  CheckOperator(std::vector<NamedCheck> checks, Retry retry) : checks_(std::move(checks)), retry_(std::move(retry)) {}

  void Apply(recipe::Run& run, std::span<const size_t> records, int) override {
    Look(run, records, "first look");
    for (int attempt = 1; attempt <= retry_.most; ++attempt) {
      bool asked = false;
      for (const std::string& step : retry_.steps) {
        const std::set<std::string> languages = Languages(run, step);
        std::vector<size_t> short_of;
        for (const size_t index : records) {
          const recipe::Record& record = run.records().at(index);
          if (!record.needs_person.empty() || !languages.contains(record.lang)) continue;
          const auto passed = std::count_if(record.candidates.begin(), record.candidates.end(),
                                            [&](const recipe::Candidate& c) { return c.writer == step; });
          if (static_cast<size_t>(passed) < retry_.want) short_of.push_back(index);
        }
        if (short_of.empty()) continue;
        run.Rerun(step, short_of, attempt);
        asked = true;
      }
      if (!asked) return;
      Look(run, records, Cat("look ", attempt + 1));
    }
  }

 private:
  // The languages in which this writer wrote anything: one without a model is not asked again.
  static std::set<std::string> Languages(recipe::Run& run, const std::string& step) {
    std::set<std::string> languages;
    for (const recipe::Record& record : run.records()) {
      const auto by = [&](const recipe::Candidate& c) { return c.writer == step; };
      if (std::any_of(record.candidates.begin(), record.candidates.end(), by) ||
          std::any_of(record.dropped.begin(), record.dropped.end(), by)) {
        languages.insert(record.lang);
      }
    }
    return languages;
  }

  void Look(recipe::Run& run, std::span<const size_t> records, const std::string& note) {
    uint64_t done = 0;
    for (const size_t index : records) {
      run.Report(done++, records.size(), note);
      recipe::Record& record = run.records().at(index);
      if (!record.needs_person.empty()) continue;
      std::vector<recipe::Candidate> passed;
      for (recipe::Candidate& candidate : record.candidates) {
        if (candidate.checks.empty()) LookAt(checks_, record, candidate, passed);
        (candidate.passed() ? passed : record.dropped).push_back(std::move(candidate));
      }
      record.candidates = std::move(passed);
    }
  }

  std::vector<NamedCheck> checks_;
  Retry retry_;
};

std::vector<NamedCheck> ReadChecks(Table& step, const recipe::StepContext& context) {
  std::vector<NamedCheck> checks;
  std::vector<std::string> known;
  for (const CheckEntry& entry : AllChecks()) known.emplace_back(entry.name);
  for (Table& table : step.Tables("check")) {
    const std::string use = table.String("use");
    const auto at = std::find(known.begin(), known.end(), use);
    if (at == known.end()) {
      const std::string near = Nearest(use, known);
      table.Refuse("use", Cat("no check is named ", Quote(use)),
                   near.empty() ? Cat("there are ", Join(known, ", ")) : Cat("did you mean '", near, "'?"));
    }
    checks.push_back({use, AllChecks()[static_cast<size_t>(at - known.begin())].make(table, context)});
    table.Done();
  }
  if (checks.empty()) step.Refuse("check", "a check step needs at least one [[step.check]]");
  return checks;
}

Retry ReadRetry(Table& step, const recipe::StepContext& context) {
  Retry retry;
  if (auto table = step.SubOr("retry")) {
    retry.steps = table->Strings("steps");
    retry.most = static_cast<int>(table->IntOr("most", 1, 0, 20));
    retry.want = static_cast<size_t>(table->IntOr("want", 1, 1, 1000));
    for (const std::string& id : retry.steps) {
      if (std::find(context.earlier.begin(), context.earlier.end(), id) == context.earlier.end()) {
        const std::string near = Nearest(id, context.earlier);
        table->Refuse("steps", Cat("no earlier step is named ", Quote(id)),
                      near.empty() ? "" : Cat("did you mean '", near, "'?"));
      }
    }
    table->Done();
  }
  return retry;
}

}  // namespace

std::unique_ptr<recipe::Operator> MakeCheck(Table& step, const recipe::StepContext& context) {
  std::vector<NamedCheck> checks = ReadChecks(step, context);
  return std::make_unique<CheckOperator>(std::move(checks), ReadRetry(step, context));
}

RecipeChecks::RecipeChecks(const recipe::Recipe& recipe) {
  recipe::StepContext context = recipe::ContextOf(recipe);
  for (const recipe::StepSpec& spec : recipe.steps) {
    Table table = spec.table;
    context.id = spec.id;
    if (spec.use == "check" && !table.BoolOr("skip", false)) {
      if (checks_.empty() && !context.earlier.empty()) writer_ = context.earlier.back();
      std::vector<NamedCheck> checks = ReadChecks(table, context);
      ReadRetry(table, context);
      table.Done();
      for (NamedCheck& check : checks) checks_.push_back(std::move(check));
    }
    context.earlier.push_back(spec.id);
  }
  if (checks_.empty()) {
    throw Error(Code::kInvalidInput, Cat("the recipe ", recipe.name, " checks nothing"),
                recipe.variant.empty() ? "" : Cat("in its variant ", recipe.variant));
  }
}

void RecipeChecks::Look(const recipe::Record& record, recipe::Candidate& candidate,
                        std::span<const recipe::Candidate> earlier) const {
  LookAt(checks_, record, candidate, earlier);
}

double CheckScore(const recipe::Candidate& candidate) {
  if (candidate.passed()) return 1;
  const auto passed = std::count_if(candidate.checks.begin(), candidate.checks.end(),
                                    [](const recipe::CheckResult& check) { return check.passed; });
  return 0.5 * static_cast<double>(passed) / static_cast<double>(candidate.checks.size());
}

}  // namespace atelier::operators
