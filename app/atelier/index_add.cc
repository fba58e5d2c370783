// atelier index add NAME FILE...: documents into an index, which is made where there is none.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <set>

#include "app/atelier/command.h"
#include "app/atelier/embedders.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/str.h"
#include "data/dataset.h"
#include "guard/audit.h"
#include "retrieve/html_child.h"
#include "retrieve/index_writer.h"
#include "store/studio.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

constexpr size_t kRefusalsTold = 20;

class IndexAdd : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("name", &name_, "the index", true);
    cli.Texts(
        "files", &files_,
        "text, Markdown and HTML files, folders of them, JSON lines (a document on each), or datasets (NAME, NAME@3)");
    cli.Text("--base", &base_, "documents are called by their path from this folder");
    cli.Texts("--field", &fields_, "KEY=VALUE that every document gets, for filters; repeat for more");
    cli.Text("--lang", &lang_, "zh or en; found from the text where nobody says");
    cli.Text("--text-field", &text_field_, "of JSON lines: what is searched (default: text)");
    cli.Text("--id-field", &id_field_, "of JSON lines: what a document is called (default: id, else the line)");
    cli.Text("--title-field", &title_field_, "of JSON lines: its title (default: title)");
    cli.Text("--model", &model_, "the embedder of a new index, or none (default: e5-small where it is here)");
    cli.Int("--chunk", &chunks_.target, "of a new index: tokens after which a passage ends", 32, 2000);
    cli.Int("--overlap", &chunks_.overlap, "of a new index: tokens that the next passage says again", 0, 500);
    cli.Double("--k1", &bm25_.k1, "of a new index: BM25's k1", 0, 10);
    cli.Double("--b", &bm25_.b, "of a new index: BM25's b", 0, 1);
    cli.Int("--heading-weight", &heading_weight_, "of a new index: how often a heading's words count", 0, 10);
    cli.Text("--words", &words_, "of a new index: Chinese by pairs of characters, words or both (default: both)");
    cli.Text("--segmenter", &segmenter_,
             "of a new index: icu (which finds more here, docs/formats/index.md) or zh: segmenter-zh");
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    const std::string folder = retrieve::IndexFolder(studio.folder(), name_);
    if (files_.empty())
      throw Error(Code::kUsage, "index add wants at least one file", "atelier index add NAME FILE...");
    if (!lang_.empty() && lang_ != "zh" && lang_ != "en") {
      throw Error(Code::kUsage, Cat("--lang ", Quote(lang_)), "zh or en");
    }
    std::vector<std::string> paths;
    const data::Datasets datasets(studio.Path("data"));
    std::vector<std::string> refs;
    for (const std::string& file : files_) {  // before anything is made
      if (FileExists(file) || FolderExists(file) || !IsDataset(datasets, file)) {
        Collect(file, &paths);
      } else {
        datasets.Load(file);
        refs.push_back(file);
      }
    }

    retrieve::WriterOptions options;
    options.words = WordsOf(studio);
    const bool there = FileExists(Cat(folder, "/index.json"));
    const std::string model = there ? retrieve::ReadIndexManifest(folder).config.model : model_;
    if (there) {
      if (!model.empty()) options.embedder = LoadEmbedderNamed(studio, model);
    } else if (model.empty()) {
      options.embedder = FindEmbedder(studio, kDefaultEmbedder);
      if (!options.embedder && !globals.json) {
        std::cerr << "No embedder is here, so this index finds words only. `atelier model pull " << kDefaultEmbedder
                  << "` brings one; then make the index anew.\n";
      }
    } else if (model != "none") {
      options.embedder = LoadEmbedderNamed(studio, model);
    }
    Progress progress(Cat("index ", name_), ProgressUnit::kItems, globals.quiet || globals.json);
    options.progress = progress.Callback();
    options.on_wait = [&] { std::cerr << "somebody else is writing this index; waiting\n"; };

    retrieve::IndexConfig config;
    chunk_options_.target = static_cast<int>(chunks_.target);
    chunk_options_.most = std::max(chunk_options_.target, chunk_options_.target * 8 / 5);
    chunk_options_.overlap = static_cast<int>(chunks_.overlap);
    config.chunks = chunk_options_;
    config.bm25 = {bm25_.k1, bm25_.b, static_cast<double>(heading_weight_)};
    config.analysis.words = words_ != "pairs";
    if (segmenter_ != "icu" && segmenter_ != "zh")
      throw Error(Code::kUsage, Cat("--segmenter ", Quote(segmenter_), " is neither icu nor zh"));
    if (config.analysis.words) config.segmenter = segmenter_ == "zh" ? ModelSegmenter(studio) : segmenter_;
    config.analysis.pairs = words_ != "words";
    if (!words_.empty() && words_ != "pairs" && words_ != "words" && words_ != "both") {
      throw Error(Code::kUsage, Cat("--words ", Quote(words_)), "pairs, words or both");
    }

    const double started = MonotonicSeconds();
    retrieve::IndexWriter writer(folder, name_, config, std::move(options));
    for (const std::string& path : paths) AddFile(writer, path);
    for (const std::string& ref : refs) AddDataset(writer, datasets, ref);
    if (refused_ > 0 && added_ + replaced_ + unchanged_ == 0) {
      const std::string& why = refusals_[0].second;
      throw Error(Code::kInvalidInput, refused_ == 1 ? why : Cat("none of ", refused_, " documents was taken: ", why));
    }
    const retrieve::IndexManifest manifest = writer.Commit();
    guard::Audit(studio.db(), studio.tenant(), guard::LocalActor(), "index.changed", name_,
                 {{"new", added_},
                  {"replaced", replaced_},
                  {"unchanged", unchanged_},
                  {"removed", removed_},
                  {"refused", refused_},
                  {"generation", manifest.generation}});
    uint64_t chunks = 0;
    for (const auto& segment : manifest.segments) chunks += segment.chunks;
    if (globals.json) {
      Json refusals = Json::array();
      for (const auto& [source, why] : refusals_) refusals.push_back({{"source", source}, {"reason", why}});
      std::cout << ToText({{"index", name_},
                           {"new", added_},
                           {"replaced", replaced_},
                           {"unchanged", unchanged_},
                           {"removed", removed_},
                           {"refused", refused_},
                           {"refusals", refusals},
                           {"documents", manifest.documents()},
                           {"chunks", chunks},
                           {"model", manifest.config.model},
                           {"generation", manifest.generation},
                           {"seconds", MonotonicSeconds() - started}})
                << "\n";
    } else {
      for (const auto& [source, why] : refusals_) std::cerr << "not taken: " << text::ForTerminal(why, 500) << "\n";
      if (refused_ > refusals_.size()) std::cerr << "... and " << refused_ - refusals_.size() << " more\n";
      std::cout << name_ << ": " << added_ << " new, " << replaced_ << " replaced, " << unchanged_ << " unchanged"
                << (removed_ > 0 ? Cat(", ", removed_, " removed") : "")
                << (refused_ > 0 ? Cat(", ", refused_, " not taken") : "") << "; " << manifest.documents()
                << " documents in " << chunks << " passages"
                << (manifest.config.model.empty() ? "" : Cat(", vectors of ", manifest.config.model)) << ", "
                << FormatDuration(MonotonicSeconds() - started) << "\n";
    }
    return 0;
  }

 private:
  static void Collect(const std::string& path, std::vector<std::string>* paths) {
    if (!FolderExists(path)) {
      if (!FileExists(path)) throw Error(Code::kNotFound, Cat("there is no file ", path));
      paths->push_back(path);
      return;
    }
    for (const std::string& name : ListFolder(path)) {
      const std::string below = Cat(path, "/", name);
      if (FolderExists(below)) {
        if (!std::filesystem::is_symlink(below)) Collect(below, paths);  // which may lead round in a circle
        continue;
      }
      const std::string lower = ToLowerAscii(name);
      for (const std::string_view end : {".txt", ".md", ".markdown", ".html", ".htm", ".xhtml", ".jsonl", ".ndjson"}) {
        if (lower.ends_with(end)) {
          paths->push_back(below);
          break;
        }
      }
    }
  }

  void AddFile(retrieve::IndexWriter& writer, const std::string& path) {
    if (path.ends_with(".jsonl") || path.ends_with(".ndjson")) return AddLines(writer, path);
    retrieve::Document document;
    document.id = std::filesystem::path(path).lexically_normal().string();
    if (!base_.empty()) document.id = std::filesystem::path(path).lexically_relative(base_).string();
    document.source = path;
    document.lang = lang_;
    SetFields(&document);
    try {
      retrieve::ReadText(ReadFile(path, 256u << 20), retrieve::KindOfFile(path), &document, html_);
    } catch (const Error& e) {  // one bad page is no reason to leave the others out; what stood there of it stays
      if (e.code() != Code::kInvalidInput) throw;
      return Refuse(path, e.Line().starts_with(path) ? e.Line() : e.Within(path).Line());
    }
    Count(writer.Add(std::move(document)));
  }

  static bool IsDataset(const data::Datasets& datasets, const std::string& name) {
    const std::vector<std::string> names = datasets.Names();
    return std::find(names.begin(), names.end(), name.substr(0, name.find('@'))) != names.end();
  }

  // A record of a dataset is a document, called NAME: and its id, or else its content's hash, so that what stays the
  // same stays in the index. Records that another version had, and this one has not, go.
  void AddDataset(retrieve::IndexWriter& writer, const data::Datasets& datasets, const std::string& ref) {
    const data::DatasetReader reader(datasets, ref);
    const std::string name = reader.manifest().name, prefix = Cat(name, ":");
    std::set<std::string> gone = writer.IdsOf(name);
    std::erase_if(gone, [&](const std::string& id) { return !id.starts_with(prefix); });
    const auto keep = [&](const std::string& id) { gone.erase(id); };
    size_t number = 0;
    reader.ReadAll([&](std::string_view lines) {
      for (size_t at = 0; at < lines.size();) {
        const size_t end = lines.find('\n', at);
        const std::string where = Cat(name, ": record ", ++number);
        const Json row = ParseJson(lines.substr(at, end - at), where);
        AddRow(writer, row, name, prefix, Cat(prefix, row.value("_id", std::to_string(number))), where, keep);
        at = end + 1;
      }
      return true;
    });
    for (const std::string& id : gone) removed_ += writer.Delete(id);
  }

  void AddLines(retrieve::IndexWriter& writer, const std::string& path) {
    const std::string bytes = ReadFile(path, uint64_t{8} << 30);
    size_t number = 0;
    for (size_t at = 0; at < bytes.size();) {
      size_t end = bytes.find('\n', at);
      if (end == std::string::npos) end = bytes.size();
      const std::string_view line = Trim(std::string_view(bytes).substr(at, end - at));
      at = end + 1;
      ++number;
      if (line.empty()) continue;
      const std::string where = Cat(path, ":", number);
      AddRow(writer, ParseJson(line, where), path, "", where, where, [](const std::string&) {});
    }
  }

  // `prefix` goes before an id that the row has of its own; `id` is for rows that have none.
  void AddRow(retrieve::IndexWriter& writer, const Json& row, const std::string& source, const std::string& prefix,
              std::string id, const std::string& where, const std::function<void(const std::string&)>& keep) {
    if (!row.is_object() || !row.contains(text_field_) || !row[text_field_].is_string()) {
      return Refuse(source, Cat(where, ": has no text in ", Quote(text_field_), " (--text-field names another field)"));
    }
    retrieve::Document document;
    document.source = source;
    document.lang = lang_;
    document.id = std::move(id);
    SetFields(&document);
    std::vector<std::string> headings;
    for (const auto& [key, value] : row.items()) {
      if (key == text_field_ || key.starts_with('_')) continue;
      if (key == id_field_) {
        const std::string own = value.is_string() ? value.get<std::string>() : value.is_null() ? "" : ToText(value);
        if (!own.empty()) document.id = Cat(prefix, own);
      } else if (key == title_field_ && value.is_string()) {
        document.title = value.get<std::string>();
      } else if (key == "lang" && value.is_string()) {
        document.lang = value.get<std::string>();
      } else if (key == "headings" && value.is_array()) {  // of a section, as `data import` writes it
        for (const Json& heading : value) {
          if (heading.is_string()) headings.push_back(heading.get<std::string>());
        }
      } else if (value.is_string() || value.is_number() || value.is_boolean()) {
        document.fields[key] = value;
      }
    }
    try {
      retrieve::ReadText(row[text_field_].get_ref<const std::string&>(), retrieve::TextKind::kPlain, &document);
    } catch (const Error& e) {
      if (e.code() != Code::kInvalidInput) throw;
      return Refuse(source, e.Within(where).Line());
    }
    retrieve::PutHeadings(headings, &document);
    keep(document.id);
    Count(writer.Add(std::move(document)));
  }

  void Refuse(const std::string& source, std::string why) {
    if (refused_++ < kRefusalsTold) refusals_.emplace_back(source, std::move(why));
  }

  void SetFields(retrieve::Document* document) const {
    for (const std::string& field : fields_) {
      const size_t equals = field.find('=');
      if (equals == std::string::npos || equals == 0)
        throw Error(Code::kUsage, Cat("--field ", Quote(field), " is not KEY=VALUE"));
      document->fields[field.substr(0, equals)] = field.substr(equals + 1);
    }
  }

  void Count(retrieve::IndexWriter::Added added) {
    using A = retrieve::IndexWriter::Added;
    (added == A::kNew ? added_ : added == A::kReplaced ? replaced_ : unchanged_) += 1;
  }

  std::string name_, base_, lang_, text_field_ = "text", id_field_ = "id", title_field_ = "title", model_, words_,
                                   segmenter_ = "icu";
  std::vector<std::string> files_, fields_;
  retrieve::ChunkOptions chunk_options_;
  struct {
    int64_t target = retrieve::ChunkOptions().target, overlap = retrieve::ChunkOptions().overlap;
  } chunks_;
  retrieve::Bm25Options bm25_;
  int64_t heading_weight_ = static_cast<int64_t>(retrieve::Bm25Options().heading_weight);
  const retrieve::HtmlReader html_ = retrieve::ReadHtmlInChild(OwnProgram());
  uint64_t added_ = 0, replaced_ = 0, unchanged_ = 0;
  uint64_t removed_ = 0, refused_ = 0;
  std::vector<std::pair<std::string, std::string>> refusals_;  // source and reason, of the first
};

}  // namespace

std::unique_ptr<Command> MakeIndexAdd() { return Make<IndexAdd>(); }

}  // namespace atelier::app
