// `atelier make RECIPE --input FILE --out DIR`: records in, checked copy out; every generation kept in the studio.
#include <cstdio>
#include <filesystem>

#include "app/atelier/command.h"
#include "app/atelier/recipe_run.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "recipe/input.h"
#include "recipe/replay.h"
#include "runtime/local_generator.h"
#include "store/studio.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

std::string Field(const Json& object, std::string_view name) {
  const auto at = object.find(std::string(name));
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

std::string Padded(std::string_view text, int columns) {
  std::string out(text::TakeColumns(text, columns));
  if (out.size() < text.size()) out = std::string(text::TakeColumns(text, columns - 1)) + "…";
  const int width = text::DisplayWidth(out);
  if (width < columns) out.append(static_cast<size_t>(columns - width), ' ');
  return out;
}

// The text in lines of at most `columns`, broken at spaces, or anywhere where there are none (Chinese).
std::vector<std::string> Wrapped(std::string_view text, int columns) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::string_view line = text::TakeColumns(text, columns);
    if (line.empty()) break;
    if (line.size() < text.size() && text[line.size()] != ' ') {
      const size_t space = line.rfind(' ');
      if (space != std::string_view::npos && space > line.size() / 2) line = line.substr(0, space);
    }
    lines.emplace_back(Trim(line));
    text = text.substr(line.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return lines;
}

// What a record is called: its name, else how its first field begins.
std::string Title(const Json& input) {
  if (input.empty()) return "";
  const std::string name = Field(input, "name");
  if (!name.empty()) return name;
  const std::string first = Field(input, input.items().begin().key());
  return first.substr(0, first.find('\n'));
}

void PrintTable(const std::vector<recipe::Record>& records, const std::vector<recipe::OutputField>& fields) {
  constexpr int kName = 24, kText = 76;
  for (const recipe::Record& record : records) {
    const std::string name = Title(record.input);
    std::vector<std::string> lines;
    if (record.needs_person.empty() && !record.ranking.empty()) {
      const recipe::Candidate& best = record.candidates[record.ranking[0]];
      std::string numbers;
      for (const recipe::OutputField& field : fields) {
        const auto value = best.output.find(field.name);
        if (value != best.output.end() && value->is_number())
          numbers += Cat(numbers.empty() ? "" : "  ", field.name, " ", FormatFixed(value->get<double>(), 2));
        if (field.type != recipe::FieldType::kText) continue;
        for (std::string& line : Wrapped(Field(best.output, field.name), kText)) lines.push_back(std::move(line));
      }
      if (!numbers.empty()) lines.push_back(std::move(numbers));
      lines.push_back(Cat("— ", best.writer));
    } else {
      for (std::string& line :
           Wrapped(Cat(record.lang == "zh" ? "需要人来写：" : "needs a person: ", record.needs_person), kText)) {
        lines.push_back(std::move(line));
      }
    }
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string number = i == 0 ? Cat(record.index + 1) : "";
      std::printf("%3s  %s  %s\n", number.c_str(), Padded(i == 0 ? name : "", kName).c_str(), lines[i].c_str());
    }
    std::printf("\n");
  }
}

