// What is read from files that come from anywhere is read in a child process, so that a hostile one costs that child.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace atelier::data {

// Of one child. Address space, not resident memory.
struct ChildLimits {
  double seconds = 60;
  uint64_t memory_bytes = 1u << 30;
  uint64_t output_bytes = 256u << 20;
};

// Runs argv with `input` as its standard input and returns what it wrote. Whatever goes wrong with it is
// Error(kInvalidInput) of one line, for a reject: it took too much, or it ended with a fault, in its own words where it
// said any. `name` is what people call it. Throws kNotFound where there is no such program.
std::string ReadInChild(const std::vector<std::string>& argv, std::string input, const ChildLimits& limits,
                        const std::string& name);

}  // namespace atelier::data
