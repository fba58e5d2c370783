// Products of vectors, for the instruction set that kernel/select.h chose.
#pragma once

#include <cstdint>

namespace atelier::retrieve {

struct Dots {
  float (*f32)(const float* a, const float* b, int n);
  int32_t (*i8)(const int8_t* a, const int8_t* b, int n);  // REQUIRES: |values| <= 127, n <= 65536
};

// "reference", "avx2", "avx512"; an unknown name or one that this machine lacks gives the reference.
Dots DotsOf(const char* isa);
const Dots& BestDots();

}  // namespace atelier::retrieve
