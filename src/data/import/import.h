// Files, folders and tables from outside become a version of a dataset. One list of readers, one sink for what they
// read; memory stays bounded whatever the size of the source.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "data/dataset.h"
#include "data/encoding.h"
#include "data/import/child_reader.h"
#include "data/record_line.h"
#include "store/objects.h"

namespace atelier::data {

struct ImportRequest {
  // Files, folders, "-" for standard input, or one "postgresql://..." or "postgres://..." address.
  std::vector<std::string> sources = {};
  std::string format = {};    // a reader's name; "": by the source's name
  std::string encoding = {};  // "": detected
  bool strict = false;        // the first record that would be rejected ends the import with an error
  std::string licence = {}, consent = {};

  // CSV
  std::string delimiter = {};                     // "": detected; "tab" or one character
  bool header = true;                             // false: columns are c1, c2 ...
  std::map<std::string, std::string> types = {};  // column -> "text" or "number"; "*" for all others. Else detected

  // Text and Markdown
  std::string unit = "paragraph";  // of plain text: "paragraph", "line" or "file"

  // Databases
  std::string table = {}, query = {};

  // Pictures and sound: kept as content-addressed objects, unless referred to by their path
  bool by_path = false;

  uint64_t most_cell_bytes = 16u << 20;
  ChildLimits child = {};  // for one HTML or PDF file
};

struct ImportHelpers {
  const store::Objects* objects = nullptr;       // for pictures and sound
  std::string program;                           // atelier itself, which reads HTML in a child
  ProgressFn progress;                           // bytes
  std::function<void(const std::string&)> note;  // what the person should know: detected types, renamed fields
};

// Makes the next version of `name`. Throws what the first failure is; then nothing is left. An import of which no
// record could be read is an error too, which quotes the first reason.
Manifest Import(const Datasets& datasets, const std::string& name, const ImportRequest& request,
                const ImportHelpers& helpers = {});

// What a reader writes its records to.
class ImportSink {
 public:
  virtual ~ImportSink() = default;
  // The record to fill in: Begin() was called. End it with Done, or drop it with Reject.
  virtual LineBuilder& record() = 0;
  virtual void Done(uint64_t line) = 0;
  // `line` and `column` 0: unknown. Drops what record() holds. Throws when strict.
  virtual void Reject(uint64_t line, uint64_t column, std::string_view reason, std::string_view text) = 0;
  virtual void Note(const std::string& text) = 0;
  virtual void Progress(uint64_t bytes) = 0;  // more bytes were read
  virtual SourceInfo& source() = 0;           // the reader fills in bytes, sha256 and encoding
};

// One source for one reader.
struct ReaderInput {
  std::string path;
  const ImportRequest& request;
  const ImportHelpers& helpers;
  bool lines_are_utf8 = false;  // by the format's own standard: JSON
};

struct ReaderEntry {
  std::string_view name;        // "csv"
  std::string_view extensions;  // ".csv .tsv", lower case; "/" means a folder
  std::string_view help;
  void (*read)(const ReaderInput& input, ImportSink& sink);
};
// The visible list, in the order in which a source's name is looked up.
std::span<const ReaderEntry> AllReaders();

void ReadCsvSource(const ReaderInput&, ImportSink&);        // read_csv.cc
void ReadJsonLinesSource(const ReaderInput&, ImportSink&);  // read_jsonl.cc
void ReadTextSource(const ReaderInput&, ImportSink&);       // read_text.cc
void ReadMarkdownSource(const ReaderInput&, ImportSink&);   // read_markdown.cc
void ReadHtmlSource(const ReaderInput&, ImportSink&);       // read_html.cc
void ReadPdfSource(const ReaderInput&, ImportSink&);        // read_pdf.cc
void ReadPictureFolder(const ReaderInput&, ImportSink&);    // read_pictures.cc
void ReadSoundFolder(const ReaderInput&, ImportSink&);      // read_sound.cc
void ReadSqliteSource(const ReaderInput&, ImportSink&);     // read_sqlite.cc
void ReadPostgresSource(const ReaderInput&, ImportSink&);   // read_postgres.cc

}  // namespace atelier::data
