// Texts of files and datasets, pulled one after the other: what trainers of tokenizers and language models read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace atelier::data {

struct TextCorpusOptions {
  std::string text_field = "text";                 // of JSON lines and of datasets
  uint64_t most_line_bytes = uint64_t{256} << 20;  // of a file
  bool line_ends = true;                           // whether a file's line holds its LF or CR LF
};

// The texts of `inputs`, in their order. An input is
//  * a file of JSON lines (.jsonl, .ndjson): the text of one field per line, lines without text left out;
//  * any other file: its lines, each with its LF (unless options say otherwise), as Hugging Face's `Tokenizer.train`
//  reads files;
//  * the name of a dataset (NAME or NAME@3), where no file is called so: the text of one field per record.
// Holds one line, or one shard of a dataset (64 MiB of text), at a time.
class TextCorpus {
 public:
  // Throws kNotFound for what is neither, kUsage for no input. `datasets`: none where there is no studio.
  TextCorpus(std::vector<std::string> inputs, TextCorpusOptions options, std::optional<Datasets> datasets);
  ~TextCorpus();

  // The next text, or false at the end. Throws kInvalidInput with file:line for what is not UTF-8, holds NUL
  // characters, is no JSON object with the field as text, or is longer than allowed.
  bool Next(std::string* text);

  uint64_t bytes_read() const { return bytes_read_; }    // of the files, and of the datasets' texts
  uint64_t bytes_total() const { return bytes_total_; }  // of all of them

 private:
  struct Source;
  bool OpenNext();

  std::vector<std::string> inputs_;
  TextCorpusOptions options_;
  std::optional<Datasets> datasets_;
  size_t next_ = 0;
  uint64_t bytes_read_ = 0, bytes_total_ = 0;
  std::unique_ptr<Source> source_;
};

}  // namespace atelier::data
