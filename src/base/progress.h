// Progress for anything that lasts over a second: a bar that redraws itself on a terminal, a line now and then
// elsewhere (CI logs), nothing when quiet. Writes to standard error only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace atelier {

// How long work tells what it does. `done` of `total` units (total 0: unknown).
using ProgressFn = std::function<void(uint64_t done, uint64_t total, std::string_view note)>;

enum class ProgressUnit { kItems, kBytes };

class Progress {
 public:
  // `label` says what is going on, in the reader's words. Draws nothing until half a second has passed.
  Progress(std::string label, ProgressUnit unit, bool quiet);
  ~Progress();  // leaves a last line if anything was drawn
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(uint64_t done, uint64_t total, std::string_view note = "");
  ProgressFn Callback();

 private:
  void Draw(bool last);

  std::string label_, note_;
  ProgressUnit unit_;
  bool quiet_, terminal_, drawn_ = false;
  double started_, last_drawn_ = 0;
  uint64_t done_ = 0, total_ = 0;
};

}  // namespace atelier
