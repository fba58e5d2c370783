// length: characters per output field, per language.
//
//   zh = { headline = [4, 20], body = [16, 90] }
//   en = { headline = [8, 60], body = [40, 220] }
#include <algorithm>
#include <cmath>
#include <map>

#include "base/str.h"
#include "operators/checks/checks.h"
#include "operators/fields.h"
#include "recipe/input.h"

namespace atelier::operators {
namespace {

struct Bounds {
  std::string field;
  size_t least = 0, most = 0;
};

class Length : public Check {
 public:
  explicit Length(std::map<std::string, std::vector<Bounds>> bounds) : bounds_(std::move(bounds)) {}

  Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
               std::span<const recipe::Candidate>) const override {
    const auto at = bounds_.find(record.lang);
    if (at == bounds_.end()) return {};
    Verdict verdict;
    for (const Bounds& bounds : at->second) {
      const size_t chars = recipe::CountChars(OutputText(candidate, bounds.field));
      if (chars < bounds.least) {
        return {Say(record, Cat(bounds.field, "太短：", chars, "字，至少", bounds.least, "字"),
                    Cat(bounds.field, " too short: ", chars, " characters, at least ", bounds.least)),
                0};
      }
      if (chars > bounds.most) {
        return {Say(record, Cat(bounds.field, "太长：", chars, "字，最多", bounds.most, "字"),
                    Cat(bounds.field, " too long: ", chars, " characters, at most ", bounds.most)),
                0};
      }
      // 1 in the middle half of what is allowed, down to 0 at its ends.
      const double middle = (static_cast<double>(bounds.least) + static_cast<double>(bounds.most)) / 2;
      const double half = std::max(1.0, (static_cast<double>(bounds.most) - static_cast<double>(bounds.least)) / 2);
      const double away = std::abs(static_cast<double>(chars) - middle) / half;
      verdict.margin = std::min(verdict.margin, std::clamp((1 - away) * 2, 0.0, 1.0));
    }
    return verdict;
  }

 private:
  std::map<std::string, std::vector<Bounds>> bounds_;
};

}  // namespace

std::unique_ptr<Check> MakeLength(Table& table, const recipe::StepContext& context) {
  std::map<std::string, std::vector<Bounds>> all;
  for (const char* lang : {"zh", "en"}) {
    std::optional<Table> fields = table.SubOr(lang);
    if (!fields) continue;
    for (const std::string& field : fields->Keys()) {
      RequireOutput(*fields, field, field, context);
      const std::vector<double> pair = fields->Doubles(field);
      if (pair.size() != 2 || pair[0] < 0 || pair[1] < pair[0] || pair[1] > 1e6) {
        fields->Refuse(field, "wants [least, most] characters");
      }
      all[lang].push_back({field, static_cast<size_t>(pair[0]), static_cast<size_t>(pair[1])});
    }
  }
  if (all.empty()) table.Refuse("", "length wants bounds for zh, en or both");
  return std::make_unique<Length>(std::move(all));
}

}  // namespace atelier::operators
