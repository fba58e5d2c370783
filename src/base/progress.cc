#include "base/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/ids.h"
#include "base/str.h"

namespace atelier {

Progress::Progress(std::string label, ProgressUnit unit, bool quiet)
    : label_(std::move(label)),
      unit_(unit),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      started_(MonotonicSeconds()) {}

Progress::~Progress() {
  if (drawn_) Draw(true);
}

ProgressFn Progress::Callback() {
  return [this](uint64_t done, uint64_t total, std::string_view note) { Update(done, total, note); };
}

void Progress::Update(uint64_t done, uint64_t total, std::string_view note) {
  done_ = done;
  total_ = total;
  note_ = std::string(note);
  if (quiet_) return;
  const double now = MonotonicSeconds();
  if (now - started_ < 0.5) return;
  if (now - last_drawn_ < (terminal_ ? 0.1 : 5.0)) return;
  last_drawn_ = now;
  Draw(false);
}

void Progress::Draw(bool last) {
  drawn_ = true;
  const double elapsed = MonotonicSeconds() - started_;
  const auto amount = [&](uint64_t n) { return unit_ == ProgressUnit::kBytes ? FormatBytes(n) : Cat(n); };
  std::string line = label_ + "  ";
  if (total_ > 0) {
    constexpr uint64_t kWidth = 24;
    const uint64_t done = std::min(done_, total_);
    const auto filled = static_cast<uint64_t>(static_cast<double>(done) / static_cast<double>(total_) * kWidth);
    for (uint64_t i = 0; i < kWidth; ++i) line += i < filled ? "█" : "░";
    line += Cat("  ", amount(done), " / ", amount(total_));
    if (!last && done > 0) {
      line +=
          Cat("  ", FormatDuration(elapsed / static_cast<double>(done) * static_cast<double>(total_ - done)), " left");
    }
  } else {
    line += amount(done_);
  }
  if (last) line += Cat("  in ", FormatDuration(elapsed));
  if (!note_.empty()) line += Cat("  ", note_);
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s%s", line.c_str(), last ? "\n" : "");
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
}

}  // namespace atelier
