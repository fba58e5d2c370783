#include "kernel/table.h"
namespace atelier::kernel { const Table* Avx2Table() { return nullptr; } }
