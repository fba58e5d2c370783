// What people saved on a rating form (rating_form.h): rows of form, rater, item, criterion, value, comment, in one file
// per rater or several.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/records.h"
#include "evaluate/rating_form.h"
#include "evaluate/ratings.h"

namespace atelier::evaluate {

struct RatedFile {
  std::string file;
  std::vector<data::Record> rows;
};

// Whether the first row has the columns that a form saves.
bool IsFormRatings(const std::vector<data::Record>& rows);

struct CriterionRatings {
  std::string criterion;
  Ratings ratings;
};
struct FormRatings {
  std::string form;                        // its hash
  std::vector<std::string> raters, items;  // in order of their first row
  std::vector<CriterionRatings> criteria;  // those that somebody rated; of the form's order where there is a key
  size_t comments = 0;
};

// `key`, where given, is the form that the ratings must be of; `order` the answers' order for criteria that are no
// numbers, where no key tells it. Throws Error(kInvalidInput) "file:line: ..." for ratings of another form, an item or
// criterion that the form does not have, a value outside its scale, NaN, one rater who rates one item twice and
// differently, fewer than `least_raters`, and files without a rating.
FormRatings ReadFormRatings(const std::vector<RatedFile>& files, const std::optional<FormKey>& key,
                            const std::vector<std::string>& order, size_t least_raters = 2);

}  // namespace atelier::evaluate
