// atelier index list, show, delete, rm: what indexes there are, what one holds, and taking away.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/embedders.h"
#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "guard/audit.h"
#include "retrieve/index_writer.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

uint64_t Chunks(const retrieve::IndexManifest& manifest) {
  uint64_t chunks = 0;
  for (const auto& segment : manifest.segments) chunks += segment.chunks;
  return chunks;
}

Json Brief(const retrieve::IndexManifest& manifest) {
  uint64_t bytes = 0;
  for (const auto& segment : manifest.segments) bytes += segment.bytes;
  return {{"name", manifest.name},
          {"documents", manifest.documents()},
          {"chunks", Chunks(manifest)},
          {"model", manifest.config.model},
          {"bytes", bytes},
          {"segments", manifest.segments.size()},
          {"generation", manifest.generation},
          {"changed_at", manifest.changed_at}};
}

class IndexList : public Command {
 public:
  void Declare(Cli&) override {}
  int Run(const Globals& globals) override {
    const store::Studio studio = store::Studio::Require(globals.studio);
    Json list = Json::array();
    TextTable table({"NAME", "DOCUMENTS", "PASSAGES", "MODEL", "SIZE", "CHANGED"});
    for (const std::string& name : retrieve::ListIndexes(studio.folder())) {
      const auto manifest = retrieve::ReadIndexManifest(retrieve::IndexFolder(studio.folder(), name));
      const Json brief = Brief(manifest);
      list.push_back(brief);
      table.Add({name, Cat(manifest.documents()), Cat(Chunks(manifest)), manifest.config.model,
                 FormatBytes(brief["bytes"].get<uint64_t>()), manifest.changed_at});
    }
    if (globals.json) {
      std::cout << ToText({{"indexes", list}}) << "\n";
    } else if (list.empty()) {
      std::cout << "No indexes. `atelier index add NAME FILE...` makes one.\n";
    } else {
      std::cout << table.Text();
    }
    return 0;
  }
};

class IndexShow : public Command {
 public:
  void Declare(Cli& cli) override { cli.Text("name", &name_, "the index", true); }
  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    const std::string folder = retrieve::IndexFolder(studio.folder(), name_);
    const auto index = retrieve::Index::Open(folder, WordsOf(studio));
    const retrieve::IndexManifest& manifest = index->manifest();
    Json documents = Json::array();
    TextTable table({"DOCUMENT", "TITLE", "LANG", "PASSAGES"});
    for (size_t i = 0; i < index->segments().size(); ++i) {
      const auto& segment = *index->segments()[i];
      const auto& deleted = manifest.segments[i].deleted;
      for (uint32_t d = 0; d < segment.documents(); ++d) {
        if (std::binary_search(deleted.begin(), deleted.end(), d)) continue;
        const uint32_t chunks = segment.first_chunk(d + 1) - segment.first_chunk(d);
        documents.push_back({{"id", segment.document_id(d)},
                             {"title", segment.document_title(d)},
                             {"lang", segment.document_lang(d)},
                             {"source", segment.document_source(d)},
                             {"fields", segment.document_fields(d)},
                             {"chunks", chunks}});
        if (documents.size() <= 200) {
          table.Add({std::string(segment.document_id(d)), std::string(segment.document_title(d)),
                     std::string(segment.document_lang(d)), Cat(chunks)});
        }
      }
    }
    if (globals.json) {
      Json whole = ToJson(manifest);
      whole["documents"] = std::move(documents);
      std::cout << ToText(whole) << "\n";
      return 0;
    }
    std::cout << manifest.name << ": " << manifest.documents() << " documents, " << Chunks(manifest) << " passages, "
              << (manifest.config.model.empty() ? std::string("words only") : Cat("vectors of ", manifest.config.model))
              << ", generation " << manifest.generation << ", changed " << manifest.changed_at << "\n"
              << table.Text();
    if (documents.size() > 200) std::cout << "... and " << documents.size() - 200 << " more; --json shows all\n";
    return 0;
  }

 private:
  std::string name_;
};

class IndexDelete : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("name", &name_, "the index", true);
    cli.Texts("documents", &documents_, "ids of documents, as `atelier index show` lists them");
  }
  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    const std::string folder = retrieve::IndexFolder(studio.folder(), name_);
    const retrieve::IndexManifest before = retrieve::ReadIndexManifest(folder);
    if (documents_.empty())
      throw Error(Code::kUsage, "index delete wants the ids of documents", "atelier index show lists them");
    retrieve::WriterOptions options;
    options.words = WordsOf(studio);
    if (before.config.dims > 0) options.embedder = LoadEmbedderNamed(studio, before.config.model);
    retrieve::IndexWriter writer(folder, name_, {}, std::move(options));
    std::vector<std::string> gone, missing;
    for (const std::string& id : documents_) (writer.Delete(id) ? gone : missing).push_back(id);
    if (!missing.empty()) {
      throw Error(Code::kNotFound, Cat("the index ", Quote(name_), " has no document ", Quote(missing[0])),
                  "nothing was deleted; atelier index show lists them");
    }
    const auto manifest = writer.Commit();
    guard::Audit(studio.db(), studio.tenant(), guard::LocalActor(), "index.deleted", name_,
                 {{"documents", gone}, {"generation", manifest.generation}});
    if (globals.json) {
      std::cout << ToText({{"deleted", gone}, {"index", Brief(manifest)}}) << "\n";
    } else {
      std::cout << "deleted " << gone.size() << "; " << manifest.documents() << " documents are left\n";
    }
    return 0;
  }

 private:
  std::string name_;
  std::vector<std::string> documents_;
};

class IndexRm : public Command {
 public:
  void Declare(Cli& cli) override { cli.Text("name", &name_, "the index", true); }
  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    retrieve::RemoveIndex(retrieve::IndexFolder(studio.folder(), name_));
    guard::Audit(studio.db(), studio.tenant(), guard::LocalActor(), "index.removed", name_, Json::object());
    if (globals.json) {
      std::cout << ToText({{"removed", name_}}) << "\n";
    } else {
      std::cout << "removed " << name_ << "\n";
    }
    return 0;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeIndexList() { return Make<IndexList>(); }
std::unique_ptr<Command> MakeIndexShow() { return Make<IndexShow>(); }
std::unique_ptr<Command> MakeIndexDelete() { return Make<IndexDelete>(); }
std::unique_ptr<Command> MakeIndexRm() { return Make<IndexRm>(); }

}  // namespace atelier::app
