#include "operators/judge.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/str.h"
#include "operators/fields.h"
#include "operators/judge_answer.h"
#include "operators/model_loop.h"
#include "operators/per_language.h"
#include "operators/prompt.h"

namespace atelier::operators {
namespace {

struct JudgeSettings {
  PerLanguage model;
  bool chat = false, expected = true, pairwise = false;
  int samples = 1;
  double temperature = 0, least_mass = 0;
  std::string reason;  // output field; "": none is asked for
  size_t reason_chars = 0;
  std::string overall;
  std::vector<std::string> pair;
  std::vector<Criterion> criteria;
};

// What one asking brought.
struct Asked {
  std::vector<JudgeAnswer> answers;              // those that are answers
  std::string why;                               // of the first that is none
  std::vector<double> drawn;                     // [criterion], mean of the answers' values
  std::vector<Expected> expected;                // [criterion]; empty where the model cannot score
  std::vector<std::vector<double>> probability;  // [criterion][answer]
  uint64_t seed = 0;
  int prompt_tokens = 0, output_tokens = 0;
};

// A record that is not judged, and why.
struct Unjudged {
  std::string why;
};

std::string Where(const recipe::Record& record) {
  return record.line > 0 ? Cat("record ", record.index + 1, " (line ", record.line, ")")
                         : Cat("record ", record.index + 1);
}

double Rounded(double value) { return std::round(value * 1e4) / 1e4; }

class Judge : public recipe::Operator {
 public:
  Judge(std::string id, JudgeSettings settings, std::map<std::string, text::Template> templates)
      : id_(std::move(id)), settings_(std::move(settings)), templates_(std::move(templates)) {}

  void Apply(recipe::Run& run, std::span<const size_t> records, int attempt) override {
    seed_ = run.seed();
    size_t unjudged = 0;
    ForEachRecord(run, {id_, settings_.model}, records,
                  [&](artefact::Generator& model, const std::string& name, recipe::Record& record,
                      const artefact::StreamFn& going) {
                    if (!Rate(run, model, name, record, attempt, going) && unjudged++ < kMostNamed)
                      run.Note(Cat(id_, ": ", Where(record), ": ", record.needs_person));
                  });
    std::map<std::string, std::vector<const recipe::Candidate*>> judged;  // by model
    for (const size_t index : records) {
      const recipe::Record& record = run.records().at(index);
      for (const recipe::Candidate& candidate : record.candidates) {
        if (candidate.writer == id_) judged[candidate.model].push_back(&candidate);
      }
    }
    for (const auto& [name, candidates] : judged) Doubt(run, name, candidates);
    if (unjudged > kMostNamed) run.Note(Cat(id_, ": ", unjudged - kMostNamed, " more records could not be judged"));
  }

 private:
  static constexpr size_t kMostNamed = 5, kFewest = 5;

  // False, and the record needs a person, where there is no score to give.
  bool Rate(recipe::Run& run, artefact::Generator& model, const std::string& name, recipe::Record& record, int attempt,
            const artefact::StreamFn& going) {
    recipe::Candidate candidate;
    candidate.writer = id_;
    candidate.attempt = attempt;
    candidate.model = name;
    candidate.model_hash = model.info().hash;
    candidate.output = Json::object();
    candidate.choices = {{"temperature", settings_.temperature}, {"samples", settings_.samples}};
    const double started = MonotonicSeconds();
    try {
      std::vector<Asked> asked;
      for (int order = 0; order < (settings_.pairwise ? 2 : 1); ++order) {
        asked.push_back(Ask(run, model, record, attempt, order, going));
        candidate.seed = asked[0].seed;
        candidate.prompt_tokens += asked.back().prompt_tokens;
        candidate.output_tokens += asked.back().output_tokens;
        candidate.choices[order == 0 ? "answers" : "answers_swapped"] = AnswersOf(asked.back());
        candidate.choices[order == 0 ? "probabilities" : "probabilities_swapped"] = ProbabilitiesOf(asked.back());
        Require(asked.back(), record.lang == "zh");
      }
      settings_.pairwise ? Compare(asked[0], asked[1], &candidate) : Fill(asked[0], &candidate);
    } catch (const Unjudged& unjudged) {
      candidate.seconds = MonotonicSeconds() - started;
      candidate.output = Json::object();
      candidate.checks.push_back({.check = id_, .passed = false, .reason = unjudged.why, .margin = 0});
      record.needs_person = unjudged.why;
      record.dropped.push_back(std::move(candidate));
      return false;
    }
    candidate.seconds = MonotonicSeconds() - started;
    record.candidates.push_back(std::move(candidate));
    if (record.candidates.size() == 1) {
      record.ranking = {0};
      record.offered = 1;
    }
    return true;
  }

