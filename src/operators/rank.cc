#include "operators/rank.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "operators/checks/checks.h"
#include "operators/fields.h"
#include "operators/per_language.h"
#include "rank/losses.h"

namespace atelier::operators {
namespace {

struct RankSettings {
  PerLanguage model;
  bool optional = false;
  std::vector<std::string> fields;
};

class Rank : public recipe::Operator {
 public:
  Rank(std::string id, RankSettings settings) : id_(std::move(id)), settings_(std::move(settings)) {}

  void Apply(recipe::Run& run, std::span<const size_t> records, int) override {
    uint64_t done = 0;
    for (const auto& [lang, name] : settings_.model) {
      std::shared_ptr<artefact::Ranker> ranker;
      size_t lacking = 0;
      std::string lacked;
      for (const size_t index : records) {
        recipe::Record& record = run.records().at(index);
        if (record.lang != lang) continue;
        run.Report(done++, records.size(), name);
        if (!record.needs_person.empty() || record.candidates.empty()) continue;
        if (ranker == nullptr && (ranker = Find(run, name)) == nullptr) break;
        try {
          lacking += RankRecord(*ranker, record, &lacked);
        } catch (const Error& e) {
          throw e.Within(Cat("step ", id_));
        }
      }
      if (lacking > 0) {
        run.Note(Cat(id_, ": ", lacking, lacking == 1 ? " candidate has" : " candidates have", " no ", Quote(lacked),
                     ", without which ", name, " does not rank"));
      }
    }
  }

 private:
  // Null where it is not here and need not be.
  std::shared_ptr<artefact::Ranker> Find(recipe::Run& run, const std::string& name) const {
    try {
      return run.Ranker(name);
    } catch (const Error& e) {
      if (!settings_.optional || e.code() != Code::kNotFound) throw e.Within(Cat("step ", id_));
      run.Note(Cat("left out: ", e.Line()));
      return nullptr;
    }
  }

  std::string TextOf(const recipe::Candidate& candidate) const {
    std::string text;
    for (const std::string& field : settings_.fields) {
      const std::string_view one = OutputText(candidate, field);
      if (one.empty()) continue;
      if (!text.empty()) text += "\n";
      text += one;
    }
    return text;
  }

  // How many candidates lack what the ranker wants; `lacked` is the first such thing.
  size_t RankRecord(artefact::Ranker& ranker, recipe::Record& record, std::string* lacked) const {
    std::vector<size_t> ranked;
    std::vector<artefact::RankOption> options;
    size_t lacking = 0;
    for (size_t i = 0; i < record.candidates.size(); ++i) {
      recipe::Candidate& candidate = record.candidates[i];
      candidate.scores.erase(id_);  // of an earlier pass, among other candidates
      artefact::RankOption option{TextOf(candidate), candidate.scores};
      for (const recipe::CheckResult& check : candidate.checks)
        option.features[Cat("check.", check.check)] = check.margin;
      if (option.text.empty()) continue;
      const auto missing = std::find_if(ranker.wants().begin(), ranker.wants().end(),
                                        [&](const std::string& name) { return !option.features.contains(name); });
      if (missing != ranker.wants().end()) {
        if (lacking++ == 0 && lacked->empty()) *lacked = *missing;
        continue;
      }
      ranked.push_back(i);
      options.push_back(std::move(option));
    }
    const std::vector<double> chances = rank::Chances(ranker.Score(record.input, options));
    for (size_t i = 0; i < ranked.size(); ++i) record.candidates[ranked[i]].scores[id_] = chances[i];
    return lacking;
  }

  const std::string id_;
  const RankSettings settings_;
};

}  // namespace

std::unique_ptr<recipe::Operator> MakeRank(Table& step, const recipe::StepContext& context) {
  RankSettings settings;
  settings.model = ReadPerLanguage(step, "model");
  settings.optional = step.BoolOr("optional", false);
  settings.fields = step.Strings("fields");
  for (const std::string& field : settings.fields) RequireOutput(step, "fields", field, context);
  if (settings.fields.empty()) step.Refuse("fields", "is empty");
  return std::make_unique<Rank>(context.id, std::move(settings));
}

}  // namespace atelier::operators
