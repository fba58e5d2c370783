// atelier evaluate judge RECIPE --input rated.csv --human FIELD[=CRITERION]: what a judge is worth beside people
#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>
#include <set>

#include "app/atelier/command.h"
#include "app/atelier/known.h"
#include "app/atelier/recipe_run.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "data/records.h"
#include "evaluate/form_ratings.h"
#include "evaluate/rater_agreement.h"
#include "operators/judge.h"
#include "recipe/input.h"

namespace atelier::app {
namespace {

using evaluate::RaterColumn;
using evaluate::RaterMeasures;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct Human {
  std::string field;
  RaterColumn ratings;  // [record]
};

struct Compared {
  operators::JudgedCriterion criterion;
  std::vector<Human> humans;
  RaterColumn judge;  // [record]
};

class JudgeCommand final : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("recipe", &recipe_, "a judge: a recipe with numbers in its output; its folder or name", true);
    cli.Text("--input", &input_, "rated records: CSV or JSON lines", true);
    cli.Texts("--human", &humans_,
              "FIELD or FIELD=CRITERION: a field with one person's ratings; repeat it for more people and criteria");
    cli.Texts("--ratings", &ratings_,
              "what people saved on a rating form, instead of --human; repeat it for more files");
    cli.Text("--id", &id_, "with --ratings: the field that names a record; without it its number, from 1");
    cli.Text("--key", &key_, "with --ratings of a blind form: the key that it wrote");
    cli.Text("--group", &group_, "field: records that share it are compared pair by pair");
    cli.Text("--variant", &variant_, "one of the recipe's variants");
    cli.Int("--seed", &seed_, "of the run, and of the intervals", 0, INT64_MAX);
    cli.Int("--limit", &limit_, "only so many records; 0: all", 0, INT64_MAX);
    cli.Int("--bootstrap", &bootstrap_, "samples for the intervals; 0: none", 0, 100'000);
    cli.Double("--least-kappa", &least_kappa_, "exit 1 where a criterion's quadratic kappa is below it", -1, 1);
    cli.Flag("--each", &each_, "also every record's numbers (with --json)");
  }

  int Run(const Globals& globals) override {
    if (humans_.empty() && ratings_.empty())
      throw Error(Code::kUsage, "--human names no field", "--human FIELD=CRITERION, for example --human anna=clear");
    if (ratings_.empty() && !(id_.empty() && key_.empty()))
      throw Error(Code::kUsage, "--id and --key go with --ratings", "they say which record a rating is of");
    store::Studio studio = StudioForRuns(globals.studio);
    recipe::Recipe recipe = recipe::LoadRecipe(RecipeFolder(studio, recipe_), variant_);
    std::vector<Compared> compared = Criteria(recipe);
    std::string hash;
    std::vector<recipe::Record> records = ReadRated(recipe, &compared, &hash);
    feedback::RunRow row;
    row.input_path = input_;
    row.input_hash = hash;
    row.options = {{"command", "evaluate judge"}, {"human", humans_}, {"ratings", ratings_}, {"limit", limit_}};
    recipe::RunOptions options = OptionsForRuns(studio, globals.quiet || globals.json);
    options.seed = static_cast<uint64_t>(seed_);
    KeptRun run = RunAndKeep(studio, std::move(recipe), std::move(records), std::move(row), std::move(options));
    TakeJudged(*run.engine, &compared);

    Json result = {{"recipe", run.engine->recipe_name()},
                   {"variant", variant_},
                   {"run", run.id},
                   {"records", lines_.size()},
                   {"judged", lines_.size() - unjudged_.size()},
                   {"unjudged", unjudged_},
                   {"criteria", Json::array()}};
    bool reached = true;
    for (Compared& one : compared) {
      result["criteria"].push_back(Measure(&one));
      const Json& kappa = result["criteria"].back()["judge"]["kappa"]["value"];
      if (least_kappa_ && (kappa.is_null() || kappa.get<double>() < *least_kappa_)) {
        reached = false;
        notes_.push_back(Cat(one.criterion.name, ": kappa ", kappa.is_null() ? "is undefined" : ToText(kappa),
                             ", --least-kappa is ", *least_kappa_));
      }
    }
    if (least_kappa_) result["passed"] = reached;
    for (const std::string& note : run.engine->notes()) notes_.push_back(note);
    result["seconds"] = run.engine->seconds();
    result["notes"] = notes_;
    for (const std::string& note : notes_) std::cerr << "note: " << note << "\n";
    if (globals.json) {
      std::cout << ToText(result) << "\n";
    } else {
      Print(result);
    }
    return reached ? 0 : 1;
  }

