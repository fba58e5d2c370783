// The AVX-512 kernels, which are spread over three files; private to the room.
#pragma once

#include "kernel/table.h"

namespace atelier::kernel {

void Avx512MatmulQuantised(const PackedMatrix* w, int64_t begin, int64_t end, const QuantisedRows* x, float* out,
                           int64_t out_stride);
void Avx512MatmulFloat(const PackedMatrix* w, int64_t begin, int64_t end, const float* x, int64_t x_stride,
                       int64_t tokens, float* out, int64_t out_stride);
void Avx512Attend(const Attention* work);

}  // namespace atelier::kernel
