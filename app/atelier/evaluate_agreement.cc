// atelier evaluate agreement --ratings F.csv
#include <cmath>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/evaluate_report_values.h"
#include "app/atelier/list_option.h"
#include "app/atelier/report_option.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "evaluate/kappa.h"
#include "evaluate/krippendorff.h"
#include "evaluate/ratings.h"

namespace atelier::app {
namespace {

using evaluate::KappaWeights;
using evaluate::RatingLevel;

Json Known(double value) { return std::isfinite(value) ? Json(value) : Json(); }

class AgreementCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--ratings", &ratings_, "a table: a column per rater, a row per item, empty where there is no rating",
             true);
    cli.Text("--items", &options_.items, "the column that names the items and is no rater");
    cli.Texts("--order", &options_.order,
              "the categories, lowest first, where they are no numbers: low,mid,high, or repeated");
    report_.Declare(cli);
  }

  int Run(const Globals& globals) override {
    if (report_.wanted()) report_.Check({ratings_});
    options_.order = ReadList("--order", std::move(options_.order));
    const evaluate::Ratings ratings = evaluate::ReadRatings(ReadFile(ratings_), ratings_, options_);
    size_t given = 0;
    for (const int32_t value : ratings.values) given += value >= 0;
    Json result{{"items", ratings.items()},
                {"raters", ratings.raters.size()},
                {"ratings", given},
                {"categories", ratings.categories.size()}};
    std::vector<std::string> notes;
    result.update(Kappas(ratings, &notes));
    const auto alpha = [&](RatingLevel level, bool can) {
      return can ? Known(evaluate::KrippendorffAlpha(ratings, level)) : Json();
    };
    const bool numbers = !ratings.numbers.empty();
    // Quadratic in the categories: so many are measurements, for which interval is the level anyway.
    const bool few = ratings.categories.size() <= 20'000;
    result["krippendorff_alpha"] = {{"nominal", alpha(RatingLevel::kNominal, true)},
                                    {"ordinal", alpha(RatingLevel::kOrdinal, ratings.ordered)},
                                    {"interval", alpha(RatingLevel::kInterval, numbers)},
                                    {"ratio", alpha(RatingLevel::kRatio, numbers && few)}};
    if (!ratings.ordered) notes.emplace_back("the categories have no order (--order gives one): only nominal measures");
    if (result["krippendorff_alpha"]["nominal"].is_null()) {
      notes.push_back(Cat("alpha is undefined: ", ratings.categories.size() == 1
                                                      ? "every rating is the same"
                                                      : "no item has two ratings, or all of those are the same"));
    }
    result["notes"] = notes;
    for (const std::string& note : notes) std::cerr << "note: " << note << "\n";
    if (report_.wanted()) {
      report_.Write(AgreementReport(ratings, result, report_.chinese()), globals, &result);
    }
    if (globals.json) {
      std::cout << ToText(result) << "\n";
    } else {
      Print("", result);
    }
    return 0;
  }

 private:
  // Means over all pairs of raters who have items in common; for two raters, theirs.
  static Json Kappas(const evaluate::Ratings& ratings, std::vector<std::string>* notes) {
    constexpr size_t kMostCategories = 1000;
    const size_t n = ratings.categories.size(), raters = ratings.raters.size();
    double agreed = 0, compared = 0;
    struct Mean {
      double sum = 0;
      size_t pairs = 0;
    } means[3];
    const bool few = n <= kMostCategories;
    if (!few) notes->push_back(Cat(n, " categories are too many for kappas"));
    for (size_t a = 0; a < raters && few; ++a) {
      for (size_t b = a + 1; b < raters; ++b) {
        const std::vector<int64_t> pairs = evaluate::CountPairs(ratings, a, b);
        for (size_t i = 0; i < n; ++i) {
          for (size_t j = 0; j < n; ++j) {
            compared += static_cast<double>(pairs[i * n + j]);
            if (i == j) agreed += static_cast<double>(pairs[i * n + j]);
          }
        }
        for (const KappaWeights weights : {KappaWeights::kNone, KappaWeights::kLinear, KappaWeights::kQuadratic}) {
          const double kappa = evaluate::CohenKappa(pairs, n, weights);
          if (std::isnan(kappa)) continue;
          means[static_cast<size_t>(weights)].sum += kappa;
          ++means[static_cast<size_t>(weights)].pairs;
        }
      }
    }
    const auto mean = [&](KappaWeights weights) {
      const Mean& m = means[static_cast<size_t>(weights)];
      const bool can = m.pairs > 0 && (weights == KappaWeights::kNone || ratings.ordered);
      return can ? Json(m.sum / static_cast<double>(m.pairs)) : Json();
    };
    const size_t all = raters * (raters - 1) / 2;
    if (few && means[0].pairs < all) {
      notes->push_back(Cat("Cohen's kappa is undefined for ", all - means[0].pairs, " of ", all,
                           " pairs of raters (no item in common, or one category), which are left out"));
    }
    const Json fleiss = few ? Known(evaluate::FleissKappa(ratings)) : Json();
    if (few && fleiss.is_null()) {
      notes->emplace_back(
          "Fleiss' kappa is undefined: it needs as many ratings, two or more, for each item, and two categories");
    }
    return {{"agreement", compared == 0 ? Json() : Json(agreed / compared)},
            {"cohen_kappa",
             {{"unweighted", mean(KappaWeights::kNone)},
              {"linear", mean(KappaWeights::kLinear)},
              {"quadratic", mean(KappaWeights::kQuadratic)},
              {"pairs", means[0].pairs}}},
            {"fleiss_kappa", fleiss}};
  }

  static void Print(const std::string& before, const Json& values) {
    for (const auto& [name, value] : values.items()) {
      const std::string label = before + ReplaceAll(name, "_", " ");
      if (value.is_object()) {
        Print(label + " ", value);
      } else if (!value.is_array() && !value.is_string()) {
        std::cout << label << " "
                  << (value.is_null()           ? "undefined"
                      : value.is_number_float() ? FormatFixed(value.get<double>(), 4)
                                                : Cat(value.get<uint64_t>()))
                  << "\n";
      }
    }
  }

  std::string ratings_;
  evaluate::RatingsOptions options_;
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateAgreement() { return Make<AgreementCommand>(); }

}  // namespace atelier::app