 private:
  // What the recipe rates. A number that another operator writes has no scale of its own: the people's is taken.
  static std::vector<operators::JudgedCriterion> Rated(const recipe::Recipe& recipe) {
    std::vector<operators::JudgedCriterion> known = operators::JudgedCriteria(recipe);
    for (const recipe::OutputField& field : recipe.output) {
      const bool there =
          std::any_of(known.begin(), known.end(), [&](const auto& one) { return one.name == field.name; });
      if (field.type == recipe::FieldType::kNumber && !there) known.push_back({field.name, {}, {}, false});
    }
    return known;
  }

  // What --human names, against what the recipe rates.
  std::vector<Compared> Criteria(const recipe::Recipe& recipe) const {
    const std::vector<operators::JudgedCriterion> known = Rated(recipe);
    std::vector<std::string> names;
    for (const operators::JudgedCriterion& criterion : known) names.push_back(criterion.name);
    std::vector<Compared> out;
    std::set<std::string> seen;
    for (const std::string& human : humans_) {
      const size_t equals = human.rfind('=');
      const std::string field = human.substr(0, equals);
      const std::string criterion = equals == std::string::npos ? field : human.substr(equals + 1);
      const auto at = std::find(names.begin(), names.end(), criterion);
      if (at == names.end()) {
        const std::string near = Nearest(criterion, names);
        throw Error(Code::kUsage, Cat("--human ", Quote(human), ": ", recipe.name, " rates no ", Quote(criterion)),
                    names.empty()  ? "its output has no field of type number"
                    : near.empty() ? Cat("it rates ", Join(names, ", "))
                                   : Cat("did you mean '", near, "'?"));
      }
      if (!seen.insert(field + "\n" + criterion).second)
        throw Error(Code::kUsage, Cat("--human ", Quote(human), " stands there twice"));
      if (recipe.input.Find(field) != nullptr)
        throw Error(Code::kUsage, Cat("--human ", Quote(field), " is an input field of ", recipe.name),
                    "a judge may not see what people said");
      auto place = std::find_if(out.begin(), out.end(), [&](const Compared& c) { return c.criterion.name == *at; });
      if (place == out.end()) {
        out.push_back({known[static_cast<size_t>(at - names.begin())], {}, {}});
        place = out.end() - 1;
      }
      place->humans.push_back({field, {}});
    }
    return out;
  }

  // The records without what people said of them, which goes into `compared`.
  std::vector<recipe::Record> ReadRated(const recipe::Recipe& recipe, std::vector<Compared>* compared,
                                        std::string* hash) {
    data::ImportOptions options = recipe::ImportOf(recipe);
    options.known_fields.clear();  // what people said is there, too
    data::Imported imported = data::ReadRecords(input_, options);
    *hash = imported.sha256;
    if (limit_ > 0 && imported.records.size() > static_cast<size_t>(limit_))
      imported.records.resize(static_cast<size_t>(limit_));
    if (imported.records.empty()) throw Error(Code::kInvalidInput, Cat(input_, ": holds no record"));
    std::set<std::string> used, unused;
    if (!ratings_.empty()) TakeSaved(recipe, imported.records, compared);
    if (!id_.empty()) used.insert(id_);
    for (Compared& one : *compared) {
      for (Human& human : one.humans) {
        if (!human.ratings.empty()) continue;  // saved on a form
        used.insert(human.field);
        size_t missing = 0, first_missing = 0;
        for (const data::Record& record : imported.records) {
          human.ratings.push_back(RatingOf(record, human.field, one.criterion));
          if (!std::isnan(human.ratings.back())) continue;
          if (missing++ == 0) first_missing = record.line;
        }
        if (missing == imported.records.size()) {
          throw Error(Code::kInvalidInput, Cat(input_, ": holds no rating in the field ", Quote(human.field)),
                      Cat("its fields are ", Quote(FieldsOf(imported.records[0]), 200)));
        }
        if (missing > 0) {
          notes_.push_back(Cat(missing, " of ", imported.records.size(), " records have no rating in ",
                               Quote(human.field), ", the first in line ", first_missing));
        }
      }
      if (one.criterion.scale.empty()) {
        std::set<double> values;
        for (const Human& human : one.humans) {
          for (const double value : human.ratings) {
            if (!std::isnan(value)) values.insert(value);
          }
        }
        one.criterion.scale.assign(values.begin(), values.end());
        if (values.size() == 1) one.criterion.scale.push_back(*values.begin() + 1);
      }
    }
    std::vector<recipe::Record> records;
    for (data::Record& record : imported.records) {
      const auto group = group_.empty() ? record.fields.end() : record.fields.find(group_);
      if (!group_.empty() && group == record.fields.end())
        throw Error(Code::kInvalidInput, Cat(input_, ":", record.line, ": has no field ", Quote(group_)),
                    "--group names one that every record has");
      groups_.push_back(group_.empty() ? "" : ToText(*group));
      lines_.push_back(record.line);
      for (const auto& [name, value] : record.fields.items()) {
        if (recipe.input.Find(name) == nullptr && !used.contains(name) && name != group_) unused.insert(name);
      }
      records.push_back(recipe::MakeRecord(recipe, record, records.size()));
    }
    if (!unused.empty()) notes_.push_back(Cat("fields not used: ", Join({unused.begin(), unused.end()}, ", ")));
    return records;
  }

