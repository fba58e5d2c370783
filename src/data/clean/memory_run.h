// A cleaning list over lines in memory, for tests and the fuzz target.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/clean/cleaner.h"

namespace atelier::data::clean {

struct MemoryRun : BlockSink {
  struct Kept {
    uint64_t record;
    std::string stage, reason, line;
  };
  std::string lines;
  size_t records = 0;
  std::vector<Kept> rejects;
  Report report;

  void Append(std::string_view more, size_t count) override {
    lines.append(more);
    records += count;
  }
  void Reject(const Rejected& one) override {
    rejects.push_back({one.record, std::string(one.stage), std::string(one.reason), std::string(one.line)});
  }

  // `block` bytes at a time, rounded to whole lines.
  static MemoryRun Of(Cleaner* cleaner, std::string_view text, int threads = 1, bool ids = false,
                      size_t block = 1u << 20) {
    MemoryRun run;
    const BlockSource source = [&](const std::function<bool(std::string_view)>& use) {
      for (size_t at = 0; at < text.size();) {
        size_t end = text.find('\n', std::min(text.size(), at + block));
        end = end == std::string_view::npos ? text.size() : end + 1;
        if (!use(text.substr(at, end - at))) return;
        at = end;
      }
    };
    CleanOptions options;
    options.threads = threads;
    options.ids = ids;
    run.report = cleaner->Run(source, &run, options);
    return run;
  }
  static MemoryRun Of(std::string_view toml, std::string_view text, int threads = 1, bool ids = false,
                      size_t block = 1u << 20) {
    Cleaner cleaner = Cleaner::Parse(toml, "clean.toml");
    return Of(&cleaner, text, threads, ids, block);
  }
};

}  // namespace atelier::data::clean
