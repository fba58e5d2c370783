// copied: not lifted from the examples that a model was shown. Small models repeat the last one when they are at a
// loss.
//
//   examples = { zh = "examples/zh.jsonl", en = "examples/en.jsonl" }   # each line an object with the output's fields
//   longest = { zh = 6, en = 4 }       # so many units (Han, words) in a row of an example, not on the sheet, are too
//   many
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "evaluate/units.h"
#include "operators/checks/checks.h"
#include "operators/per_language.h"

namespace atelier::operators {
namespace {

struct Shown {
  size_t length = 4;
  std::set<std::string> grams;
};

class Copied : public Check {
 public:
  explicit Copied(std::map<std::string, Shown> shown) : shown_(std::move(shown)) {}

  Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
               std::span<const recipe::Candidate>) const override {
    const auto shown = shown_.find(record.lang);
    if (shown == shown_.end()) return {};
    std::set<std::string> sheet;
    for (const std::string& line : Split(SheetText(record), '\n')) {
      for (std::string& gram : evaluate::Grams(evaluate::Units(line), shown->second.length))
        sheet.insert(std::move(gram));
    }
    for (const std::string& field : TextFields(candidate)) {
      for (const std::string& gram :
           evaluate::Grams(evaluate::Units(OutputText(candidate, field)), shown->second.length)) {
        if (!shown->second.grams.contains(gram) || sheet.contains(gram)) continue;
        const std::string words = ReplaceAll(gram, "\x1f", record.lang == "zh" ? "" : " ");
        return {Say(record, Cat("照抄例子：", words), Cat("lifted from an example: ", words)), 0};
      }
    }
    return {};
  }

 private:
  std::map<std::string, Shown> shown_;
};

}  // namespace

std::unique_ptr<Check> MakeCopied(Table& table, const recipe::StepContext& context) {
  std::map<std::string, Shown> shown;
  for (const auto& [lang, name] : ReadPerLanguage(table, "examples")) {
    const std::string path = JoinInside(context.folder, name);
    shown[lang].length = lang == "zh" ? 6 : 4;
    if (auto longest = table.SubOr("longest")) shown[lang].length = static_cast<size_t>(longest->IntOr(lang, 4, 2, 50));
    size_t line = 0;
    for (const std::string& row : Split(ReadFile(path, 4u << 20), '\n')) {
      ++line;
      if (Trim(row).empty()) continue;
      const Json example = ParseJson(row, Cat(path, ":", line));
      for (const std::string& field : context.outputs) {
        if (!example.is_object() || !example.contains(field) || !example[field].is_string()) continue;
        for (std::string& gram :
             evaluate::Grams(evaluate::Units(example[field].get<std::string>()), shown[lang].length)) {
          shown[lang].grams.insert(std::move(gram));
        }
      }
    }
  }
  return std::make_unique<Copied>(std::move(shown));
}

}  // namespace atelier::operators
