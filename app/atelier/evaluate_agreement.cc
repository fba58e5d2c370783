// atelier evaluate agreement --ratings F.csv, or the files that a rating form saved
#include <cmath>
#include <iostream>
#include <optional>

#include "app/atelier/command.h"
#include "app/atelier/evaluate_report_values.h"
#include "app/atelier/known.h"
#include "app/atelier/list_option.h"
#include "app/atelier/notes.h"
#include "app/atelier/report_option.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "data/encoding.h"
#include "data/records.h"
#include "evaluate/form_ratings.h"
#include "evaluate/kappa.h"
#include "evaluate/krippendorff.h"
#include "evaluate/ratings.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

using evaluate::KappaWeights;
using evaluate::RatingLevel;

class AgreementCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Texts(
        "--ratings", &ratings_,
        "a table: a column per rater, a row per item, empty where there is no rating; or files that a rating form "
        "saved, repeated");
    cli.Text("--form", &form_, "the form's page: ratings of another one, or off its scales, are refused");
    cli.Text("--items", &options_.items, "the column that names the items and is no rater");
    cli.Texts("--order", &options_.order,
              "the categories, lowest first, where they are no numbers: low,mid,high, or repeated");
    report_.Declare(cli);
  }

  int Run(const Globals& globals) override {
    report_.Check(ratings_);
    options_.order = ReadList("--order", std::move(options_.order));
    if (ratings_.empty()) throw Error(Code::kUsage, "--ratings names no file", "--ratings FILE");
    std::vector<std::string> bytes;  // read once: a file may be a pipe
    for (const std::string& file : ratings_) bytes.push_back(ReadFile(file));
    std::vector<evaluate::RatedFile> saved;
    if (ReadSaved(bytes, &saved)) return OfForm(globals, saved);
    Notes notes;
    const evaluate::Ratings ratings = evaluate::ReadRatings(std::move(bytes[0]), ratings_[0], options_);
    Json result = Measure(ratings, {}, &notes);
    result["notes"] = NotesJson(notes);
    if (report_.wanted()) {
      report_.Write(AgreementReport(ratings, result, report_.chinese()), notes, globals, &result);
    }
    Show(globals, result, notes);
    return 0;
  }

 private:
  // Whether these are files that a form saved; one file may be a table of ratings.
  bool ReadSaved(const std::vector<std::string>& bytes, std::vector<evaluate::RatedFile>* saved) const {
    const bool must = ratings_.size() > 1 || !form_.empty() || ratings_[0].ends_with(".jsonl");
    if (!must) {
      const std::string text = data::DecodeText(bytes[0], ratings_[0]).text;
      const std::string_view head = std::string_view(text).substr(0, text.find('\n'));
      for (const char* column : {"form", "rater", "item", "criterion", "value"}) {
        if (head.find(column) == std::string_view::npos) return false;
      }
    }
    for (size_t i = 0; i < ratings_.size(); ++i)
      saved->push_back({ratings_[i], data::ParseRecords(bytes[i], ratings_[i]).records});
    return must || evaluate::IsFormRatings(saved->at(0).rows);
  }

  int OfForm(const Globals& globals, const std::vector<evaluate::RatedFile>& saved) const {
    if (!options_.items.empty()) throw Error(Code::kUsage, "--items is of a table, a form names its items");
    std::optional<evaluate::FormKey> key;
    if (!form_.empty()) key = evaluate::ReadFormPage(ReadFile(form_), form_);
    const evaluate::FormRatings ratings = evaluate::ReadFormRatings(saved, key, options_.order);
    Notes notes;
    Json criteria = Json::array();
    for (const evaluate::CriterionRatings& one : ratings.criteria) {
      Json measured = {{"criterion", one.criterion}};
      measured.update(Measure(one.ratings, {Cat(one.criterion, ": "), Cat(one.criterion, "：")}, &notes));
      criteria.push_back(std::move(measured));
    }
    if (key && ratings.items.size() < key->items.size()) {
      const size_t all = key->items.size(), unrated = all - ratings.items.size();
      notes.push_back(
          {Cat(unrated, " of ", all, " items were rated by nobody"), Cat(all, " 个条目中有 ", unrated, " 个没有人评")});
    }
    Json result = {{"form", ratings.form},         {"raters", ratings.raters},        {"items", ratings.items.size()},
                   {"comments", ratings.comments}, {"criteria", std::move(criteria)}, {"notes", NotesJson(notes)}};
    if (report_.wanted()) report_.Write(FormReport(ratings, result, report_.chinese()), notes, globals, &result);
    Show(globals, result, notes);
    return 0;
  }

  static void Show(const Globals& globals, const Json& result, const Notes& notes) {
    PrintNotes(notes);
    if (globals.json) {
      std::cout << ToText(result) << "\n";
    } else if (!result.contains("criteria")) {
      Print("", result);
    } else {
      for (const Json& criterion : result["criteria"]) {
        std::cout << text::ForTerminal(criterion["criterion"].get<std::string>()) << "\n";
        Print("  ", criterion);
      }
    }
  }

  static Json Measure(const evaluate::Ratings& ratings, const Note& before, Notes* out) {
    size_t given = 0;
    for (const int32_t value : ratings.values) given += value >= 0;
    Json result{{"items", ratings.items()},
                {"raters", ratings.raters.size()},
                {"ratings", given},
                {"categories", ratings.categories.size()}};
    Notes notes;
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
    if (!ratings.ordered) {
      notes.push_back({"the categories have no order (--order gives one): only nominal measures",
                       "类别没有次序（可用 --order 给出）：只有名义的量"});
    }
    if (result["krippendorff_alpha"]["nominal"].is_null()) {
      const bool one = ratings.categories.size() == 1;
      notes.push_back({Cat("alpha is undefined: ",
                           one ? "every rating is the same" : "no item has two ratings, or all of those are the same"),
                       Cat("α 无定义：", one ? "所有评分都相同" : "没有条目有两个评分，或者这些评分全部相同")});
    }
    for (const Note& note : notes) out->push_back({before.en + note.en, before.zh + note.zh});
    return result;
  }

  // Means over all pairs of raters who have items in common; for two raters, theirs.
  static Json Kappas(const evaluate::Ratings& ratings, Notes* notes) {
    constexpr size_t kMostCategories = 1000;
    const size_t n = ratings.categories.size(), raters = ratings.raters.size();
    double agreed = 0, compared = 0;
    struct Mean {
      double sum = 0;
      size_t pairs = 0;
    } means[3];
    const bool few = n <= kMostCategories;
    if (!few) notes->push_back({Cat(n, " categories are too many for kappas"), Cat(n, " 个类别太多，不算 κ")});
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
      const size_t without = all - means[0].pairs;
      notes->push_back(
          {Cat("Cohen's kappa is undefined for ", without, " of ", all,
               " pairs of raters (no item in common, or one category), which are left out"),
           Cat(all, " 对评分者中有 ", without, " 对没有 Cohen κ（没有共同的条目，或只有一个类别），不计入")});
    }
    const Json fleiss = few ? Known(evaluate::FleissKappa(ratings)) : Json();
    if (few && fleiss.is_null()) {
      notes->push_back(
          {"Fleiss' kappa is undefined: it needs as many ratings, two or more, for each item, and two categories",
           "Fleiss κ 无定义：每个条目的评分须同样多，至少两个，类别也至少两个"});
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

  std::vector<std::string> ratings_;
  std::string form_;
  evaluate::RatingsOptions options_;
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateAgreement() { return Make<AgreementCommand>(); }

}  // namespace atelier::app
