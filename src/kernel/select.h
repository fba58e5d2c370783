// Which kernels run here.
#pragma once

#include <vector>

#include "kernel/table.h"

namespace atelier::kernel {

// Every table this machine can run, best first.
std::vector<const Table*> AvailableTables();
// The best one, or the one that ATELIER_ISA names; throws kUsage for a name that is unknown or cannot run here.
const Table& BestTable();

}  // namespace atelier::kernel