  Asked Ask(recipe::Run& run, artefact::Generator& model, const recipe::Record& record, int attempt, int order,
            const artefact::StreamFn& going) {
    artefact::GenerateRequest request;
    request.prompt = Prompt(model, templates_.at(record.lang).Render(Context(record, order)), settings_.chat);
    request.parse_special = settings_.chat;
    request.samples = settings_.samples;
    request.max_tokens = 32 + 4 * static_cast<int>(settings_.reason_chars);
    for (const Criterion& criterion : settings_.criteria)
      request.max_tokens += 16 + static_cast<int>(criterion.name.size() + criterion.answers.back().size());
    request.sampling.temperature = settings_.temperature;
    request.seed = Hash64(Cat(id_, "/", record.index, "/", attempt, "/", order), seed_);
    request.constraint = {artefact::ConstraintSpec::Kind::kJsonSchema,
                          ToText(AnswerSchema(settings_.criteria, settings_.reason, settings_.reason_chars)),
                          {}};
    Asked asked;
    asked.seed = request.seed;
    try {
      const artefact::GenerateResult result = std::move(artefact::GenerateAll(model, {request}, going)[0]);
      asked.prompt_tokens = result.prompt_tokens;
      for (const artefact::Generated& sample : result.samples) {
        std::string why;
        asked.output_tokens += static_cast<int>(sample.tokens.size());
        auto answer = ReadAnswer(sample, settings_.criteria, settings_.reason, record.lang == "zh", &why);
        if (answer) asked.answers.push_back(std::move(*answer));
        if (!answer && asked.why.empty()) asked.why = why;
      }
      if (!asked.answers.empty()) Weigh(run, model, request.prompt, &asked);
    } catch (const Error& e) {
      if (e.code() != Code::kInvalidInput) throw;  // a prompt that the context does not hold is this record's fault
      throw Unjudged{e.Line()};
    }
    return asked;
  }

  // The drawn scores, and the expected ones. Where reasons are written each answer's own leads to them; without, the
  // likeliest answers do, so that nothing drawn matters.
  void Weigh(recipe::Run& run, artefact::Generator& model, const std::string& prompt, Asked* asked) const {
    const std::vector<Criterion>& criteria = settings_.criteria;
    const auto answers = static_cast<double>(asked->answers.size());
    for (size_t c = 0; c < criteria.size(); ++c) {
      double sum = 0;
      for (const JudgeAnswer& answer : asked->answers) sum += criteria[c].values[answer.places[c]];
      asked->drawn.push_back(sum / answers);
    }
    std::vector<JudgeAnswer> leads(1);
    leads[0].places.resize(criteria.size());
    if (!settings_.reason.empty()) leads = asked->answers;
    try {
      for (size_t c = 0; c < criteria.size(); ++c) {
        std::vector<double> mean(criteria[c].answers.size(), 0);
        for (JudgeAnswer& lead : leads) {
          const std::vector<double> given = AnswerProbabilities(
              model, Cat(prompt, AnswerUpTo(criteria, c, lead, settings_.reason)), criteria[c], settings_.chat);
          for (size_t i = 0; i < mean.size(); ++i) mean[i] += given[i] / static_cast<double>(leads.size());
          if (settings_.reason.empty())
            lead.places[c] = static_cast<size_t>(std::max_element(given.begin(), given.end()) - given.begin());
        }
        asked->expected.push_back(ExpectedScore(mean, criteria[c].values));
        asked->probability.push_back(std::move(mean));
      }
    } catch (const Error& e) {
      if (e.code() != Code::kUnsupported) throw;
      asked->expected.clear();
      asked->probability.clear();
      run.Note(Cat(id_, ": drawn scores only: ", e.Line()));
    }
  }

