// atelier evaluate bleu|chrf|ter --hyp FILE --ref FILE...: the metrics of evaluate/reference_metrics.cc.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "evaluate/line_file.h"
#include "evaluate/reference_metrics.h"
#include "evaluate/resample.h"

namespace atelier::app {
namespace {

// A metric's settings as options of the command line.
class CliSettings : public evaluate::MetricSettings {
 public:
  explicit CliSettings(Cli& cli) : cli_(cli) {}
  void Choice(const std::string& name, std::string* value, const std::vector<std::string>& choices,
              const std::string& help) override {
    cli_.Text("--" + name, value, Cat(help, ": ", Join(choices, ", "), " (default ", *value, ")"));
  }
  void Flag(const std::string& name, bool* value, const std::string& help) override {
    cli_.Flag("--" + name, value, help);
  }
  void Int(const std::string& name, int64_t* value, const std::string& help, int64_t least, int64_t most) override {
    cli_.Int("--" + name, value, help, least, most);
  }
  void Number(const std::string& name, std::optional<double>* value, const std::string& help, double least,
              double most) override {
    cli_.Double("--" + name, value, help, least, most);
  }

 private:
  Cli& cli_;
};

Json IntervalJson(const evaluate::Interval& interval) {
  return {{"mean", interval.mean}, {"low", interval.low}, {"high", interval.high}};
}

class ReferenceCommand : public Command {
 public:
  explicit ReferenceCommand(std::string_view name) : name_(name), request_(evaluate::RequestMetric(name)) {}

  void Declare(Cli& cli) override {
    cli.Text("--hyp", &hyp_, "the texts to be measured, one on a line; - for standard input", true);
    cli.Texts("--ref", &refs_, "what they should say, on the same lines; again for further references");
    CliSettings settings(cli);
    request_->Declare(settings);
    cli.Flag("--sentence", &sentence_, "the score of every line, too");
    cli.Int("--bootstrap", &bootstrap_, "resample the lines N times for an interval (with --baseline 1000)", 0,
            1000000);
    cli.Text("--baseline", &baseline_, "other texts for the same references: is the difference more than chance?");
    cli.Int("--trials", &trials_, "exchanges of lines between the two, with --baseline", 1, 10000000);
    cli.Int("--seed", &seed_, "of the random numbers", 0, INT64_MAX);
  }

  int Run(const Globals& globals) override {
    if (refs_.empty()) throw Error(Code::kUsage, Cat("evaluate ", name_, " needs --ref"), "--ref FILE");
    metric_ = request_->Make();
    names_ = metric_->names();
    const auto hyp = evaluate::ReadLineFile(hyp_);
    std::vector<std::unique_ptr<evaluate::LineFile>> files;
    for (const std::string& path : refs_) {
      files.push_back(evaluate::ReadLineFile(path));
      evaluate::MustAlign(*hyp, *files.back());
      evaluate::MustSay(*files.back());
    }
    std::vector<std::vector<std::string_view>> references;
    for (const auto& file : files) references.push_back(file->lines);
    const evaluate::LineCounts counts = evaluate::CountLines(*metric_, hyp->lines, references);
    const std::vector<int64_t> sum = counts.Sum();

    evaluate::Resampled resampled{bootstrap_.value_or(baseline_.empty() ? 0 : 1000), baseline_.empty() ? 0 : trials_,
                                  static_cast<uint64_t>(seed_)};
    Json body = {{"metric", metric_->title()}};
    for (size_t which = 0; which < names_.size(); ++which) body[names_[which]] = metric_->Score(sum, which);
    body["signature"] = evaluate::Signature(*metric_, refs_.size(), resampled);
    body["lines"] = hyp->lines.size();
    body["empty_references"] = WithoutReference(references);
    body.update(metric_->Details(sum));

    std::string people;
    for (size_t which = 0; which < names_.size(); ++which) {
      if (which > 0) people += ", ";
      people += Cat(Label(which), " ", FormatFixed(metric_->Score(sum, which), Decimals()));
    }
    people += metric_->lower_is_better() ? " (lower is better)\n" : "\n";
    if (!baseline_.empty()) {
      Compare(globals, counts, references, resampled, &body, &people);
    } else if (resampled.bootstrap > 0) {
      const evaluate::LineCounts* systems[] = {&counts};
      Progress progress("resampling", ProgressUnit::kItems, globals.quiet || globals.json);
      const auto draws =
          evaluate::Bootstrap(*metric_, systems, resampled.bootstrap, resampled.seed, progress.Callback());
      body["bootstrap"] = ByName([&](size_t which) {
        const evaluate::Interval interval = evaluate::IntervalOf(draws[0][which]);
        people += Cat(Label(which), ": ", Range(interval), "\n");
        return IntervalJson(interval);
      });
    }
    people += Cat(body["signature"].get<std::string>(), "\n");
    if (sentence_) AddLines(counts, &body, &people);

    const size_t empty = body["empty_references"].get<size_t>();
    if (empty > 0) {
      std::cerr << "note: " << empty << " lines have no reference, the first is line " << first_empty_
                << "; what they say can only count against them\n";
    }
    if (const std::string doubt = metric_->Doubt(hyp->lines); !doubt.empty()) std::cerr << "note: " << doubt << "\n";
    if (globals.json) {
      std::cout << ToText(body) << "\n";
    } else {
      std::cout << people;
    }
    return 0;
  }

