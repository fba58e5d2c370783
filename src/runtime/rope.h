// Rotary position embeddings: a table of turns that grows with the positions seen, and its application to one head.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/arch/arch.h"

namespace atelier::runtime {

class RopeTable {
 public:
  explicit RopeTable(const RopeSpec& spec);
  // Makes the turns of positions [0, end) available.
  void Grow(int64_t end);
  // Turns head[0..dims) in place for `position`, which Grow has covered.
  void Apply(float* head, int64_t position) const;

 private:
  RopeSpec spec_;
  std::vector<double> frequencies_;  // [dims/2] radians per position, scaling included
  std::vector<float> turns_;         // [position][dims/2][cos, sin], magnitude included
};

}  // namespace atelier::runtime
