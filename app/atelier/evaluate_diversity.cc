// atelier evaluate diversity --hyp FILE [--n 4] [--tokenize ...] [--sample N]
#include <cmath>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/known.h"
#include "app/atelier/metric_options.h"
#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "evaluate/diversity.h"
#include "evaluate/line_file.h"

namespace atelier::app {
namespace {

std::string Cell(double value, int decimals) { return std::isnan(value) ? "-" : FormatFixed(value, decimals); }

class DiversityCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--hyp", &hyp_, "the texts to be measured, one on a line; - for standard input", true);
    MetricOptions settings(cli, &segmenter_, [this] { return segmenter_.LoadWords(globals_); });
    options_.Declare(settings);
  }

  int Run(const Globals& globals) override {
    globals_ = globals;
    const auto file = evaluate::ReadLineFile(hyp_);
    const evaluate::Diversity d = Measure(*file);
    std::vector<std::string> notes;
    if (d.without_tokens > 0) {
      notes.push_back(
          Cat(d.without_tokens, " of ", d.texts + d.without_tokens, " texts have no token and are left out"));
    }
    if (d.texts == 1) notes.push_back("self-BLEU is undefined: one text has no others to be held against");
    if (d.ngrams.back() == 0) {
      notes.push_back(Cat("no text has ", d.ngrams.size(), " tokens: what is undefined is left open"));
    }
    if (d.repeats > 0) {
      notes.push_back(Cat(file->name, ":", d.first_repeat, ": repeats line ", d.first, "; ", d.repeats, " of ", d.texts,
                          " texts repeat an earlier one"));
    }
    for (const std::string& note : notes) std::cerr << "note: " << note << "\n";
    if (globals.json) {
      std::cout << ToText({{"texts", d.texts},
                           {"tokens", d.tokens},
                           {"without_tokens", d.without_tokens},
                           {"repeats", d.repeats},
                           {"distinct", Known(d.distinct)},
                           {"entropy", Known(d.entropy)},
                           {"self_bleu", Known(d.self_bleu)},
                           {"repetition", Known(d.repetition)},
                           {"ngrams", d.ngrams},
                           {"different", d.different},
                           {"signature", d.signature},
                           {"notes", notes}})
                << "\n";
      return 0;
    }
    TextTable table({"N", "distinct", "entropy", "self-BLEU", "repetition"});
    for (size_t n = 0; n < d.distinct.size(); ++n) {
      table.Add({Cat(n + 1), Cell(d.distinct[n], 4), Cell(d.entropy[n], 3), Cell(d.self_bleu[n], 2),
                 Cell(d.repetition[n], 4)});
    }
    std::cout << table.Text() << d.texts << " texts, " << d.tokens << " tokens, " << d.repeats << " repeats\n"
              << d.signature << "\n";
    return 0;
  }

 private:
  evaluate::Diversity Measure(const evaluate::LineFile& file) const {
    Progress progress("measuring", ProgressUnit::kItems, globals_.quiet || globals_.json);
    try {
      return evaluate::MeasureDiversity(file.lines, options_, progress.Callback());
    } catch (const Error& error) {
      if (error.code() != Code::kInvalidInput) throw;
      throw error.Within(file.name);
    }
  }

  std::string hyp_;
  evaluate::DiversityOptions options_;
  SegmenterOption segmenter_;
  Globals globals_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateDiversity() { return Make<DiversityCommand>(); }

}  // namespace atelier::app
