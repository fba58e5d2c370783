#include "experiment/suite_run.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"
#include "data/records.h"
#include "recipe/input.h"

namespace atelier::experiment {
namespace {

constexpr int64_t kSamples = 1000, kTrials = 2000;

// The outputs of an arm that are in a file already.
std::vector<Output> ReadOutputs(const Suite& suite, const Arm& arm, const recipe::Recipe& recipe,
                                const std::vector<Case>& cases) {
  data::ImportOptions options;
  options.list_separators = recipe.input.list_separators;
  for (const recipe::OutputField& field : recipe.output) {
    if (field.type == recipe::FieldType::kList) options.list_fields.push_back(field.name);
  }
  const std::string id_field = suite.cases.id.empty() ? "id" : suite.cases.id;
  std::unordered_map<std::string, data::Record> by_id;
  for (data::Record& record : data::ReadRecords(arm.outputs, options).records) {
    const std::string where = Cat(arm.outputs, ":", record.line);
    const auto id = record.fields.find(id_field);
    if (id == record.fields.end() || !id->is_string()) {
      throw Error(Code::kInvalidInput, Cat(where, ": an output without ", Quote(id_field)), "the name of its case");
    }
    const std::string name = id->get<std::string>();
    if (!by_id.emplace(name, std::move(record)).second) {
      throw Error(Code::kInvalidInput, Cat(where, ": the case ", Quote(name), " has an output already"));
    }
  }
  std::vector<std::string> names;
  for (const recipe::OutputField& field : recipe.output) names.push_back(field.name);
  std::vector<Output> outputs;
  for (const Case& item : cases) {
    Output output;
    output.lang = recipe::MakeRecord(recipe, InputOf(item, suite.cases, recipe), item.where, 0).lang;
    const auto at = by_id.find(item.id);
    output.made = false;
    if (at == by_id.end()) {
      output.error = Cat(arm.outputs, ": no output for the case ", Quote(item.id));
    } else {
      output.fields = Json::object();
      for (const recipe::OutputField& field : recipe.output) {
        if (at->second.fields.contains(field.name)) output.fields[field.name] = at->second.fields[field.name];
      }
      if (output.fields.empty()) {  // a slip in a name is no empty text
        output.fields = Json();
        output.error = Cat(arm.outputs, ":", at->second.line, ": none of the output fields ", Join(names, ", "));
      }
    }
    outputs.push_back(std::move(output));
  }
  return outputs;
}

Difference Compare(const Measure& measure, const evaluate::LineCounts& counts, const evaluate::LineCounts& other,
                   uint64_t seed) {
  const evaluate::SumScore& score = measure.score();
  const size_t which = measure.which();
  Difference difference;
  difference.cases = counts.size();
  difference.other = score.Score(other.Sum(), which);
  difference.difference = score.Score(counts.Sum(), which) - difference.other;
  const evaluate::LineCounts* systems[] = {&counts, &other};
  const std::vector<evaluate::Draws> draws = evaluate::Bootstrap(score, systems, kSamples, seed);
  const evaluate::Difference drawn = evaluate::DifferenceOf(difference.difference, draws[0][which], draws[1][which]);
  difference.low = drawn.low;
  difference.high = drawn.high;
  difference.p = evaluate::RandomisationP(score, counts, other, kTrials, seed)[which];
  return difference;
}

void AddRow(evaluate::LineCounts* counts, std::span<const int64_t> row) {
  std::copy(row.begin(), row.end(), counts->Add());
}

// Over the cases that both counted; nothing where there is none.
std::optional<Difference> CompareCells(const Measure& measure, const Cell& cell, const Cell& other, uint64_t seed) {
  evaluate::LineCounts ours(cell.counts.width()), theirs(cell.counts.width());
  for (size_t i = 0, j = 0; i < cell.rows.size(); ++i) {
    while (j < other.rows.size() && other.rows[j] < cell.rows[i]) ++j;
    if (j == other.rows.size() || other.rows[j] != cell.rows[i]) continue;
    AddRow(&ours, cell.counts.row(i));
    AddRow(&theirs, other.counts.row(j));
  }
  if (ours.size() == 0) return std::nullopt;
  return Compare(measure, ours, theirs, seed);
}

std::optional<Difference> CompareBaseline(const Measure& measure, const Cell& cell, const std::vector<Case>& cases,
                                          const Baseline::Measured& before, uint64_t seed) {
  evaluate::LineCounts ours(cell.counts.width()), theirs(cell.counts.width());
  for (size_t i = 0; i < cell.rows.size(); ++i) {
    const auto at = before.counts.find(cases[cell.rows[i]].id);
    if (at == before.counts.end() || at->second.size() != cell.counts.width()) continue;
    AddRow(&ours, cell.counts.row(i));
    AddRow(&theirs, at->second);
  }
  if (ours.size() == 0) return std::nullopt;
  return Compare(measure, ours, theirs, seed);
}

void HoldAgainst(const Cutoff& cutoff, const Measure& measure, Cell* cell) {
  if (!cutoff.any()) return;
  if (cell->missing > cutoff.missing) {
    const size_t all = cell->missing + cell->rows.size();
    cell->failures.push_back({Cat(cell->missing, " of ", all, " cases have no value"),
                              Cat(all, " 个用例中 ", cell->missing, " 个没有数值")});
  }
  if (cell->rows.empty()) {
    if (cell->missing == 0) cell->failures.push_back({"it is for none of the cases", "没有适用的用例"});
    return;
  }
  const std::string score = FormatFixed(cell->score, 4);
  if (cutoff.least && cell->score < *cutoff.least) {
    cell->failures.push_back({Cat(score, " is below ", *cutoff.least), Cat(score, " 低于 ", *cutoff.least)});
  }
  if (cutoff.most && cell->score > *cutoff.most) {
    cell->failures.push_back({Cat(score, " is above ", *cutoff.most), Cat(score, " 高于 ", *cutoff.most)});
  }
  if (cutoff.drop && cell->baseline) {
    const double worse = measure.score().lower_is_better() ? cell->baseline->difference : -cell->baseline->difference;
    if (worse > *cutoff.drop) {
      const std::string by = FormatFixed(worse, 4);
      cell->failures.push_back({Cat(by, " worse than the run before, more than ", *cutoff.drop),
                                Cat("比上一次差 ", by, "，超过 ", *cutoff.drop)});
    }
  }
}

// The place of the arm that this one is compared with.
size_t AgainstOf(const std::vector<ArmResult>& arms, const Arm& arm) {
  if (arm.against.empty()) return 0;
  const auto at = std::find_if(arms.begin(), arms.end(), [&](const ArmResult& a) { return a.arm.name == arm.against; });
  return at == arms.end() ? 0 : static_cast<size_t>(at - arms.begin());
}

bool IsFor(const MeasureSpec& spec, const Arm& arm) {
  return spec.arms.empty() || std::find(spec.arms.begin(), spec.arms.end(), arm.name) != spec.arms.end();
}

Cell Measured(const MeasureSpec& spec, const std::vector<Case>& cases, const ArmResult& arm, CaseRunner& runner,
              uint64_t seed) {
  Cell cell;
  cell.asked = IsFor(spec, arm.arm);
  cell.values.resize(cases.size());
  if (!cell.asked) return cell;
  Measure& measure = *spec.measure;
  cell.counts = evaluate::LineCounts(measure.score().width());
  std::vector<Subject> subjects;
  std::vector<size_t> chosen;
  for (size_t i = 0; i < cases.size(); ++i) {
    if (!Matches(spec.where, cases[i])) continue;
    subjects.push_back({&cases[i], &arm.outputs[i]});
    chosen.push_back(i);
  }
  std::vector<Value> values = measure.Look(subjects, runner, &cell.counts);
  for (size_t j = 0; j < chosen.size(); ++j) {
    if (values[j].counted) {
      cell.rows.push_back(chosen[j]);
    } else {
      ++cell.missing;
    }
    cell.values[chosen[j]] = std::move(values[j]);
  }
  cell.signature = measure.signature();
  if (cell.rows.empty()) return cell;
  cell.score = measure.score().Score(cell.counts.Sum(), measure.which());
  const evaluate::LineCounts* systems[] = {&cell.counts};
  cell.interval =
      evaluate::IntervalOf(evaluate::Bootstrap(measure.score(), systems, kSamples, seed)[0][measure.which()]);
  return cell;
}

// Throws for measures that the cases or the studio do not allow, before hours go into outputs.
void Foresee(const Suite& suite, const std::vector<Case>& cases, CaseRunner& runner) {
  for (const MeasureSpec& spec : suite.measures) {
    if (std::none_of(suite.arms.begin(), suite.arms.end(), [&](const Arm& arm) { return IsFor(spec, arm); })) continue;
    std::vector<const Case*> chosen;
    for (const Case& item : cases) {
      if (Matches(spec.where, item)) chosen.push_back(&item);
    }
    spec.measure->Foresee(chosen, runner);
  }
}

// The earlier run's measure. Tells where there is nothing to compare with.
std::optional<Difference> HoldAgainstBaseline(const MeasureSpec& spec, const Cell& cell, const ArmResult& arm,
                                              const Baseline& baseline, const Suite& suite, SuiteResult* result) {
  std::optional<Difference> difference;
  const std::string what = Cat(arm.arm.name, ": ", spec.name);
  if (const auto before = baseline.arms.find(arm.arm.name); before != baseline.arms.end()) {
    if (const auto at = before->second.find(spec.name); at != before->second.end()) {
      if (at->second.signature != cell.signature) {
        result->notes.push_back(Cat(what, " was measured otherwise in the run before"));
        return std::nullopt;
      }
      difference = CompareBaseline(*spec.measure, cell, result->cases, at->second, suite.seed);
    }
  }
  if (!difference && spec.cutoff.drop) {
    result->notes.push_back(Cat(what, ": the run before has nothing to hold `drop` against"));
  }
  return difference;
}

}  // namespace

SuiteResult RunSuite(Suite& suite, CaseRunner& runner, const std::optional<Baseline>& baseline) {
  SuiteResult result;
  result.run = NewUuid();
  result.time = FormatTime(NowMillis());
  const recipe::Recipe recipe = recipe::LoadRecipe(suite.recipe, "");
  result.cases = ReadCases(suite.cases, recipe);
  if (baseline) {
    result.baseline_run = baseline->run;
    result.baseline_time = baseline->time;
    if (baseline->suite != suite.name) {
      result.notes.push_back(
          Cat("the run before is of the suite ", Quote(baseline->suite), ", this is ", Quote(suite.name)));
    }
  } else if (std::any_of(suite.measures.begin(), suite.measures.end(),
                         [](const MeasureSpec& spec) { return spec.cutoff.drop.has_value(); })) {
    result.notes.push_back("there is no run before: `drop` is held against nothing yet");
  }
  runner.set_seed(suite.seed);
  Foresee(suite, result.cases, runner);

  for (const Arm& arm : suite.arms) {
    ArmResult made;
    made.arm = arm;
    const double started = MonotonicSeconds();
    if (!arm.outputs.empty()) {
      made.outputs = ReadOutputs(suite, arm, recipe, result.cases);
    } else {
      CaseRunner::Work work;
      work.label = arm.name;
      work.recipe = recipe::LoadRecipe(suite.recipe, arm.variant);
      made.recipe_hash = work.recipe.hash;
      work.model = arm.model;
      work.seed = suite.seed;
      for (const Case& item : result.cases) {
        work.inputs.push_back(InputOf(item, suite.cases, recipe));
        work.where.push_back(item.where);
      }
      made.outputs = runner.Run(work);
    }
    made.seconds = MonotonicSeconds() - started;
    for (const Output& output : made.outputs) {
      made.cached += output.cached;
      made.errors += !output.error.empty();
    }
    result.passed = result.passed && made.errors == 0;
    result.arms.push_back(std::move(made));
  }

  for (const MeasureSpec& spec : suite.measures) {
    for (ArmResult& arm : result.arms) {
      Cell cell = Measured(spec, result.cases, arm, runner, suite.seed);
      const ArmResult& first = result.arms[AgainstOf(result.arms, arm.arm)];
      if (&arm != &first && first.cells.back().asked && cell.asked) {
        cell.first = CompareCells(*spec.measure, cell, first.cells.back(), suite.seed);
      }
      if (baseline && cell.asked) {
        cell.baseline = HoldAgainstBaseline(spec, cell, arm, *baseline, suite, &result);
      }
      HoldAgainst(spec.cutoff, *spec.measure, &cell);
      result.passed = result.passed && cell.failures.empty();
      arm.cells.push_back(std::move(cell));
    }
  }
  for (const std::string& note : runner.notes()) result.notes.push_back(note);
  return result;
}

}  // namespace atelier::experiment
