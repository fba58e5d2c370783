#include "operators/select.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/str.h"
#include "evaluate/overlap.h"
#include "evaluate/units.h"
#include "operators/checks/about.h"
#include "operators/checks/checks.h"
#include "operators/fields.h"
#include "operators/shape.h"

namespace atelier::operators {
namespace {

struct SelectSettings {
  std::map<std::string, double> weights;
  std::set<std::string> chances;  // scores of rank steps, which are probabilities
  double diversity = 0.5, within = 1;
  double repeat = 0;
  size_t show = 4;
  std::string unique;
  std::string headline, body;
  AboutFields about;
};

std::string Normalised(std::string_view text) { return Join(evaluate::Units(text), " "); }

// What made a candidate, as far as variety is concerned: devices and pattern ids of its choices, else its writer.
std::vector<std::string> Traits(const recipe::Candidate& candidate) {
  std::vector<std::string> traits;
  if (candidate.choices.is_object()) {
    for (const auto& [part, choice] : candidate.choices.items()) {
      if (!choice.is_object()) continue;
      for (const char* key : {"device", "pattern"}) {
        if (const auto at = choice.find(key); at != choice.end() && at->is_string()) {
          traits.push_back(Cat(part, ".", key, "=", at->get_ref<const std::string&>()));
        }
      }
    }
  }
  if (traits.empty()) traits.push_back(Cat("writer=", candidate.writer));
  return traits;
}

// Scores that are in [0, 1] as they come; others are put between the record's least and greatest.
const std::vector<std::string> kOwn = {"coverage", "about", "margin", "variety", "shape", "grade"};

class Select : public recipe::Operator {
 public:
  Select(SelectSettings settings) : settings_(std::move(settings)) {}

  bool Absolute(const std::string& name) const {
    return std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end() || settings_.chances.contains(name);
  }

  void Apply(recipe::Run& run, std::span<const size_t> records, int) override {
    std::map<std::string, size_t> used;  // traits of those chosen so far
    std::set<std::string> taken;         // their unique fields
    uint64_t done = 0;
    for (const size_t index : records) {
      run.Report(done++, records.size(), "choosing");
      recipe::Record& record = run.records().at(index);
      record.ranking.clear();
      record.offered = 0;
      if (!record.needs_person.empty()) continue;
      if (record.candidates.empty()) {
        record.needs_person = Hopeless(record);
        continue;
      }
      Rate(record, used);
      Choose(record, &used, &taken);
    }
    for (const size_t index : records) {
      recipe::Record& record = run.records().at(index);
      if (record.needs_person.empty()) Fill(record, taken, &used);
    }
  }

 private:
  static std::string Hopeless(const recipe::Record& record) {
    std::map<std::string, size_t> reasons;
    for (const recipe::Candidate& candidate : record.dropped) {
      for (const recipe::CheckResult& check : candidate.checks) {
        if (!check.passed) ++reasons[check.reason];
      }
    }
    const auto most = std::max_element(reasons.begin(), reasons.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == reasons.end()) return Say(record, "没有写出任何文案", "nothing was written for it");
    return Say(record, Cat("没有一条通过检查；最多的原因：", most->first),
               Cat("nothing passed the checks; most often: ", most->first));
  }

  // What a score that has no scale of its own is worth, by its distance from the record's mean in standard deviations:
  // all but the clearly worse are as good as each other. The likeliest copy is the barest, so likelihood may only sink.
  static double Sunk(double z) { return std::clamp(1 + (z + 0.5) / 2, 0.0, 1.0); }

  void Rate(recipe::Record& record, const std::map<std::string, size_t>& used) const {
    for (recipe::Candidate& candidate : record.candidates) {
      const Aboutness about = MeasureAbout(record, AllText(candidate), settings_.about);
      candidate.scores["coverage"] = about.coverage();
      candidate.scores["about"] = about.share;
      double margin = 0;
      for (const recipe::CheckResult& check : candidate.checks) margin += check.margin;
      candidate.scores["margin"] = candidate.checks.empty() ? 1 : margin / static_cast<double>(candidate.checks.size());
      double fresh = 0;
      const std::vector<std::string> traits = Traits(candidate);
      for (const std::string& trait : traits) {
        const auto at = used.find(trait);
        fresh += 1.0 / static_cast<double>(1 + (at == used.end() ? 0 : at->second));
      }
      candidate.scores["variety"] = fresh / static_cast<double>(traits.size());
      candidate.scores["shape"] =
          RateShape(record, OutputText(candidate, settings_.headline), OutputText(candidate, settings_.body));
      candidate.scores.try_emplace("grade", 0.5);
    }
    std::vector<double> totals(record.candidates.size(), 0);
    double weight_sum = 0;
    for (const auto& [name, weight] : settings_.weights) {
      double sum = 0, squares = 0, count = 0;
      for (const recipe::Candidate& candidate : record.candidates) {
        const auto at = candidate.scores.find(name);
        if (at == candidate.scores.end()) continue;
        sum += at->second;
        squares += at->second * at->second;
        ++count;
      }
      if (count == 0) continue;  // no model gave this score: the others decide
      const double mean = sum / count, spread = std::sqrt(std::max(0.0, squares / count - mean * mean));
      weight_sum += weight;
      for (size_t i = 0; i < totals.size(); ++i) {
        const auto at = record.candidates[i].scores.find(name);
        if (at == record.candidates[i].scores.end()) continue;
        totals[i] += weight * (Absolute(name) ? at->second : Sunk(spread > 1e-9 ? (at->second - mean) / spread : 0));
      }
    }
    for (size_t i = 0; i < totals.size(); ++i)
      record.candidates[i].scores["total"] = weight_sum > 0 ? totals[i] / weight_sum : 0;
  }

