// `atelier compose GRAMMAR --input ROWS`: what a phrase grammar makes of rows, for those who write one.
#include <cstdio>

#include "app/atelier/command.h"
#include "base/json.h"
#include "base/str.h"
#include "data/records.h"
#include "operators/compose.h"

namespace atelier::app {
namespace {

class ComposeCommand final : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("grammar", &grammar_, "a grammar file (docs/formats/grammar.md)", true);
    cli.Text("--input", &input_, "rows: CSV or JSON lines; rows of another language are passed over", true);
    cli.Int("--count", &count_, "candidates per row", 1, 5000);
    cli.Int("--seed", &seed_, "seed of the draws", 0, INT64_MAX);
    cli.Flag("--unused", &unused_, "list the patterns that no row brought out");
  }

  int Run(const Globals& globals) override {
    using operators::Composed;
    operators::Grammar grammar = operators::Grammar::Load(grammar_);
    std::map<std::string, bool> brought;
    Json out = Json::array();
    data::ImportOptions import;
    import.list_fields = {"features", "tags"};
    std::vector<data::Record> records = data::ReadRecords(input_, import).records;
    for (size_t i = 0; i < records.size(); ++i) {
      const Json& row = records[i].fields;
      if (row.contains("lang") && row["lang"] != grammar.lang()) continue;
      if (unused_) {
        operators::Facts facts = operators::ReadFacts(row, grammar);
        Rng rng(0);
        for (operators::Part part : {operators::Part::kHeadline, operators::Part::kBody}) {
          for (const auto& expansion : operators::Expand(grammar, facts, part, rng))
            brought[expansion.pattern->id] = true;
        }
        continue;
      }
      Rng rng(static_cast<uint64_t>(seed_), Cat("compose/", i));
      operators::ComposeOptions options;
      options.count = static_cast<size_t>(count_);
      Composed composed = operators::Compose(grammar, row, options, rng);
      if (globals.json) {
        Json item{{"input", row}, {"candidates", Json::array()}};
        if (!composed.lacking.empty()) item["lacking"] = composed.lacking;
        for (const recipe::Candidate& candidate : composed.candidates) {
          Json one = candidate.output;
          one["choices"] = candidate.choices;
          item["candidates"].push_back(std::move(one));
        }
        out.push_back(std::move(item));
        continue;
      }
      std::printf("# %s\n", ToText(row).c_str());
      if (!composed.lacking.empty()) std::printf("  %s\n", composed.lacking.c_str());
      for (const recipe::Candidate& candidate : composed.candidates) {
        std::printf("  [%s + %s] %s | %s\n", candidate.choices["headline"]["pattern"].get<std::string>().c_str(),
                    candidate.choices["body"]["pattern"].get<std::string>().c_str(),
                    candidate.output["headline"].get<std::string>().c_str(),
                    candidate.output["body"].get<std::string>().c_str());
      }
    }
    if (unused_) {
      Json list = Json::array();
      for (const operators::Pattern& pattern : grammar.patterns()) {
        if (!brought[pattern.id]) list.push_back(pattern.id);
      }
      if (!globals.json) {
        for (const Json& id : list) std::printf("%s\n", id.get<std::string>().c_str());
      }
      out = Json{{"unused", list}, {"patterns", grammar.patterns().size()}};
    }
    if (globals.json) std::printf("%s\n", ToText(out).c_str());
    return 0;
  }

 private:
  std::string grammar_, input_;
  int64_t count_ = 10, seed_ = 0;
  bool unused_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeCompose() { return Make<ComposeCommand>(); }

}  // namespace atelier::app
