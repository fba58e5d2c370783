#include "operators/render.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "text/jinja.h"

namespace atelier::operators {
namespace {

struct OutputFile {
  std::string name;
  std::optional<text::Template> page;  // absent: JSON lines
  bool escape = false;
  std::vector<std::pair<std::string, std::string>> include;  // variable, content
};

Json OfCandidate(const recipe::Candidate& candidate, int64_t rank) {
  Json checks = Json::array();
  std::string reason;
  for (const recipe::CheckResult& check : candidate.checks) {
    checks.push_back({{"check", check.check}, {"passed", check.passed}, {"reason", check.reason}});
    if (!check.passed && reason.empty()) reason = check.reason;
  }
  Json scores = Json::object(), score_list = Json::array();
  for (const auto& [name, value] : candidate.scores) {
    scores[name] = value;
    score_list.push_back({{"name", name}, {"text", FormatFixed(value, 2)}});
  }
  const auto device = [&]() -> std::string {
    if (!candidate.choices.is_object()) return "";
    const auto headline = candidate.choices.find("headline");
    return headline != candidate.choices.end() && headline->is_object() ? headline->value("device", "") : "";
  };
  const auto total = candidate.scores.find("total");
  return {{"output", candidate.output},
          {"writer", candidate.writer},
          {"rank", rank},
          {"attempt", candidate.attempt},
          {"sample", candidate.sample},
          {"passed", candidate.passed()},
          {"reason", reason},
          {"checks", checks},
          {"scores", scores},
          {"score_list", score_list},
          {"total", total == candidate.scores.end() ? 0.0 : total->second},
          {"device", device()},
          {"choices", candidate.choices},
          {"model", candidate.model},
          {"model_hash", candidate.model_hash},
          {"seed", Cat(candidate.seed)},
          {"generation", candidate.generation_id},
          {"tokens", candidate.output_tokens},
          {"seconds", candidate.seconds}};
}

// Counts as rows for a bar chart: name, count and share of the greatest in per cent, most first.
Json Bars(const std::map<std::string, size_t>& counts, size_t all) {
  std::vector<std::pair<std::string, size_t>> rows(counts.begin(), counts.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  Json out = Json::array();
  const auto per_cent = [](size_t part, size_t whole) {
    return whole == 0 ? 0 : static_cast<int>(100.0 * static_cast<double>(part) / static_cast<double>(whole) + 0.5);
  };
  for (const auto& [name, count] : rows) {
    out.push_back({{"name", name},
                   {"count", count},
                   {"width", per_cent(count, rows[0].second)},
                   {"share", per_cent(count, all)}});
  }
  return out;
}

class Render : public recipe::Operator {
 public:
  Render(std::vector<OutputFile> files, size_t show) : files_(std::move(files)), show_(show) {}

  void Apply(recipe::Run& run, std::span<const size_t>, int) override {
    if (run.out().empty()) return;
    MakeFolders(run.out());
    const Json context = RenderContext(run, show_);
    // All are rendered and written before the first takes its name: a template that fails or a full disk leaves the
    // files of the run before, not some of each.
    std::vector<std::unique_ptr<AtomicFile>> written;
    for (const OutputFile& file : files_) {
      run.Report(written.size(), files_.size(), file.name);
      const std::string path = Cat(run.out(), "/", file.name);
      if (FolderExists(path))
        throw Error(Code::kConflict, Cat(path, ": is a folder"), "move it away, or take another --out");
      written.push_back(std::make_unique<AtomicFile>(path));
      written.back()->Write(Content(file, context, run.records().size()));
    }
    for (const auto& file : written) file->Commit();
  }

 private:
  static std::string Content(const OutputFile& file, const Json& context, size_t records) {
    if (!file.page) {
      std::string lines;
      for (const Json& record : context["records"]) lines += ToText(RenderLine(record)) + "\n";
      return lines;
    }
    Json with = context;
    for (const auto& [variable, content] : file.include) with[variable] = content;
    text::RenderOptions options;
    options.max_steps = 5'000'000 + 200'000 * static_cast<uint64_t>(records);  // a page grows with its records
    options.max_output = 256u << 20;
    options.html_escape = file.escape;
    return file.page->Render(with, options);
  }

  std::vector<OutputFile> files_;
  size_t show_;
};

OutputFile ReadFileSpec(Table& table, const recipe::StepContext& context) {
  OutputFile file;
  file.name = table.String("name");
  if (file.name.empty() || file.name[0] == '.' || file.name.find('/') != std::string::npos ||
      file.name.find('\0') != std::string::npos) {
    table.Refuse("name", Cat(Quote(file.name), " is not a file name"), "a plain name, without folders");
  }
  if (table.Has("template")) {
    const std::string name = table.String("template");
    file.page =
        text::Template::Parse(ReadFile(JoinInside(context.folder, name), 1u << 20), Cat(context.folder, "/", name));
    file.escape = table.BoolOr("escape", false);
    if (auto include = table.SubOr("include")) {
      for (const std::string& variable : include->Keys()) {
        file.include.emplace_back(variable, ReadFile(JoinInside(context.folder, include->String(variable)), 4u << 20));
      }
    }
  } else if (const std::string kind = table.String("kind"); kind != "jsonl") {
    table.Refuse("kind", Cat(Quote(kind), " is not a kind"), "jsonl, or give a template");
  }
  table.Done();
  return file;
}

}  // namespace

Json RenderContext(recipe::Run& run, size_t show) {
  Json records = Json::array();
  std::map<std::string, size_t> wins, written, kept, reasons;
  size_t ready = 0, waiting = 0, candidates = 0, dropped = 0, zh = 0;
  for (const recipe::Record& record : run.records()) {
    const bool needs_person = !record.needs_person.empty();
    Json chosen, runners = Json::array(), all = Json::array(), gone = Json::array();
    std::vector<size_t> order = record.ranking;
    if (order.empty()) {
      for (size_t i = 0; i < record.candidates.size(); ++i) order.push_back(i);
    }
    for (size_t place = 0; place < order.size(); ++place) {
      const recipe::Candidate& candidate = record.candidates[order[place]];
      Json view = OfCandidate(candidate, record.ranking.empty() ? -1 : static_cast<int64_t>(place));
      if (!needs_person && place == 0) {
        chosen = view;
        ++wins[candidate.writer];
      } else if (!needs_person && place < std::min(show, record.offered)) {
        runners.push_back(view);
      }
      all.push_back(std::move(view));
      ++written[candidate.writer];
      ++kept[candidate.writer];
    }
    for (const recipe::Candidate& candidate : record.dropped) {
      gone.push_back(OfCandidate(candidate, -1));
      ++written[candidate.writer];
      for (const recipe::CheckResult& check : candidate.checks) {
        if (!check.passed) {
          ++reasons[check.check];
          break;  // one reason each, the first
        }
      }
    }
    candidates += record.candidates.size() + record.dropped.size();
    dropped += record.dropped.size();
    (needs_person ? waiting : ready) += 1;
    zh += record.lang == "zh";
    records.push_back({{"index", record.index},
                       {"number", record.index + 1},
                       {"line", record.line},
                       {"lang", record.lang},
                       {"input", record.input},
                       {"needs_person", record.needs_person},
                       {"chosen", chosen},
                       {"runners", runners},
                       {"candidates", all},
                       {"dropped", gone}});
  }
  Json writers = Json::array();
  for (const auto& [name, count] : written) {
    writers.push_back(
        {{"name", name},
         {"written", count},
         {"kept", kept[name]},
         {"wins", wins[name]},
         {"share",
          ready == 0 ? 0
                     : static_cast<int>(100.0 * static_cast<double>(wins[name]) / static_cast<double>(ready) + 0.5)}});
  }
  return {{"recipe", {{"name", run.recipe_name()}, {"variant", run.variant()}}},
          {"run", {{"seed", Cat(run.seed())}, {"config_hash", run.config_hash()}, {"notes", run.notes()}}},
          {"facts", run.facts()},
          {"summary",
           {{"records", run.records().size()},
            {"ready", ready},
            {"needs_person", waiting},
            {"candidates", candidates},
            {"dropped", dropped},
            {"zh", zh},
            {"en", run.records().size() - zh},
            {"writers", writers},
            {"reasons", Bars(reasons, dropped)}}},
          {"records", records}};
}

Json RenderLine(const Json& record) {
  const auto brief = [](const Json& candidate) -> Json {
    return {{"output", candidate["output"]},
            {"writer", candidate["writer"]},
            {"generation", candidate["generation"]},
            {"scores", candidate["scores"]}};
  };
  Json runners = Json::array();
  for (const Json& runner : record["runners"]) runners.push_back(brief(runner));
  const bool waiting = !record["needs_person"].get_ref<const std::string&>().empty();
  return {{"index", record["index"]},
          {"line", record["line"]},
          {"lang", record["lang"]},
          {"input", record["input"]},
          {"status", waiting ? "needs_person" : "ready"},
          {"reason", record["needs_person"]},
          {"chosen", record["chosen"].is_null() ? Json() : brief(record["chosen"])},
          {"runners_up", runners},
          {"passed", record["candidates"].size()},
          {"dropped", record["dropped"].size()}};
}

std::unique_ptr<recipe::Operator> MakeRender(Table& step, const recipe::StepContext& context) {
  std::vector<OutputFile> files;
  for (Table& table : step.Tables("file")) {
    files.push_back(ReadFileSpec(table, context));
    for (size_t i = 0; i + 1 < files.size(); ++i) {
      if (files[i].name == files.back().name) table.Refuse("name", Cat(Quote(files[i].name), " is written twice"));
    }
  }
  if (files.empty()) step.Refuse("file", "render writes at least one [[step.file]]");
  return std::make_unique<Render>(std::move(files), static_cast<size_t>(step.IntOr("show", 4, 1, 100)));
}

}  // namespace atelier::operators
