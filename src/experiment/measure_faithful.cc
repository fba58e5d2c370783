#include "experiment/measure_faithful.h"

#include "base/error.h"
#include "base/str.h"
#include "evaluate/faithful.h"

namespace atelier::experiment {
namespace {

std::vector<std::string> ReadSource(Table& table) {
  std::vector<std::string> source = table.StringOrStrings("source");
  if (source.empty()) table.Refuse("source", "names no field of the case");
  return source;
}

// The case's fields as one text. One that a case does not have says nothing.
std::string SourceOf(const Case& item, const std::vector<std::string>& fields) {
  std::vector<std::string> texts;
  for (const std::string& field : fields) {
    if (!item.fields.contains(field)) continue;
    for (std::string& text : TextsOf(item, field)) texts.push_back(std::move(text));
  }
  return Join(texts, "\n");
}

class Faithful : public Assertion {
 public:
  Faithful(std::vector<std::string> of, std::vector<std::string> source)
      : Assertion(Cat("faithful|of:", Join(of, ","), "|source:", Join(source, ","))),
        of_(std::move(of)),
        source_(std::move(source)) {}

 private:
  Note Check(const Case& item, const Output& output) const override {
    if (!output.there()) return output.NoOutput();
    std::vector<std::string> found;
    for (const evaluate::Unsupported& one : evaluate::FindUnsupported(TextOf(output, of_), SourceOf(item, source_))) {
      found.push_back(Quote(one.text));
    }
    if (found.empty()) return {};
    return {Cat("the source does not say ", Join(found, ", ")), Cat("来源里没有 ", Join(found, "、"))};
  }
  std::vector<std::string> of_, source_;
};

class SupportMeasure : public Measure {
 public:
  SupportMeasure(std::vector<std::string> of, std::vector<std::string> source,
                 std::shared_ptr<artefact::Embedder> embedder)
      : of_(std::move(of)), source_(std::move(source)), embedder_(std::move(embedder)) {}
  const evaluate::SumScore& score() const override { return mean_; }
  std::string signature() const override {
    return Cat("support|of:", Join(of_, ","), "|source:", Join(source_, ","), "|model:", embedder_->info().name, "-",
               embedder_->info().hash.substr(0, 16));
  }
  std::vector<Value> Look(std::span<const Subject> subjects, Services&, evaluate::LineCounts* counts) override {
    std::vector<std::string> texts, sources;
    for (const Subject& subject : subjects) {
      texts.push_back(TextOf(*subject.output, of_));
      sources.push_back(SourceOf(*subject.item, source_));
    }
    const std::vector<std::string_view> text_views(texts.begin(), texts.end());
    const std::vector<std::string_view> source_views(sources.begin(), sources.end());
    const std::vector<std::optional<evaluate::Support>> supports =
        evaluate::MeasureSupport(*embedder_, text_views, source_views);
    std::vector<Value> values(subjects.size());
    for (size_t i = 0; i < subjects.size(); ++i) {
      const std::optional<evaluate::Support>& support = supports[i];
      Value& value = values[i];
      value.counted = support.has_value();
      if (!support) {
        const Output& output = *subjects[i].output;
        value.reason = output.NoOutput();
        if (output.there()) value.reason = {"the text or its source says nothing", "文字或来源是空的"};
        continue;
      }
      value.value = support->least;
      const std::string sentence = Quote(texts[i].substr(support->begin, support->end - support->begin));
      value.reason = {Cat("least support: ", sentence), Cat("最少支持：", sentence)};
      MeanScore::Count(support->least, counts->Add());
    }
    return values;
  }

 private:
  std::vector<std::string> of_, source_;
  std::shared_ptr<artefact::Embedder> embedder_;
  MeanScore mean_;
};

}  // namespace

std::unique_ptr<Measure> MakeFaithful(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  return std::make_unique<Faithful>(std::move(of), ReadSource(table));
}

std::unique_ptr<Measure> MakeSupport(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  std::vector<std::string> source = ReadSource(table);
  return std::make_unique<SupportMeasure>(std::move(of), std::move(source), ReadEmbedder(table, context));
}

}  // namespace atelier::experiment
