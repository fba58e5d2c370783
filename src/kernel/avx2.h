// The row-wise AVX2 kernels; private to the room.
#pragma once

#include "kernel/table.h"

namespace atelier::kernel {

void Avx2Quantise(const float* x, int64_t token, const QuantisedRows* out);
void Avx2RmsNorm(const float* x, const float* weight, float eps, int64_t n, float* out);
void Avx2Gated(Gate act, float* gate, const float* up, int64_t n);
void Avx2Attend(const Attention* work);
void Avx2LogSumExp(const float* x, int64_t n, float* greatest, float* log_sum);
void Avx2AddLayerNorm(float* x, const float* branch, const float* weight, const float* bias, float eps, int64_t n);
void Avx2BiasGelu(float* x, const float* bias, int64_t n);
void Avx2MinHash(const uint32_t* x, int64_t n, const uint32_t* multiply, const uint32_t* add, int64_t lanes,
                 uint32_t* out);
float Avx2Dot(const float* a, const float* b, int64_t n);
int32_t Avx2DotBytes(const int8_t* a, const int8_t* b, int64_t n);

}  // namespace atelier::kernel
