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
  std::vector<Output> outputs;
  for (const Case& item : cases) {
    Output output;
    output.lang = recipe::MakeRecord(recipe, InputOf(item, suite.cases, recipe), item.where, 0).lang;
    const auto at = by_id.find(item.id);
    if (at == by_id.end()) {
      output.error = Cat(arm.outputs, ": no output for the case ", Quote(item.id));
    } else {
      output.fields = Json::object();
      for (const recipe::OutputField& field : recipe.output) {
        if (at->second.fields.contains(field.name)) output.fields[field.name] = at->second.fields[field.name];
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
  std::vector<double> differences;
  for (size_t i = 0; i < draws[0][which].size(); ++i) differences.push_back(draws[0][which][i] - draws[1][which][i]);
  const evaluate::Interval interval = evaluate::IntervalOf(std::move(differences));
  difference.low = interval.low;
  difference.high = interval.high;
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
    cell->failures.push_back({Cat(all, " 个用例中 ", cell->missing, " 个没有数值"),
                              Cat(cell->missing, " of ", all, " cases have no value")});
  }
  if (cell->rows.empty()) {
    if (cell->missing == 0) cell->failures.push_back({"没有适用的用例", "it is for none of the cases"});
    return;
  }
  const std::string score = FormatFixed(cell->score, 4);
  if (cutoff.least && cell->score < *cutoff.least) {
    cell->failures.push_back({Cat(score, " 低于 ", *cutoff.least), Cat(score, " is below ", *cutoff.least)});
  }
  if (cutoff.most && cell->score > *cutoff.most) {
    cell->failures.push_back({Cat(score, " 高于 ", *cutoff.most), Cat(score, " is above ", *cutoff.most)});
  }
  if (cutoff.drop && cell->baseline) {
    const double worse = measure.score().lower_is_better() ? cell->baseline->difference : -cell->baseline->difference;
    if (worse > *cutoff.drop) {
      const std::string by = FormatFixed(worse, 4);
      cell->failures.push_back({Cat("比上一次差 ", by, "，超过 ", *cutoff.drop),
                                Cat(by, " worse than the run before, more than ", *cutoff.drop)});
    }
  }
}

Cell Measured(const MeasureSpec& spec, const std::vector<Case>& cases, const ArmResult& arm, CaseRunner& runner,
              uint64_t seed) {
  Cell cell;
  cell.asked = spec.arms.empty() || std::find(spec.arms.begin(), spec.arms.end(), arm.arm.name) != spec.arms.end();
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
  }

  for (const Arm& arm : suite.arms) {
    ArmResult made;
    made.arm = arm;
    const double started = MonotonicSeconds();
    if (!arm.outputs.empty()) {
      made.outputs = ReadOutputs(suite, arm, recipe, result.cases);
    } else {
      made.recipe_hash = recipe::HashFolder(suite.recipe, arm.variant);
      CaseRunner::Work work;
      work.label = arm.name;
      work.folder = suite.recipe;
      work.variant = arm.variant;
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
      if (&arm != &result.arms[0] && result.arms[0].cells.back().asked && cell.asked) {
        cell.first = CompareCells(*spec.measure, cell, result.arms[0].cells.back(), suite.seed);
      }
      if (baseline && cell.asked) {
        const auto before = baseline->arms.find(arm.arm.name);
        const auto at = before == baseline->arms.end() ? std::map<std::string, Baseline::Measured>::const_iterator()
                                                       : before->second.find(spec.name);
        if (before != baseline->arms.end() && at != before->second.end()) {
          if (at->second.signature == cell.signature) {
            cell.baseline = CompareBaseline(*spec.measure, cell, result.cases, at->second, suite.seed);
          } else {
            result.notes.push_back(Cat(arm.arm.name, ": ", spec.name, " was measured otherwise in the run before"));
          }
        }
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
