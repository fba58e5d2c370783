// The kernels of training with AVX2 and FMA: bf16 stays the form in which numbers are kept, products are f32.
#include "kernel/training/table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel/target.h"

ATELIER_TARGET_BEGIN("avx2,fma,f16c")
namespace atelier::kernel {
namespace {

#include "kernel/training/vector_avx2.h"
//
#include "kernel/training/tiles_none.h"
//
#include "kernel/training/blocks_fixed.h"
//
#include "kernel/training/kernels-inl.h"

}  // namespace

const TrainTable* Avx2TrainTable() {
  static const TrainTable table = MakeTable("avx2");
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &table : nullptr;
}

}  // namespace atelier::kernel
ATELIER_TARGET_END
#else
namespace atelier::kernel {
const TrainTable* Avx2TrainTable() { return nullptr; }
}  // namespace atelier::kernel
#endif
