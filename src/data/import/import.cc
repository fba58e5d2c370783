#include "data/import/import.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/field_stats.h"
#include "data/zstd_stream.h"
#include "text/unicode.h"

namespace atelier::data {
namespace fs = std::filesystem;
namespace {

constexpr size_t kFlushBytes = 1u << 20;
constexpr uint64_t kMostRejectsAtFirst = 10'000;  // without a single record
constexpr size_t kMostSources = 100'000;

const ReaderEntry kReaders[] = {
    {"csv", ".csv .tsv .tab", "delimited text: CSV, TSV and their kin", &ReadCsvSource},
    {"jsonl", ".jsonl .ndjson", "JSON, one object per line", &ReadJsonLinesSource},
    {"markdown", ".md .markdown", "Markdown: one record per section, front matter as fields", &ReadMarkdownSource},
    {"html", ".html .htm .xhtml", "HTML: title and text without scripts and menus", &ReadHtmlSource},
    {"pdf", ".pdf", "PDF: one record per page (needs pdftotext)", &ReadPdfSource},
    {"text", ".txt .text .log", "plain text: one record per paragraph, line or file", &ReadTextSource},
    {"sqlite", ".db .sqlite .sqlite3", "a table or a query of an SQLite file", &ReadSqliteSource},
    {"postgresql", "postgresql: postgres:", "a table or a query of a PostgreSQL server", &ReadPostgresSource},
    {"pictures", "/", "a folder of pictures; the sub-folder is the label", &ReadPictureFolder},
    {"sound", "/", "a folder of sound; the sub-folder is the label", &ReadSoundFolder},
};

const ReaderEntry* ByName(std::string_view name) {
  std::vector<std::string> names;
  for (const ReaderEntry& entry : kReaders) {
    if (entry.name == name) return &entry;
    names.emplace_back(entry.name);
  }
  const std::string near = Nearest(name, names);
  throw Error(Code::kUsage, Cat("there is no format ", Quote(name)),
              near.empty() ? Cat("formats: ", Join(names, ", ")) : Cat("did you mean '", near, "'?"));
}

const ReaderEntry* BySource(const std::string& source) {
  const std::string lower = ToLowerAscii(source);
  for (const ReaderEntry& entry : kReaders) {
    for (const std::string& extension : Split(entry.extensions, ' ')) {
      const bool scheme = extension.ends_with(':');
      if (extension != "/" && (scheme ? lower.starts_with(extension) : lower.ends_with(extension))) return &entry;
    }
  }
  return nullptr;
}

bool IsAddress(std::string_view source) { return source.starts_with("postgresql:") || source.starts_with("postgres:"); }

struct PlannedSource {
  std::string path, name;
  const ReaderEntry* reader;
};

// The files of a folder, in the order of their paths; or the folder itself, where it holds pictures or sound.
void PlanFolder(const std::string& folder, const ImportHelpers& helpers, std::vector<PlannedSource>* out) {
  std::vector<std::string> files;
  std::error_code why;
  for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, why), end;
       !why && it != end; it.increment(why)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with('.')) {
      if (it->is_directory(why)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file(why)) files.push_back(it->path().string());
    if (files.size() > kMostSources) {
      throw Error(Code::kInvalidInput, Cat(folder, ": more than ", kMostSources, " files"), "import a part at a time");
    }
  }
  std::sort(files.begin(), files.end());
  size_t media[2] = {}, known = 0;
  for (const std::string& file : files) {
    const std::string lower = ToLowerAscii(file);
    for (const char* end : {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp"}) media[0] += lower.ends_with(end);
    for (const char* end : {".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".au", ".opus"}) {
      media[1] += lower.ends_with(end);
    }
    known += BySource(file) != nullptr;
  }
  if (const size_t most = std::max(media[0], media[1]); most > known) {
    out->push_back({folder, fs::path(folder).lexically_normal().filename().string(),
                    ByName(media[0] >= media[1] ? "pictures" : "sound")});
    return;
  }
  size_t unknown = 0;
  std::string first_unknown;
  for (const std::string& file : files) {
    const ReaderEntry* reader = BySource(file);
    if (reader == nullptr) {
      if (unknown++ == 0) first_unknown = file;
      continue;
    }
    out->push_back({file, fs::path(file).lexically_relative(folder).string(), reader});
  }
  if (unknown > 0 && helpers.note) {
    helpers.note(
        Cat(unknown, " files of ", folder, " are of no known format and were passed over, ", first_unknown, " first"));
  }
}

std::vector<PlannedSource> Plan(const ImportRequest& request, const ImportHelpers& helpers) {
  std::vector<PlannedSource> out;
  const ReaderEntry* forced = request.format.empty() ? nullptr : ByName(request.format);
  for (const std::string& source : request.sources) {
    if (IsAddress(source)) {
      out.push_back({source, request.table.empty() ? "query" : request.table, ByName("postgresql")});
      continue;
    }
    const bool folder = FolderExists(source);
    if (source != "-" && !folder && !fs::exists(source)) {
      throw Error(Code::kNotFound, Cat(source, ": no such file or folder"));
    }
    const std::string name = source == "-" ? "stdin" : fs::path(source).lexically_normal().filename().string();
    if (forced != nullptr && (!folder || forced->extensions == "/")) {
      if (!folder && forced->extensions == "/") {
        throw Error(Code::kUsage, Cat(source, ": ", forced->name, " are read from a folder"));
      }
      out.push_back({source, name, forced});
    } else if (folder) {
      const size_t before = out.size();
      PlanFolder(source, helpers, &out);
      if (forced != nullptr) {
        std::erase_if(out, [&](const PlannedSource& planned) { return planned.reader != forced; });
      }
      if (out.size() == before) throw Error(Code::kInvalidInput, Cat(source, ": no file of a known format is in it"));
    } else {
      const ReaderEntry* reader = BySource(source);
      if (reader == nullptr) {
        std::vector<std::string> names;
        for (const ReaderEntry& entry : kReaders) names.emplace_back(entry.name);
        throw Error(Code::kUsage, Cat(source, ": its name does not say what it is"),
                    Cat("give --format: ", Join(names, ", ")));
      }
      out.push_back({source, name, reader});
    }
  }
  if (out.empty()) throw Error(Code::kUsage, "nothing to import", "name a file or a folder");
  if (out.size() > kMostSources) {
    throw Error(Code::kInvalidInput, Cat("more than ", kMostSources, " files"), "import a part at a time");
  }
  return out;
}

class Sink : public ImportSink {
 public:
  Sink(DatasetWriter& writer, const ImportRequest& request, const ImportHelpers& helpers, uint64_t total)
      : writer_(writer), request_(request), helpers_(helpers), total_(total) {}

  void Begin(const PlannedSource& planned) {
    sources_.push_back({planned.name, std::string(planned.reader->name), 0, "", ""});
    path_ = IsAddress(planned.path) ? planned.name : planned.path;
  }
  LineBuilder& record() override {
    if (open_) lines_.Cancel();
    open_ = true;
    lines_.Begin();
    return lines_;
  }
  void Done(uint64_t line) override {
    lines_.End(static_cast<int>(sources_.size()) - 1, line);
    open_ = false;
    if (lines_.lines().size() >= kFlushBytes) Flush();
  }
  void Reject(uint64_t line, uint64_t column, std::string_view reason, std::string_view text) override {
    if (std::exchange(open_, false)) lines_.Cancel();
    std::string where = path_;
    if (line > 0) where += Cat(":", line);
    if (column > 0) where += Cat(":", column);
    if (request_.strict) {
      throw Error(Code::kInvalidInput, Cat(where, ": ", reason), "without --strict it goes to the rejects");
    }
    if (first_reject_.empty()) first_reject_ = Cat(where, ": ", reason);
    writer_.Reject({.source = static_cast<int>(sources_.size()) - 1,
                    .line = line,
                    .column = column,
                    .reason = reason,
                    .text = text});
    if (writer_.rejects() == kMostRejectsAtFirst && writer_.records() + lines_.records() == 0) {
      throw Error(Code::kInvalidInput,
                  Cat("none of the first ", kMostRejectsAtFirst, " records could be read; ", first_reject_),
                  "is the format right? --format names another");
    }
  }
  void Note(const std::string& text) override {
    if (helpers_.note) helpers_.note(text);
  }
  void Progress(uint64_t bytes) override {
    read_ += bytes;
    if (helpers_.progress) helpers_.progress(read_, total_, "");
  }
  SourceInfo& source() override { return sources_.back(); }

  void Flush() {
    if (lines_.records() == 0) return;
    statistics_.Add(lines_.lines());
    writer_.Append(lines_.lines(), lines_.records());
    lines_.Clear();
  }
  const std::string& first_reject() const { return first_reject_; }
  const FieldStatistics& statistics() const { return statistics_; }
  std::vector<SourceInfo>& sources() { return sources_; }

 private:
  DatasetWriter& writer_;
  const ImportRequest& request_;
  const ImportHelpers& helpers_;
  const uint64_t total_;
  uint64_t read_ = 0;
  std::vector<SourceInfo> sources_;
  std::string path_, first_reject_;
  LineBuilder lines_;
  FieldStatistics statistics_;
  bool open_ = false;
};

// The options that make a difference, as TOML: what was done, for the manifest.
std::string RequestToml(const ImportRequest& r) {
  std::string out;
  const auto text = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) out += Cat(key, " = ", ToText(Json(value)), "\n");
  };
  text("format", r.format);
  text("encoding", r.encoding);
  text("delimiter", r.delimiter);
  if (!r.header) out += "header = false\n";
  if (r.strict) out += "strict = true\n";
  if (r.unit != "paragraph") text("unit", r.unit);
  text("table", r.table);
  text("query", r.query);
  if (r.by_path) out += "by_path = true\n";
  if (!r.types.empty()) {
    out += "\n[types]\n";
    for (const auto& [name, type] : r.types) out += Cat(ToText(Json(name)), " = ", ToText(Json(type)), "\n");
  }
  return out;
}

}  // namespace

