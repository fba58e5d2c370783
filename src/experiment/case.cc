#include "experiment/case.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/records.h"

namespace atelier::experiment {
namespace {

constexpr size_t kMostRead = 100'000;

bool MatchesAll(const Where::Fields& fields, const Case& item) {
  return std::all_of(fields.begin(), fields.end(), [&](const auto& wanted) {
    const auto at = item.fields.find(wanted.first);
    const std::vector<std::string>& values = wanted.second;
    if (at == item.fields.end()) return std::find(values.begin(), values.end(), "") != values.end();
    const Json all = at->is_array() ? *at : Json::array({*at});
    return std::any_of(all.begin(), all.end(), [&](const Json& value) {
      return std::find(values.begin(), values.end(), value.get<std::string>()) != values.end();
    });
  });
}

std::vector<std::string> KnownFields(const std::vector<Case>& cases) {
  std::vector<std::string> known;
  for (const Case& item : cases) {
    for (const auto& [field, value] : item.fields.items()) {
      if (std::find(known.begin(), known.end(), field) == known.end()) known.push_back(field);
    }
    if (known.size() > 200) break;
  }
  return known;
}

}  // namespace

Where ReadWhere(Table* table) {
  Where where;
  for (const auto& [key, fields] : {std::pair("where", &where.where), std::pair("unless", &where.unless)}) {
    std::optional<Table> sub = table->SubOr(key);
    if (!sub) continue;
    for (const std::string& field : sub->Keys()) (*fields)[field] = sub->StringOrStrings(field);
    sub->Done();
  }
  return where;
}

bool Matches(const Where& where, const Case& item) {
  return MatchesAll(where.where, item) && (where.unless.empty() || !MatchesAll(where.unless, item));
}

CasesSpec ReadCasesSpec(Table* table, const std::string& folder) {
  CasesSpec spec;
  for (const std::string& file : table->StringOrStrings("file")) {
    try {
      spec.files.push_back(JoinInside(folder, file));
    } catch (const Error& e) {
      throw e.Within(table->Where("file"));
    }
  }
  if (spec.files.empty()) table->Refuse("file", "names no file");
  spec.id = table->StringOr("id", "");
  if (std::optional<Table> input = table->SubOr("input")) {
    for (const std::string& field : input->Keys()) spec.input[field] = input->String(field);
    input->Done();
  }
  spec.lists = table->StringsOr("lists", {});
  spec.where = ReadWhere(table);
  spec.limit = table->IntOr("limit", 0, 1, static_cast<int64_t>(kMostRead));
  table->Done();
  return spec;
}

std::vector<Case> ReadCases(const CasesSpec& spec, const recipe::Recipe& recipe) {
  data::ImportOptions options;
  options.most_records = kMostRead;
  options.list_separators = recipe.input.list_separators;
  options.list_fields = spec.lists;
  for (const recipe::Field& field : recipe.input.fields) {
    const auto named = spec.input.find(field.name);
    if (field.type == recipe::FieldType::kList) {
      options.list_fields.push_back(named == spec.input.end() ? field.name : named->second);
    }
  }
  for (const auto& [field, from] : spec.input) {
    if (recipe.input.Find(field) != nullptr) continue;
    std::vector<std::string> known;
    for (const recipe::Field& one : recipe.input.fields) known.push_back(one.name);
    throw Error(Code::kInvalidInput, Cat("[cases] input: the recipe ", recipe.name, " has no field ", Quote(field)),
                Cat("it has ", Join(known, ", ")));
  }
  std::vector<Case> cases;
  std::unordered_map<std::string, std::string> seen;
  size_t all = 0;
  for (const std::string& file : spec.files) {
    int64_t taken = 0;
    for (data::Record& record : data::ReadRecords(file, options).records) {
      ++all;
      Case item;
      item.where = Cat(file, ":", record.line);
      item.fields = std::move(record.fields);
      if (!Matches(spec.where, item) || (spec.limit > 0 && taken == spec.limit)) continue;
      ++taken;
      if (spec.id.empty()) {
        item.id = Cat(file.substr(file.rfind('/') + 1), ":", record.line);
      } else {
        const std::vector<std::string> id = TextsOf(item, spec.id);
        if (id.size() != 1 || id[0].empty())
          throw Error(Code::kInvalidInput, Cat(item.where, ": a case without a name"));
        item.id = id[0];
      }
      const auto [at, fresh] = seen.emplace(item.id, item.where);
      if (!fresh) {
        throw Error(Code::kInvalidInput, Cat(item.where, ": the case ", Quote(item.id), " is also at ", at->second),
                    "name each case once");
      }
      cases.push_back(std::move(item));
    }
  }
  if (cases.empty()) {
    throw Error(Code::kInvalidInput, Cat(spec.files[0], ": none of ", all, " records is a case"), "see [cases] where");
  }
  const std::vector<std::string> known = KnownFields(cases);
  const auto must_know = [&](const std::string& field) {
    if (std::find(known.begin(), known.end(), field) != known.end()) return;
    throw Error(Code::kInvalidInput, Cat(spec.files[0], ": no case has a field ", Quote(field)),
                Cat("they have ", Join(known, ", ")));
  };
  for (const auto& [field, from] : spec.input) must_know(from);
  for (const auto& [field, values] : spec.where.where) must_know(field);
  return cases;
}

Json InputOf(const Case& item, const CasesSpec& spec, const recipe::Recipe& recipe) {
  Json input = Json::object();
  for (const recipe::Field& field : recipe.input.fields) {
    const auto named = spec.input.find(field.name);
    const auto at = item.fields.find(named == spec.input.end() ? field.name : named->second);
    if (at != item.fields.end()) input[field.name] = *at;
  }
  return input;
}

std::vector<std::string> TextsOf(const Case& item, const std::string& field) {
  const auto at = item.fields.find(field);
  if (at == item.fields.end()) {
    throw Error(Code::kInvalidInput, Cat(item.where, ": the case has no field ", Quote(field)),
                "a measure asks for it; leave such cases out with `where`");
  }
  std::vector<std::string> texts;
  for (const Json& value : at->is_array() ? *at : Json::array({*at})) texts.push_back(value.get<std::string>());
  return texts;
}

}  // namespace atelier::experiment