class MakeCommand final : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("recipe", &recipe_, "a recipe's folder, or its name", true);
    cli.Text("--input", &input_, "records: CSV or JSON lines; - for CSV on standard input");
    cli.Text("--out", &out_, "folder for the page and the other files");
    cli.Text("--variant", &variant_, "one of the recipe's variants");
    cli.Int("--seed", &seed_, "everything drawn at random comes from it", 0, INT64_MAX);
    cli.Int("--limit", &limit_, "only so many records; 0: all", 0, INT64_MAX);
    cli.Text("--replay", &replay_, "make this stored generation again and compare the bytes");
    cli.Flag("--force", &force_, "replay also where recipe, model or engine are others by now");
  }

  int Run(const Globals& globals) override {
    if (replay_.empty() && (input_.empty() || out_.empty())) {
      throw Error(Code::kUsage, "make wants --input FILE and --out DIR", "or --replay ID");
    }
    if (!replay_.empty() && !(input_.empty() && out_.empty() && variant_.empty() && limit_ == 0)) {
      throw Error(Code::kUsage, "--replay takes everything from the stored generation",
                  "leave --input, --out, --variant and --limit out");
    }
    store::Studio studio = StudioForRuns(globals.studio);
    const std::string folder = RecipeFolder(studio, recipe_);
    recipe::RunOptions options = OptionsForRuns(studio, globals.quiet || globals.json);
    options.out = out_;
    options.seed = static_cast<uint64_t>(seed_);
    return replay_.empty() ? MakeCopy(globals, studio, folder, std::move(options))
                           : ReplayOne(globals, studio, folder, std::move(options));
  }

 private:
  int MakeCopy(const Globals& globals, store::Studio& studio, const std::string& folder, recipe::RunOptions options) {
    recipe::Recipe recipe = recipe::LoadRecipe(folder, variant_);
    const std::vector<recipe::OutputField> fields = recipe.output;
    std::string input_hash;
    std::vector<recipe::Record> records = recipe::ReadInput(recipe, input_ == "-" ? "/dev/stdin" : input_, &input_hash);
    if (limit_ > 0 && records.size() > static_cast<size_t>(limit_)) records.resize(static_cast<size_t>(limit_));
    MakeFolders(out_);  // a folder that cannot be written is found now, not after minutes

    feedback::RunRow row;
    row.input_path = input_;
    row.input_hash = input_hash;
    row.options = {{"limit", limit_}, {"out", std::filesystem::absolute(out_).lexically_normal().string()}};
    const KeptRun kept = RunAndKeep(studio, std::move(recipe), std::move(records), std::move(row), std::move(options));
    recipe::Engine& engine = *kept.engine;

    size_t waiting = 0, candidates = 0, dropped = 0;
    for (const recipe::Record& record : engine.records()) {
      waiting += !record.needs_person.empty();
      candidates += record.candidates.size() + record.dropped.size();
      dropped += record.dropped.size();
    }
    const size_t all = engine.records().size();
    std::vector<std::string> files = ListFolder(out_);
    std::string page;
    for (const std::string& file : files) {
      if (file.ends_with(".html") && page.empty()) page = Cat(out_, "/", file);
    }
    if (globals.json) {
      const Json result = {{"run", kept.id},
                           {"recipe", engine.recipe_name()},
                           {"variant", variant_},
                           {"out", out_},
                           {"page", page},
                           {"records", all},
                           {"ready", all - waiting},
                           {"needs_person", waiting},
                           {"candidates", candidates},
                           {"dropped", dropped},
                           {"notes", engine.notes()},
                           {"seconds", engine.seconds()}};
      std::printf("%s\n", ToText(result).c_str());
      return 0;
    }
    PrintTable(engine.records(), fields);
    for (const std::string& note : engine.notes()) std::printf("note: %s\n", note.c_str());
    std::printf(
        "%zu of %zu records have copy that passed every check; %zu need a person. %zu candidates, %zu dropped, %s.\n",
        all - waiting, all, waiting, candidates, dropped, FormatDuration(engine.seconds()).c_str());
    if (!page.empty()) std::printf("page: %s\n", page.c_str());
    return 0;
  }

  int ReplayOne(const Globals& globals, store::Studio& studio, const std::string& folder, recipe::RunOptions options) {
    feedback::Generations generations(studio.db(), studio.tenant());
    const recipe::Replayed replayed =
        recipe::Replay(generations, replay_, folder, std::move(options), runtime::EngineBuild(), force_);
    if (globals.json) {
      const Json result = {{"generation", replay_},
                           {"same", replayed.same},
                           {"stored", replayed.stored.output},
                           {"made", replayed.output},
                           {"differences", replayed.differences}};
      std::printf("%s\n", ToText(result).c_str());
      return replayed.same ? 0 : 1;
    }
    for (const std::string& difference : replayed.differences) std::printf("differs in %s\n", difference.c_str());
    std::printf("stored: %s\n", ToText(replayed.stored.output).c_str());
    std::printf("made:   %s\n", ToText(replayed.output).c_str());
    std::printf("%s\n", replayed.same ? "the same bytes" : "not the same");
    return replayed.same ? 0 : 1;
  }

  std::string recipe_, input_, out_, variant_, replay_;
  int64_t seed_ = 1, limit_ = 0;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeMake() { return Make<MakeCommand>(); }

}  // namespace atelier::app
