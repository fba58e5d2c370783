#include "operators/compose.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "operators/compose_language.h"

namespace atelier::operators {
namespace {

Json ChoicesOf(const Expansion& expansion) {
  return Json{{"pattern", expansion.pattern->id},
              {"device", expansion.pattern->device},
              {"slots", expansion.slots},
              {"words", expansion.words}};
}

// Why a sheet is too thin to write from: it needs a name, a feature, and three facts in all (features, audience,
// price).
std::string Lacking(const Facts& facts, bool chinese) {
  auto has = [&](std::string_view field) { return !facts.fields.find(field)->second.empty(); };
  size_t all = facts.features.size() + (has("audience") ? 1 : 0) + (has("price") ? 1 : 0);
  if (has("name") && !facts.features.empty() && all >= 3) return "";
  std::vector<std::string> missing;
  if (!has("name")) missing.push_back(chinese ? "名称" : "no name");
  if (facts.features.empty()) missing.push_back(chinese ? "特点" : "no features");
  if (facts.features.size() == 1 && all < 3)
    missing.push_back(chinese ? "更多特点（现在只有一个）" : "one feature only");
  if (facts.features.size() == 2 && all < 3)
    missing.push_back(chinese ? "更多特点（现在只有两个）" : "two features only");
  if (!has("audience")) missing.push_back(chinese ? "受众" : "no audience");
  if (!has("price")) missing.push_back(chinese ? "价格" : "no price");
  return chinese ? Cat("资料太少，写不了文案，还缺：", Join(missing, "、"))
                 : Cat("too little on the sheet to write from: ", Join(missing, ", "));
}

class ComposeOperator final : public recipe::Operator {
 public:
  ComposeOperator(std::string id, std::map<std::string, Grammar, std::less<>> grammars, ComposeOptions options)
      : id_(std::move(id)), grammars_(std::move(grammars)), options_(options) {}

  void Apply(recipe::Run& run, std::span<const size_t> records, int attempt) override {
    uint64_t done = 0;
    for (size_t index : records) {
      recipe::Record& record = run.records().at(index);
      run.Report(done++, records.size(), "phrases");
      if (!record.needs_person.empty()) continue;
      auto grammar = grammars_.find(record.lang);
      if (grammar == grammars_.end()) continue;
      Rng rng(run.seed(), Cat(id_, "/", record.index, "/", attempt));
      Composed composed = Compose(grammar->second, record.input, options_, rng);
      if (!composed.lacking.empty()) {
        record.needs_person = composed.lacking;
        continue;
      }
      // A rerun brings new texts, not those that a check refused.
      std::set<std::string> known;
      auto key = [](const Json& output) { return output.value("headline", "") + "\n" + output.value("body", ""); };
      for (const recipe::Candidate& old : record.candidates) known.insert(key(old.output));
      for (const recipe::Candidate& old : record.dropped) known.insert(key(old.output));
      for (recipe::Candidate& candidate : composed.candidates) {
        if (!known.insert(key(candidate.output)).second) continue;
        candidate.writer = id_;
        candidate.attempt = attempt;
        candidate.seed = run.seed();
        record.candidates.push_back(std::move(candidate));
      }
    }
    run.Report(records.size(), records.size(), "phrases");
  }

 private:
  std::string id_;
  std::map<std::string, Grammar, std::less<>> grammars_;
  ComposeOptions options_;
};

}  // namespace

Json Tags(const Facts& facts, bool chinese) {
  Json tags = Json::array();
  std::set<std::string> seen;
  auto add = [&](const std::string& tag) {
    if (!tag.empty() && tags.size() < 5 && seen.insert(FoldCase(tag)).second) tags.push_back(tag);
  };
  add(facts.fields.find("name")->second);
  add(facts.fields.find("category")->second);
  for (const std::string& feature : facts.inner) {
    bool small = chinese ? CountChars(feature) <= 8
                         : CountChars(feature) <= 22 && std::count(feature.begin(), feature.end(), ' ') <= 2;
    if (small) add(feature);
  }
  return tags;
}

Composed Compose(const Grammar& grammar, const Json& input, const ComposeOptions& options, Rng& rng) {
  Composed composed;
  bool chinese = grammar.lang() == "zh";
  Facts facts = ReadFacts(input, grammar);
  composed.lacking = Lacking(facts, chinese);
  if (!composed.lacking.empty()) return composed;
  ExpandOptions expand;
  expand.max_chars = options.max_headline;
  std::vector<Expansion> headlines = Expand(grammar, facts, Part::kHeadline, rng, expand);
  expand.max_chars = options.max_body;
  std::vector<Expansion> bodies = Expand(grammar, facts, Part::kBody, rng, expand);
  std::vector<Draft> drafts = Draw(headlines, bodies, options.count, rng, grammar.rules());
  if (drafts.empty()) {
    composed.lacking = chinese ? "资料太少：没有合用的句式" : "too little on the sheet: no phrase fits it";
    return composed;
  }
  Json tags = Tags(facts, chinese);
  for (const Draft& draft : drafts) {
    recipe::Candidate candidate;
    candidate.output = Json{{"headline", draft.headline->text}, {"body", draft.body->text}, {"tags", tags}};
    candidate.choices = Json{{"headline", ChoicesOf(*draft.headline)}, {"body", ChoicesOf(*draft.body)}};
    // The geometric mean: a fine body does not make up for a poor headline.
    candidate.scores["grade"] = std::sqrt(draft.headline->pattern->grade * draft.body->pattern->grade);
    candidate.sample = static_cast<int>(composed.candidates.size());
    composed.candidates.push_back(std::move(candidate));
  }
  return composed;
}

std::unique_ptr<recipe::Operator> MakeCompose(Table& step, const recipe::StepContext& context) {
  std::map<std::string, Grammar, std::less<>> grammars;
  Table files = step.Sub("grammar");
  for (const std::string& lang : files.Keys()) {
    Grammar grammar = Grammar::Load(JoinInside(context.folder, files.String(lang)));
    if (grammar.lang() != lang) {
      files.Refuse(lang, Cat("the grammar there has lang = \"", grammar.lang(), "\""),
                   "name it under its own language");
    }
    grammars.emplace(lang, std::move(grammar));
  }
  if (grammars.empty()) step.Refuse("grammar", "no grammar", "grammar = { en = \"grammar/en.toml\" }");
  ComposeOptions options;
  options.count = static_cast<size_t>(step.IntOr("count", 40, 1, 5000));
  if (std::optional<Table> most = step.SubOr("max_chars")) {
    options.max_headline = static_cast<size_t>(most->IntOr("headline", 100000, 1, 100000));
    options.max_body = static_cast<size_t>(most->IntOr("body", 100000, 1, 100000));
    most->Done();
  }
  return std::make_unique<ComposeOperator>(context.id, std::move(grammars), options);
}

}  // namespace atelier::operators
