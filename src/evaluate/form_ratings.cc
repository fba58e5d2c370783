#include "evaluate/form_ratings.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/str.h"

namespace atelier::evaluate {
namespace {

constexpr const char* kColumns[] = {"form", "rater", "item", "criterion", "value"};

const std::string& Cell(const data::Record& row, const std::string& name) {
  static const std::string kNone;
  const auto at = row.fields.find(name);
  return at != row.fields.end() && at->is_string() ? at->get_ref<const std::string&>() : kNone;
}

// A form's CSV guards cells that a spreadsheet would take for a formula by an apostrophe before them.
std::string Unguarded(const std::string& text) {
  const bool guarded =
      text.size() > 1 && text[0] == '\'' && std::string_view("'=+-@\t\r").find(text[1]) != std::string_view::npos;
  return guarded ? text.substr(1) : text;
}

// Texts in the order of their first coming.
class Names {
 public:
  size_t Of(const std::string& text) {
    const auto [at, fresh] = index_.emplace(text, list.size());
    if (fresh) list.push_back(text);
    return at->second;
  }
  std::vector<std::string> list;

 private:
  std::map<std::string, size_t> index_;
};

struct Given {
  std::string value, place;
};

}  // namespace

bool IsFormRatings(const std::vector<data::Record>& rows) {
  return !rows.empty() && std::all_of(std::begin(kColumns), std::end(kColumns),
                                      [&](const char* name) { return rows[0].fields.contains(name); });
}

FormRatings ReadFormRatings(const std::vector<RatedFile>& files, const std::optional<FormKey>& key,
                            const std::vector<std::string>& order, size_t least_raters) {
  FormRatings out;
  std::string first_place;
  Names raters, items, criteria;
  std::map<std::tuple<size_t, size_t, size_t>, Given> given;  // criterion, item, rater
  std::set<std::string> known_items;
  std::map<std::string, const FormCriterion*> known;
  if (key) {
    known_items.insert(key->items.begin(), key->items.end());
    for (const FormCriterion& criterion : key->criteria) {
      criteria.Of(criterion.name);
      known[criterion.name] = &criterion;
    }
    out.form = key->hash;
  }
  std::string names;
  for (const RatedFile& file : files) {
    names += Cat(names.empty() ? "" : ", ", file.file);
    if (!IsFormRatings(file.rows)) {
      throw Error(Code::kInvalidInput, Cat(file.file, ": holds no ratings of a form"),
                  "a form saves the columns form, rater, item, criterion, value, comment");
    }
    const bool csv = !file.file.ends_with(".jsonl") && !file.file.ends_with(".ndjson");
    for (const data::Record& row : file.rows) {
      const std::string place = Cat(file.file, ":", row.line);
      const auto wrong = [&](std::string_view why, std::string hint = "") {
        return Error(Code::kInvalidInput, Cat(place, ": ", why), std::move(hint));
      };
      const auto cell = [&](const char* name) { return csv ? Unguarded(Cell(row, name)) : Cell(row, name); };
      const std::string form = cell("form"), rater = cell("rater"), item = cell("item"), criterion = cell("criterion"),
                        value = cell("value");
      if (form.empty() || rater.empty() || item.empty()) throw wrong("has no form, rater or item");
      if (out.form.empty()) {
        out.form = form;
        first_place = place;
      }
      if (form != out.form) {
        throw wrong(Cat("rates the form ", Quote(form.substr(0, 12)), ", ",
                        key ? std::string("--form is ") : Cat(first_place, " rates "), Quote(out.form.substr(0, 12))),
                    "ratings of different forms cannot be compared");
      }
      out.comments += !Cell(row, "comment").empty();
      if (key && !known_items.contains(item)) throw wrong(Cat("the form has no item ", Quote(item)));
      if (criterion.empty() != value.empty()) throw wrong("has a criterion without a value, or a value without one");
      if (criterion.empty()) continue;  // a comment alone
      const auto of = known.find(criterion);
      if (key && of == known.end()) throw wrong(Cat("the form has no criterion ", Quote(criterion)));
      if (key) {
        const std::vector<std::string>& answers = of->second->answers;
        if (std::find(answers.begin(), answers.end(), value) == answers.end()) {
          throw wrong(Cat(Quote(rater), " rated ", Quote(criterion), " ", Quote(value), ", outside of its scale"),
                      Cat("it is ", Quote(Join(answers, ", "), 200)));
        }
      }
      RequireRating(
          value, [&] { return Cat(place, ": ", Quote(rater)); }, key ? std::vector<std::string>{} : order);
      const auto [at, fresh] =
          given.emplace(std::tuple(criteria.Of(criterion), items.Of(item), raters.Of(rater)), Given{value, place});
      if (!fresh && at->second.value != value) {
        throw wrong(Cat(Quote(rater), " rated ", Quote(criterion), " of the item ", Quote(item), " ", Quote(value),
                        ", and ", Quote(at->second.value), " in ", at->second.place),
                    "one name is one rater; two people need two names");
      }
    }
  }
  if (given.empty()) throw Error(Code::kInvalidInput, Cat(names, ": hold no rating"), "rows with criterion and value");
  if (raters.list.size() < least_raters) {
    throw Error(Code::kInvalidInput, Cat(names, ": hold the ratings of ", Quote(raters.list[0]), " alone"),
                "agreement needs two raters: --ratings once per file");
  }
  for (size_t c = 0; c < criteria.list.size(); ++c) {
    std::vector<std::string> cells(items.list.size() * raters.list.size());
    bool any = false;
    for (auto at = given.lower_bound({c, 0, 0}); at != given.end() && std::get<0>(at->first) == c; ++at) {
      cells[std::get<1>(at->first) * raters.list.size() + std::get<2>(at->first)] = at->second.value;
      any = true;
    }
    if (!any) continue;
    out.criteria.push_back(
        {criteria.list[c], RatingsOf(raters.list, cells, names, key ? known.at(criteria.list[c])->answers : order)});
  }
  out.raters = raters.list;
  out.items = items.list;
  return out;
}

}  // namespace atelier::evaluate
