// The kernels of training with AVX-512 alone: what is bf16 becomes f32 before it is multiplied.
#include "kernel/training/table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel/target.h"

ATELIER_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c,avx2")
namespace atelier::kernel {
namespace {

#define ATELIER_WIDENS
#include "kernel/training/vector_avx512.h"
//
#include "kernel/training/tiles_none.h"
//
#include "kernel/training/blocks_f32.h"
//
#include "kernel/training/kernels-inl.h"

}  // namespace

const TrainTable* WideTrainTable() {
  static const TrainTable table = MakeTable("avx512wide");
  __builtin_cpu_init();
  const bool runs = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("fma");
  return runs ? &table : nullptr;
}

}  // namespace atelier::kernel
ATELIER_TARGET_END
#else
namespace atelier::kernel {
const TrainTable* WideTrainTable() { return nullptr; }
}  // namespace atelier::kernel
#endif
