#include "data/records.h"

#include <unicode/utf8.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "data/csv.h"

namespace atelier::data {
namespace {

bool IsList(const ImportOptions& options, std::string_view field) {
  return std::find(options.list_fields.begin(), options.list_fields.end(), field) != options.list_fields.end();
}

void CheckKnown(const ImportOptions& options, const std::string& field, const std::string& where) {
  const auto& known = options.known_fields;
  if (known.empty() || std::find(known.begin(), known.end(), field) != known.end()) return;
  const std::string near = Nearest(field, known);
  throw Error(Code::kInvalidInput, Cat(where, ": unknown field ", Quote(field)),
              near.empty() ? Cat("known fields: ", Join(known, ", ")) : Cat("did you mean '", near, "'?"));
}

bool IsExact(const ImportOptions& options, const std::string& field) {
  return options.exact ||
         std::find(options.exact_fields.begin(), options.exact_fields.end(), field) != options.exact_fields.end();
}

std::string ScalarText(const Json& value, const std::string& where, const std::string& field) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  if (value.is_structured()) {
    throw Error(Code::kInvalidInput,
                Cat(where, ": the field ", Quote(field), " holds ", value.is_array() ? "a list" : "an object"),
                value.is_array() ? "declare it as a list in the recipe's [input]" : "write it as text");
  }
  return ToText(value);  // numbers and booleans as they were written
}

Imported ReadCsv(std::string_view text, const std::string& path, const ImportOptions& options) {
  CsvLimits limits;
  limits.cell_bytes = options.most_cell_bytes;
  limits.rows = options.most_records;
  CsvTable table = ParseCsv(text, path, 0, limits);
  for (const std::string& name : table.header) CheckKnown(options, name, Cat(path, ":1"));
  Imported out;
  for (CsvRow& row : table.rows) {
    Record record{Json::object(), row.line};
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const std::string& field = table.header[i];
      if (IsList(options, field)) {
        record.fields[field] = SplitList(row.cells[i], options.list_separators);
      } else {
        record.fields[field] = IsExact(options, field) ? row.cells[i] : std::string(Trim(row.cells[i]));
      }
    }
    out.records.push_back(std::move(record));
  }
  return out;
}

Imported ReadJsonLines(std::string_view text, const std::string& path, const ImportOptions& options) {
  Imported out;
  size_t line = 0;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view row = Trim(text.substr(begin, end - begin));
    begin = end + 1;
    ++line;
    if (row.empty()) continue;
    const std::string where = Cat(path, ":", line);
    if (row.size() > options.most_cell_bytes * 4) {
      throw Error(Code::kInvalidInput, Cat(where, ": a line of ", FormatBytes(row.size())), "one record per line");
    }
    Json parsed;
    try {
      parsed = ParseJson(row, where);
    } catch (const Error& e) {
      throw Error(e.code(), Cat(where, ": not a JSON object"), "one {...} per line; check the quotes and commas");
    }
    if (out.records.size() >= options.most_records) {
      throw Error(Code::kInvalidInput, Cat(where, ": more than ", options.most_records, " records"), "split the file");
    }
    out.records.push_back(ToRecord(parsed, where, line, options));
  }
  return out;
}

}  // namespace

std::vector<std::string> SplitList(std::string_view text, std::string_view separators) {
  text = Trim(text);
  std::vector<std::string> out;
  if (text.starts_with('[') && text.ends_with(']')) {
    try {
      const Json parsed = ParseJson(text, "list");
      if (parsed.is_array() &&
          std::all_of(parsed.begin(), parsed.end(), [](const Json& v) { return v.is_primitive(); })) {
        for (const Json& item : parsed) {
          std::string content(Trim(item.is_string() ? item.get<std::string>() : ToText(item)));
          if (!content.empty()) out.push_back(std::move(content));
        }
        return out;
      }
    } catch (const Error&) {  // brackets that are not JSON: ordinary text
    }
  }
  std::vector<std::string_view> marks;
  for (size_t at = 0; at < separators.size();) {
    int32_t step = 0;
    U8_FWD_1(reinterpret_cast<const uint8_t*>(separators.data() + at), step,
             static_cast<int32_t>(std::min<size_t>(separators.size() - at, U8_MAX_LENGTH)));
    marks.push_back(separators.substr(at, static_cast<size_t>(step)));
    at += static_cast<size_t>(step);
  }
  size_t begin = 0;
  auto cut = [&](size_t end) {
    const std::string_view part = Trim(text.substr(begin, end - begin));
    if (!part.empty()) out.emplace_back(part);
  };
  for (size_t at = 0; at < text.size();) {
    size_t step = 0;
    for (const std::string_view mark : marks) {
      if (text.substr(at).starts_with(mark)) step = mark.size();
    }
    if (step == 0) {
      ++at;
      continue;
    }
    cut(at);
    at += step;
    begin = at;
  }
  cut(text.size());
  return out;
}

Record ToRecord(const Json& object, const std::string& where, size_t line, const ImportOptions& options) {
  if (!object.is_object()) throw Error(Code::kInvalidInput, Cat(where, ": not a JSON object"), "one {...} per record");
  Record record{Json::object(), line};
  for (const auto& [field, value] : object.items()) {
    CheckKnown(options, field, where);
    if (IsExact(options, field)) {
      if (value.is_string() && value.get_ref<const std::string&>().size() > options.most_cell_bytes) {
        throw Error(Code::kInvalidInput,
                    Cat(where, ": the field ", Quote(field), " is larger than ", FormatBytes(options.most_cell_bytes)));
      }
      record.fields[field] = value;
    } else if (value.is_structured() && options.skip_structured && !IsList(options, field)) {
      continue;
    } else if (!IsList(options, field)) {
      std::string content = ScalarText(value, where, field);
      if (content.size() > options.most_cell_bytes) {
        throw Error(Code::kInvalidInput,
                    Cat(where, ": the field ", Quote(field), " is larger than ", FormatBytes(options.most_cell_bytes)));
      }
      record.fields[field] = std::string(Trim(content));
    } else if (value.is_array()) {
      Json items = Json::array();
      for (const Json& item : value) {
        std::string content(Trim(ScalarText(item, where, field)));
        if (!content.empty()) items.push_back(std::move(content));
      }
      record.fields[field] = std::move(items);
    } else {
      record.fields[field] = SplitList(ScalarText(value, where, field), options.list_separators);
    }
  }
  return record;
}

Imported ReadRecords(const std::string& path, const ImportOptions& options) {
  return ParseRecords(ReadFile(path, options.most_bytes), path, options);
}

Imported ParseRecords(std::string bytes, const std::string& path, const ImportOptions& options) {
  std::string sha256 = Sha256Hex(bytes);
  Decoded decoded = DecodeText(std::move(bytes), path);
  const std::string lower = ToLowerAscii(path);
  const bool lines = lower.ends_with(".jsonl") || lower.ends_with(".ndjson");
  Imported out = lines ? ReadJsonLines(decoded.text, path, options) : ReadCsv(decoded.text, path, options);
  if (out.records.empty()) throw Error(Code::kInvalidInput, Cat(path, ": no records"), "is it only a header?");
  out.encoding = decoded.encoding;
  out.sha256 = std::move(sha256);
  return out;
}

}  // namespace atelier::data
