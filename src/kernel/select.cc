#include "kernel/select.h"

#include <cstdlib>

#include "base/error.h"
#include "base/str.h"

namespace atelier::kernel {

std::vector<const Table*> AvailableTables() {
  std::vector<const Table*> tables;
  if (const Table* table = Avx512Table()) tables.push_back(table);
  if (const Table* table = Avx2Table()) tables.push_back(table);
  tables.push_back(&ReferenceTable());
  return tables;
}

const Table& BestTable() {
  static const Table* chosen = [] {
    const std::vector<const Table*> tables = AvailableTables();
    const char* wanted = std::getenv("ATELIER_ISA");
    if (wanted == nullptr || *wanted == '\0') return tables.front();
    std::vector<std::string> names;
    for (const Table* table : tables) {
      if (table->name == wanted) return table;
      names.emplace_back(table->name);
    }
    throw Error(Code::kUsage, Cat("ATELIER_ISA=", wanted, " is not available on this machine"),
                Cat("available: ", Join(names, ", ")));
  }();
  return *chosen;
}

}  // namespace atelier::kernel