  // Throws Unjudged unless there is an answer, and the model means the scale.
  void Require(const Asked& asked, bool zh) const {
    if (asked.answers.empty()) throw Unjudged{asked.why};
    for (size_t c = 0; c < asked.expected.size(); ++c) {
      const Expected& expected = asked.expected[c];
      const std::string& name = settings_.criteria[c].name;
      if (expected.mass >= settings_.least_mass && std::isfinite(expected.value)) continue;
      throw Unjudged{zh ? Cat("评分模型给“", name, "”各档的概率合计只有 ", FormatFixed(expected.mass, 4), "，至少要 ",
                              settings_.least_mass)
                        : Cat("the judge gives the answers to ", Quote(name), " a probability of ",
                              FormatFixed(expected.mass, 4), " together, at least ", settings_.least_mass,
                              " is needed")};
    }
  }

  void Fill(const Asked& asked, recipe::Candidate* candidate) const {
    std::vector<double> values;
    for (size_t c = 0; c < settings_.criteria.size(); ++c) {
      const std::string& name = settings_.criteria[c].name;
      const bool expected = settings_.expected && !asked.expected.empty();
      values.push_back(Rounded(expected ? asked.expected[c].value : asked.drawn[c]));
      candidate->output[name] = values.back();
      candidate->scores[Cat(name, ".drawn")] = asked.drawn[c];
      if (asked.expected.empty()) continue;
      candidate->scores[Cat(name, ".expected")] = asked.expected[c].value;
      candidate->scores[Cat(name, ".mass")] = asked.expected[c].mass;
    }
    Finish(asked, values, candidate);
  }

  // Both orders. The first asked about (pair[0], pair[1]), the second about (pair[1], pair[0]); a value is what A got.
  void Compare(const Asked& first, const Asked& swapped, recipe::Candidate* candidate) const {
    std::vector<double> values;
    for (size_t c = 0; c < settings_.criteria.size(); ++c) {
      const std::string& name = settings_.criteria[c].name;
      const bool both = !first.expected.empty() && !swapped.expected.empty();
      const bool expected = settings_.expected && both;
      const double a = expected ? first.expected[c].value : first.drawn[c];
      const double b = 1 - (expected ? swapped.expected[c].value : swapped.drawn[c]);
      const bool agree = (a > 0.5 && b > 0.5) || (a < 0.5 && b < 0.5);
      values.push_back(agree ? Rounded((a + b) / 2) : 0.5);
      candidate->output[name] = values.back();
      candidate->scores[Cat(name, ".drawn")] = (first.drawn[c] + 1 - swapped.drawn[c]) / 2;
      candidate->scores[Cat(name, ".position")] = (a + 1 - b) / 2;  // what place A got; 0.5: no bias
      candidate->scores[Cat(name, ".agree")] = agree ? 1 : 0;
      if (!both) continue;
      candidate->scores[Cat(name, ".expected")] = (first.expected[c].value + 1 - swapped.expected[c].value) / 2;
      candidate->scores[Cat(name, ".mass")] = std::min(first.expected[c].mass, swapped.expected[c].mass);
    }
    Finish(first, values, candidate);
  }

