#include "operators/score.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "operators/fields.h"
#include "operators/model_loop.h"
#include "operators/per_language.h"

namespace atelier::operators {
namespace {

struct ScoreSettings {
  PerLanguage model;
  bool optional = false;
  std::vector<std::string> fields;
  size_t most = 48;
  double contrast = 0;
};

class Score : public recipe::Operator {
 public:
  Score(std::string id, ScoreSettings settings, std::map<std::string, text::Template> before,
        std::map<std::string, text::Template> blank)
      : id_(std::move(id)), settings_(std::move(settings)), before_(std::move(before)), blank_(std::move(blank)) {}

  void Apply(recipe::Run& run, std::span<const size_t> records, int) override {
    ForEachRecord(
        run, {id_, settings_.model, settings_.optional}, records,
        [&](artefact::Generator& model, const std::string&, recipe::Record& record, const artefact::StreamFn&) {
          Rate(model, record);
        },
        [](const recipe::Record& record) { return !record.candidates.empty(); });
  }

 private:
  // Indices of at most `most` candidates, one of each writer in turn, so that no writer crowds the others out.
  std::vector<size_t> Chosen(const recipe::Record& record) const {
    std::map<std::string, std::vector<size_t>> by_writer;
    for (size_t i = 0; i < record.candidates.size(); ++i) by_writer[record.candidates[i].writer].push_back(i);
    // Where an earlier step rated them, the best of each writer come first.
    for (auto& [writer, indices] : by_writer) {
      const auto total = [&](size_t i) {
        const auto at = record.candidates[i].scores.find("total");
        return at == record.candidates[i].scores.end() ? 0.0 : at->second;
      };
      std::stable_sort(indices.begin(), indices.end(), [&](size_t a, size_t b) { return total(a) > total(b); });
    }
    std::vector<size_t> chosen;
    for (size_t round = 0; chosen.size() < std::min(settings_.most, record.candidates.size()); ++round) {
      for (const auto& [writer, indices] : by_writer) {
        if (round < indices.size() && chosen.size() < settings_.most) chosen.push_back(indices[round]);
      }
    }
    return chosen;
  }

  void Rate(artefact::Generator& model, recipe::Record& record) {
    const std::vector<size_t> chosen = Chosen(record);
    std::vector<std::string> texts;
    for (const size_t i : chosen) {
      std::string text;
      for (const std::string& field : settings_.fields) {
        const auto at = record.candidates[i].output.find(field);
        if (at == record.candidates[i].output.end() || !at->is_string()) continue;
        if (!text.empty()) text += "\n";
        text += at->get_ref<const std::string&>();
      }
      texts.push_back(std::move(text));
    }
    const Json context = RecordContext(record);
    const std::vector<double> with = Means(model, before_.at(record.lang).Render(context), texts);
    std::vector<double> without(texts.size(), 0);
    if (settings_.contrast != 0) without = Means(model, blank_.at(record.lang).Render(context), texts);
    for (size_t i = 0; i < chosen.size(); ++i) {
      record.candidates[chosen[i]].scores[id_] = with[i] - settings_.contrast * without[i];
    }
  }

  static std::vector<double> Means(artefact::Generator& model, const std::string& prefix,
                                   const std::vector<std::string>& texts) {
    std::vector<double> means;
    for (const artefact::Scored& scored : model.Score(prefix, texts)) {
      means.push_back(scored.tokens > 0 ? scored.sum_logprob / scored.tokens : 0);
    }
    return means;
  }

  std::string id_;
  ScoreSettings settings_;
  std::map<std::string, text::Template> before_, blank_;
};

}  // namespace

std::unique_ptr<recipe::Operator> MakeScore(Table& step, const recipe::StepContext& context) {
  ScoreSettings settings;
  settings.model = ReadPerLanguage(step, "model");
  settings.optional = step.BoolOr("optional", false);
  settings.fields = step.Strings("fields");
  for (const std::string& field : settings.fields) RequireOutput(step, "fields", field, context);
  if (settings.fields.empty()) step.Refuse("fields", "is empty");
  settings.most = static_cast<size_t>(step.IntOr("most", 48, 1, 100'000));
  settings.contrast = step.DoubleOr("contrast", 0, 0, 1);
  std::map<std::string, text::Template> before = ReadTemplates(step, "template", context), blank;
  if (step.Has("blank")) blank = ReadTemplates(step, "blank", context);
  RequireTemplates(step, before, settings.model);
  for (const auto& [lang, model] : settings.model) {
    if (settings.contrast != 0 && !blank.contains(lang))
      step.Refuse("contrast", Cat("wants a `blank` template for ", lang));
  }
  return std::make_unique<Score>(context.id, std::move(settings), std::move(before), std::move(blank));
}

}  // namespace atelier::operators
