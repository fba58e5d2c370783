#include "evaluate/classification.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/str.h"
#include "evaluate/sums.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

double Ratio(double part, double whole) { return whole == 0 ? 0 : part / whole; }

std::string Right(std::string_view text, size_t width) {
  const size_t chars = text::CountChars(text);
  return std::string(width > chars ? width - chars : 0, ' ').append(text);
}

bool IsWhole(std::string_view label) {
  const std::optional<int64_t> value = ParseInt(label);
  return value && Cat(*value) == label;
}

}  // namespace

std::vector<std::string> FindClasses(std::span<const std::string_view> truth,
                                     std::span<const std::string_view> predicted) {
  std::set<std::string_view> seen(truth.begin(), truth.end());
  seen.insert(predicted.begin(), predicted.end());
  std::vector<std::string> classes(seen.begin(), seen.end());
  if (std::all_of(classes.begin(), classes.end(), IsWhole)) {
    std::sort(classes.begin(), classes.end(),
              [](const std::string& a, const std::string& b) { return *ParseInt(a) < *ParseInt(b); });
  }
  return classes;
}

std::vector<uint32_t> ClassIndices(std::span<const std::string_view> labels, std::span<const std::string> classes,
                                   const std::string& file) {
  std::unordered_map<std::string_view, uint32_t> index;
  for (uint32_t i = 0; i < classes.size(); ++i) index.emplace(classes[i], i);
  std::vector<uint32_t> found;
  found.reserve(labels.size());
  for (const std::string_view label : labels) {
    const auto at = index.find(label);
    if (at == index.end()) {
      throw Error(Code::kInvalidInput,
                  Cat(file, ":", found.size() + 1, ": ", Quote(label), " is none of the ", classes.size(), " classes"),
                  Cat("they are ", Quote(Join({classes.begin(), classes.end()}, ", "), 200)));
    }
    found.push_back(at->second);
  }
  return found;
}

Confusion CountConfusion(std::vector<std::string> classes, std::span<const uint32_t> truth,
                         std::span<const uint32_t> predicted) {
  Confusion confusion;
  confusion.counts.resize(classes.size() * classes.size());
  for (size_t i = 0; i < truth.size(); ++i) ++confusion.counts[truth[i] * classes.size() + predicted[i]];
  confusion.classes = std::move(classes);
  return confusion;
}

ClassificationScores ScoreClasses(const Confusion& confusion) {
  ClassificationScores scores;
  const size_t n = confusion.classes.size();
  std::vector<double> precision, recall, f1, weights;
  int64_t right = 0;
  for (size_t c = 0; c < n; ++c) {
    int64_t predicted = 0, truth = 0;
    for (size_t other = 0; other < n; ++other) {
      truth += confusion.count(c, other);
      predicted += confusion.count(other, c);
    }
    const auto hit = static_cast<double>(confusion.count(c, c));
    right += confusion.count(c, c);
    if (predicted == 0) scores.no_predicted.push_back(c);
    if (truth == 0) scores.no_true.push_back(c);
    if (predicted + truth == 0) scores.neither.push_back(c);
    precision.push_back(Ratio(hit, static_cast<double>(predicted)));
    recall.push_back(Ratio(hit, static_cast<double>(truth)));
    f1.push_back(Ratio(2 * hit, static_cast<double>(predicted + truth)));
    weights.push_back(static_cast<double>(truth));
    scores.classes.push_back({precision.back(), recall.back(), f1.back(), truth});
  }
  const double total = Sum(weights);
  const auto weighted = [&](std::vector<double> values) {
    for (size_t i = 0; i < n; ++i) values[i] *= weights[i];
    return Ratio(Sum(values), total);
  };
  scores.accuracy = Ratio(static_cast<double>(right), total);
  scores.macro = {Mean(precision), Mean(recall), Mean(f1), static_cast<int64_t>(total)};
  scores.weighted = {weighted(precision), weighted(recall), weighted(f1), static_cast<int64_t>(total)};
  return scores;
}

std::string ReportText(const Confusion& confusion, const ClassificationScores& scores, int digits) {
  constexpr size_t kColumn = 9;
  size_t width = std::max<size_t>(std::string_view("weighted avg").size(), static_cast<size_t>(std::max(digits, 0)));
  for (const std::string& name : confusion.classes) width = std::max(width, text::CountChars(name));
  // Where nothing at all was right, scikit-learn's counts turn into fractions: "3.0".
  const char* fraction = scores.accuracy == 0 ? ".0" : "";
  const auto number = [&](double value) { return Cat(" ", Right(FormatFixed(value, digits), kColumn)); };
  const auto count = [&](int64_t value) { return Cat(" ", Right(Cat(value, fraction), kColumn), "\n"); };
  const auto row = [&](const std::string& name, const ClassScore& score) {
    return Cat(Right(name, width), " ", number(score.precision), number(score.recall), number(score.f1),
               count(score.support));
  };
  std::string text = Cat(std::string(width, ' '), " ");
  for (const char* head : {"precision", "recall", "f1-score", "support"}) text += Cat(" ", Right(head, kColumn));
  text += "\n\n";
  for (size_t c = 0; c < confusion.classes.size(); ++c) text += row(confusion.classes[c], scores.classes[c]);
  text += Cat("\n", Right("accuracy", width), " ", std::string(2 * (kColumn + 1), ' '), number(scores.accuracy),
              count(scores.macro.support));
  return text + row("macro avg", scores.macro) + row("weighted avg", scores.weighted);
}

}  // namespace atelier::evaluate