  void Finish(const Asked& asked, const std::vector<double>& values, recipe::Candidate* candidate) const {
    if (!settings_.reason.empty()) candidate->output[settings_.reason] = asked.answers[0].reason;
    double sum = 0, weights = 0;
    for (size_t c = 0; c < values.size(); ++c) {
      const Criterion& criterion = settings_.criteria[c];
      const double low = std::min(criterion.low(), criterion.high()),
                   high = std::max(criterion.low(), criterion.high());
      sum += criterion.weight * (values[c] - low) / (high - low);
      weights += criterion.weight;
    }
    if (!settings_.overall.empty()) candidate->output[settings_.overall] = Rounded(sum / weights);
  }

  // A judge that says the same of everything tells nothing apart.
  void Doubt(recipe::Run& run, const std::string& model, const std::vector<const recipe::Candidate*>& judged) const {
    if (judged.size() < kFewest) return;
    for (const Criterion& criterion : settings_.criteria) {
      double low = INFINITY, high = -INFINITY, first_place = 0, disagreed = 0;
      for (const recipe::Candidate* candidate : judged) {
        const double value = candidate->output.at(criterion.name).get<double>();
        low = std::min(low, value);
        high = std::max(high, value);
        if (!settings_.pairwise) continue;
        first_place += candidate->scores.at(Cat(criterion.name, ".position"));
        disagreed += 1 - candidate->scores.at(Cat(criterion.name, ".agree"));
      }
      const auto count = static_cast<double>(judged.size());
      if (settings_.pairwise) {
        run.Note(Cat(id_, ": ", Quote(criterion.name), ": ", model, " gives the first place ",
                     FormatFixed(100 * first_place / count, 1), " % whatever stands there; the two orders disagree on ",
                     static_cast<int64_t>(disagreed), " of ", judged.size(), " records, which are ties"));
      }
      if (high - low > 0.01 * std::abs(criterion.high() - criterion.low())) continue;
      run.Note(Cat(id_, ": ", Quote(criterion.name), " is the same (", FormatFixed(low, 2), ") for all ", judged.size(),
                   " records that ", model, " judged: it tells nothing apart"));
    }
  }

  Json Context(const recipe::Record& record, int order) const {
    Json context = RecordContext(record);
    if (settings_.chat) context = WithoutControlTokens(context);
    const std::string fence = FenceFor(context);
    Json criteria = Json::array();
    for (const Criterion& criterion : settings_.criteria) {
      Json answers = Json::array();
      for (const std::string& answer : criterion.answers) answers.push_back(ParseJson(answer, "answer"));
      criteria.push_back({{"name", criterion.name},
                          {"description", record.lang == "zh" ? criterion.about_zh : criterion.about_en},
                          {"answers", answers},
                          {"low", answers.front()},
                          {"high", answers.back()}});
    }
    for (size_t side = 0; side < settings_.pair.size(); ++side) {
      const auto at = context.find(settings_.pair[(side + static_cast<size_t>(order)) % 2]);
      context[side == 0 ? "a" : "b"] = at == context.end() ? Json("") : Json(*at);
    }
    context["criteria"] = std::move(criteria);
    context["fence"] = fence;
    context["reason"] = settings_.reason;
    return context;
  }

  Json AnswersOf(const Asked& asked) const {
    Json answers = Json::array();
    for (const JudgeAnswer& answer : asked.answers) {
      Json one = Json::object();
      if (!settings_.reason.empty()) one[settings_.reason] = answer.reason;
      for (size_t c = 0; c < settings_.criteria.size(); ++c)
        one[settings_.criteria[c].name] = settings_.criteria[c].values[answer.places[c]];
      answers.push_back(std::move(one));
    }
    return answers;
  }

  Json ProbabilitiesOf(const Asked& asked) const {
    Json out = Json::object();
    for (size_t c = 0; c < asked.probability.size(); ++c) out[settings_.criteria[c].name] = asked.probability[c];
    return out;
  }