  std::string Key(const recipe::Candidate& candidate) const {
    return Normalised(OutputText(candidate, settings_.unique));
  }

  void Choose(recipe::Record& record, std::map<std::string, size_t>* used, std::set<std::string>* taken) const {
    size_t best = record.candidates.size();
    for (size_t i = 0; i < record.candidates.size(); ++i) {
      if (!settings_.unique.empty() && taken->contains(Key(record.candidates[i]))) continue;
      if (best == record.candidates.size() ||
          record.candidates[i].scores["total"] > record.candidates[best].scores["total"])
        best = i;
    }
    if (best == record.candidates.size()) {
      record.needs_person = Say(record, Cat("每条的", settings_.unique, "都已用在别的产品上"),
                                Cat("every ", settings_.unique, " is already used for another product"));
      return;
    }
    if (!settings_.unique.empty()) taken->insert(Key(record.candidates[best]));
    for (const std::string& trait : Traits(record.candidates[best])) ++(*used)[trait];
    record.ranking = {best};
  }

  // The runner-ups by maximal marginal relevance (Carbonell and Goldstein 1998), then the rest by their total.
  void Fill(recipe::Record& record, const std::set<std::string>& taken, std::map<std::string, size_t>* used) const {
    std::vector<size_t> rest;
    for (size_t i = 0; i < record.candidates.size(); ++i) {
      if (i != record.ranking[0]) rest.push_back(i);
    }
    std::stable_sort(rest.begin(), rest.end(), [&](size_t a, size_t b) {
      return record.candidates[a].scores["total"] > record.candidates[b].scores["total"];
    });
    std::vector<std::string> shown = {AllText(record.candidates[record.ranking[0]])};
    std::set<std::string> keys = taken, traits;
    for (const std::string& trait : Traits(record.candidates[record.ranking[0]])) traits.insert(trait);
    std::vector<double> nearest(record.candidates.size(), 0);
    std::vector<size_t> compared(record.candidates.size(), 0);
    const double best_total = record.candidates[record.ranking[0]].scores["total"];
    double least = best_total - settings_.within;  // relaxed where too few come so near
    while (record.ranking.size() < settings_.show) {
      size_t best = rest.size();
      double best_value = 0;
      for (size_t r = 0; r < rest.size(); ++r) {
        recipe::Candidate& candidate = record.candidates[rest[r]];
        if (candidate.scores["total"] < least) continue;
        if (!settings_.unique.empty() && keys.contains(Key(candidate))) continue;
        double& alike = nearest[rest[r]];
        for (size_t i = compared[rest[r]]; i < shown.size(); ++i)
          alike = std::max(alike, evaluate::CharacterJaccard(AllText(candidate), shown[i]));
        compared[rest[r]] = shown.size();
        double again = 0;  // traits that this card shows already, and patterns that other cards show
        for (const std::string& trait : Traits(candidate)) {
          again += traits.contains(trait) ? 1 : 0;
          const auto at = used->find(trait);
          if (at != used->end() && trait.find(".pattern=") != std::string::npos)
            again += 0.5 * std::min<double>(4, static_cast<double>(at->second));
        }
        const double value = candidate.scores["total"] - settings_.diversity * alike - settings_.repeat * again;
        if (best == rest.size() || value > best_value) {
          best = r;
          best_value = value;
        }
      }
      if (best == rest.size()) {
        if (least < 0) break;
        least = -1;
        continue;
      }
      record.ranking.push_back(rest[best]);
      keys.insert(Key(record.candidates[rest[best]]));
      shown.push_back(AllText(record.candidates[rest[best]]));
      for (const std::string& trait : Traits(record.candidates[rest[best]])) {
        traits.insert(trait);
        ++(*used)[trait];
      }
      rest.erase(rest.begin() + static_cast<ptrdiff_t>(best));
    }
    record.offered = record.ranking.size();
    record.ranking.insert(record.ranking.end(), rest.begin(), rest.end());
  }

  SelectSettings settings_;
};

}  // namespace

std::unique_ptr<recipe::Operator> MakeSelect(Table& step, const recipe::StepContext& context) {
  SelectSettings settings;
  std::vector<std::string> known = kOwn;
  known.insert(known.end(), context.earlier.begin(), context.earlier.end());
  Table weights = step.Sub("weights");
  for (const std::string& name : weights.Keys()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::string near = Nearest(name, known);
      weights.Refuse(name, "no score has this name",
                     near.empty() ? Cat("there are ", Join(known, ", ")) : Cat("did you mean '", near, "'?"));
    }
    settings.weights[name] = weights.Double(name, 0, 1000);
    if (const auto step_use = context.uses.find(name); step_use != context.uses.end() && step_use->second == "rank")
      settings.chances.insert(name);
  }
  if (settings.weights.empty()) step.Refuse("weights", "is empty", "weights = { coverage = 1.0 }");
  settings.diversity = step.DoubleOr("diversity", 0.5, 0, 100);
  settings.within = step.DoubleOr("within", 1, 0, 1);
  settings.repeat = step.DoubleOr("repeat", 0, 0, 100);
  settings.show = static_cast<size_t>(step.IntOr("show", 4, 1, 100));
  settings.unique = step.StringOr("unique", "");
  if (!settings.unique.empty()) RequireOutput(step, "unique", settings.unique, context);
  settings.headline = step.StringOr("headline", "headline");
  settings.body = step.StringOr("body", "body");
  settings.about.names = step.StringsOr("names", settings.about.names);
  settings.about.features = step.StringOr("features", settings.about.features);
  return std::make_unique<Select>(std::move(settings));
}

}  // namespace atelier::operators
