// atelier evaluate bleu|rouge|... --hyp FILE --ref FILE...: the metrics of evaluate/reference_metrics.cc.
#include <algorithm>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/embedders.h"
#include "app/atelier/evaluate_report_texts.h"
#include "app/atelier/metric_options.h"
#include "app/atelier/notes.h"
#include "app/atelier/report_option.h"
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

Json IntervalJson(const evaluate::Interval& interval) {
  return {{"mean", interval.mean}, {"low", interval.low}, {"high", interval.high}};
}

class ReferenceCommand : public Command {
 public:
  explicit ReferenceCommand(std::string_view name) : name_(name), request_(evaluate::RequestMetric(name)) {}

  void Declare(Cli& cli) override {
    cli.Text("--hyp", &hyp_, "the texts to be measured, one on a line; - for standard input", true);
    cli.Texts("--ref", &refs_, "what they should say, on the same lines; again for further references");
    MetricOptions settings(cli, &segmenter_, [this] { return segmenter_.LoadWords(globals_); });
    if (request_->wants_embedder()) {
      cli.Text("-m,--model", &model_, Cat("the encoder: a registered model or a path (default ", model_, ")"));
    }
    request_->Declare(settings);
    cli.Flag("--sentence", &sentence_, "the score of every line, too");
    cli.Int("--bootstrap", &bootstrap_, "resample the lines N times for an interval (with --baseline or --report 1000)",
            0, 1000000);
    cli.Text("--baseline", &baseline_, "other texts for the same references: is the difference more than chance?");
    cli.Int("--trials", &trials_, "exchanges of lines between the two, with --baseline", 1, 10000000);
    cli.Int("--seed", &seed_, "of the random numbers", 0, INT64_MAX);
    report_.Declare(cli);
  }

