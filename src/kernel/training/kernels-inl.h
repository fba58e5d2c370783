// The kernels of one set of instructions, in order. Included in its anonymous namespace after vector_*.h.
#include "kernel/training/math-inl.h"
#include "kernel/training/product-inl.h"

constexpr TrainTable MakeTable(const char* name) {
  return {name, Multiply, PackWeights, Interleave, NarrowAll, WidenAll};
}
