#include "experiment/measure_outcome.h"

#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/str.h"
#include "evaluate/repetition.h"
#include "text/unicode.h"

namespace atelier::experiment {
namespace {

// An output field as a number; nothing, with a reason, where it is none.
std::optional<double> FieldNumber(const Output& output, const std::string& field, Note* reason) {
  if (!output.there()) {
    *reason = output.NoOutput();
    return std::nullopt;
  }
  const auto at = output.fields.find(field);
  if (at != output.fields.end()) {
    if (at->is_number()) return at->get<double>();
    if (at->is_string()) {
      if (const std::optional<double> number = ParseDouble(Trim(at->get_ref<const std::string&>()))) return number;
    }
  }
  if (at == output.fields.end()) {
    *reason = {Cat(field, " is missing"), Cat("没有 ", field)};
  } else {
    const std::string said = Quote(at->is_string() ? at->get<std::string>() : ToText(*at));
    *reason = {Cat(field, " is no number: ", said), Cat(field, " 不是数：", said)};
  }
  return std::nullopt;
}

class Answered : public Assertion {
 public:
  explicit Answered(bool expect) : Assertion(Cat("answered|expect:", expect ? "yes" : "no")), expect_(expect) {}

 private:
  Note Check(const Case&, const Output& output) const override {
    if (!output.error.empty()) return output.Absence();  // neither is a failure
    if (output.there() == expect_) return {};
    if (expect_) return output.Absence();
    const std::string said = Quote(ToText(output.fields));
    return {Cat("there is an output: ", said), Cat("有输出：", said)};
  }
  bool expect_;
};

class Within : public Assertion {
 public:
  Within(std::string field, double from, double to)
      : Assertion(Cat("within|of:", field, "|", from, "..", to)), field_(std::move(field)), from_(from), to_(to) {}

 private:
  Note Check(const Case&, const Output& output) const override {
    Note reason;
    const std::optional<double> number = FieldNumber(output, field_, &reason);
    if (!number) return reason;
    if (*number >= from_ && *number <= to_) return {};
    return {Cat(field_, " is ", *number, ", not within ", from_, " and ", to_),
            Cat(field_, " 是 ", *number, "，不在 ", from_, " 与 ", to_, " 之间")};
  }
  std::string field_;
  double from_, to_;
};

// A number by a function; most metrics are no more than that.
class NumberBy : public Number {
 public:
  using Fn = std::function<std::optional<double>(const Output& output, Note* reason)>;
  NumberBy(const std::string& signature, bool lower_is_better, Fn fn)
      : Number(signature, lower_is_better), fn_(std::move(fn)) {}

 private:
  std::optional<double> Of(const Case&, const Output& output, Note* reason) const override {
    return fn_(output, reason);
  }
  Fn fn_;
};

std::unique_ptr<Measure> OfText(std::vector<std::string> of, const std::string& what, bool lower_is_better,
                                std::function<double(const std::string& text)> measure) {
  const std::string signature = Cat(what, "|of:", Join(of, ","));
  return std::make_unique<NumberBy>(
      signature, lower_is_better,
      [of = std::move(of), measure = std::move(measure)](const Output& output, Note* reason) {
        std::optional<double> number;
        if (output.there()) {
          number = measure(TextOf(output, of));
        } else {
          *reason = output.NoOutput();
        }
        return number;
      });
}

// What making an output took.
std::unique_ptr<Measure> OfMaking(const std::string& what, double (*measure)(const Output& output)) {
  return std::make_unique<NumberBy>(what, true, [measure](const Output& output, Note* reason) {
    if (output.timed()) return std::optional(measure(output));
    *reason = output.NoOutput();
    if (output.error.empty()) *reason = {"the output was there already, in a file", "输出是文件里现成的"};
    return std::optional<double>();
  });
}

std::string OneOf(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  if (of.size() != 1) table.Refuse("of", "names more than one field");
  return of[0];
}

}  // namespace

std::unique_ptr<Measure> MakeAnswered(Table& table, const MeasureContext&) {
  return std::make_unique<Answered>(table.BoolOr("expect", true));
}

std::unique_ptr<Measure> MakeWithin(Table& table, const MeasureContext& context) {
  std::string field = OneOf(table, context);
  const double from = table.DoubleOr("from", -HUGE_VAL), to = table.DoubleOr("to", HUGE_VAL);
  if (from > to) table.Refuse("to", "is below `from`");
  return std::make_unique<Within>(std::move(field), from, to);
}

std::unique_ptr<Measure> MakeField(Table& table, const MeasureContext& context) {
  const std::string field = OneOf(table, context);
  const bool lower = table.BoolOr("lower_is_better", false);
  return std::make_unique<NumberBy>(Cat("field|of:", field), lower, [field](const Output& output, Note* reason) {
    return FieldNumber(output, field, reason);
  });
}

std::unique_ptr<Measure> MakeScore(Table& table, const MeasureContext&) {
  const std::string name = table.StringOr("score", "total");
  const bool lower = table.BoolOr("lower_is_better", false);
  return std::make_unique<NumberBy>(Cat("score|", name), lower, [name](const Output& output, Note* reason) {
    const auto at = output.scores.find(name);
    if (at != output.scores.end()) return std::optional(at->second);
    *reason = output.NoOutput();
    if (output.there()) *reason = {Cat("the recipe gives no score ", Quote(name)), Cat("配方没有给分 ", Quote(name))};
    return std::optional<double>();
  });
}

std::unique_ptr<Measure> MakeChars(Table& table, const MeasureContext& context) {
  return OfText(ReadOf(table, context), "chars", false,
                [](const std::string& text) { return static_cast<double>(text::CountChars(text)); });
}

std::unique_ptr<Measure> MakeSeconds(Table&, const MeasureContext&) {
  return OfMaking("seconds", [](const Output& output) { return output.seconds; });
}

std::unique_ptr<Measure> MakeTokens(Table&, const MeasureContext&) {
  return OfMaking("tokens", [](const Output& output) { return static_cast<double>(output.tokens); });
}

std::unique_ptr<Measure> MakeRepetition(Table& table, const MeasureContext& context) {
  std::vector<std::string> of = ReadOf(table, context);
  const auto n = static_cast<size_t>(table.IntOr("n", 4, 1, 20));
  return OfText(std::move(of), Cat("repetition|n:", n), true,
                [n](const std::string& text) { return evaluate::RepetitionRate(text, n); });
}

}  // namespace atelier::experiment