  int Run(const Globals& globals) override {
    if (refs_.empty()) throw Error(Code::kUsage, Cat("evaluate ", name_, " needs --ref"), "--ref FILE");
    globals_ = globals;
    std::vector<std::string> inputs = {hyp_, baseline_};
    inputs.insert(inputs.begin() + 1, refs_.begin(), refs_.end());
    report_.Check(inputs);
    if (request_->wants_embedder()) request_->Use(EmbedderHere(globals, model_));
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
    const evaluate::LineCounts counts = Count(*hyp, references);
    const std::vector<int64_t> sum = counts.Sum();

    evaluate::Resampled resampled{bootstrap_.value_or(baseline_.empty() && !report_.wanted() ? 0 : 1000),
                                  baseline_.empty() ? 0 : trials_, static_cast<uint64_t>(seed_)};
    Json body = {{"metric", metric_->title()}};
    for (size_t which = 0; which < names_.size(); ++which) body[names_[which]] = metric_->Score(sum, which);
    body["signature"] = evaluate::Signature(*metric_, refs_.size(), resampled);
    body["lines"] = hyp->lines.size();
    body["empty_hypotheses"] = NoteEmpty(*hyp);
    body["empty_references"] = NoteWithoutReference(references);
    if (const Note doubt = metric_->Doubt(hyp->lines); !doubt.empty()) notes_.push_back(doubt);
    body.update(metric_->Details(sum));

    std::string people;
    for (size_t which = 0; which < names_.size(); ++which) {
      if (which > 0) people += ", ";
      people += Cat(Label(which), " ", FormatFixed(metric_->Score(sum, which), Decimals()));
    }
    people += metric_->lower_is_better() ? " (lower is better)\n" : "\n";
    if (!baseline_.empty()) {
      Compare(counts, references, resampled, &body, &people);
    } else if (resampled.bootstrap > 0) {
      const evaluate::LineCounts* systems[] = {&counts};
      Progress progress("resampling", ProgressUnit::kItems, Silent());
      const auto draws =
          evaluate::Bootstrap(*metric_, systems, resampled.bootstrap, resampled.seed, progress.Callback());
      body["bootstrap"] = ByName([&](size_t which) {
        const evaluate::Interval interval = evaluate::IntervalOf(draws[0][which]);
        people += Cat(Label(which), ": ", Range(interval.low, interval.high), "\n");
        return IntervalJson(interval);
      });
    }
    people += Cat(body["signature"].get<std::string>(), "\n");
    if (sentence_) AddLines(counts, &body, &people);
    if (report_.wanted()) {
      TextsResult result{metric_.get(), hyp->lines, references, &counts, {}, nullptr, &body};
      if (baseline_counts_) {
        result.baseline = baseline_file_->lines;
        result.baseline_counts = &*baseline_counts_;
      }
      report_.Write(TextsReport(result, report_.chinese()), notes_, globals, &body);
    }

    body["notes"] = NotesJson(notes_);
    PrintNotes(notes_);
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
  int Decimals() const { return metric_->scale() > 1 ? 2 : 4; }
  bool Silent() const { return globals_.quiet || globals_.json; }

  evaluate::LineCounts Count(const evaluate::LineFile& file,
                             const std::vector<std::vector<std::string_view>>& references) {
    Progress progress("scoring", ProgressUnit::kItems, Silent());
    return evaluate::CountLines(*metric_, file.lines, references, progress.Callback());
  }

  std::string Range(double low, double high) const {
    return Cat("95 % from ", FormatFixed(low, Decimals()), " to ", FormatFixed(high, Decimals()));
  }

  // How many texts are empty; a score of 0 that comes of it has its note.
  size_t NoteEmpty(const evaluate::LineFile& file) {
    const auto is_empty = [](std::string_view line) { return line.empty(); };
    const auto first = std::find_if(file.lines.begin(), file.lines.end(), is_empty);
    const auto empty = static_cast<size_t>(std::count_if(first, file.lines.end(), is_empty));
    if (empty > 0) {
      const std::string place = Cat(file.name, ":", first - file.lines.begin() + 1);
      notes_.push_back({Cat(place, ": ", empty, " of ", file.lines.size(), " texts are empty, this first"),
                        Cat(place, "：", file.lines.size(), " 段文字中有 ", empty, " 段为空，这是第一段")});
    }
    return empty;
  }

  size_t NoteWithoutReference(const std::vector<std::vector<std::string_view>>& references) {
    size_t empty = 0, first = 0;
    for (size_t line = 0; line < references[0].size(); ++line) {
      bool any = false;
      for (const auto& reference : references) any = any || !reference[line].empty();
      if (!any && empty++ == 0) first = line + 1;
    }
    if (empty > 0) {
      notes_.push_back({Cat(empty, " lines have no reference, the first is line ", first),
                        Cat(empty, " 行没有参考，第一处是第 ", first, " 行")});
    }
    return empty;
  }

  void Compare(const evaluate::LineCounts& counts, const std::vector<std::vector<std::string_view>>& references,
               const evaluate::Resampled& resampled, Json* body, std::string* people) {
    baseline_file_ = evaluate::ReadLineFile(baseline_);
    const auto& file = baseline_file_;
    evaluate::MustAlign(file->lines.size(), file->name, references[0].size(), refs_[0]);
    NoteEmpty(*file);
    baseline_counts_ = Count(*file, references);
    const evaluate::LineCounts& other = *baseline_counts_;
    const std::vector<int64_t> sum = counts.Sum(), other_sum = other.Sum();
    const evaluate::LineCounts* systems[] = {&counts, &other};
    std::vector<evaluate::Draws> draws;
    if (resampled.bootstrap > 0) {
      Progress progress("resampling", ProgressUnit::kItems, Silent());
      draws = evaluate::Bootstrap(*metric_, systems, resampled.bootstrap, resampled.seed, progress.Callback());
    }
    std::vector<double> exchanged;
    {
      Progress progress("exchanging lines", ProgressUnit::kItems, Silent());
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
        const evaluate::Difference d = evaluate::DifferenceOf(difference, draws[0][which], draws[1][which]);
        one["low"] = d.low;
        one["high"] = d.high;
        one["p_bootstrap"] = d.p;
        *people += Cat(" (", Range(d.low, d.high), ", p = ", FormatFixed(d.p, 4), ")");
      }
      one["p_randomisation"] = exchanged[which];
      *people += Cat("; by exchange of lines p = ", FormatFixed(exchanged[which], 4), "\n");
      return one;
    });
  }

  void AddLines(const evaluate::LineCounts& counts, Json* body, std::string* people) const {
    Json lines = Json::array();
    std::vector<std::string> head = {"LINE"};
    for (size_t which = 0; which < names_.size(); ++which) head.push_back(Label(which));
    TextTable table(head);
    for (size_t line = 0; line < counts.size(); ++line) {
      Json one = ByName([&](size_t which) { return Json(metric_->LineScore(counts.row(line), which)); });
      if (names_.size() > 1) one.update(metric_->LineDetails(counts.row(line)));
      lines.push_back(std::move(one));
      std::vector<std::string> cells = {Cat(line + 1)};
      for (size_t which = 0; which < names_.size(); ++which) {
        cells.push_back(FormatFixed(metric_->LineScore(counts.row(line), which), Decimals()));
      }
      table.Add(cells);
    }
    (*body)["sentences"] = std::move(lines);
    (*body)["sentence_signature"] = evaluate::Signature(*metric_, refs_.size(), {}, true);
    *people += table.Text();
  }

  std::string name_;
  std::unique_ptr<evaluate::MetricRequest> request_;
  std::unique_ptr<evaluate::ReferenceMetric> metric_;
  std::vector<std::string> names_, refs_;
  Notes notes_;
  std::string hyp_, baseline_, model_ = kDefaultEmbedder;
  SegmenterOption segmenter_;
  Globals globals_;
  bool sentence_ = false;
  std::optional<int64_t> bootstrap_;
  int64_t trials_ = 10000, seed_ = 12345;
  std::unique_ptr<evaluate::LineFile> baseline_file_;
  std::optional<evaluate::LineCounts> baseline_counts_;
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateBleu() { return std::make_unique<ReferenceCommand>("bleu"); }
std::unique_ptr<Command> MakeEvaluateChrf() { return std::make_unique<ReferenceCommand>("chrf"); }
std::unique_ptr<Command> MakeEvaluateTer() { return std::make_unique<ReferenceCommand>("ter"); }
std::unique_ptr<Command> MakeEvaluateRouge() { return std::make_unique<ReferenceCommand>("rouge"); }
std::unique_ptr<Command> MakeEvaluateMeteor() { return std::make_unique<ReferenceCommand>("meteor"); }
std::unique_ptr<Command> MakeEvaluateExactMatch() { return std::make_unique<ReferenceCommand>("exact-match"); }
std::unique_ptr<Command> MakeEvaluateBertScore() { return std::make_unique<ReferenceCommand>("bertscore"); }

}  // namespace atelier::app
