#include "experiment/measure.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::experiment {

double MeanScore::Score(std::span<const int64_t> sum, size_t) const {
  if (sum[2] == 0) return 0;
  return (static_cast<double>(sum[0]) + static_cast<double>(sum[1]) / static_cast<double>(evaluate::kScoreUnit)) /
         static_cast<double>(sum[2]);
}

void MeanScore::Count(double value, int64_t* counts) {
  const double whole = std::floor(value);
  counts[0] = static_cast<int64_t>(whole);
  counts[1] = evaluate::ScoreUnits(value - whole);
  counts[2] = 1;
}

bool MeanScore::CanCount(double value) { return std::abs(value) <= 1e12; }

std::vector<Value> Assertion::Look(std::span<const Subject> subjects, Services&, evaluate::LineCounts* counts) {
  std::vector<Value> values;
  for (const Subject& subject : subjects) {
    Value value;
    value.reason = Check(*subject.item, *subject.output);
    value.held = value.reason.empty();
    value.value = value.held ? 1 : 0;
    MeanScore::Count(value.value, counts->Add());
    values.push_back(std::move(value));
  }
  return values;
}

std::vector<Value> Number::Look(std::span<const Subject> subjects, Services&, evaluate::LineCounts* counts) {
  std::vector<Value> values;
  for (const Subject& subject : subjects) {
    Value value;
    const std::optional<double> number = Of(*subject.item, *subject.output, &value.reason);
    value.counted = number && MeanScore::CanCount(*number);
    if (value.counted) {
      value.value = *number;
      MeanScore::Count(*number, counts->Add());
    } else if (number) {
      value.reason = {Cat(*number, " is no number to count with"), Cat(*number, " 不是可以计入的数")};
    }
    values.push_back(std::move(value));
  }
  return values;
}

void RequireOutput(const Table& table, const std::string& key, const std::string& name, const MeasureContext& context) {
  if (std::find(context.outputs.begin(), context.outputs.end(), name) != context.outputs.end()) return;
  const std::string near = Nearest(name, context.outputs);
  table.Refuse(key, Cat("the recipe has no output field ", Quote(name)),
               near.empty() ? Cat("it has ", Join(context.outputs, ", ")) : Cat("did you mean '", near, "'?"));
}

std::vector<std::string> ReadOf(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = table.StringOrStrings("of");
  if (of.empty()) table.Refuse("of", "names no output field");
  for (const std::string& name : of) RequireOutput(table, "of", name, context);
  return of;
}

std::shared_ptr<artefact::Embedder> ReadEmbedder(Table& table, const MeasureContext& context) {
  const std::string name = table.StringOr("model", "e5-small");
  if (!context.tools.embedder) table.Refuse("model", "there are no encoders here");
  return context.tools.embedder(name);
}

Wanted ReadWanted(Table& table) {
  Wanted wanted;
  if (table.Has("text")) wanted.texts = table.StringOrStrings("text");
  if (table.Has("field")) wanted.fields = table.StringOrStrings("field");
  wanted.fold = table.BoolOr("fold", true);
  if (wanted.texts.empty() && wanted.fields.empty()) {
    table.Refuse("text", "says nothing to look for", "text = \"...\", or field = \"...\" of the case");
  }
  return wanted;
}

std::vector<std::string> WantedOf(const Wanted& wanted, const Case& item) {
  std::vector<std::string> all = wanted.texts;
  for (const std::string& field : wanted.fields) {
    for (std::string& text : TextsOf(item, field)) all.push_back(std::move(text));
  }
  for (const std::string& text : all) {
    if (Folded(wanted, text).empty()) {
      throw Error(Code::kInvalidInput, Cat(item.where, ": what is looked for is empty"),
                  "every text holds it; leave such cases out with `where`");
    }
  }
  return all;
}

std::string Folded(const Wanted& wanted, std::string_view text) {
  return wanted.fold ? text::FoldForComparison(text) : std::string(text);
}

std::string Describe(const Wanted& wanted) {
  return Cat("text:", ToText(Json(wanted.texts)), "|field:", Join(wanted.fields, ","),
             "|fold:", wanted.fold ? "yes" : "no");
}

}  // namespace atelier::experiment
