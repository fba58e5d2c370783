// The reports of measures that are no texts: labels, numbers, rankings, ratings. Each makes the figures of what its
// command measured and a table of what it says.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "evaluate/classification.h"
#include "evaluate/curves.h"
#include "evaluate/form_ratings.h"
#include "evaluate/ratings.h"
#include "report/report.h"

namespace atelier::app {

// The curves of one class against the rest.
struct ClassCurves {
  std::string label;
  double roc_auc = 0, average_precision = 0;
  evaluate::Curve roc, precision_recall;
};
// Figures matrix, classes; with scores roc, precision_recall; with probabilities calibration. `body` is the command's
// JSON; its "scores" holds the areas and the reliability bins, or is null.
report::Report LabelsReport(const evaluate::Confusion& confusion, const evaluate::ClassificationScores& scores,
                            const std::vector<ClassCurves>& curves, const Json& body, bool chinese);
// How many classes have curves in a picture: those with most cases.
inline constexpr size_t kMostCurves = 7;

// Figures values (predicted against true), errors.
report::Report NumbersReport(std::span<const double> truth, std::span<const double> predicted, const Json& body,
                             bool chinese);

// Figures measures, questions. `ndcg` is that of each question at k, `lines` where it stands in the file.
report::Report RankingReport(std::span<const double> ndcg, std::span<const size_t> lines, const Json& body,
                             bool chinese);

// Figures measures; pair (two raters) or kappas (more), categories, as far as there are few of them.
// `of` stands before the figures' titles.
report::Report AgreementReport(const evaluate::Ratings& ratings, const Json& body, bool chinese,
                               const std::string& of = "");
// The same for each criterion of a form, under its name; the figures are CRITERION.measures and so on.
report::Report FormReport(const evaluate::FormRatings& ratings, const Json& body, bool chinese);

}  // namespace atelier::app
