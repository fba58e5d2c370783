// How a headline and a body are built, whatever they say: sentences rather than lists of what the sheet has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "recipe/run.h"

namespace atelier::operators {

struct Shape {
  size_t own = 0;    // characters (Han, letters, digits) that are not the sheet's
  size_t joins = 0;  // places where two pieces of the sheet meet with nothing but a mark between them
  size_t named = 0;  // how often the product's name stands there
  size_t chars = 0;  // letters, digits and Han in all
};

// `pieces`: what the sheet has, longest first; `name` one of them. Case does not count.
Shape MeasureShape(std::string_view text, const std::vector<std::string>& pieces, std::string_view name);

// The values of a record that copy repeats: name, features, audience, price ... longest first.
std::vector<std::string> SheetPieces(const recipe::Record& record);

// How well the pair is built, in [0, 1]: 1 is a headline of good length that says something besides the sheet's own
// pieces, over a body with a phrase or two of its own, with the name said once and nothing
// else said twice.
double RateShape(const recipe::Record& record, std::string_view headline, std::string_view body);

}  // namespace atelier::operators
