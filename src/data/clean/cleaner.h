// A list of cleaning operations over blocks of JSON lines: fitted where an operation needs it, then applied, by several
// threads, with the records in their order and the same result whatever the number of threads. Memory: some blocks
// and what the fits keep.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/clean/operation.h"
#include "data/clean/report.h"

namespace atelier::data::clean {

struct Rejected {
  uint64_t record = 0;     // from 1, in the order of reading
  std::string_view stage;  // the operation's name, or "read"
  std::string_view reason;
  std::string_view line;  // as it was read
};

// Where the records come from. Called once per pass; must give the same blocks every time. Each block is whole lines;
// `use` returns false to stop.
using BlockSource = std::function<void(const std::function<bool(std::string_view lines)>& use)>;

// Where they go, called from one thread in the records' order.
class BlockSink {
 public:
  virtual ~BlockSink() = default;
  virtual void Append(std::string_view lines, size_t records) = 0;
  virtual void Reject(const Rejected& rejected) = 0;
};

struct CleanOptions {
  int threads = 1;
  bool ids = true;       // every record gets its "_id"
  bool profile = false;  // measure seconds per operation; slows the run by some percent
  // Called with the bytes read so far in this pass, and which pass of how many.
  std::function<void(uint64_t bytes, size_t pass, size_t passes)> progress = nullptr;
};

class Cleaner {
 public:
  // [[operation]] tables, each with `use`. Throws Error(kInvalidInput) with file:line for anything unknown.
  static Cleaner Parse(std::string_view toml, const std::string& file);

  // Takes what Fitted() gave in another run, so that nothing is fitted anew. Throws Error(kInvalidInput) where it does
  // not fit this list.
  void Restore(const Json& fitted);
  Json Fitted() const;  // one entry per operation; null for those that fit nothing

  Report Run(const BlockSource& source, BlockSink* sink, const CleanOptions& options);

  size_t passes() const;
  const CharTable& table() const { return *table_; }

 private:
  struct Listed {
    std::string name;
    std::unique_ptr<Operation> operation;
    bool restored = false;
  };
  struct Output;
  class Runner;

  std::vector<Listed> list_;
  std::unique_ptr<CharTable> table_;
};

}  // namespace atelier::data::clean
