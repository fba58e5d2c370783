#include "recipe/recipe.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::recipe {
namespace {

FieldType ReadType(Table& table) {
  const std::string type = table.StringOr("type", "text");
  if (type == "text") return FieldType::kText;
  if (type == "list") return FieldType::kList;
  if (type == "number") return FieldType::kNumber;
  table.Refuse("type", Cat(Quote(type), " is not a type"), "text, list or number");
}

// Names reach files, SQL and HTML ids: keep them plain.
std::string ReadName(Table& table, std::string_view key) {
  std::string name = table.String(key);
  const bool plain = !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
  if (!plain) table.Refuse(key, Cat(Quote(name), " is not a name"), "letters, digits, '_', '-' and '.', at most 64");
  return name;
}

InputSpec ReadInput(Table table) {
  InputSpec input;
  input.languages = table.StringsOr("languages", {"zh", "en"});
  for (const std::string& lang : input.languages) {
    if (lang != "zh" && lang != "en") table.Refuse("languages", Cat(Quote(lang), " is not supported"), "zh and en are");
  }
  if (input.languages.empty()) table.Refuse("languages", "is empty", "zh, en or both");
  input.language_field = table.StringOr("language_field", "");
  input.list_separators = table.StringOr("list_separators", ";；、|\n");
  std::set<std::string> seen;
  for (Table& field_table : table.Tables("field")) {
    Field field;
    field.name = ReadName(field_table, "name");
    if (!seen.insert(field.name).second)
      field_table.Refuse("name", Cat("the field ", Quote(field.name), " stands here twice"));
    field.type = ReadType(field_table);
    field.required = field_table.BoolOr("required", false);
    field.most_chars = static_cast<size_t>(field_table.IntOr("most_chars", 200, 1, 100'000));
    if (field.type == FieldType::kText) field.lines = field_table.BoolOr("lines", false);
    if (field.type == FieldType::kList) {
      field.least_items = static_cast<size_t>(field_table.IntOr("least_items", 0, 0, 1000));
      field.most_items = static_cast<size_t>(field_table.IntOr("most_items", 50, 1, 1000));
    }
    if (auto label = field_table.SubOr("label")) {
      field.label_zh = label->StringOr("zh", field.name);
      field.label_en = label->StringOr("en", field.name);
      label->Done();
    } else {
      field.label_zh = field.label_en = field.name;
    }
    field_table.StringOr("help", "");  // for people who read the file, and later for forms
    field_table.Done();
    input.fields.push_back(std::move(field));
  }
  if (input.fields.empty()) table.Refuse("field", "a recipe needs at least one input field");
  if (!input.language_field.empty() && input.Find(input.language_field) == nullptr) {
    table.Refuse("language_field", Cat("no field is named ", Quote(input.language_field)));
  }
  table.Done();
  return input;
}

std::vector<OutputField> ReadOutput(Table table) {
  std::vector<OutputField> fields;
  for (Table& field_table : table.Tables("field")) {
    OutputField field;
    field.name = ReadName(field_table, "name");
    field.type = ReadType(field_table);
    field_table.Done();
    fields.push_back(std::move(field));
  }
  if (fields.empty()) table.Refuse("field", "a recipe needs at least one output field");
  table.Done();
  return fields;
}

// All the recipe's steps, each with the variant's keys laid over it.
std::vector<StepSpec> ReadSteps(Table& root, const std::string& variant, std::vector<std::string>* variants) {
  std::vector<StepSpec> steps;
  std::vector<std::string> ids;
  for (Table& table : root.Tables("step")) {
    std::string id = ReadName(table, "id");
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) {
      table.Refuse("id", Cat("two steps are named ", Quote(id)), "a step's id is unique in its recipe");
    }
    ids.push_back(id);
    steps.push_back({id, table.String("use"), table});
  }
  if (steps.empty()) root.Refuse("step", "a recipe needs at least one [[step]]");
  std::optional<Table> all = root.SubOr("variants");
  if (all) *variants = all->Keys();
  if (all) {
    for (const std::string& name : *variants) {  // every variant is checked, also those not asked for
      Table overrides = all->Sub(name);
      for (const std::string& id : overrides.Keys()) {
        const auto at = std::find(ids.begin(), ids.end(), id);
        if (at == ids.end()) {
          const std::string near = Nearest(id, ids);
          overrides.Refuse(id, "no step has this id",
                           near.empty() ? Cat("the steps are ", Join(ids, ", ")) : Cat("did you mean '", near, "'?"));
        }
        Table keys = overrides.Sub(id);
        for (const char* fixed : {"id", "use"}) {
          if (keys.Has(fixed))
            keys.Refuse(fixed, "a variant cannot change what a step is", "add another step, and skip this one");
        }
        if (name == variant) steps[static_cast<size_t>(at - ids.begin())].table.Overlay(keys);
      }
    }
  }
  if (!variant.empty() && std::find(variants->begin(), variants->end(), variant) == variants->end()) {
    throw Error(Code::kNotFound, Cat(root.Where(), ": no variant ", Quote(variant)),
                variants->empty() ? "this recipe has none" : Cat("it has ", Join(*variants, ", ")));
  }
  return steps;
}

}  // namespace

const Field* InputSpec::Find(std::string_view name) const {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

Recipe ParseRecipe(std::string_view text, const std::string& file, const std::string& folder,
                   const std::string& variant) {
  Table root = Table::Parse(text, file);
  Recipe recipe;
  recipe.folder = folder;
  recipe.variant = variant;
  Table head = root.Sub("recipe");
  recipe.name = ReadName(head, "name");
  recipe.version = head.Int("version", 1, 1'000'000);
  recipe.summary = head.StringOr("summary", "");
  head.Done();
  recipe.input = ReadInput(root.Sub("input"));
  recipe.output = ReadOutput(root.Sub("output"));
  recipe.steps = ReadSteps(root, variant, &recipe.variants);
  root.Done();
  return recipe;
}

Recipe LoadRecipe(const std::string& folder, const std::string& variant) {
  const std::string path = Cat(folder, "/recipe.toml");
  if (!FileExists(path))
    throw Error(Code::kNotFound, Cat(folder, ": no recipe.toml in this folder"), "name a recipe's folder");
  Recipe recipe = ParseRecipe(ReadFile(path, 4u << 20), path, folder, variant);
  recipe.hash = HashFolder(folder, variant);
  return recipe;
}

std::string HashFolder(const std::string& folder, const std::string& variant) {
  constexpr size_t kMostFiles = 2000;
  std::vector<std::string> files, folders = {""};
  while (!folders.empty()) {
    const std::string at = folders.back();
    folders.pop_back();
    for (const std::string& name : ListFolder(at.empty() ? folder : Cat(folder, "/", at))) {
      if (name.starts_with('.') || (at.empty() && (name == "sample" || name == "tests" || name.starts_with("README"))))
        continue;
      const std::string relative = at.empty() ? name : Cat(at, "/", name);
      const std::string full = Cat(folder, "/", relative);
      if (FolderExists(full)) {
        folders.push_back(relative);
      } else if (FileExists(full)) {
        files.push_back(relative);
      }
      if (files.size() + folders.size() > kMostFiles) {
        throw Error(Code::kInvalidInput, Cat(folder, ": more than ", kMostFiles, " files in a recipe"),
                    "is this the recipe's folder?");
      }
    }
  }
  std::sort(files.begin(), files.end());
  Sha256 hash;
  for (const std::string& file : files) hash.Update(Cat(file, "\n", Sha256HexOfFile(Cat(folder, "/", file)), "\n"));
  hash.Update(Cat("variant ", variant));
  return hash.Hex();
}

}  // namespace atelier::recipe
