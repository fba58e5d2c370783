#include "base/rng.h"

#include "base/hash.h"

namespace atelier {

Rng::Rng(uint64_t seed, std::string_view name) : state_(Hash64(name, seed)) {}

uint64_t Rng::Below(uint64_t n) {
  const uint64_t limit = ~uint64_t{0} - ~uint64_t{0} % n;  // the largest multiple of n that fits
  uint64_t draw = Next();
  while (draw >= limit) draw = Next();
  return draw % n;
}

}  // namespace atelier
