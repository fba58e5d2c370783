#include "recipe/input.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/str.h"

namespace atelier::recipe {
namespace {

template <typename F>
void ForEachChar(std::string_view text, F&& f) {
  for (size_t at = 0; at < text.size();) {
    const auto* data = reinterpret_cast<const uint8_t*>(text.data()) + at;
    const int32_t room = static_cast<int32_t>(std::min<size_t>(text.size() - at, U8_MAX_LENGTH));
    int32_t step = 0;
    UChar32 c = 0;
    U8_NEXT(data, step, room, c);
    f(c, text.substr(at, static_cast<size_t>(step)));
    at += static_cast<size_t>(step);
  }
}

// No control or format character. Joiners stay: emoji and Indic scripts need them.
bool IsShown(UChar32 c) {
  const int8_t type = c < 0 ? static_cast<int8_t>(U_CONTROL_CHAR) : u_charType(c);
  return type != U_CONTROL_CHAR && (type != U_FORMAT_CHAR || c == 0x200D || c == 0x200C);
}

bool IsEmpty(const Json& value) {
  return value.is_array() ? value.empty() : value.get_ref<const std::string&>().empty();
}

// Why the field as given cannot be used, or "". In the record's language.
std::string Complain(const Field& field, const Json& value, bool zh) {
  const std::string& label = zh ? field.label_zh : field.label_en;
  if (IsEmpty(value)) {
    if (!field.required && field.least_items == 0) return "";
    return zh ? Cat("缺少“", label, "”") : Cat("the ", label, " is missing");
  }
  if (value.is_array()) {
    if (value.size() < field.least_items) {
      return zh ? Cat("“", label, "”只有", value.size(), "项，至少要", field.least_items, "项")
                : Cat("only ", value.size(), " of the ", label, " given, at least ", field.least_items, " are needed");
    }
    if (value.size() > field.most_items) {
      return zh ? Cat("“", label, "”有", value.size(), "项，最多", field.most_items, "项")
                : Cat(value.size(), " ", label, " given, at most ", field.most_items, " can be used");
    }
  }
  for (const Json& item : value.is_array() ? value : Json::array({value})) {
    const size_t chars = CountChars(item.get_ref<const std::string&>());
    if (chars > field.most_chars) {
      return zh ? Cat("“", label, "”有", chars, "个字，最多", field.most_chars, "个字")
                : Cat("the ", label, " has ", chars, " characters, at most ", field.most_chars, " can be used");
    }
  }
  if (field.type == FieldType::kNumber && !ParseDouble(value.get_ref<const std::string&>())) {
    return zh ? Cat("“", label, "”不是数字") : Cat("the ", label, " is not a number");
  }
  return "";
}

}  // namespace

data::ImportOptions ImportOf(const Recipe& recipe) {
  data::ImportOptions options;
  options.most_records = 100'000;
  options.list_separators = recipe.input.list_separators;
  for (const Field& field : recipe.input.fields) {
    options.known_fields.push_back(field.name);
    if (field.type == FieldType::kList) options.list_fields.push_back(field.name);
  }
  return options;
}

size_t CountChars(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

std::string CleanField(std::string_view text) {
  std::string out;
  bool space = false;
  ForEachChar(text, [&](UChar32 c, std::string_view bytes) {
    if (c >= 0 && (u_isUWhiteSpace(c) || c == 0x3000)) {
      space = true;
      return;
    }
    if (!IsShown(c)) return;
    if (space && !out.empty()) out.push_back(' ');
    space = false;
    out.append(bytes);
  });
  return out;
}

std::string CleanLines(std::string_view text) {
  std::string out;
  bool returned = false;  // the character before was a carriage return
  ForEachChar(text, [&](UChar32 c, std::string_view bytes) {
    const bool after_return = std::exchange(returned, c == '\r');
    if (c == '\n' && after_return) return;
    if (c == '\n' || c == '\r' || c == 0x0B || c == 0x0C || c == 0x85 || c == 0x2028 || c == 0x2029) {
      out.push_back('\n');
    } else if (c == '\t' || IsShown(c)) {
      out.append(bytes);
    }
  });
  return std::string(Trim(out));
}

std::string DetectLanguage(std::string_view text) {
  size_t han = 0, letters = 0;
  ForEachChar(text, [&](UChar32 c, std::string_view) {
    if (c < 0 || !u_isalpha(c)) return;
    UErrorCode ignored = U_ZERO_ERROR;
    ++letters;
    han += uscript_getScript(c, &ignored) == USCRIPT_HAN;
  });
  return han > 0 && han * 5 >= letters ? "zh" : "en";
}

Record MakeRecord(const Recipe& recipe, const data::Record& row, size_t index) {
  Record record;
  record.index = index;
  record.line = row.line;
  record.input = Json::object();
  std::string all;
  for (const Field& field : recipe.input.fields) {
    const bool list = field.type == FieldType::kList;
    Json value = list ? Json(Json::array()) : Json("");
    if (const auto at = row.fields.find(field.name); at != row.fields.end()) {
      if (list) {
        std::unordered_set<std::string> seen;  // a cell may hold half a million items
        for (const Json& item : *at) {
          std::string clean = CleanField(item.get_ref<const std::string&>());
          if (!clean.empty() && seen.insert(clean).second) value.push_back(std::move(clean));
        }
      } else {
        const auto& text = at->get_ref<const std::string&>();
        value = field.lines ? CleanLines(text) : CleanField(text);
      }
    }
    if (field.name != recipe.input.language_field) {
      for (const Json& item : list ? value : Json::array({value})) all += item.get<std::string>() + " ";
    }
    record.input[field.name] = std::move(value);
  }
  record.lang = DetectLanguage(all);
  const std::string& language_field = recipe.input.language_field;
  if (!language_field.empty() && record.input.contains(language_field)) {
    std::string said = ToLowerAscii(record.input[language_field].get<std::string>());
    if (said.starts_with("zh") || said == "中文" || said == "chinese") said = "zh";
    if (said.starts_with("en") || said == "英文") said = "en";
    if (said == "zh" || said == "en") {
      record.lang = said;
    } else if (!said.empty()) {
      record.needs_person = Cat("unknown language ", Quote(said), "; zh and en are known");
    }
    record.input[language_field] = record.lang;
  }
  const auto& languages = recipe.input.languages;
  const bool zh = record.lang == "zh";
  if (std::find(languages.begin(), languages.end(), record.lang) == languages.end()) {
    record.needs_person = zh ? "这份配方不写中文" : "this recipe does not write English";
  }
  for (const Field& field : recipe.input.fields) {
    if (!record.needs_person.empty()) break;
    record.needs_person = Complain(field, record.input[field.name], zh);
  }
  return record;
}

Record MakeRecord(const Recipe& recipe, const Json& object, const std::string& where, size_t index) {
  return MakeRecord(recipe, data::ToRecord(object, where, index + 1, ImportOf(recipe)), index);
}

Json InputSchema(const Recipe& recipe) {
  Json properties = Json::object(), required = Json::array();
  for (const Field& field : recipe.input.fields) {
    Json text = {{"type", "string"}, {"maxLength", field.most_chars}};
    Json schema = std::move(text);
    if (field.type == FieldType::kNumber) schema = {{"type", Json::array({"number", "string"})}};
    if (field.type == FieldType::kList) {
      schema = {{"type", "array"}, {"items", std::move(schema)}};
      if (field.least_items > 0) schema["minItems"] = field.least_items;
      schema["maxItems"] = field.most_items;
    }
    if (field.name == recipe.input.language_field) schema["description"] = "zh or en; found from the text where empty";
    schema["title"] = field.label_en;
    schema["x-title-zh"] = field.label_zh;
    if (field.lines) schema["x-lines"] = true;
    if (field.required) required.push_back(field.name);
    properties[field.name] = std::move(schema);
  }
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema;
}

std::vector<Record> ReadInput(const Recipe& recipe, const std::string& path, std::string* sha256) {
  const data::Imported imported = data::ReadRecords(path, ImportOf(recipe));
  if (sha256 != nullptr) *sha256 = imported.sha256;
  std::vector<Record> records;
  for (const data::Record& row : imported.records) {
    records.push_back(MakeRecord(recipe, row, records.size()));
  }
  return records;
}

}  // namespace atelier::recipe
