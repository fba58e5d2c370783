// What the passes of decoder and encoder share: rows of activations with their quantised twins, and the barrier at
// which the threads of a pass meet.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/thread_pool.h"
#include "kernel/packed.h"

namespace atelier::runtime {

// Meets all threads of a pass. Spins, since the wait is mostly shorter than a system call, then sleeps: where other
// programs want the processors, a thread that spins only keeps the one it waits for from running.
class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}
  void Wait() {
    if (threads_ == 1) return;
    const uint32_t phase = phase_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_release);
      phase_.notify_all();
      return;
    }
    for (int spins = 0; spins < ThreadPool::kSpins; ++spins) {
      if (phase_.load(std::memory_order_acquire) != phase) return;
      ThreadPool::Pause();
    }
    while (phase_.load(std::memory_order_acquire) == phase) phase_.wait(phase, std::memory_order_acquire);
  }

 private:
  const int threads_;
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<uint32_t> phase_{0};
};

// Rows of activations and, beside them, the same rows quantised.
struct Activations {
  kernel::Buffer memory;
  int64_t cols = 0;
  float* values = nullptr;  // [rows, cols]
  kernel::QuantisedRows quantised;

  void Shape(size_t rows, int64_t width) {
    const size_t padded = static_cast<size_t>(width + 63) / 64 * 64;
    const size_t cells = rows * padded;
    if (memory.size() < cells * 6 || cols != width) memory = kernel::Buffer(cells * 6);
    cols = width;
    uint8_t* at = memory.data();
    const auto take = [&](size_t bytes) { return std::exchange(at, at + bytes); };
    values = reinterpret_cast<float*>(take(cells * 4));
    quantised.cols = width;
    quantised.q = reinterpret_cast<int8_t*>(take(cells));
    quantised.scale = reinterpret_cast<float*>(take(cells / 8));
    quantised.scaled_sum = reinterpret_cast<float*>(take(cells / 8));
    quantised.neg_sum = reinterpret_cast<int32_t*>(take(cells / 4));
  }
  float* row(size_t r) const { return values + r * static_cast<size_t>(cols); }
};

}  // namespace atelier::runtime
