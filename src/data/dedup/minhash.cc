#include "data/dedup/minhash.h"

#include <cmath>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/rng.h"
#include "kernel/select.h"

namespace atelier::data {

constexpr int kMostValues = 128;

double Banding::Chance(double similarity) const { return 1 - std::pow(1 - std::pow(similarity, rows), bands); }

Banding ChooseBanding(double threshold, double recall) {
  for (int rows = kMostValues; rows > 1; --rows) {
    for (int bands = 1; bands * rows <= kMostValues; ++bands) {
      if (const Banding banding{bands, rows}; banding.Chance(threshold) >= recall) return banding;
    }
  }
  return {kMostValues, 1};
}

MinHasher::MinHasher(Banding banding, uint64_t seed)
    : banding_(banding), lanes_((banding.bands * banding.rows + 15) / 16 * 16) {
  Rng rng(seed, "minhash");
  for (int64_t i = 0; i < lanes_; ++i) {
    multiply_.push_back(static_cast<uint32_t>(rng.Next() >> 32) | 1);
    add_.push_back(static_cast<uint32_t>(rng.Next() >> 32));
  }
}

void MinHasher::Keys(const uint32_t* shingles, size_t n, uint64_t* keys) const {
  alignas(64) uint32_t least[kMostValues];
  kernel::BestTable().min_hash(shingles, static_cast<int64_t>(n), multiply_.data(), add_.data(), lanes_, least);
  for (int band = 0; band < banding_.bands; ++band) {
    keys[band] = XXH3_64bits_withSeed(least + band * banding_.rows, static_cast<size_t>(banding_.rows) * 4,
                                      static_cast<uint64_t>(band));
  }
}

}  // namespace atelier::data
