// What a hostile template may spend. Every loop that a template can lengthen takes steps; every string, list or dict
// that it can make is counted before it is made. Spending more ends the rendering with Error(kResourceExhausted).
#pragma once

#include <cstdint>
#include <string>

namespace atelier::text::jinja {

[[noreturn]] void Fail(std::string message);       // Error(kInvalidInput): the template's own failure
[[noreturn]] void Exhausted(std::string message);  // Error(kResourceExhausted)

class Budget {
 public:
  Budget(uint64_t max_steps, uint64_t max_bytes)
      : steps_(max_steps), max_bytes_(max_bytes), bytes_(max_bytes * kRounds) {}

  void Step(uint64_t count = 1) {
    if (count > steps_) Exhausted("the template does not come to an end within its step budget");
    steps_ -= count;
  }
  // Work over `bytes` of text.
  void Scan(uint64_t bytes) { Step(1 + bytes / 32); }
  // One value of `bytes` is about to be made. No single one may exceed the output limit, nor all together kRounds
  // times as much: that bounds the memory a rendering can hold.
  void Make(uint64_t bytes) {
    if (bytes > max_bytes_) Exhausted("the template makes a value larger than its output limit");
    if (bytes > bytes_) Exhausted("the template makes more data than its output limit allows");
    bytes_ -= bytes;
    Step(1 + bytes / 256);
  }
  uint64_t max_bytes() const { return max_bytes_; }

 private:
  static constexpr uint64_t kRounds = 8;
  uint64_t steps_, max_bytes_, bytes_;
};

}  // namespace atelier::text::jinja
