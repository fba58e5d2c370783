// The kernels of training with AVX-512 BF16 and, for products, AMX's tiles.
#include "kernel/training/table.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/target.h"

ATELIER_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,f16c,avx2,amx-tile,amx-bf16")
namespace atelier::kernel {
namespace {

#include "kernel/training/vector_avx512.h"
//
#include "kernel/training/tiles_amx.h"
//
#include "kernel/training/blocks_f32.h"
//
#include "kernel/training/kernels-inl.h"

// The system keeps tiles over a change of threads only for programs that ask (Linux 5.16).
bool TilesAllowed() {
  constexpr long kAsk = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kHasBrains = 1u << 22, kHasTiles = 1u << 24;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kHasBrains) != 0 && (d & kHasTiles) != 0 &&
         syscall(SYS_arch_prctl, kAsk, kTileData) == 0;
}

}  // namespace

const TrainTable* AmxTrainTable() {
  static const TrainTable table = MakeTable("amx");
  static const bool runs = Avx512TrainTable() != nullptr && TilesAllowed();
  return runs ? &table : nullptr;
}

}  // namespace atelier::kernel
ATELIER_TARGET_END
#else
namespace atelier::kernel {
const TrainTable* AmxTrainTable() { return nullptr; }
}  // namespace atelier::kernel
#endif
