#include "runtime/constraint/schema_numbers.h"

#include "base/str.h"

namespace atelier::runtime {
namespace {

constexpr int kMostMultiple = 10000;

// Takes a bound in where it is the tighter one; `sign` 1 for lower bounds, -1 for upper ones.
void Tighten(const Decimal& bound, bool exclusive, int sign, std::optional<Decimal>* tightest, bool* without) {
  const int order = *tightest ? Compare(bound, **tightest) * sign : 1;
  if (order > 0) {
    *tightest = bound;
    *without = exclusive;
  } else if (order == 0) {
    *without |= exclusive;
  }
}

}  // namespace

NumberRules NumberRulesOf(const Merged& merged, bool integer) {
  NumberRules out;
  out.bounds.integer = integer;
  std::string fraction;
  for (const Site& part : merged.parts) {
    for (const char* keyword : {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}) {
      if (!part.Has(keyword)) continue;
      const std::string_view name = keyword;
      const Decimal bound = DecimalOf(part.At(keyword));
      if (name.ends_with("inimum")) {
        Tighten(bound, name[0] == 'e', 1, &out.bounds.least, &out.bounds.above_least);
      } else {
        Tighten(bound, name[0] == 'e', -1, &out.bounds.most, &out.bounds.below_most);
      }
      out.where = part.Pointer(keyword);
      out.bounded = true;
    }
    if (!part.Has("multipleOf")) continue;
    out.where = part.Pointer("multipleOf");
    const Decimal divisor = DecimalOf(part.At("multipleOf"));
    if (IsMultiple({false, "1", ""}, divisor).value_or(false)) {
      if (integer) continue;  // every integer is one
      // Whole numbers are multiples in any validator's arithmetic, what else is depends on its rounding.
      out.bounds.integer = out.bounded = out.rounded = true;
      fraction = out.where;
      continue;
    }
    const auto value = SmallInteger(divisor);
    if (!value || *value > kMostMultiple) {
      SchemaDocument::Refuse(out.where, Cat("only integers up to ", kMostMultiple,
                                            " and fractions that divide 1 are "
                                            "supported"));
    }
    out.bounds.multiples.push_back(static_cast<int>(*value));
    out.bounded = true;
  }
  if (!fraction.empty()) out.where = fraction;
  return out;
}

}  // namespace atelier::runtime
