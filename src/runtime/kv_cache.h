// Keys and values of past tokens, in pages. A Sequence is a value: copying it forks it, and the copies share every page
// until one of them writes into the last, partly filled one.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernel/packed.h"

namespace atelier::runtime {

struct KvShape {
  int64_t layers = 0, kv_heads = 0, head_dim = 0;
  bool wide = false;  // f32 instead of binary16

  static constexpr int64_t kPageTokens = 32;
  size_t cell_bytes() const { return wide ? 4 : 2; }
  // One layer's and head's keys (or values) in a page: kernel::Attention says how they lie.
  size_t part_bytes() const { return static_cast<size_t>(kPageTokens * head_dim) * cell_bytes(); }
  size_t page_bytes() const { return static_cast<size_t>(layers * kv_heads) * 2 * part_bytes(); }
};

// The pages of one engine, up to a limit of memory. Pages go back when their last Sequence lets go of them; a few are
// kept for the next one, the rest go back to the system, so that a busy minute is not paid for ever. The pool must
// outlive the sequences. One thread at a time.
class PagePool {
 public:
  PagePool(KvShape shape, size_t max_bytes);
  ~PagePool();

  const KvShape& shape() const { return shape_; }
  int64_t free_pages() const;                    // how many could still be taken
  int64_t made() const { return state_->made; }  // whose memory is held
  std::shared_ptr<uint8_t> Take();               // throws kResourceExhausted when the limit is reached

 private:
  KvShape shape_;
  static constexpr size_t kIdleBytes = size_t{64} << 20;  // of pages that nobody uses
  struct State {
    int64_t made = 0;
    size_t most_idle = 0;
    std::vector<kernel::Buffer> idle;
  };
  int64_t max_pages_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

class Sequence {
 public:
  Sequence() = default;
  // The first `length` tokens of what `pages` hold.
  Sequence(std::vector<std::shared_ptr<uint8_t>> pages, int64_t length) : pages_(std::move(pages)), length_(length) {}

  int64_t length() const { return length_; }
  // Makes room for `count` more tokens: new pages, and a copy of the last page where others share it. On failure
  // nothing has changed but pages that wait for the next try.
  void Reserve(PagePool* pool, int64_t count);
  void Advance(int64_t count) { length_ += count; }
  // Forgets all tokens from `length` on.
  void Truncate(int64_t length);

  // Start of page `page`'s keys (or values) of a layer and head.
  uint8_t* keys(const KvShape& shape, size_t page, int64_t layer, int64_t head) const {
    return pages_[page].get() + static_cast<size_t>((layer * shape.kv_heads + head) * 2) * shape.part_bytes();
  }
  uint8_t* values(const KvShape& shape, size_t page, int64_t layer, int64_t head) const {
    return keys(shape, page, layer, head) + shape.part_bytes();
  }
  size_t pages() const { return pages_.size(); }
  const std::shared_ptr<uint8_t>& page(size_t index) const { return pages_[index]; }
  // How many pages Reserve(count) would take from the pool.
  int64_t PagesFor(int64_t count) const;

 private:
  std::vector<std::shared_ptr<uint8_t>> pages_;
  int64_t length_ = 0;
};

}  // namespace atelier::runtime
