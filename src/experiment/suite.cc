#include "experiment/suite.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::experiment {
namespace {

// Names become parts of files and of XML; a slip should not make two of one.
void MustBeName(const Table& table, const std::string& name) {
  const bool fine = !name.empty() && name.size() <= 100 && Trim(name) == name &&
                    std::none_of(name.begin(), name.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20; });
  if (!fine) table.Refuse("name", Cat(Quote(name), " is no name"), "one line of up to 100 bytes");
}

Arm ReadArm(Table table, const std::string& folder, const recipe::Recipe& recipe) {
  Arm arm;
  arm.variant = table.StringOr("variant", "");
  arm.model = table.StringOr("model", "");
  if (table.Has("outputs")) {
    try {
      arm.outputs = JoinInside(folder, table.String("outputs"));
    } catch (const Error& e) {
      throw e.Within(table.Where("outputs"));
    }
    if (!arm.variant.empty() || !arm.model.empty()) {
      table.Refuse("outputs", "nothing is made where they are there", "leave variant and model out");
    }
  }
  std::string otherwise = arm.variant.empty() ? "as written" : arm.variant;
  if (!arm.outputs.empty()) otherwise = table.String("outputs");
  if (!arm.model.empty()) otherwise += Cat(" ", arm.model);
  arm.name = table.StringOr("name", otherwise);
  MustBeName(table, arm.name);
  const auto& variants = recipe.variants;
  if (!arm.variant.empty() && std::find(variants.begin(), variants.end(), arm.variant) == variants.end()) {
    table.Refuse("variant", Cat("the recipe has no variant ", Quote(arm.variant)),
                 variants.empty() ? "it has none" : Cat("it has ", Join(variants, ", ")));
  }
  table.Done();
  return arm;
}

Cutoff ReadCutoff(Table* table, bool assertion) {
  Cutoff cutoff;
  if (table->Has("least")) cutoff.least = table->Double("least");
  if (table->Has("most")) cutoff.most = table->Double("most");
  if (table->Has("drop")) cutoff.drop = table->Double("drop", 0);
  cutoff.missing = static_cast<size_t>(table->IntOr("missing", 0, 0, 1'000'000));
  if (!assertion) return cutoff;
  for (const auto& [key, value] : {std::pair("least", cutoff.least), std::pair("most", cutoff.most)}) {
    if (value && (*value < 0 || *value > 1)) table->Refuse(key, "an assertion's score is a share", "0 to 1");
  }
  if (!cutoff.any()) cutoff.least = 1;
  return cutoff;
}

MeasureSpec ReadMeasure(Table table, bool assertion, const MeasureContext& context, const std::vector<Arm>& arms) {
  MeasureSpec spec;
  spec.use = table.String("use");
  const MeasureEntry* entry = nullptr;
  std::vector<std::string> known;
  for (const MeasureEntry& one : AllMeasures()) {
    if (one.assertion != assertion) continue;
    known.emplace_back(one.name);
    if (one.name == spec.use) entry = &one;
  }
  if (entry == nullptr) {
    const std::string near = Nearest(spec.use, known);
    table.Refuse("use", Cat("there is no ", assertion ? "assertion " : "metric ", Quote(spec.use)),
                 near.empty() ? Cat("there are ", Join(known, ", ")) : Cat("did you mean '", near, "'?"));
  }
  spec.name = table.StringOr("name", spec.use);
  MustBeName(table, spec.name);
  spec.where = ReadWhere(&table);
  spec.arms = table.StringsOr("arms", {});
  for (const std::string& arm : spec.arms) {
    if (std::any_of(arms.begin(), arms.end(), [&](const Arm& one) { return one.name == arm; })) continue;
    table.Refuse("arms", Cat("there is no arm ", Quote(arm)));
  }
  spec.cutoff = ReadCutoff(&table, assertion);
  spec.measure = entry->make(table, context);
  table.Done();
  return spec;
}

}  // namespace

Suite ParseSuite(std::string_view text, const std::string& path, const FindRecipe& find, const Tools& tools) {
  Table root = Table::Parse(text, path);
  Suite suite;
  suite.file = path;
  const size_t slash = path.rfind('/');
  suite.folder = slash == std::string::npos ? "." : path.substr(0, slash);

  Table head = root.Sub("suite");
  suite.name = head.String("name");
  MustBeName(head, suite.name);
  if (suite.name.find('/') != std::string::npos || suite.name.starts_with('.')) {
    head.Refuse("name", "names a folder of results", "letters, digits, - and _");
  }
  suite.summary = head.StringOr("summary", "");
  const std::string named = head.String("recipe");
  const bool by_path = named.find('/') != std::string::npos || named.starts_with('.');
  suite.recipe = !by_path ? find(named) : named.starts_with('/') ? named : Cat(suite.folder, "/", named);
  suite.seed = static_cast<uint64_t>(head.IntOr("seed", 1, 0));
  head.Done();
  const recipe::Recipe recipe = recipe::LoadRecipe(suite.recipe, "");

  Table cases = root.Sub("cases");
  suite.cases = ReadCasesSpec(&cases, suite.folder);

  for (Table& table : root.TablesOr("arm")) {
    const std::string where = table.Where();
    Arm arm = ReadArm(std::move(table), suite.folder, recipe);
    for (const Arm& other : suite.arms) {
      if (other.name == arm.name)
        throw Error(Code::kInvalidInput, Cat(where, ": two arms are named ", Quote(arm.name)));
    }
    suite.arms.push_back(std::move(arm));
  }
  if (suite.arms.empty()) suite.arms.push_back(Arm{.name = "as written"});

  MeasureContext context{suite.folder, {}, tools};
  for (const recipe::OutputField& field : recipe.output) context.outputs.push_back(field.name);
  for (const bool assertion : {true, false}) {
    for (Table& table : root.TablesOr(assertion ? "assert" : "metric")) {
      const std::string where = table.Where();
      MeasureSpec spec = ReadMeasure(std::move(table), assertion, context, suite.arms);
      for (const MeasureSpec& other : suite.measures) {
        if (other.name != spec.name) continue;
        throw Error(Code::kInvalidInput, Cat(where, ": two measures are named ", Quote(spec.name)), "give them names");
      }
      suite.measures.push_back(std::move(spec));
    }
  }
  if (suite.measures.empty()) {
    throw Error(Code::kInvalidInput, Cat(path, ": nothing is measured"), "write an [[assert]] or a [[metric]]");
  }
  root.Done();
  return suite;
}

Suite LoadSuite(const std::string& path, const FindRecipe& find, const Tools& tools) {
  return ParseSuite(ReadFile(path), path, find, tools);
}

void WithModels(const std::vector<std::string>& models, Suite* suite) {
  std::vector<Arm> arms;
  for (const Arm& arm : suite->arms) {
    if (!arm.outputs.empty()) {
      arms.push_back(arm);
      continue;
    }
    const std::string first = Cat(arm.name, " ", models[0]);
    for (const std::string& model : models) {
      Arm one = arm;
      one.name = Cat(arm.name, " ", model), one.model = model;
      if (one.name != first) one.against = first;
      for (MeasureSpec& spec : suite->measures) {
        if (std::find(spec.arms.begin(), spec.arms.end(), arm.name) != spec.arms.end()) spec.arms.push_back(one.name);
      }
      arms.push_back(std::move(one));
    }
  }
  suite->arms = std::move(arms);
}

}  // namespace atelier::experiment