  // What people saved on forms: a rater each, under the criteria that the recipe rates too.
  void TakeSaved(const recipe::Recipe& recipe, const std::vector<data::Record>& records,
                 std::vector<Compared>* compared) {
    std::vector<evaluate::RatedFile> files;
    for (const std::string& file : ratings_) files.push_back({file, data::ReadRecords(file).records});
    const evaluate::FormRatings saved = evaluate::ReadFormRatings(files, std::nullopt, {}, 1);
    std::map<std::string, std::string> sources;  // of a blind form's codes
    if (!key_.empty()) {
      for (const data::Record& row : data::ReadRecords(key_).records) {
        if (!row.fields.contains("item") || !row.fields.contains("id"))
          throw Error(Code::kInvalidInput, Cat(key_, ":", row.line, ": has no item and id"),
                      "name the key that atelier evaluate form --blind wrote");
        sources[row.fields["item"].get<std::string>()] = row.fields["id"].get<std::string>();
      }
    }
    std::map<std::string, size_t> place;  // of a record by its id
    for (size_t i = 0; i < records.size(); ++i) {
      const auto at = id_.empty() ? records[i].fields.end() : records[i].fields.find(id_);
      if (!id_.empty() && (at == records[i].fields.end() || !at->is_string()))
        throw Error(Code::kInvalidInput, Cat(input_, ":", records[i].line, ": has no field ", Quote(id_)));
      const auto [had, fresh] = place.emplace(id_.empty() ? Cat(i + 1) : at->get<std::string>(), i);
      if (fresh) continue;
      throw Error(
          Code::kInvalidInput,
          Cat(input_, ":", records[i].line, ": ", Quote(had->first), " is also in line ", records[had->second].line),
          "--id names a field that is another for each record");
    }
    std::vector<size_t> of_item;
    for (const std::string& item : saved.items) {
      const auto source = sources.find(item);
      const auto at = place.find(source == sources.end() ? item : source->second);
      if (at == place.end() && limit_ == 0) {
        throw Error(Code::kInvalidInput,
                    Cat(ratings_[0], ": rates ", Quote(item), ", which ", input_, " does not have"),
                    "--id names the field that the form's rubric has as id, --key a blind form's key");
      }
      of_item.push_back(at == place.end() ? records.size() : at->second);
    }
    const std::vector<operators::JudgedCriterion> known = Rated(recipe);
    std::vector<std::string> unknown;
    for (const evaluate::CriterionRatings& one : saved.criteria) {
      const auto criterion =
          std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.name == one.criterion; });
      if (criterion == known.end()) {
        unknown.push_back(one.criterion);
        continue;
      }
      auto at = std::find_if(compared->begin(), compared->end(),
                             [&](const Compared& c) { return c.criterion.name == one.criterion; });
      if (at == compared->end()) at = compared->insert(at, {*criterion, {}, {}});
      for (size_t rater = 0; rater < saved.raters.size(); ++rater) {
        Human human{saved.raters[rater], RaterColumn(records.size(), kUnknown)};
        for (size_t item = 0; item < of_item.size(); ++item) {
          const int32_t value = one.ratings.at(item, rater);
          if (value < 0 || of_item[item] == records.size()) continue;
          human.ratings[of_item[item]] =
              ValueOf(one.ratings.categories[static_cast<size_t>(value)], at->criterion,
                      Cat(ratings_[0], ": ", Quote(saved.raters[rater]), " rated ", Quote(saved.items[item])));
        }
        at->humans.push_back(std::move(human));
      }
    }
    if (compared->empty()) {
      throw Error(Code::kInvalidInput,
                  Cat(ratings_[0], ": rates ", Join(unknown, ", "), ", and ", recipe.name, " rates none of them"),
                  "a criterion has the same name in the rubric and in the judge");
    }
    if (!unknown.empty()) notes_.push_back(Cat("not judged: ", Join(unknown, ", ")));
  }

  static std::string FieldsOf(const data::Record& record) {
    std::vector<std::string> names;
    for (const auto& [name, value] : record.fields.items()) names.push_back(name);
    return Join(names, ", ");
  }

  double RatingOf(const data::Record& record, const std::string& field,
                  const operators::JudgedCriterion& criterion) const {
    const auto at = record.fields.find(field);
    if (at == record.fields.end() || !at->is_string()) return kUnknown;
    const std::string text(Trim(at->get_ref<const std::string&>()));
    if (text.empty()) return kUnknown;
    return ValueOf(text, criterion, Cat(input_, ":", record.line, ": ", Quote(field)));
  }

  // A rating as a number of the scale: itself, or a label's place.
  static double ValueOf(const std::string& text, const operators::JudgedCriterion& criterion, const std::string& who) {
    const auto where = [&] { return Cat(who, " is ", Quote(text)); };
    const auto label = std::find(criterion.labels.begin(), criterion.labels.end(), text);
    if (label != criterion.labels.end()) return criterion.scale[static_cast<size_t>(label - criterion.labels.begin())];
    const std::optional<double> value = ParseDouble(text);
    if (!value || !std::isfinite(*value))
      throw Error(Code::kInvalidInput, Cat(where(), ", which is no finite number"),
                  criterion.labels.empty() ? "leave it empty where there is no rating"
                                           : Cat("or one of ", Join(criterion.labels, ", ")));
    const std::vector<double>& scale = criterion.scale;
    if (!scale.empty() && (*value < scale.front() || *value > scale.back()))
      throw Error(Code::kInvalidInput, Cat(where(), ", outside of the scale of ", criterion.name),
                  Cat("it goes from ", scale.front(), " to ", scale.back()));
    return *value;
  }

  void TakeJudged(recipe::Engine& engine, std::vector<Compared>* compared) {
    const std::vector<recipe::Record>& records = engine.records();
    for (const recipe::Record& record : records) {
      const recipe::Candidate* best = record.Best();
      bool judged = best != nullptr;
      for (Compared& one : *compared) {
        double value = kUnknown;
        if (best != nullptr) {
          const auto at = best->output.find(one.criterion.name);
          if (at != best->output.end() && at->is_number() && std::isfinite(at->get<double>()))
            value = at->get<double>();
        }
        judged = judged && !std::isnan(value);
        one.judge.push_back(value);
      }
      if (judged) continue;
      const std::string why = record.needs_person.empty() ? "the judge gave no number" : record.needs_person;
      unjudged_.push_back({{"line", record.line}, {"reason", why}});
    }
    if (unjudged_.size() == records.size()) {
      throw Error(Code::kInvalidInput,
                  Cat(input_, ": no record could be judged; line ", unjudged_[0]["line"].get<size_t>(), ": ",
                      unjudged_[0]["reason"].get<std::string>()),
                  "atelier make says so for each record");
    }
  }

  Json Measure(Compared* one) const {
    std::vector<RaterColumn> people;
    std::vector<std::string> names;
    for (const Human& human : one->humans) {
      people.push_back(human.ratings);
      names.push_back(human.field);
    }
    size_t items = 0;
    for (size_t i = 0; i < one->judge.size(); ++i) {
      const bool rated = std::any_of(people.begin(), people.end(), [&](const auto& p) { return !std::isnan(p[i]); });
      items += rated && !std::isnan(one->judge[i]);
    }
    const std::vector<double>& scale = one->criterion.scale;
    RaterMeasures measures = evaluate::Agreement(one->judge, people, scale);
    std::vector<std::optional<evaluate::Interval>> intervals(RaterMeasures::kCount);
    if (bootstrap_ > 0)
      intervals = evaluate::AgreementIntervals(one->judge, people, scale, bootstrap_, static_cast<uint64_t>(seed_));
    Json judge = Json::object(), among;
    for (size_t i = 0; i < RaterMeasures::kCount; ++i) {
      judge[evaluate::RaterMeasureNames()[i]] = {{"value", Known(evaluate::At(&measures, i))},
                                                 {"low", intervals[i] ? Json(intervals[i]->low) : Json()},
                                                 {"high", intervals[i] ? Json(intervals[i]->high) : Json()}};
    }
    if (people.size() > 1) {
      RaterMeasures ceiling = evaluate::AgreementAmong(people, scale);
      for (size_t i = 0; i < RaterMeasures::kCount; ++i)
        among[evaluate::RaterMeasureNames()[i]] = Known(evaluate::At(&ceiling, i));
    }
    Json pairs;
    if (one->criterion.pairwise || !group_.empty()) {
      const evaluate::PairAccuracy order = one->criterion.pairwise
                                               ? evaluate::PreferenceAccuracy(one->judge, people)
                                               : evaluate::OrderAccuracy(one->judge, people, groups_);
      pairs = {{"pairs", order.pairs}, {"accuracy", Known(order.accuracy)}};
    }
    Json out = {{"criterion", one->criterion.name},
                {"scale", {scale.front(), scale.back()}},
                {"people", names},
                {"items", items},
                {"judge", judge},
                {"among_people", among},
                {"pairwise", pairs}};
    if (each_) {
      out["each"] = Json::array();
      for (size_t i = 0; i < one->judge.size(); ++i) {
        Json ratings = Json::array();
        for (const RaterColumn& person : people) ratings.push_back(Known(person[i]));
        out["each"].push_back({{"line", lines_[i]}, {"judge", Known(one->judge[i])}, {"people", ratings}});
      }
    }
    return out;
  }

  static std::string Shown(const Json& value) { return value.is_null() ? "-" : FormatFixed(value.get<double>(), 3); }

  static void Print(const Json& result) {
    std::cout << result["judged"].get<size_t>() << " of " << result["records"].get<size_t>() << " records judged, run "
              << result["run"].get<std::string>() << "\n";
    for (const Json& criterion : result["criteria"]) {
      std::cout << "\n"
                << criterion["criterion"].get<std::string>() << ", " << criterion["items"].get<size_t>()
                << " records, people: ";
      for (size_t i = 0; i < criterion["people"].size(); ++i)
        std::cout << (i > 0 ? ", " : "") << criterion["people"][i].get<std::string>();
      std::cout << "\n";
      for (const auto& [name, value] : criterion["judge"].items()) {
        std::string line = Cat("  ", ReplaceAll(name, "_", " "));
        line.resize(std::max<size_t>(line.size(), 22), ' ');
        line += Cat(" ", Shown(value["value"]));
        if (!value["low"].is_null()) line += Cat("  [", Shown(value["low"]), ", ", Shown(value["high"]), "]");
        if (!criterion["among_people"].is_null())
          line += Cat("  people among themselves ", Shown(criterion["among_people"][name]));
        std::cout << line << "\n";
      }
      if (!criterion["pairwise"].is_null()) {
        std::cout << "  pairs in order         " << Shown(criterion["pairwise"]["accuracy"]) << "  of "
                  << criterion["pairwise"]["pairs"].get<size_t>() << " pairs\n";
      }
    }
  }

  std::string recipe_, input_, variant_, group_, id_, key_;
  std::vector<std::string> humans_, ratings_, groups_, notes_;
  std::vector<size_t> lines_;
  Json unjudged_ = Json::array();
  int64_t seed_ = 1, limit_ = 0, bootstrap_ = 1000;
  std::optional<double> least_kappa_;
  bool each_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateJudge() { return Make<JudgeCommand>(); }

}  // namespace atelier::app
