#include "experiment/measure_judge.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/str.h"

namespace atelier::experiment {
namespace {

class Judge : public Measure {
 public:
  struct Options {
    std::string named, recipe, variant, field;  // `named`: as the suite says it
    std::map<std::string, std::string> input;
    bool lower_is_better = false;
  };
  explicit Judge(Options options) : options_(std::move(options)), mean_(options_.lower_is_better) {}
  const evaluate::SumScore& score() const override { return mean_; }
  std::string signature() const override {
    return Cat("judge|", options_.named, "|hash:", hash_, "|variant:", options_.variant, "|field:", options_.field,
               "|input:", ToText(Json(options_.input)));
  }

  void Foresee(std::span<const Case* const> cases, Services& services) const override {
    const recipe::Recipe judge = services.Load(options_.recipe, options_.variant);
    for (const auto& [field, from] : options_.input) {
      if (judge.input.Find(field) == nullptr) {
        throw Error(Code::kInvalidInput, Cat("the judge ", options_.named, " has no input field ", Quote(field)));
      }
      const std::string name = from.substr(from.find('.') + 1);
      if (from.starts_with("case.") && !cases.empty() &&
          std::none_of(cases.begin(), cases.end(), [&](const Case* item) { return item->fields.contains(name); })) {
        throw Error(Code::kInvalidInput,
                    Cat("the judge ", options_.named, ": no case has a field ", Quote(name), " for ", field));
      }
    }
    if (!judge.output.empty() &&
        std::none_of(judge.output.begin(), judge.output.end(),
                     [&](const recipe::OutputField& one) { return one.name == options_.field; })) {
      throw Error(Code::kInvalidInput,
                  Cat("the judge ", options_.named, " has no output field ", Quote(options_.field)));
    }
  }
  std::vector<Value> Look(std::span<const Subject> subjects, Services& services,
                          evaluate::LineCounts* counts) override {
    std::vector<Value> values(subjects.size());
    std::vector<Json> inputs;
    std::vector<size_t> judged;
    for (size_t i = 0; i < subjects.size(); ++i) {
      if (subjects[i].output->there()) {
        inputs.push_back(Input(subjects[i]));
        judged.push_back(i);
      } else {
        values[i].counted = false;
        values[i].reason = subjects[i].output->NoOutput();
      }
    }
    const recipe::Recipe judge = services.Load(options_.recipe, options_.variant);
    hash_ = judge.hash;
    const std::vector<Output> outputs = services.Make(judge, inputs);
    for (size_t j = 0; j < judged.size(); ++j) {
      Value& value = values[judged[j]];
      const std::optional<double> number = Judgement(outputs[j], &value.reason);
      value.counted = number.has_value();
      if (!number) continue;
      value.value = *number;
      MeanScore::Count(*number, counts->Add());
    }
    Doubt(values, services);
    return values;
  }

 private:
  // A judge that says the same of everything tells nothing apart.
  void Doubt(const std::vector<Value>& values, Services& services) const {
    constexpr size_t kFewest = 5;
    size_t judged = 0;
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (const Value& value : values) {
      if (!value.counted) continue;
      ++judged;
      low = std::min(low, value.value);
      high = std::max(high, value.value);
    }
    if (judged < kFewest || high - low > 0.01 * std::abs(high)) return;
    services.Tell(
        Cat("the judge ", options_.named, " says ", low, " of all ", judged, " outputs: it tells nothing apart"));
  }

  Json Input(const Subject& subject) const {
    Json input = Json::object();
    for (const auto& [field, from] : options_.input) {
      const bool of_case = from.starts_with("case.");
      const std::string name = from.substr(of_case ? 5 : 7);
      const Json& source = of_case ? subject.item->fields : subject.output->fields;
      const auto at = source.find(name);
      if (at != source.end()) input[field] = *at;
    }
    return input;
  }

  std::optional<double> Judgement(const Output& output, Note* reason) const {
    if (!output.there()) {
      const Note why = output.Absence();
      *reason = {Cat("the judge ", options_.named, " gave no judgement: ", why.en),
                 Cat("评审 ", options_.named, " 没有给出评分：", why.zh)};
      return std::nullopt;
    }
    const auto at = output.fields.find(options_.field);
    std::optional<double> number;
    if (at != output.fields.end() && at->is_number()) number = at->get<double>();
    if (at != output.fields.end() && at->is_string()) number = ParseDouble(Trim(at->get_ref<const std::string&>()));
    if (number && MeanScore::CanCount(*number)) return number;
    const bool missing = at == output.fields.end();
    const std::string said = missing ? "" : Quote(at->is_string() ? at->get<std::string>() : ToText(*at));
    *reason = {Cat("the judge ", options_.named, " says ", missing ? "nothing" : said, " for ", options_.field,
                   ", which is no number"),
               Cat("评审 ", options_.named, " 的 ", options_.field, missing ? " 是空的" : " 是 ", said, "，不是数")};
    return std::nullopt;
  }

  Options options_;
  std::string hash_;
  MeanScore mean_;
};

}  // namespace

std::unique_ptr<Measure> MakeJudge(Table& table, const MeasureContext& context) {
  Judge::Options options;
  options.named = options.recipe = table.String("recipe");
  if (!options.recipe.starts_with('/') && options.recipe.find('/') != std::string::npos)
    options.recipe = Cat(context.folder, "/", options.recipe);
  options.variant = table.StringOr("variant", "");
  options.field = table.String("field");
  options.lower_is_better = table.BoolOr("lower_is_better", false);
  Table input = table.Sub("input");
  for (const std::string& field : input.Keys()) {
    const std::string from = input.String(field);
    if (!from.starts_with("case.") && !from.starts_with("output.")) {
      input.Refuse(field, Cat(Quote(from), " is neither of the case nor of the output"), "case.NAME or output.NAME");
    }
    if (from.starts_with("output.")) RequireOutput(input, field, from.substr(7), context);
    options.input[field] = from;
  }
  input.Done();
  return std::make_unique<Judge>(std::move(options));
}

}  // namespace atelier::experiment
