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
  // [dims/2][cos, sin] of a position that Grow has covered.
  const float* Turns(int64_t position) const {
    return turns_.data() + static_cast<size_t>(position) * frequencies_.size() * 2;
  }

 private:
  RopeSpec spec_;
  std::vector<double> frequencies_;  // [dims/2] radians per position, scaling included
  std::vector<float> turns_;         // [position][dims/2][cos, sin], magnitude included
};

}  // namespace atelier::runtime
