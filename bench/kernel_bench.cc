// The quantised product by itself, every table that this machine has: how near decode (few tokens) comes to the
// memory's speed and prefill (many) to the processor's. One thread. Run it as `./dev bench kernels`.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "kernel/select.h"

namespace atelier::kernel {
namespace {

constexpr int64_t kRows = 1536, kCols = 1536;  // the products of small models; a multiple of every block

void Product(benchmark::State& state, const Table& table, Format format) {
  const int64_t tokens = state.range(0);
  Rng rng(1);
  const FormatInfo& info = Info(format);
  std::vector<uint8_t> blocks(static_cast<size_t>(kRows * kCols / info.block * info.bytes));
  for (uint8_t& byte : blocks) byte = static_cast<uint8_t>(rng.Next() & 0x3B);  // no scale is infinite
  PackedMatrix matrix = AllocatePacked(format, kRows, kCols);
  PackPanels(blocks.data(), 0, matrix.panels(), &matrix);
  std::vector<float> x(static_cast<size_t>(tokens * kCols));
  for (float& value : x) value = static_cast<float>(rng.Uniform() - 0.5);
  std::vector<int8_t> q(x.size());
  std::vector<float> scale(x.size() / 32), scaled_sum(x.size() / 32);
  std::vector<int32_t> neg_sum(x.size() / 16);
  const QuantisedRows rows{tokens, kCols, q.data(), scale.data(), neg_sum.data(), scaled_sum.data()};
  for (int64_t t = 0; t < tokens; ++t) table.quantise(x.data() + t * kCols, t, &rows);
  std::vector<float> out(static_cast<size_t>(tokens * kRows));
  for (auto _ : state) {
    table.matmul_quantised(&matrix, 0, matrix.panels(), &rows, out.data(), kRows);
    benchmark::ClobberMemory();
  }
  state.counters["GOP/s"] = benchmark::Counter(2e-9 * static_cast<double>(kRows * kCols * tokens),
                                               benchmark::Counter::kIsIterationInvariantRate);
  state.counters["weights GB/s"] =
      benchmark::Counter(1e-9 * static_cast<double>(matrix.bytes()), benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace
}  // namespace atelier::kernel

int main(int argc, char** argv) {
  using namespace atelier::kernel;
  for (const Table* table : AvailableTables()) {
    if (table->name == "reference") continue;
    for (const Format format : {Format::kQ4_1, Format::kQ4_K, Format::kQ5_0, Format::kQ6_K, Format::kQ8_0}) {
      const std::string name = std::string(table->name) + "/" + std::string(Info(format).name);
      benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { Product(state, *table, format); })
          ->Arg(1)
          ->Arg(4)
          ->Arg(12)
          ->Arg(128);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
