// atelier data diff A B: what differs between two versions of a dataset, or two datasets.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/text_table.h"
#include "base/progress.h"
#include "base/str.h"
#include "data/diff.h"
#include "data/record_line.h"
#include "store/studio.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

std::string Describe(const data::FieldInfo& field) {
  std::string out;
  for (const auto& [type, count] : field.types) out += Cat(out.empty() ? "" : ", ", type, " ", count);
  if (field.empty > 0) out += Cat(", ", field.empty, " empty");
  char buffer[64];
  if (field.numbers) {
    std::snprintf(buffer, sizeof(buffer), ", mean %.6g", field.numbers->mean);
    out += buffer;
  }
  if (field.lengths) {
    std::snprintf(buffer, sizeof(buffer), ", mean length %.6g", field.lengths->mean);
    out += buffer;
  }
  return out;
}

// The fields of a line without ours, for people.
std::string Fields(const std::string& line, const std::vector<std::string>& only = {}) {
  std::vector<data::LineField> fields;
  data::SplitLine(line, &fields);
  std::string out;
  for (const data::LineField& field : fields) {
    const std::string name = data::PlainText(Cat("\"", field.key, "\""));
    if (field.key.starts_with('_')) continue;
    if (!only.empty() && std::find(only.begin(), only.end(), name) == only.end()) continue;
    out += Cat(out.empty() ? "" : "  ", name, "=", text::ForTerminal(data::PlainText(field.value), 60));
  }
  return text::ForTerminal(out, 200);
}

class DataDiff : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("before", &before_, "NAME or NAME@VERSION", true);
    cli.Text("after", &after_, "NAME or NAME@VERSION", true);
    cli.Text("--key", &options_.key, "the field that names a record, so that changed ones are told from new ones");
    cli.Int("--samples", &samples_, "records to show of each kind", 0, 1000);
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio, ".", store::Access::kReadIfMust);
    const data::Datasets datasets(studio.Path("data"));
    const data::DatasetReader before(datasets, before_), after(datasets, after_);
    options_.samples = static_cast<size_t>(samples_);
    data::DiffReport report;
    {
      Progress progress("comparing", ProgressUnit::kBytes, globals.quiet || globals.json);
      options_.progress = progress.Callback();
      report = data::Diff(before, after, options_);
    }
    if (globals.json) {
      PrintJson(before.manifest(), after.manifest(), report);
    } else {
      Print(before.manifest(), after.manifest(), report);
    }
    return 0;
  }

 private:
  static void Print(const data::Manifest& before, const data::Manifest& after, const data::DiffReport& r) {
    std::cout << before.Reference() << " -> " << after.Reference() << ": " << r.added << " added, " << r.removed
              << " removed, " << r.changed << " changed, " << r.same << " the same\n";
    for (int side = 0; side < 2; ++side) {
      const data::Manifest& m = side == 0 ? before : after;
      if (r.without_key[side] > 0) {
        std::cout << r.without_key[side] << " records of " << m.Reference()
                  << " lack the key and go by their content\n";
      }
      if (r.repeated_keys[side] > 0) {
        std::cout << r.repeated_keys[side] << " records of " << m.Reference() << " repeat a key\n";
      }
    }
    if (!r.fields.empty()) {
      TextTable table({"field", "difference", "before", "after"});
      for (const data::FieldDiff& field : r.fields) {
        table.Add({field.name, field.what, Describe(field.before), Describe(field.after)});
      }
      std::cout << table.Text();
    }
    for (const auto& sample : r.added_samples) std::cout << "+ " << Fields(sample.after) << "\n";
    for (const auto& sample : r.removed_samples) std::cout << "- " << Fields(sample.before) << "\n";
    for (const auto& sample : r.changed_samples) {
      std::cout << "~ " << Fields(sample.before) << "\n  -> " << Fields(sample.after, sample.fields) << "\n";
    }
  }

  static void PrintJson(const data::Manifest& before, const data::Manifest& after, const data::DiffReport& r) {
    Json fields = Json::array();
    for (const data::FieldDiff& field : r.fields) {
      fields.push_back({{"name", field.name},
                        {"difference", field.what},
                        {"before", Describe(field.before)},
                        {"after", Describe(field.after)}});
    }
    const auto samples = [](const std::vector<data::RecordSample>& list) {
      Json out = Json::array();
      for (const data::RecordSample& sample : list) {
        Json item = Json::object();
        if (!sample.before.empty()) item["before"] = ParseJson(sample.before, "record");
        if (!sample.after.empty()) item["after"] = ParseJson(sample.after, "record");
        if (!sample.fields.empty()) item["fields"] = sample.fields;
        out.push_back(std::move(item));
      }
      return out;
    };
    std::cout << ToText(Json{{"before", before.Reference()},
                             {"after", after.Reference()},
                             {"added", r.added},
                             {"removed", r.removed},
                             {"changed", r.changed},
                             {"same", r.same},
                             {"without_key", {r.without_key[0], r.without_key[1]}},
                             {"repeated_keys", {r.repeated_keys[0], r.repeated_keys[1]}},
                             {"fields", std::move(fields)},
                             {"added_samples", samples(r.added_samples)},
                             {"removed_samples", samples(r.removed_samples)},
                             {"changed_samples", samples(r.changed_samples)}})
              << "\n";
  }

  data::DiffOptions options_;
  std::string before_, after_;
  int64_t samples_ = 5;
};

}  // namespace

std::unique_ptr<Command> MakeDataDiff() { return Make<DataDiff>(); }

}  // namespace atelier::app
