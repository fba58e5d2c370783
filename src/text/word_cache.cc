#include "text/word_cache.h"

#include <atomic>

namespace atelier::text {

uint32_t WordCache::NewOwner() {
  static std::atomic<uint32_t> next{0};
  // 0 is nobody's; numbers come again after two billion tokenizers, when nothing of the first is left.
  return next.fetch_add(2) % 0xFFFFFFF0 + 1;
}

}  // namespace atelier::text