std::span<const ReaderEntry> AllReaders() { return kReaders; }

Manifest Import(const Datasets& datasets, const std::string& name, const ImportRequest& request,
                const ImportHelpers& helpers) {
  const std::vector<PlannedSource> planned = Plan(request, helpers);
  uint64_t total = 0;
  for (const PlannedSource& source : planned) {
    std::error_code why;
    const bool file = fs::is_regular_file(source.path, why);
    const uint64_t size = file ? fs::file_size(source.path, why) : 0;
    if (!file || why) {
      total = 0;
      break;
    }
    total += size;
  }
  DatasetWriter writer(datasets, name);
  Sink sink(writer, request, helpers, total);
  for (const PlannedSource& source : planned) {
    sink.Begin(source);
    const ReaderInput input{source.path, request, helpers, false};
    source.reader->read(input, sink);
  }
  sink.Flush();
  if (writer.records() == 0) {
    throw Error(Code::kInvalidInput,
                sink.first_reject().empty() ? Cat(planned[0].name, ": no records")
                                            : Cat("no record could be read; ", sink.first_reject()),
                sink.first_reject().empty() ? "is it empty, or only a header?" : "");
  }
  Manifest draft;
  draft.licence = request.licence;
  draft.consent = request.consent;
  draft.recipe.operation = "import";
  draft.recipe.toml = RequestToml(request);
  draft.fields = sink.statistics().Fields();
  draft.sources = std::move(sink.sources());
  if (sink.statistics().truncated() && helpers.note) helpers.note("statistics cover the first 10,000 fields alone");
  return writer.Commit(std::move(draft));
}

}  // namespace atelier::data
