// atelier check RECIPE: what a recipe's own checks say of texts that came by another way than its writers, line by
// line as they come: a scorer for `atelier tune grpo`.
#include <algorithm>
#include <fstream>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/recipe_run.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "operators/check.h"
#include "recipe/input.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

class CheckCommand final : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("recipe", &recipe_, "a recipe's folder, or its name", true);
    cli.Text("--input", &input_, "lines {\"record\", \"output\"}; - for standard input");
    cli.Text("--variant", &variant_, "one of the recipe's variants");
    cli.Text("--reply", &reply_, "lines are {\"record\", \"reply\"}: the output field that a reply is");
    cli.Texts("--ignore", &ignore_, "a field of records that is not the recipe's; may be given more than once");
    cli.Text("--writer", &writer_,
             "the step that the texts are taken for the work of (default: the one before the checks)");
    cli.Flag("--scores", &scores_,
             "answer with a number alone: 1 where all checks passed, else half the share that did");
  }

  int Run(const Globals& globals) override {
    const recipe::Recipe recipe = recipe::LoadRecipe(Folder(globals), variant_);
    const operators::RecipeChecks checks(recipe);
    const std::string writer = Writer(recipe, checks);
    if (!reply_.empty()) FieldOf(recipe, reply_, "--reply");
    std::ifstream file;
    if (input_ != "-") {
      file.open(input_);
      if (!file) throw Error(Code::kNotFound, Cat(input_, ": cannot be read"));
    }
    std::istream& in = input_ == "-" ? std::cin : file;

    recipe::Record record;
    std::vector<recipe::Candidate> earlier;  // of this record, that passed
    std::string line;
    size_t number = 0, passed = 0, all = 0;
    while (std::getline(in, line)) {
      const std::string where = Cat(input_ == "-" ? "standard input" : input_, ":", ++number);
      if (Trim(line).empty()) continue;
      const Json said = ParseJson(line, where);
      recipe::Record next = recipe::MakeRecord(recipe, RecordOf(said, where), where, number - 1);
      if (all == 0 || next.input != record.input) {
        record = std::move(next);
        earlier.clear();
      }
      recipe::Candidate candidate;
      candidate.output = OutputOf(recipe, said, where);
      candidate.writer = writer;
      if (record.needs_person.empty()) checks.Look(record, candidate, earlier);
      const bool good = record.needs_person.empty() && candidate.passed();
      ++all;
      passed += good;
      Answer(globals, number, record, candidate, good);
      if (good) earlier.push_back(std::move(candidate));
    }
    if (!globals.json && !scores_) std::cout << passed << " of " << all << " passed every check\n";
    return 0;
  }

 private:
  // Nothing is kept: a folder needs no studio.
  std::string Folder(const Globals& globals) const {
    if (FileExists(Cat(recipe_, "/recipe.toml")) || recipe_.find('/') != std::string::npos) return recipe_;
    return RecipeFolder(StudioForRuns(globals.studio), recipe_);
  }

  std::string Writer(const recipe::Recipe& recipe, const operators::RecipeChecks& checks) const {
    if (writer_.empty()) return checks.writer();
    std::vector<std::string> ids;
    for (const recipe::StepSpec& step : recipe.steps) ids.push_back(step.id);
    if (std::find(ids.begin(), ids.end(), writer_) == ids.end()) {
      throw Error(Code::kUsage, Cat("--writer: the recipe ", recipe.name, " has no step ", Quote(writer_)),
                  Cat("it has ", Join(ids, ", ")));
    }
    return writer_;
  }

  static const recipe::OutputField& FieldOf(const recipe::Recipe& recipe, const std::string& name,
                                            const std::string& where) {
    std::vector<std::string> names;
    for (const recipe::OutputField& field : recipe.output) {
      if (field.name == name) return field;
      names.push_back(field.name);
    }
    throw Error(Code::kInvalidInput, Cat(where, ": the recipe ", recipe.name, " has no output field ", Quote(name)),
                Cat("it has ", Join(names, ", ")));
  }

  Json RecordOf(const Json& said, const std::string& where) const {
    if (!said.is_object() || !said.contains("record") || !said["record"].is_object()) {
      throw Error(Code::kInvalidInput, Cat(where, ": no object under \"record\""),
                  "a line is {\"record\": {...}, \"output\": {...}}");
    }
    Json record = said["record"];
    for (const std::string& field : ignore_) record.erase(field);
    return record;
  }

  Json OutputOf(const recipe::Recipe& recipe, const Json& said, const std::string& where) const {
    const char* key = reply_.empty() ? "output" : "reply";
    const auto at = said.find(key);
    if (at == said.end() || (reply_.empty() ? !at->is_object() : !at->is_string())) {
      throw Error(Code::kInvalidInput, Cat(where, ": no ", reply_.empty() ? "object" : "text", " under \"", key, "\""),
                  reply_.empty() && said.contains("reply") ? "--reply FIELD says which output field a reply is" : "");
    }
    if (!reply_.empty()) return Json{{reply_, *at}};
    for (const auto& [name, value] : at->items()) {
      const bool list = FieldOf(recipe, name, where).type == recipe::FieldType::kList;
      const bool texts = value.is_array() &&
                         std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); });
      if (list ? !texts : !value.is_string() && !value.is_number()) {
        throw Error(Code::kInvalidInput, Cat(where, ": ", Quote(name), " is no ", list ? "list of texts" : "text"));
      }
    }
    return *at;
  }

  void Answer(const Globals& globals, size_t number, const recipe::Record& record, const recipe::Candidate& candidate,
              bool good) const {
    const double score = record.needs_person.empty() ? operators::CheckScore(candidate) : 0;
    if (scores_) {
      std::cout << score << std::endl;  // whoever asks waits for the line
      return;
    }
    if (!globals.json) {
      std::cout << number << (good ? " passed" : " failed");
      if (!record.needs_person.empty()) std::cout << "; the record: " << text::ForTerminal(record.needs_person);
      for (const recipe::CheckResult& check : candidate.checks) {
        if (!check.passed) std::cout << "; " << check.check << ": " << text::ForTerminal(check.reason);
      }
      std::cout << std::endl;
      return;
    }
    Json list = Json::array();
    for (const recipe::CheckResult& check : candidate.checks) {
      list.push_back(
          {{"check", check.check}, {"passed", check.passed}, {"reason", check.reason}, {"margin", check.margin}});
    }
    Json out = {{"line", number}, {"passed", good}, {"score", score}, {"checks", std::move(list)}};
    if (!record.needs_person.empty()) out["needs_person"] = record.needs_person;
    std::cout << ToText(out) << std::endl;
  }

  std::string recipe_, input_ = "-", variant_, reply_, writer_;
  std::vector<std::string> ignore_;
  bool scores_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeCheck() { return Make<CheckCommand>(); }

}  // namespace atelier::app
