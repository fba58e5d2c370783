// The kernels of training by themselves, on one thread and two, as GFLOP/s and as a share of what the processor's
// registers alone reach (probed at the start; hosts differ). Time is each thread's own processor time, so that a busy
// machine does not blur it. Run it as `./dev bench kernels`.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/rng.h"
#include "kernel/blocks_testing.h"
#include "kernel/format.h"
#include "kernel/training/select.h"

namespace atelier::kernel {
namespace {

double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// GFLOP/s of one thread that only multiplies registers.
double Limit(const TrainTable& table) {
  double best = 0;
#if defined(__x86_64__)
#define TWELVE(op) \
  op "0\n" op "1\n" op "2\n" op "3\n" op "4\n" op "5\n" op "6\n" op "7\n" op "8\n" op "9\n" op "10\n" op "11\n"
#define FOUR_TILES                                                        \
  "tdpbf16ps %%tmm5, %%tmm4, %%tmm0\n tdpbf16ps %%tmm5, %%tmm4, %%tmm1\n" \
  "tdpbf16ps %%tmm5, %%tmm4, %%tmm2\n tdpbf16ps %%tmm5, %%tmm4, %%tmm3\n"
  if (table.name == "amx") {
    alignas(64) unsigned char config[64] = {1};  // the palette; eight whole tiles
    for (int i = 0; i < 8; ++i) config[16 + 2 * i] = 64, config[48 + i] = 16;
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  const double flops = table.name == "amx" ? 16384 : table.name == "avx512" ? 64 : table.name == "avx512wide" ? 32 : 16;
  for (int round = 0; round < 20; ++round) {
    const double start = ThreadSeconds();
    for (int i = 0; i < 200000; ++i) {
      if (table.name == "amx") {
        asm volatile(FOUR_TILES FOUR_TILES FOUR_TILES : : :);
      } else if (table.name == "avx512") {
        asm volatile(TWELVE("vdpbf16ps %%zmm15, %%zmm15, %%zmm")
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11");
      } else if (table.name == "avx512wide") {
        asm volatile(TWELVE("vfmadd231ps %%zmm15, %%zmm15, %%zmm")
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11");
      } else {
        asm volatile(TWELVE("vfmadd231ps %%ymm15, %%ymm15, %%ymm")
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11");
      }
    }
    const double rate = 200000.0 * 12 * flops / (ThreadSeconds() - start) * 1e-9;
    if (rate > best) best = rate;
  }
  if (table.name == "amx") asm volatile("tilerelease");
  asm volatile("vzeroupper");
#undef TWELVE
#undef FOUR_TILES
#endif
  return best;
}

// Counts `flops` per iteration of this thread.
class Meter {
 public:
  Meter(benchmark::State& state, const TrainTable& table, double flops)
      : state_(state), table_(table), flops_(flops), start_(ThreadSeconds()) {}
  ~Meter() {
    const double rate = flops_ * static_cast<double>(state_.iterations()) / (ThreadSeconds() - start_) * 1e-9;
    static std::map<std::string_view, double> limits;
    static std::mutex mutex;
    const std::lock_guard<std::mutex> lock(mutex);
    if (!limits.contains(table_.name)) limits[table_.name] = Limit(table_);
    const double limit = limits.at(table_.name);
    state_.counters["GFLOP/s"] = rate;  // summed over the threads
    state_.counters["share%"] = benchmark::Counter(100 * rate / limit, benchmark::Counter::kAvgThreads);
  }

 private:
  benchmark::State& state_;
  const TrainTable& table_;
  double flops_, start_;
};

std::vector<uint16_t> Brains(int64_t n) {
  Rng rng(1);
  std::vector<uint16_t> x(static_cast<size_t>(n));
  for (uint16_t& value : x) value = FloatToBFloat(static_cast<float>(rng.Uniform() - 0.5));
  return x;
}

struct Shared {
  std::vector<uint16_t> a, b, c, d, e;
  std::vector<float> x, y, z;
};
Shared shared;  // of the threads of one benchmark

// [begin, end) of this thread's share of n.
struct Share {
  int64_t begin, end;
  Share(const benchmark::State& state, int64_t n)
      : begin(n * state.thread_index() / state.threads()), end(n * (state.thread_index() + 1) / state.threads()) {}
};

enum class Pass { kForward, kGelu, kBackward, kWeights, kPack };

// A linear layer [tokens, ins] -> [tokens, outs].
void Linear(benchmark::State& state, const TrainTable& table, Pass pass, int64_t tokens, int64_t ins, int64_t outs) {
  if (state.thread_index() == 0) {
    shared.a = Brains(tokens * ins), shared.b = Brains(tokens * outs);
    shared.c = Brains(PackedSize(outs, tokens)), shared.d = Brains(PackedSize(ins, tokens));
    shared.e = Brains(PackedSize(outs, ins) + PackedSize(ins, outs));
    shared.x.assign(static_cast<size_t>(outs * ins), 0.1f), shared.y.assign(static_cast<size_t>(outs), 0);
    shared.z.clear();
    if (pass == Pass::kGelu) shared.c = Brains(tokens * outs);
  }
  Product product;
  const Share row_blocks(state, (tokens + kProductPanel - 1) / kProductPanel);
  const int64_t begin = row_blocks.begin * kProductPanel,
                end = std::min<int64_t>(tokens, row_blocks.end * kProductPanel);
  const Share out_panels(state, Panels(outs)), in_panels(state, Panels(ins));
  const double flops = 2.0 * static_cast<double>(tokens) * static_cast<double>(ins) * static_cast<double>(outs);
  const Meter meter(state, table, flops / state.threads());
  for (auto _ : state) {  // whose start waits for all threads
    switch (pass) {
      case Pass::kForward:
      case Pass::kGelu:
        product.rows = tokens, product.cols = outs, product.depth = ins;
        product.Rows(shared.a.data(), ins).b = shared.e.data();
        product.bias = shared.y.data(), product.out16 = shared.b.data(), product.out16_stride = outs;
        if (pass == Pass::kGelu) {
          product.act = Activation::kGeluTanh;
          product.pre16 = shared.c.data(), product.pre16_stride = outs;
        }
        table.product(&product, begin, end, 0, Panels(outs));
        break;
      case Pass::kBackward:
        product.rows = tokens, product.cols = ins, product.depth = outs;
        product.Rows(shared.b.data(), outs).b = shared.e.data();
        product.out16 = shared.a.data(), product.out16_stride = ins;
        table.product(&product, begin, end, 0, Panels(ins));
        break;
      case Pass::kWeights:  // with the zipping; a caller's threads would meet between the two
        table.interleave(shared.b.data(), outs, tokens, outs, out_panels.begin, out_panels.end, shared.c.data(),
                         shared.y.data());
        table.interleave(shared.a.data(), ins, tokens, ins, in_panels.begin, in_panels.end, shared.d.data(), nullptr);
        product.rows = outs, product.cols = ins, product.depth = tokens;
        product.Interleaved(shared.c.data()).b = shared.d.data();
        product.out = shared.x.data(), product.out_stride = ins, product.accumulate = true;
        table.product(&product, out_panels.begin * kProductPanel,
                      std::min<int64_t>(outs, out_panels.end * kProductPanel), 0, Panels(ins));
        break;
      case Pass::kPack:
        table.pack_weights(shared.x.data(), ins, outs, ins, out_panels.begin, out_panels.end, shared.e.data(),
                           shared.e.data() + PackedSize(outs, ins));
        break;
    }
    benchmark::ClobberMemory();
  }
}

// The output head with its loss, its gradient and the gradient of its weights, block by block, as a training step runs
// it; each thread has tokens of its own.
void Head(benchmark::State& state, const TrainTable& table, int64_t tokens, int64_t depth, int64_t words) {
  const int64_t block = state.range(0), panels = Panels(words), stride = panels * kProductPanel;
  const std::vector<uint16_t> x = Brains(tokens * depth), forward = Brains(PackedSize(words, depth)),
                              backward = Brains(PackedSize(depth, words));
  std::vector<uint16_t> scores(static_cast<size_t>(block * stride)), dx(static_cast<size_t>(tokens * depth)),
      zipped(static_cast<size_t>(PackedSize(words, block))), x2(static_cast<size_t>(PackedSize(depth, block)));
  std::vector<float> greatest(static_cast<size_t>(block * panels)), sums(greatest.size()),
      label_logit(static_cast<size_t>(block)), loss(label_logit.size()), dw(static_cast<size_t>(words * depth));
  const std::vector<int64_t> labels(static_cast<size_t>(block), 7);
  const Meter meter(state, table, 6.0 * static_cast<double>(tokens * words) * static_cast<double>(depth));
  for (auto _ : state) {
    for (int64_t begin = 0; begin < tokens; begin += block) {
      const HeadLoss head = {.rows = block,
                             .vocabulary = words,
                             .depth = depth,
                             .x = x.data() + begin * depth,
                             .x_stride = depth,
                             .w = forward.data(),
                             .labels = labels.data(),
                             .scores = scores.data(),
                             .greatest = greatest.data(),
                             .sums = sums.data(),
                             .label_logit = label_logit.data(),
                             .loss = loss.data(),
                             .interleaved = zipped.data()};
      table.head_scores(&head, 0, block, 0, panels);
      table.head_finish(&head, 0, block);
      Product product;
      product.rows = block, product.cols = depth, product.depth = words;
      product.Rows(scores.data(), stride).b = backward.data();
      product.out16 = dx.data() + begin * depth, product.out16_stride = depth;
      table.product(&product, 0, block, 0, Panels(depth));
      table.interleave(head.x, depth, block, depth, 0, Panels(depth), x2.data(), nullptr);
      product = {};
      product.rows = words, product.cols = depth, product.depth = block;
      product.Interleaved(zipped.data()).b = x2.data();
      product.out = dw.data(), product.out_stride = depth, product.accumulate = true;
      table.product(&product, 0, words, 0, Panels(depth));
    }
  }
}

// Causal self-attention out of a fused q/k/v product; each thread has sequences of its own. Operations are those of
// the lower triangle: two products forward, five backward.
// Weights of a format become the packed bf16 of one direction, 512 rows at a time.
void PackBlocks(benchmark::State& state, const TrainTable& table, const FormatInfo& info, bool forward) {
  constexpr int64_t kRows = 512, kCols = 768;
  Rng rng(1);
  const std::vector<uint8_t> w = RandomBlocks(info.format, kRows, kCols, &rng);
  std::vector<uint16_t> packed(static_cast<size_t>(std::max(PackedSize(kCols, kRows), PackedSize(kRows, kCols))));
  for (auto _ : state) {
    table.pack_blocks(info.format, w.data(), kCols / info.block * info.bytes, kRows, kCols, 0, Panels(kRows),
                      forward ? packed.data() : nullptr, forward ? nullptr : packed.data());
    benchmark::ClobberMemory();
  }
  state.counters["weights/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kRows * kCols), benchmark::Counter::kIsRate);
}

void Attend(benchmark::State& state, const TrainTable& table, bool backward, int64_t sequences, int64_t length,
            int64_t heads, int64_t dim) {
  const int64_t rows = sequences * length, width = heads * dim;
  std::vector<uint16_t> qkv = Brains(rows * 3 * width), out(static_cast<size_t>(rows * width)),
                        d_out = Brains(rows * width), d_qkv(qkv.size());
  std::vector<float> log_sum(static_cast<size_t>(rows * heads));
  std::vector<int64_t> starts;
  for (int64_t i = 0; i <= sequences; ++i) starts.push_back(i * length);
  std::vector<char> space(static_cast<size_t>(AttentionWorkspace(dim, length, length, true)) + 64);
  void* workspace = space.data() + (64 - reinterpret_cast<uintptr_t>(space.data()) % 64);
  const FlashAttention work = {.sequences = sequences,
                               .q_starts = starts.data(),
                               .k_starts = starts.data(),
                               .heads = heads,
                               .kv_heads = heads,
                               .head_dim = dim,
                               .scale = 0.125f,
                               .causal = true,
                               .q = qkv.data(),
                               .k = qkv.data() + width,
                               .v = qkv.data() + 2 * width,
                               .q_stride = 3 * width,
                               .k_stride = 3 * width,
                               .v_stride = 3 * width,
                               .out = out.data(),
                               .out_stride = width,
                               .log_sum = log_sum.data(),
                               .d_out = d_out.data(),
                               .d_out_stride = width,
                               .dq = d_qkv.data(),
                               .dk = d_qkv.data() + width,
                               .dv = d_qkv.data() + 2 * width,
                               .dq_stride = 3 * width,
                               .dk_stride = 3 * width,
                               .dv_stride = 3 * width};
  table.attend_forward(&work, 0, sequences * heads, workspace);
  const Meter meter(state, table,
                    (backward ? 5.0 : 2.0) * static_cast<double>(sequences * heads * length * (length + 1) * dim));
  for (auto _ : state)
    (backward ? table.attend_backward : table.attend_forward)(&work, 0, sequences * heads, workspace);
}

}  // namespace
}  // namespace atelier::kernel

int main(int argc, char** argv) {
  using namespace atelier::kernel;
  struct Shape {
    const char* name;
    int64_t tokens, ins, outs;
  };
  const Shape shapes[] = {{"gpt qkv", 4096, 256, 768},    {"gpt out", 4096, 256, 256},   {"gpt up", 4096, 256, 1024},
                          {"gpt down", 4096, 1024, 256},  {"gpt head", 4096, 256, 8192}, {"lstm in", 4096, 256, 2048},
                          {"lstm in 2", 4096, 512, 2048}, {"lstm step", 32, 512, 2048},  {"wide", 4096, 4096, 1024},
                          {"gan", 64, 784, 256},          {"gan 2", 64, 256, 256}};
  const struct {
    Pass pass;
    const char* name;
  } passes[] = {{Pass::kForward, "forward"},
                {Pass::kGelu, "forward+gelu"},
                {Pass::kBackward, "backward"},
                {Pass::kWeights, "weights"},
                {Pass::kPack, "pack"}};
  for (const TrainTable* table : AvailableTrainTables()) {
    if (table->name == "reference") continue;
    for (const Shape& shape : shapes) {
      for (const auto& pass : passes) {
        const std::string name = std::string(table->name) + "/" + shape.name + "/" + pass.name;
        benchmark::RegisterBenchmark(
            name.c_str(),
            [=](benchmark::State& state) { Linear(state, *table, pass.pass, shape.tokens, shape.ins, shape.outs); })
            ->Threads(1)
            ->Threads(2);
      }
    }
  }
  for (const TrainTable* table : AvailableTrainTables()) {
    if (table->name == "reference") continue;
    for (const int64_t dim : {32, 64, 128}) {
      for (const bool backward : {false, true}) {
        const std::string name = std::string(table->name) + (backward ? "/attention backward " : "/attention ");
        benchmark::RegisterBenchmark(
            (name + std::to_string(dim)).c_str(),
            [=](benchmark::State& state) { Attend(state, *table, backward, 16, state.range(0), 256 / dim, dim); })
            ->Arg(256)
            ->Arg(1024);
      }
    }
    for (const FormatInfo& info : kFormats) {
      for (const bool forward : {true, false}) {
        const std::string name =
            std::string(table->name) + "/pack " + std::string(info.name) + (forward ? " forward" : " backward");
        benchmark::RegisterBenchmark(name.c_str(),
                                     [=](benchmark::State& state) { PackBlocks(state, *table, info, forward); });
      }
    }
    benchmark::RegisterBenchmark((std::string(table->name) + "/gpt head+loss").c_str(),
                                 [=](benchmark::State& state) { Head(state, *table, 4096, 256, 8192); })
        ->Arg(256)
        ->Arg(512)
        ->Arg(1024)
        ->Threads(1)
        ->Threads(2);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
