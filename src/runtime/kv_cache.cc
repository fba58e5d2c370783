#include "runtime/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/str.h"

namespace atelier::runtime {

PagePool::PagePool(KvShape shape, size_t max_bytes)
    : shape_(shape), max_pages_(std::max<int64_t>(2, static_cast<int64_t>(max_bytes / shape.page_bytes()))) {
  state_->most_idle = std::max<size_t>(2, kIdleBytes / shape.page_bytes());
}

PagePool::~PagePool() = default;

int64_t PagePool::free_pages() const { return max_pages_ - state_->made + static_cast<int64_t>(state_->idle.size()); }

std::shared_ptr<uint8_t> PagePool::Take() {
  kernel::Buffer page;
  if (!state_->idle.empty()) {
    page = std::move(state_->idle.back());
    state_->idle.pop_back();
  } else {
    if (state_->made >= max_pages_) {
      throw Error(Code::kResourceExhausted,
                  Cat("the key/value cache of ", FormatBytes(static_cast<uint64_t>(max_pages_) * shape_.page_bytes()),
                      " is full"),
                  "ask for fewer samples or a shorter context");
    }
    page = kernel::Buffer(shape_.page_bytes());
    ++state_->made;
  }
  uint8_t* data = page.data();
  auto owner = std::make_shared<kernel::Buffer>(std::move(page));
  return std::shared_ptr<uint8_t>(data, [owner, state = state_](uint8_t*) {
    if (state->idle.size() < state->most_idle) {
      state->idle.push_back(std::move(*owner));
    } else {
      *owner = kernel::Buffer();
      --state->made;
    }
  });
}

void Sequence::Reserve(PagePool* pool, int64_t count) {
  constexpr int64_t kPage = KvShape::kPageTokens;
  if (count <= 0) return;
  // Pages that will be written: the partly filled one, and those that an earlier, failed Reserve left behind.
  for (auto page = static_cast<size_t>(length_ / kPage); page < pages_.size(); ++page) {
    if (pages_[page].use_count() == 1) continue;
    std::shared_ptr<uint8_t> copy = pool->Take();
    std::memcpy(copy.get(), pages_[page].get(), pool->shape().page_bytes());
    pages_[page] = std::move(copy);
  }
  const auto wanted = static_cast<size_t>((length_ + count + kPage - 1) / kPage);
  while (pages_.size() < wanted) pages_.push_back(pool->Take());
}

int64_t Sequence::PagesFor(int64_t count) const {
  constexpr int64_t kPage = KvShape::kPageTokens;
  if (count <= 0) return 0;
  int64_t wanted = std::max<int64_t>(0, (length_ + count + kPage - 1) / kPage - static_cast<int64_t>(pages_.size()));
  for (auto page = static_cast<size_t>(length_ / kPage); page < pages_.size(); ++page)
    wanted += pages_[page].use_count() > 1;
  return wanted;
}

void Sequence::Truncate(int64_t length) {
  length_ = std::min(length_, length);
  pages_.resize(static_cast<size_t>((length_ + KvShape::kPageTokens - 1) / KvShape::kPageTokens));
}

}  // namespace atelier::runtime
