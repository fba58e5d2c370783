// duplicates: not the same as, nor nearly the same as, an earlier candidate of the record.
//
//   most_alike = 0.85    # Jaccard index of character 3-grams over all text fields
#include "base/str.h"
#include "evaluate/overlap.h"
#include "operators/checks/checks.h"

namespace atelier::operators {
namespace {

class Duplicates : public Check {
 public:
  explicit Duplicates(double most_alike) : most_alike_(most_alike) {}

  Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
               std::span<const recipe::Candidate> earlier) const override {
    const std::string text = AllText(candidate);
    double nearest = 0;
    for (const recipe::Candidate& other : earlier) {
      const double alike = evaluate::CharacterJaccard(text, AllText(other));
      if (alike >= 1) return {Say(record, "与另一条相同", "the same as another candidate"), 0};
      if (alike > most_alike_) {
        return {Say(record, Cat("与另一条几乎相同：", OutputText(other, "headline")),
                    Cat("nearly the same as another: ", OutputText(other, "headline"))),
                0};
      }
      nearest = std::max(nearest, alike);
    }
    return {"", most_alike_ <= 0 ? 1 : 1 - nearest / most_alike_};
  }

 private:
  double most_alike_;
};

}  // namespace

std::unique_ptr<Check> MakeDuplicates(Table& table, const recipe::StepContext&) {
  return std::make_unique<Duplicates>(table.DoubleOr("most_alike", 0.85, 0, 1));
}

}  // namespace atelier::operators
