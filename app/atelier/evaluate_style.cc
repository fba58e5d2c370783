// atelier evaluate style --hyp FILE --ref FILE: whether texts sound like a house's.
#include <algorithm>
#include <cmath>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/embedders.h"
#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "evaluate/embed_texts.h"
#include "evaluate/line_file.h"
#include "evaluate/style.h"
#include "evaluate/surface_style.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

constexpr size_t kOutliersShown = 10, kDiffers = 5;

Json LikenessJson(const evaluate::Likeness& likeness) {
  return {{"mean", likeness.mean},
          {"house", likeness.house_mean},
          {"percentile", likeness.percentile},
          {"interval", {{"low", likeness.low}, {"high", likeness.high}}},
          {"score", likeness.score()}};
}

class EvaluateStyle : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--hyp", &hyp_, "the texts, one on a line; - for standard input", true);
    cli.Text("--ref", &ref_, "texts of the house's style, one on a line; lines need not belong together", true);
    cli.Text("-m,--model", &model_, Cat("the encoder: a registered model or a path (default ", model_, ")"));
    cli.Flag("--surface", &surface_, "lengths, punctuation and small words alone, without a model");
    cli.Int("-k", &k_, "nearest texts of the house that a text is held against", 1, 1000);
    cli.Double("--level", &level_, "lines whose p is at most this are named as outliers", 0, 1);
    cli.Flag("--sentence", &sentence_, "the numbers of every line, too");
  }

  int Run(const Globals& globals) override {
    const auto hyp = evaluate::ReadLineFile(hyp_), ref = evaluate::ReadLineFile(ref_);
    const std::vector<size_t> lines = WithText(*hyp), house_lines = WithText(*ref);
    if (house_lines.size() < 2) {
      throw Error(Code::kInvalidInput, Cat(ref->name, ": ", house_lines.size(), " texts are no house style"),
                  "two at least, and better some hundreds");
    }
    if (lines.empty()) throw Error(Code::kInvalidInput, Cat(hyp->name, ": every text is empty"));
    std::vector<std::string_view> texts, house;
    for (const size_t line : lines) texts.push_back(hyp->lines[line]);
    for (const size_t line : house_lines) house.push_back(ref->lines[line]);

    Json body = {{"metric", "style"},
                 {"signature", ""},
                 {"lines", texts.size()},
                 {"empty", hyp->lines.size() - texts.size()},
                 {"house_texts", house.size()}};
    TextTable table({"MEASURE", "TEXTS", "HOUSE", "PERCENTILE", "95 %", "SCORE"});
    std::vector<evaluate::Likeness> all;
    std::vector<std::string> names;
    const auto add = [&](const std::string& name, evaluate::Likeness likeness) {
      table.Add({name, FormatFixed(likeness.mean, 3), FormatFixed(likeness.house_mean, 3),
                 FormatFixed(100 * likeness.percentile, 1),
                 Cat(FormatFixed(100 * likeness.low, 1), " to ", FormatFixed(100 * likeness.high, 1)),
                 FormatFixed(likeness.score(), 3)});
      Json json = LikenessJson(likeness);
      names.push_back(name);
      all.push_back(std::move(likeness));
      return json;
    };
    std::string model = "none", spread;
    if (!surface_) {
      const auto embedder = EmbedderHere(globals, model_);
      model = Cat(embedder->info().name, "|sha256:", embedder->info().hash.substr(0, 16), "|k:", k_);
      body["meaning"] = Meaning(globals, *embedder, texts, house, add, &spread);
    }
    Json differs = Json::array();
    std::string differing;
    body["surface"] = Surface(texts, house, add, &differs, &differing);
    body["surface"]["differs"] = std::move(differs);
    body["signature"] = Cat("model:", model, "|features:", evaluate::Features().size(), "|version:1");

    // Outliers: by any of the measures, the least p first.
    std::vector<std::pair<double, size_t>> order;
    std::vector<size_t> by(texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      double least = 2;
      for (size_t m = 0; m < all.size(); ++m) {
        if (all[m].p[i] < least) least = all[m].p[i], by[i] = m;
      }
      if (least <= level_) order.emplace_back(least, i);
    }
    std::sort(order.begin(), order.end());
    Json outliers = Json::array();
    TextTable far({"LINE", "P", "BY", "TEXT"});
    for (const auto& [p, i] : order) {
      outliers.push_back({{"line", lines[i] + 1}, {"p", p}, {"by", names[by[i]]}, {"text", std::string(texts[i])}});
      if (outliers.size() <= kOutliersShown) {
        far.Add({Cat(lines[i] + 1), FormatFixed(p, 3), names[by[i]], text::ForTerminal(texts[i], 72)});
      }
    }
    body["level"] = level_;
    body["outliers"] = std::move(outliers);
    if (sentence_) body["per_line"] = PerLine(lines, names, all);
    if (level_ > 0 && 1 / static_cast<double>(house.size() + 1) > level_ && !globals.quiet) {
      std::cerr << Cat("note: of ", house.size(), " texts no outlier at ", level_, " can be told\n");
    }
    if (globals.json) {
      std::cout << ToText(body) << "\n";
      return 0;
    }
    std::cout << table.Text() << "score 1: as like the house as the house's texts are like each other\n"
              << spread << differing << body["signature"].get<std::string>() << "\n";
    if (!order.empty()) {
      std::cout << Cat(order.size(), " of ", texts.size(), " lines stand out at ", level_, " (", all.size(),
                       " measures, so up to ", FormatFixed(level_ * static_cast<double>(all.size() * texts.size()), 0),
                       " would by chance):\n")
                << far.Text();
    }
    return 0;
  }

 private:
  static std::vector<size_t> WithText(const evaluate::LineFile& file) {
    std::vector<size_t> lines;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      if (!Trim(file.lines[i]).empty()) lines.push_back(i);
    }
    return lines;
  }

  template <typename Add>
  Json Meaning(const Globals& globals, artefact::Embedder& embedder, std::span<const std::string_view> texts,
               std::span<const std::string_view> house, const Add& add, std::string* spread) const {
    std::vector<std::string_view> both(texts.begin(), texts.end());
    both.insert(both.end(), house.begin(), house.end());
    size_t cut = 0;
    std::vector<float> vectors;
    {
      Progress progress("reading texts", ProgressUnit::kItems, globals.quiet || globals.json);
      vectors = evaluate::EmbedTexts(embedder, both, progress.Callback(), &cut);
    }
    const auto dims = static_cast<size_t>(embedder.dims());
    const evaluate::UnitRows ours{std::span(vectors).first(texts.size() * dims), dims};
    const evaluate::UnitRows theirs{std::span(vectors).subspan(texts.size() * dims), dims};
    ThreadPool threads(ThreadPool::DefaultThreads());
    Progress progress("comparing texts", ProgressUnit::kItems, globals.quiet || globals.json);
    const auto k = static_cast<size_t>(k_);
    Json json = Json::object();
    json["middle"] = add(
        "middle", evaluate::CompareToHouse(evaluate::ToMiddle(ours, theirs), evaluate::ToMiddleWithoutSelf(theirs)));
    json["nearest"] = add(
        "nearest", evaluate::CompareToHouse(evaluate::ToNearest(ours, theirs, k, &threads, progress.Callback()),
                                            evaluate::ToNearestWithoutSelf(theirs, k, &threads, progress.Callback())));
    const double house_spread = evaluate::Spread(theirs);
    json["spread"] = {{"texts", nullptr}, {"house", house_spread}};
    if (texts.size() > 1) {
      const double own = evaluate::Spread(ours);
      json["spread"]["texts"] = own;
      *spread = Cat("spread: texts ", FormatFixed(own, 3), ", house ", FormatFixed(house_spread, 3), "\n");
    }
    json["truncated"] = cut;
    if (cut > 0 && !globals.quiet) {
      std::cerr << Cat("note: ", cut, " texts are longer than the ", embedder.context(),
                       " tokens that the model reads\n");
    }
    return json;
  }

  template <typename Add>
  static Json Surface(std::span<const std::string_view> texts, std::span<const std::string_view> house, const Add& add,
                      Json* differs, std::string* people) {
    std::vector<std::vector<double>> theirs;
    for (const std::string_view text : house) theirs.push_back(evaluate::MeasureSurface(text));
    const evaluate::SurfaceHouse surface(std::move(theirs));
    const auto features = evaluate::Features();
    std::vector<double> nearness, mean(features.size());
    for (const std::string_view text : texts) {
      const std::vector<double> values = evaluate::MeasureSurface(text);
      nearness.push_back(-surface.Delta(values));
      for (size_t f = 0; f < features.size(); ++f) mean[f] += values[f] / static_cast<double>(texts.size());
    }
    std::vector<double> own = surface.DeltasWithoutSelf();
    for (double& delta : own) delta = -delta;
    evaluate::Likeness likeness = evaluate::CompareToHouse(nearness, own);
    likeness.mean = -likeness.mean;  // as distances, which Delta is
    likeness.house_mean = -likeness.house_mean;
    Json json = {{"delta", add("delta", std::move(likeness))}};
    std::vector<size_t> order(features.size());
    for (size_t f = 0; f < order.size(); ++f) order[f] = f;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::abs(surface.Z(a, mean[a])) > std::abs(surface.Z(b, mean[b]));
    });
    for (size_t n = 0; n < kDiffers; ++n) {
      const size_t f = order[n];
      const double z = surface.Z(f, mean[f]);
      differs->push_back({{"feature", features[f].name},
                          {"of", features[f].of},
                          {"texts", mean[f]},
                          {"house", surface.mean(f)},
                          {"z", z}});
      if (std::abs(z) < 0.5) continue;
      *people += Cat(people->empty() ? "differs most: " : "; ", features[f].name, " ", FormatFixed(mean[f], 2),
                     ", house ", FormatFixed(surface.mean(f), 2), " (", features[f].of, ")");
    }
    if (!people->empty()) *people += "\n";
    return json;
  }

  static Json PerLine(const std::vector<size_t>& lines, const std::vector<std::string>& names,
                      const std::vector<evaluate::Likeness>& all) {
    Json rows = Json::array();
    for (size_t i = 0; i < lines.size(); ++i) {
      Json row = {{"line", lines[i] + 1}};
      for (size_t m = 0; m < all.size(); ++m) {
        row[names[m]] = {{"percentile", all[m].percentiles[i]}, {"p", all[m].p[i]}};
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  std::string hyp_, ref_, model_ = kDefaultEmbedder;
  bool surface_ = false, sentence_ = false;
  int64_t k_ = 5;
  double level_ = 0.05;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateStyle() { return Make<EvaluateStyle>(); }

}  // namespace atelier::app
