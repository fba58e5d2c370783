// MinHash signatures and the bands that look for near texts (Broder 1997; Indyk, Motwani 1998; Leskovec et al. 3.4).
//
// Permutations are x -> m x + a modulo 2^32 with odd m over shingles that are hashes already, which makes linear ones
// good enough (Broder et al. 2000, min-wise independent permutations). Two texts of similarity s agree in one band of
// `rows` values with probability s^rows, and are candidates with 1 - (1 - s^rows)^bands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace atelier::data {

struct Banding {
  int bands = 0, rows = 0;                 // bands * rows <= 128
  double Chance(double similarity) const;  // of being a candidate
};
// The most rows for which at most 128 values find a pair of exactly `threshold` with probability `recall`, and as few
// bands as that takes: more rows mean fewer candidates in vain. Where 128 do not suffice: the best that they can.
Banding ChooseBanding(double threshold, double recall);

class MinHasher {
 public:
  MinHasher(Banding banding, uint64_t seed);
  const Banding& banding() const { return banding_; }
  // keys [bands]: one 64-bit hash per band, different bands never agreeing but by accident. REQUIRES: n > 0.
  void Keys(const uint32_t* shingles, size_t n, uint64_t* keys) const;

 private:
  Banding banding_;
  int64_t lanes_;  // bands * rows, rounded up to 16
  std::vector<uint32_t> multiply_, add_;
};

}  // namespace atelier::data
