// Which kernels of training run here.
#pragma once

#include <vector>

#include "kernel/training/table.h"

namespace atelier::kernel {

// Every table this machine can run, best first.
std::vector<const TrainTable*> AvailableTrainTables();
// The best one; with ATELIER_ISA none better than it names (avx512 leaves AMX out). Throws kUsage for a name that is
// unknown or cannot run here.
const TrainTable& BestTrainTable();

}  // namespace atelier::kernel
