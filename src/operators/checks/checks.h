// Checks: each looks at one candidate of one record and says whether it may be shown. One small class per check, one
// visible list in checks.cc. A check's reason is for people and in the record's language.
//
//   [[step.check]]
//   use = "length"
//   ... the check's own keys
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "recipe/run.h"

namespace atelier::operators {

struct Verdict {
  std::string reason;  // empty: passed
  double margin = 1;   // how far from failing, 0 to 1
};

class Check {
 public:
  virtual ~Check() = default;
  // `earlier`: candidates of the same record that passed every check so far, in order.
  virtual Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
                       std::span<const recipe::Candidate> earlier) const = 0;
};

struct CheckEntry {
  std::string_view name, summary;
  // Reads the check's keys strictly (all but `use`).
  std::unique_ptr<Check> (*make)(Table& table, const recipe::StepContext& context);
};
std::span<const CheckEntry> AllChecks();

std::unique_ptr<Check> MakeLength(Table& table, const recipe::StepContext& context);
std::unique_ptr<Check> MakeDebris(Table& table, const recipe::StepContext& context);
std::unique_ptr<Check> MakeLanguage(Table& table, const recipe::StepContext& context);
std::unique_ptr<Check> MakeFacts(Table& table, const recipe::StepContext& context);
std::unique_ptr<Check> MakeAbout(Table& table, const recipe::StepContext& context);
std::unique_ptr<Check> MakeClaims(Table& table, const recipe::StepContext& context);
std::unique_ptr<Check> MakeCopied(Table& table, const recipe::StepContext& context);
std::unique_ptr<Check> MakeGrounded(Table& table, const recipe::StepContext& context);
std::unique_ptr<Check> MakeVerbatim(Table& table, const recipe::StepContext& context);
std::unique_ptr<Check> MakeDuplicates(Table& table, const recipe::StepContext& context);

// --- what checks share
// A text field of the output, "" where it is absent or no text.
std::string_view OutputText(const recipe::Candidate& candidate, std::string_view field);
// The names of the output's text fields, in its order; lists are left out.
std::vector<std::string> TextFields(const recipe::Candidate& candidate);
// All of them, a line each.
std::string AllText(const recipe::Candidate& candidate);
// All text of the record (of one field where named), parts separated by line breaks.
std::string SheetText(const recipe::Record& record, std::string_view field = "");
// The reason in the record's language.
std::string Say(const recipe::Record& record, std::string zh, std::string en);

}  // namespace atelier::operators
