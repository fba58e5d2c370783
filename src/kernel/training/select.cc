#include "kernel/training/select.h"

#include <cstdlib>
#include <utility>

#include "kernel/select.h"

namespace atelier::kernel {

namespace {

// Whether a processor multiplies pairs of bf16 quicker than their halves as f32: AMD's do, Intel's do not.
bool PairsAreQuick() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return !__builtin_cpu_is("intel");
#else
  return true;
#endif
}

}  // namespace

std::vector<const TrainTable*> AvailableTrainTables() {
  const TrainTable *pairs = Avx512TrainTable(), *wide = WideTrainTable();
  if (!PairsAreQuick()) std::swap(pairs, wide);
  std::vector<const TrainTable*> tables;
  for (const TrainTable* table : {AmxTrainTable(), pairs, wide, Avx2TrainTable()}) {
    if (table != nullptr) tables.push_back(table);
  }
  tables.push_back(&ReferenceTrainTable());
  return tables;
}

const TrainTable& BestTrainTable() {
  static const TrainTable* chosen = [] {
    const std::string_view best = BestTable().name;  // which knows ATELIER_ISA
    const std::vector<const TrainTable*> tables = AvailableTrainTables();
    const char* wanted = std::getenv("ATELIER_ISA");
    if (wanted == nullptr || *wanted == '\0') return tables.front();
    for (const TrainTable* table : tables) {
      if (table->name.starts_with(best)) return table;  // "avx512" is the better of two
    }
    return tables.front();
  }();
  return *chosen;
}

}  // namespace atelier::kernel
