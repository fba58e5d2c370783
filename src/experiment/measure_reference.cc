#include "experiment/measure_reference.h"

#include <algorithm>

#include "base/str.h"
#include "evaluate/reference_metrics.h"

namespace atelier::experiment {
namespace {

// A metric's settings as keys of a table.
class TableSettings : public evaluate::MetricSettings {
 public:
  TableSettings(Table& table, evaluate::WordSourceFn words) : table_(table), words_(std::move(words)) {}
  void Choice(const std::string& name, std::string* value, const std::vector<std::string>& choices,
              const std::string&) override {
    *value = table_.StringOr(Key(name), *value);
    if (std::find(choices.begin(), choices.end(), *value) == choices.end()) {
      table_.Refuse(Key(name), Cat("there is no ", Quote(*value)), Join(choices, ", "));
    }
  }
  void Flag(const std::string& name, bool* value, const std::string&) override {
    *value = table_.BoolOr(Key(name), *value);
  }
  void Int(const std::string& name, int64_t* value, const std::string&, int64_t least, int64_t most) override {
    *value = table_.IntOr(Key(name), *value, least, most);
  }
  void Number(const std::string& name, std::optional<double>* value, const std::string&, double least,
              double most) override {
    if (table_.Has(Key(name))) *value = table_.Double(Key(name), least, most);
  }

 private:
  void Text(const std::string& name, std::string* value, const std::string&) override {
    *value = table_.StringOr(Key(name), *value);
  }
  void Words(evaluate::WordSourceFn* words) override { *words = words_; }
  static std::string Key(const std::string& name) { return ReplaceAll(name, "-", "_"); }
  Table& table_;
  evaluate::WordSourceFn words_;
};

class Reference : public Measure {
 public:
  Reference(std::unique_ptr<evaluate::ReferenceMetric> metric, size_t which, std::vector<std::string> of,
            std::string reference)
      : metric_(std::move(metric)), which_(which), of_(std::move(of)), reference_(std::move(reference)) {}
  const evaluate::SumScore& score() const override { return *metric_; }
  size_t which() const override { return which_; }
  std::string signature() const override {
    return Cat(metric_->title(), " ", metric_->names()[which_], "|of:", Join(of_, ","), "|reference:", reference_, "|",
               metric_->Fields(false), "|version:", metric_->version());
  }
  void Foresee(std::span<const Case* const> cases, Services&) const override {
    for (const Case* item : cases) TextsOf(*item, reference_);
  }
  std::vector<Value> Look(std::span<const Subject> subjects, Services&, evaluate::LineCounts* counts) override {
    std::vector<std::vector<std::string>> references;  // [subject]
    std::vector<std::string> texts;
    size_t most = 1;
    for (const Subject& subject : subjects) {
      references.push_back(TextsOf(*subject.item, reference_));
      std::erase_if(references.back(), [](const std::string& text) { return Trim(text).empty(); });
      texts.push_back(TextOf(*subject.output, of_));
      most = std::max(most, references.back().size());
    }
    Prepare(texts, references, most);
    std::vector<Value> values;
    for (size_t i = 0; i < subjects.size(); ++i) {
      Value value;
      if (references[i].empty()) {
        value.counted = false;
        value.reason = {Cat("the case's ", reference_, " is empty"), Cat("用例的 ", reference_, " 是空的")};
      } else {
        const std::vector<std::string_view> views(references[i].begin(), references[i].end());
        int64_t* row = counts->Add();
        metric_->Count(texts[i], views, row);
        value.value = metric_->LineScore({row, metric_->width()}, which_);
        const Output& output = *subjects[i].output;
        if (!output.there()) value.reason = output.NoOutput();
      }
      values.push_back(std::move(value));
    }
    return values;
  }

 private:
  // A metric may learn from the whole or work in batches. A case with fewer references than another has its first one
  // again.
  void Prepare(const std::vector<std::string>& texts, const std::vector<std::vector<std::string>>& references,
               size_t most) {
    std::vector<std::string_view> hypotheses;
    std::vector<std::vector<std::string_view>> all(most);
    for (size_t i = 0; i < texts.size(); ++i) {
      if (references[i].empty()) continue;
      hypotheses.push_back(texts[i]);
      for (size_t r = 0; r < most; ++r) all[r].push_back(references[i][r < references[i].size() ? r : 0]);
    }
    if (!hypotheses.empty()) metric_->Prepare(hypotheses, all, nullptr);
  }

  std::unique_ptr<evaluate::ReferenceMetric> metric_;
  size_t which_;
  std::vector<std::string> of_;
  std::string reference_;
};

}  // namespace

std::unique_ptr<Measure> MakeReference(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  std::string reference = table.String("reference");
  const std::unique_ptr<evaluate::MetricRequest> request = evaluate::RequestMetric(table.String("use"));
  TableSettings settings(table, context.tools.words);
  request->Declare(settings);
  if (request->wants_embedder()) request->Use(ReadEmbedder(table, context));
  std::unique_ptr<evaluate::ReferenceMetric> metric = request->Make();
  const std::vector<std::string> names = metric->names();
  const std::string wanted = table.StringOr("score", names[0]);
  const auto at = std::find(names.begin(), names.end(), wanted);
  if (at == names.end()) table.Refuse("score", Cat("the metric has no ", Quote(wanted)), Join(names, ", "));
  return std::make_unique<Reference>(std::move(metric), static_cast<size_t>(at - names.begin()), std::move(of),
                                     std::move(reference));
}

}  // namespace atelier::experiment
