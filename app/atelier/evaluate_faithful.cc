// atelier evaluate faithful --hyp FILE --source FILE: what texts say that their sources do not.
#include <algorithm>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/embedders.h"
#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "evaluate/faithful.h"
#include "evaluate/line_file.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

constexpr size_t kShown = 20;  // lines, for people

class EvaluateFaithful : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--hyp", &hyp_, "the texts, one on a line; - for standard input", true);
    cli.Text("--source", &source_, "what they were made from, on the same lines", true);
    cli.Text("-m,--model", &model_,
             Cat("the encoder that compares sentences: a registered model or a path (default ", model_, ")"));
    cli.Flag("--surface", &surface_, "numbers and names alone, without a model");
    cli.Double("--least-support", &least_, "a line with a sentence below this cosine counts as unfaithful, too", -1, 1);
  }

  int Run(const Globals& globals) override {
    if (surface_ && least_) throw Error(Code::kUsage, "--least-support compares by a model, and --surface has none");
    const auto hyp = evaluate::ReadLineFile(hyp_);
    const auto source = evaluate::ReadLineFile(source_);
    evaluate::MustAlign(*hyp, *source);
    evaluate::MustSay(*source);
    const size_t lines = hyp->lines.size();
    std::vector<std::optional<evaluate::Support>> support(lines);
    std::shared_ptr<artefact::Embedder> embedder;
    size_t cut = 0;
    if (!surface_) {
      embedder = EmbedderHere(globals, model_);
      Progress progress("comparing sentences", ProgressUnit::kItems, globals.quiet || globals.json);
      support = evaluate::MeasureSupport(*embedder, hyp->lines, source->lines, progress.Callback(), &cut);
    }
    Json rows = Json::array();
    int64_t faithful = 0, numbers = 0, names = 0, far = 0, empty = 0;
    double sum = 0;
    int64_t measured = 0;
    TextTable table({"LINE", "NOT IN THE SOURCE", "LEAST SUPPORT"});
    std::vector<size_t> shown;
    Progress progress("reading lines", ProgressUnit::kItems, globals.quiet || globals.json);
    for (size_t line = 0; line < lines; ++line) {
      const std::string_view text = hyp->lines[line];
      const auto found = evaluate::FindUnsupported(text, source->lines[line]);
      empty += text.empty() ? 1 : 0;
      Json list = Json::array();
      std::string said;
      for (const evaluate::Unsupported& one : found) {
        (one.kind == "number" ? numbers : names) += 1;
        list.push_back({{"kind", one.kind},
                        {"what", one.what},
                        {"text", one.text},
                        {"begin", Characters(text, one.begin)},
                        {"end", Characters(text, one.end)}});
        said += Cat(said.empty() ? "" : ", ", one.text);
      }
      Json row = {{"line", line + 1}, {"unsupported", std::move(list)}};
      bool below = false;
      if (support[line]) {
        const evaluate::Support& least = *support[line];
        below = least_ && least.least < *least_;
        sum += least.least;
        ++measured;
        row["least_support"] = least.least;
        row["sentence"] = {{"text", std::string(text.substr(least.begin, least.end - least.begin))},
                           {"begin", Characters(text, least.begin)},
                           {"end", Characters(text, least.end)},
                           {"nearest", least.nearest}};
      } else if (!surface_) {
        row["least_support"] = nullptr;
      }
      far += below ? 1 : 0;
      const bool good = found.empty() && !below;
      faithful += good ? 1 : 0;
      row["faithful"] = good;
      if (!good && shown.size() < kShown) {
        shown.push_back(line);
        table.Add({Cat(line + 1), text::ForTerminal(said.empty() ? "-" : said, 60),
                   support[line] ? FormatFixed(support[line]->least, 3) : "-"});
      }
      rows.push_back(std::move(row));
      progress.Update(line + 1, lines);
    }
    const auto total = static_cast<int64_t>(lines);
    const evaluate::ShareInterval interval = evaluate::WilsonInterval(faithful, total);
    const double share = static_cast<double>(faithful) / static_cast<double>(total);
    const std::string signature = Cat("rules:1|model:", surface_ ? "none" : embedder->info().name,
                                      surface_ ? "" : Cat("|sha256:", embedder->info().hash.substr(0, 16)),
                                      "|least:", least_ ? Cat(*least_) : "no", "|version:1");
    Json body = {{"metric", "faithful"},
                 {"score", share},
                 {"interval", {{"low", interval.low}, {"high", interval.high}}},
                 {"signature", signature},
                 {"lines", lines},
                 {"faithful", faithful},
                 {"empty", empty},
                 {"unsupported_numbers", numbers},
                 {"unsupported_names", names}};
    if (!surface_) {
      body["mean_least_support"] = measured > 0 ? Json(sum / static_cast<double>(measured)) : Json(nullptr);
      body["below_least_support"] = far;
      body["truncated"] = cut;
    }
    body["per_line"] = std::move(rows);
    if (cut > 0 && !globals.quiet) {
      std::cerr << Cat("note: ", cut, " sentences are longer than the ", embedder->context(),
                       " tokens that the model reads\n");
    }
    if (globals.json) {
      std::cout << ToText(body) << "\n";
      return 0;
    }
    std::cout << Cat(faithful, " of ", lines, " lines say nothing that their source does not (",
                     FormatFixed(100 * share, 1), " %, 95 % from ", FormatFixed(100 * interval.low, 1), " to ",
                     FormatFixed(100 * interval.high, 1), "); ", numbers, " numbers and ", names,
                     " names are in no source\n");
    if (measured > 0) {
      std::cout << Cat("least support of a sentence, on average ", FormatFixed(sum / static_cast<double>(measured), 3),
                       "\n");
    }
    std::cout << signature << "\n";
    if (!shown.empty()) std::cout << table.Text();
    if (total - faithful > static_cast<int64_t>(kShown)) {
      std::cout << Cat("... and ", total - faithful - static_cast<int64_t>(kShown), " more; --json has all\n");
    }
    return 0;
  }

 private:
  static size_t Characters(std::string_view text, size_t bytes) { return text::CountChars(text.substr(0, bytes)); }

  std::string hyp_, source_, model_ = kDefaultEmbedder;
  bool surface_ = false;
  std::optional<double> least_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateFaithful() { return Make<EvaluateFaithful>(); }

}  // namespace atelier::app
