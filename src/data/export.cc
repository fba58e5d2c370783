#include "data/export.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "data/json_record.h"
#include "data/record_line.h"

namespace atelier::data {
namespace {

bool LooksLikeFormula(std::string_view cell) {
  if (cell.empty()) return false;
  const char c = cell[0];
  const bool risky = c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r' || cell.starts_with("＝") ||
                     cell.starts_with("＋") || cell.starts_with("－") || cell.starts_with("＠");
  return risky && !NumberFault(cell).empty();
}

void AppendCell(std::string_view cell, std::string* out) {
  if (cell.find_first_of(",\"\r\n") == std::string_view::npos) {
    *out += cell;
    return;
  }
  out->push_back('"');
  for (const char c : cell) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

}  // namespace

ExportSums Export(const DatasetReader& reader, const ExportOptions& options,
                  const std::function<void(std::string_view)>& write) {
  const Manifest& manifest = reader.manifest();
  const bool csv = options.format == "csv";
  if (!csv && options.format != "jsonl") {
    throw Error(Code::kUsage, Cat("there is no export to ", Quote(options.format)), "jsonl or csv");
  }
  std::vector<std::string> names;
  for (const FieldInfo& field : manifest.fields) names.push_back(field.name);
  for (const std::string& field : options.fields) {
    if (std::find(names.begin(), names.end(), field) == names.end() && !field.starts_with('_')) {
      const std::string near = Nearest(field, names);
      throw Error(Code::kNotFound, Cat(manifest.Reference(), " has no field ", Quote(field)),
                  near.empty() ? Cat("it has: ", Join(names, ", ")) : Cat("did you mean '", near, "'?"));
    }
  }
  if (!options.split.empty() && !manifest.splits.contains(options.split)) {
    std::vector<std::string> splits;
    for (const auto& [split, count] : manifest.splits) splits.push_back(split);
    throw Error(Code::kNotFound, Cat(manifest.Reference(), " has no split ", Quote(options.split)),
                splits.empty() ? "`atelier data split` makes some" : Cat("it has: ", Join(splits, ", ")));
  }
  std::vector<std::string> columns = options.fields.empty() ? names : options.fields;
  if (csv && options.ours && options.fields.empty()) {
    columns.insert(columns.begin(), "_id");
    if (!manifest.splits.empty()) columns.push_back("_split");
    columns.push_back("_from");
  }
  std::vector<std::string> keys;
  for (const std::string& column : columns) keys.push_back(Escaped(column));
  const std::string split = Cat("\"", Escaped(options.split), "\"");
  ExportSums sums;
  std::string out;
  if (csv) {
    if (options.bom) out += "\xEF\xBB\xBF";
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out.push_back(',');
      const bool guard = options.guard_formulas && LooksLikeFormula(columns[i]);
      AppendCell(guard ? "'" + columns[i] : columns[i], &out);
    }
    out += "\r\n";
  }
  std::vector<LineField> fields;
  const auto find = [&](std::string_view key, size_t guess) -> const LineField* {
    if (guess < fields.size() && fields[guess].key == key) return &fields[guess];
    for (const LineField& field : fields) {
      if (field.key == key) return &field;
    }
    return nullptr;
  };
  uint64_t read = 0;
  reader.ReadAll([&](std::string_view lines) {
    for (size_t begin = 0; begin < lines.size();) {
      const size_t end = std::min(lines.find('\n', begin), lines.size());
      const std::string_view line = lines.substr(begin, end - begin);
      begin = end + 1;
      if (!SplitLine(line, &fields)) throw Error(Code::kCorrupt, Cat("not a record: ", Quote(line)));
      if (!options.split.empty()) {
        const LineField* held = find("_split", 0);
        if (held == nullptr || held->value != split) continue;
      }
      ++sums.records;
      if (csv) {
        for (size_t i = 0; i < keys.size(); ++i) {
          if (i > 0) out.push_back(',');
          const LineField* field = find(keys[i], i + 1);
          if (field == nullptr || field->value == "null") continue;
          std::string cell = PlainText(field->value);
          if (options.guard_formulas && LooksLikeFormula(cell)) {
            cell.insert(0, "'");
            ++sums.guarded;
          }
          AppendCell(cell, &out);
        }
        out += "\r\n";
      } else {
        out.push_back('{');
        bool first = true;
        const auto add = [&](const LineField& field) {
          out += first ? "\"" : ",\"";
          first = false;
          out += field.key;
          out += "\":";
          out += field.value;
        };
        if (options.fields.empty()) {
          for (const LineField& field : fields) {
            if (options.ours || !field.key.starts_with('_')) add(field);
          }
        } else {
          for (const std::string& key : keys) {
            if (const LineField* field = find(key, keys.size()); field != nullptr) add(*field);
          }
        }
        out += "}\n";
      }
      if (out.size() >= (1u << 20)) {
        sums.bytes += out.size();
        write(out);
        out.clear();
      }
    }
    read += lines.size();
    if (options.progress) options.progress(read, manifest.bytes, "");
    return true;
  });
  sums.bytes += out.size();
  write(out);
  return sums;
}

}  // namespace atelier::data