 private:
  // f(0) for a metric of one score, else {"rouge1":f(0),...}.
  template <typename F>
  Json ByName(const F& f) const {
    if (names_.size() == 1) return f(0);
    Json all = Json::object();
    for (size_t which = 0; which < names_.size(); ++which) all[names_[which]] = f(which);
    return all;
  }
  std::string Label(size_t which) const { return names_.size() == 1 ? metric_->title() : names_[which]; }
  // Scores up to 1 need more than scores up to 100.
  int Decimals() const { return names_.size() == 1 ? 2 : 4; }

  std::string Range(const evaluate::Interval& interval) const {
    return Cat("95 % from ", FormatFixed(interval.low, Decimals()), " to ", FormatFixed(interval.high, Decimals()));
  }

  size_t WithoutReference(const std::vector<std::vector<std::string_view>>& references) {
    size_t empty = 0;
    for (size_t line = 0; line < references[0].size(); ++line) {
      bool any = false;
      for (const auto& reference : references) any = any || !reference[line].empty();
      if (!any && empty++ == 0) first_empty_ = line + 1;
    }
    return empty;
  }

  void Compare(const Globals& globals, const evaluate::LineCounts& counts,
               const std::vector<std::vector<std::string_view>>& references, const evaluate::Resampled& resampled,
               Json* body, std::string* people) {
    const auto file = evaluate::ReadLineFile(baseline_);
    for (size_t r = 0; r < references.size(); ++r) {
      if (file->lines.size() == references[r].size()) continue;
      evaluate::LineFile reference;
      reference.name = refs_[r];
      reference.lines = references[r];
      evaluate::MustAlign(*file, reference);
    }
    const evaluate::LineCounts other = evaluate::CountLines(*metric_, file->lines, references);
    const std::vector<int64_t> sum = counts.Sum(), other_sum = other.Sum();
    const evaluate::LineCounts* systems[] = {&counts, &other};
    std::vector<evaluate::Draws> draws;
    if (resampled.bootstrap > 0) {
      Progress progress("resampling", ProgressUnit::kItems, globals.quiet || globals.json);
      draws = evaluate::Bootstrap(*metric_, systems, resampled.bootstrap, resampled.seed, progress.Callback());
    }
    std::vector<double> exchanged;
    {
      Progress progress("exchanging lines", ProgressUnit::kItems, globals.quiet || globals.json);
      exchanged = evaluate::RandomisationP(*metric_, counts, other, resampled.randomisation, resampled.seed,
                                           progress.Callback());
    }
    if (!draws.empty()) {
      (*body)["bootstrap"] = ByName([&](size_t which) { return IntervalJson(evaluate::IntervalOf(draws[0][which])); });
    }
    (*body)["baseline"] = ByName([&](size_t which) {
      Json one = {{"score", metric_->Score(other_sum, which)}};
      if (!draws.empty()) one["bootstrap"] = IntervalJson(evaluate::IntervalOf(draws[1][which]));
      return one;
    });
    (*body)["comparison"] = ByName([&](size_t which) {
      const double difference = metric_->Score(sum, which) - metric_->Score(other_sum, which);
      Json one = {{"difference", difference}};
      *people += Cat(Label(which), " of the baseline ", FormatFixed(metric_->Score(other_sum, which), Decimals()),
                     ", difference ", difference > 0 ? "+" : "", FormatFixed(difference, Decimals()));
      if (!draws.empty()) {
        std::vector<double> differences;
        for (size_t i = 0; i < draws[0][which].size(); ++i) {
          differences.push_back(draws[0][which][i] - draws[1][which][i]);
        }
        const evaluate::Interval interval = evaluate::IntervalOf(differences);
        one["low"] = interval.low;
        one["high"] = interval.high;
        one["p_bootstrap"] = evaluate::BootstrapP(difference, draws[0][which], draws[1][which]);
        *people += Cat(" (", Range(interval), ", p = ", FormatFixed(one["p_bootstrap"].get<double>(), 4), ")");
      }
      one["p_randomisation"] = exchanged[which];
      *people += Cat("; by exchange of lines p = ", FormatFixed(exchanged[which], 4), "\n");
      return one;
    });
  }

  void AddLines(const evaluate::LineCounts& counts, Json* body, std::string* people) const {
    Json lines = Json::array();
    TextTable table({"LINE", metric_->title()});
    for (size_t line = 0; line < counts.size(); ++line) {
      lines.push_back(ByName([&](size_t which) { return Json(metric_->LineScore(counts.row(line), which)); }));
      std::string cell;
      for (size_t which = 0; which < names_.size(); ++which) {
        cell += Cat(which > 0 ? " " : "", FormatFixed(metric_->LineScore(counts.row(line), which), Decimals()));
      }
      table.Add({Cat(line + 1), cell});
    }
    (*body)["sentences"] = std::move(lines);
    (*body)["sentence_signature"] = evaluate::Signature(*metric_, refs_.size(), {}, true);
    *people += table.Text();
  }

  std::string name_;
  std::unique_ptr<evaluate::MetricRequest> request_;
  std::unique_ptr<evaluate::ReferenceMetric> metric_;
  std::vector<std::string> names_, refs_;
  std::string hyp_, baseline_;
  bool sentence_ = false;
  std::optional<int64_t> bootstrap_;
  int64_t trials_ = 10000, seed_ = 12345;
  size_t first_empty_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateBleu() { return std::make_unique<ReferenceCommand>("bleu"); }
std::unique_ptr<Command> MakeEvaluateChrf() { return std::make_unique<ReferenceCommand>("chrf"); }
std::unique_ptr<Command> MakeEvaluateTer() { return std::make_unique<ReferenceCommand>("ter"); }

}  // namespace atelier::app
