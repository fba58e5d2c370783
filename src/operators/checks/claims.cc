// claims: none of the words that advertising law or plain honesty forbids. Lists as guard/claims.h has them.
//
//   lists = { zh = "claims/zh.toml", en = "claims/en.toml" }
//   name_fields = ["name"]     # a product's own name may hold such a word
#include <map>

#include "base/file.h"
#include "base/str.h"
#include "guard/claims.h"
#include "operators/checks/checks.h"

namespace atelier::operators {
namespace {

class ClaimsCheck : public Check {
 public:
  ClaimsCheck(std::map<std::string, guard::Claims> lists, std::vector<std::string> names)
      : lists_(std::move(lists)), names_(std::move(names)) {}

  Verdict Look(const recipe::Record& record, const recipe::Candidate& candidate,
               std::span<const recipe::Candidate>) const override {
    const auto list = lists_.find(record.lang);
    if (list == lists_.end()) return {};
    std::vector<std::string> allowed;
    for (const std::string& field : names_) {
      if (const auto at = record.input.find(field); at != record.input.end() && at->is_string()) allowed.push_back(*at);
    }
    for (const auto& [name, value] : candidate.output.items()) {
      for (const Json& part : value.is_array() ? value : Json::array({value})) {
        if (!part.is_string()) continue;
        for (const guard::ClaimHit& hit : list->second.Find(part.get_ref<const std::string&>(), allowed)) {
          const std::string law = hit.law.empty()       ? ""
                                  : record.lang == "zh" ? Cat("（", hit.law, "）")
                                                        : Cat(" (", hit.law, ")");
          return {Say(record, Cat("“", hit.text, "”：", hit.reason, law), Cat("'", hit.text, "': ", hit.reason, law)),
                  0};
        }
      }
    }
    return {};
  }

 private:
  std::map<std::string, guard::Claims> lists_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<Check> MakeClaims(Table& table, const recipe::StepContext& context) {
  std::map<std::string, guard::Claims> lists;
  Table files = table.Sub("lists");
  for (const std::string& lang : files.Keys()) {
    if (lang != "zh" && lang != "en") files.Refuse(lang, "is not a language known here", "zh and en are");
    lists.emplace(lang, guard::Claims::Load(JoinInside(context.folder, files.String(lang))));
  }
  return std::make_unique<ClaimsCheck>(std::move(lists), table.StringsOr("name_fields", {"name"}));
}

}  // namespace atelier::operators
