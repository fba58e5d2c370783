// language: written in the record's language. Chinese copy may hold Latin words only where the sheet has them.
//
//   least_share = 0.6    # of the letters in the record's script; of what the sheet does not have
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <set>

#include "base/str.h"
#include "evaluate/units.h"
#include "operators/checks/checks.h"

namespace atelier::operators {
namespace {

enum class Script { kNone, kHan, kLatin, kOther };

Script ScriptOf(std::string_view unit) {
  UChar32 c = 0;
  int32_t at = 0;
  U8_NEXT(reinterpret_cast<const uint8_t*>(unit.data()), at, static_cast<int32_t>(unit.size()), c);
  if (c < 0 || !u_isalpha(c)) return Script::kNone;
  UErrorCode ignored = U_ZERO_ERROR;
  switch (uscript_getScript(c, &ignored)) {
    case USCRIPT_HAN: return Script::kHan;
    case USCRIPT_LATIN: return Script::kLatin;
    case USCRIPT_COMMON:
    case USCRIPT_INHERITED: return Script::kNone;
    default: return Script::kOther;
  }
}

class Language : public Check {
 public:
  explicit Language(double least_share) : least_share_(least_share) {}

  Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
               std::span<const recipe::Candidate>) const override {
    const std::vector<std::string> sheet = evaluate::Units(SheetText(record));
    const std::set<std::string> known(sheet.begin(), sheet.end());
    const Script own = record.lang == "zh" ? Script::kHan : Script::kLatin;
    size_t right = 0, all = 0;
    for (const std::string& field : TextFields(candidate)) {
      for (const std::string& unit : evaluate::Units(OutputText(candidate, field))) {
        const Script script = ScriptOf(unit);
        if (script == Script::kNone) continue;
        if (script != own && known.contains(unit)) continue;
        ++all;
        right += script == own;
        if (script != own && (script == Script::kOther || own == Script::kHan)) {
          return {Say(record, Cat("夹着资料里没有的外文：", unit), Cat("a word in another script: ", unit)), 0};
        }
      }
    }
    const double share = all == 0 ? 0 : static_cast<double>(right) / static_cast<double>(all);
    if (share < least_share_) return {Say(record, "不是用中文写的", "not written in English"), 0};
    return {};
  }

 private:
  double least_share_;
};

}  // namespace

std::unique_ptr<Check> MakeLanguage(Table& table, const recipe::StepContext&) {
  return std::make_unique<Language>(table.DoubleOr("least_share", 0.9, 0, 1));
}

}  // namespace atelier::operators
