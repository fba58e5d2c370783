"""What this machine's cores can multiply and add at most: independent sums in registers, of bf16 where it has instructions for them
that are quicker than those for f32 (tiles of AMX; pairs, on some), else of f32. FLOP per second of `threads` cores together."""
import pathlib
import subprocess
import tempfile

SOURCE = r"""
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#if defined(__AMX_BF16__)
#include <sys/syscall.h>
#include <unistd.h>
enum { kFlops = 16 * 16 * 32 * 2 };
#define KIND "bf16 (AMX)"
#elif defined(__AVX512BF16__) && !defined(NO_PAIRS)
#define KIND "bf16"
typedef __m512 V;
enum { kFlops = 64 };
#define STEP(s) s = _mm512_dpbf16_ps(s, a, b)
#define DECLARE __m512bh a = (__m512bh)_mm512_set1_epi32(0x3f803f80), b = a
#elif defined(__AVX512F__)
#define KIND "f32"
typedef __m512 V;
enum { kFlops = 32 };
#define STEP(s) s = _mm512_fmadd_ps(a, b, s)
#define DECLARE __m512 a = _mm512_set1_ps(1.0f), b = a
#else
#define KIND "f32"
typedef __m256 V;
enum { kFlops = 16 };
#define STEP(s) s = _mm256_fmadd_ps(a, b, s)
#define DECLARE __m256 a = _mm256_set1_ps(1.0f), b = a
#endif
#if defined(__AMX_BF16__)
static const long kSteps = 1000000;
static void *work(void *unused) {
  char config[64] __attribute__((aligned(64))) = {1};
  for (int i = 0; i < 8; ++i) config[16 + 2 * i] = 64, config[48 + i] = 16;
  __asm__ volatile("" : : "m"(config) : "memory");
  _tile_loadconfig(config);
  _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3); _tile_zero(4); _tile_zero(5);
  for (long n = 0; n < kSteps; ++n) {
    for (int i = 0; i < 3; ++i) {  /* four sums by turns */
      _tile_dpbf16ps(0, 4, 5); _tile_dpbf16ps(1, 4, 5); _tile_dpbf16ps(2, 4, 5); _tile_dpbf16ps(3, 4, 5);
    }
  }
  _tile_release();
  return unused;
}
#else
static const long kSteps = 40000000;
static volatile float sink;
static void *work(void *unused) {
  DECLARE;
  V s0 = {0}, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0, s10 = s0, s11 = s0;
  for (long n = 0; n < kSteps; ++n) {
    STEP(s0); STEP(s1); STEP(s2); STEP(s3); STEP(s4); STEP(s5);
    STEP(s6); STEP(s7); STEP(s8); STEP(s9); STEP(s10); STEP(s11);
    __asm__ volatile("" : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5));
    __asm__ volatile("" : "+x"(s6), "+x"(s7), "+x"(s8), "+x"(s9), "+x"(s10), "+x"(s11));
  }
  sink += s0[0] + s1[0] + s2[0] + s3[0] + s4[0] + s5[0] + s6[0] + s7[0] + s8[0] + s9[0] + s10[0] + s11[0];
  return unused;
}
#endif
int main(int argc, char **argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  double best = 1e9;
#if defined(__AMX_BF16__)
  if (syscall(SYS_arch_prctl, 0x1023L, 18L)) return 3;  /* the system does not allow tiles */
#endif
  for (int round = 0; round < 5; ++round) {
    struct timespec from, to;
    pthread_t t[256];
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < threads; ++i) pthread_create(&t[i], 0, work, 0);
    for (int i = 0; i < threads; ++i) pthread_join(t[i], 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    const double seconds = to.tv_sec - from.tv_sec + 1e-9 * (to.tv_nsec - from.tv_nsec);
    if (seconds < best) best = seconds;
  }
  printf("%.0f %s\n", threads * 12.0 * kFlops * kSteps / best, KIND);
}
"""


def measure(threads=2):
    """FLOP per second, and of which numbers."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "limit.c"
        path.write_text(SOURCE)
        best = (0.0, "")
        for options in [[], ["-mno-amx-bf16"], ["-mno-amx-bf16", "-DNO_PAIRS"]]:
            subprocess.run(["gcc", "-O2", "-march=native", *options, "-pthread", str(path), "-o", str(path.with_suffix(""))], check=True)
            done = subprocess.run([str(path.with_suffix("")), str(threads)], capture_output=True, text=True)
            if done.returncode == 3:  # no tiles here
                continue
            done.check_returncode()
            flops, kind = done.stdout.strip().split(" ", 1)
            best = max(best, (float(flops), kind))
        return best


if __name__ == "__main__":
    flops, kind = measure()
    print(f"{flops / 1e9:.0f} GFLOP/s, {kind}")
