#include "kernel/training/select.h"

#include <cstdlib>

#include "kernel/select.h"

namespace atelier::kernel {

std::vector<const TrainTable*> AvailableTrainTables() {
  std::vector<const TrainTable*> tables;
  if (const TrainTable* table = AmxTrainTable()) tables.push_back(table);
  if (const TrainTable* table = Avx512TrainTable()) tables.push_back(table);
  if (const TrainTable* table = Avx2TrainTable()) tables.push_back(table);
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
      if (table->name == best) return table;
    }
    // AVX-512 of one kind without the other: what remains is next best, unless the reference was asked for by name.
    return best == "avx512" && tables.size() > 1 ? tables[tables.size() - 2] : tables.front();
  }();
  return *chosen;
}

}  // namespace atelier::kernel
