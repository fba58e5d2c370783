#include "app/atelier/prediction_lines.h"

#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "evaluate/line_file.h"

namespace atelier::app {
namespace {

void AppendLabel(const Json& record, const char* field, const std::string& where, std::string* lines) {
  const auto it = record.find(field);
  if (it == record.end() || !it->is_primitive() || it->is_null()) {
    throw Error(Code::kInvalidInput, Cat(where, ": no text in a field ", Quote(field)),
                "a line is {\"label\": ..., \"predicted\": ..., \"probabilities\": {CLASS: NUMBER, ...}}");
  }
  const std::string label = it->is_string() ? it->get<std::string>() : ToText(*it);
  if (Trim(label).empty() || label.find('\n') != std::string::npos) {
    throw Error(Code::kInvalidInput, Cat(where, ": the field ", Quote(field), " is not one line of text"));
  }
  *lines += label;
  *lines += '\n';
}

}  // namespace

Predictions ReadPredictions(const std::string& path) {
  const std::string text = ReadFile(path);
  Predictions all;
  size_t number = 0;
  for (const std::string_view line : evaluate::SplitLines(text, path)) {
    const std::string where = Cat(path, ":", ++number);
    const Json record = ParseJson(line, where);
    if (!record.is_object()) throw Error(Code::kInvalidInput, Cat(where, ": is no JSON object"));
    AppendLabel(record, "label", where, &all.labels);
    AppendLabel(record, "predicted", where, &all.predicted);
    const auto it = record.find("probabilities");
    const bool has = it != record.end() && it->is_object() && !it->empty();
    if (number == 1 && has) {
      for (const auto& [name, value] : it->items()) all.classes.push_back(name);
    }
    const auto refuse = [&] {
      throw Error(Code::kInvalidInput, Cat(where, ": its probabilities are of other classes than the first line's"));
    };
    if (has != !all.classes.empty() || (has && it->size() != all.classes.size())) refuse();
    if (!has) continue;
    std::vector<double>& row = all.scores.emplace_back();
    for (const std::string& name : all.classes) {
      const auto value = it->find(name);
      if (value == it->end() || !value->is_number()) refuse();
      row.push_back(value->get<double>());
    }
  }
  return all;
}

}  // namespace atelier::app
