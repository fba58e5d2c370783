// A model's file made smaller: its matrices in another number format, everything else as it is.
//
// Norms, biases and other vectors, and an encoder's positions, stay as they are. As the head decides every token and is
// a small part of most models, four- and five-bit formats keep it (and an embedding that is the head) in Q6_K. Q4_K and
// Q5_K also keep attention's values and the feed-forward's way down in Q6_K in the first and last eighth of the layers
// and each third between; both choices are those of llama.cpp's "_M" types, with which files can be compared. Formats
// of 256 weights a block want rows of a multiple of that; where they are not, Q4_K becomes Q5_0, Q5_K Q5_1, Q6_K Q8_0.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/gguf.h"
#include "base/progress.h"
#include "kernel/format.h"
#include "runtime/importance.h"

namespace atelier::runtime {

// What `--type` takes: "q4_k". Throws kInvalidInput naming those that there are.
kernel::Format QuantisationNamed(std::string_view name);
std::vector<std::string> QuantisationNames();

struct QuantiseOptions {
  kernel::Format format = kernel::Format::kQ4_K;
  const Importance* importance = nullptr;
  std::string licence = {};  // written down where the file states none
  int threads = 0;           // 0: as many as there are processors
};

struct QuantiseReport {
  struct Sum {
    int64_t tensors = 0;
    uint64_t bytes = 0;
  };
  std::map<std::string, Sum> types;  // of the written file, by name
  uint64_t bytes_before = 0, bytes_after = 0;
  int64_t again = 0;  // matrices that were quantised before, and lose a little twice
};

// Writes `to`, atomically. Throws kInvalidInput naming the tensor where a number does not
// fit, kConflict where `to` is the file itself.
QuantiseReport QuantiseModel(const artefact::GgufFile& file, const QuantiseOptions& options, const std::string& to,
                             const ProgressFn& progress = nullptr);

}  // namespace atelier::runtime