  std::string id_;
  JudgeSettings settings_;
  std::map<std::string, text::Template> templates_;
  uint64_t seed_ = 0;  // of the run
};

}  // namespace

std::unique_ptr<recipe::Operator> MakeJudge(Table& step, const recipe::StepContext& context) {
  JudgeSettings settings;
  settings.model = ReadPerLanguage(step, "model");
  settings.chat = step.BoolOr("chat", false);
  const std::string score = step.StringOr("score", "expected");
  if (score != "expected" && score != "drawn")
    step.Refuse("score", Cat(Quote(score), " is not a score"), "expected or drawn");
  settings.expected = score == "expected";
  settings.samples = static_cast<int>(step.IntOr("samples", 1, 1, 64));
  settings.temperature = step.DoubleOr("temperature", 0, 0, 10);
  if (settings.samples > 1 && settings.temperature == 0)
    step.Refuse("samples", "at a temperature of 0 are all the same", "set a temperature, 0.7 for example");
  settings.least_mass = step.DoubleOr("least_mass", 0.05, 0, 1);
  if (auto reason = step.SubOr("reason")) {
    settings.reason = reason->String("field");
    RequireOutput(*reason, "field", settings.reason, context);
    settings.reason_chars = static_cast<size_t>(reason->IntOr("most_chars", 160, 1, 2000));
    reason->Done();
  }
  settings.overall = step.StringOr("overall", "");
  if (!settings.overall.empty()) RequireOutput(step, "overall", settings.overall, context);
  const std::string mode = step.StringOr("mode", "rate");
  if (mode != "rate" && mode != "pairwise") step.Refuse("mode", Cat(Quote(mode), " is not a mode"), "rate or pairwise");
  settings.pairwise = mode == "pairwise";
  settings.pair = step.StringsOr("pair", {});
  if (settings.pairwise != (settings.pair.size() == 2) || (!settings.pairwise && !settings.pair.empty()))
    step.Refuse("pair", "are the two input fields that mode = \"pairwise\" compares", "pair = [\"first\", \"second\"]");
  double weights = 0;
  std::vector<std::string> names = {settings.reason, settings.overall};
  for (Table& table : step.Tables("criterion")) {
    settings.criteria.push_back(ReadCriterion(table, settings.pairwise));
    const std::string& name = settings.criteria.back().name;
    RequireOutput(table, "name", name, context);
    if (std::find(names.begin(), names.end(), name) != names.end())
      table.Refuse("name", Cat(Quote(name), " is written twice"));
    names.push_back(name);
    weights += settings.criteria.back().weight;
  }
  if (settings.criteria.empty()) step.Refuse("criterion", "judge rates on at least one [[step.criterion]]");
  if (weights <= 0) step.Refuse("criterion", "all weights are 0");
  std::map<std::string, text::Template> templates = ReadTemplates(step, "template", context);
  RequireTemplates(step, templates, settings.model);
  return std::make_unique<Judge>(context.id, std::move(settings), std::move(templates));
}

std::vector<JudgedCriterion> JudgedCriteria(const recipe::Recipe& recipe) {
  std::vector<JudgedCriterion> out;
  for (const recipe::StepSpec& step : recipe.steps) {
    if (step.use != "judge") continue;
    Table table = step.table;
    const bool pairwise = table.StringOr("mode", "rate") == "pairwise";
    for (Table& criterion : table.Tables("criterion")) {
      Criterion read = ReadCriterion(criterion, pairwise);
      JudgedCriterion one{read.name, pairwise ? std::vector<double>{0, 0.5, 1} : std::move(read.values), {}, pairwise};
      for (const std::string& answer : read.answers) {
        const Json label = ParseJson(answer, "answer");
        if (!pairwise && label.is_string()) one.labels.push_back(label.get<std::string>());
      }
      out.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace atelier::operators
