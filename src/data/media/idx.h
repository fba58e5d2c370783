// IDX, the format of MNIST's files: arrays of numbers behind a short head.
//
//   0 0 TYPE DIMENSIONS, then each dimension's size as 32 bits, big-endian, then the values, the last dimension first
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::data {

struct IdxArray {
  std::vector<uint32_t> shape;  // 1 to 4 sizes, none of them 0
  std::string_view values;      // one byte each, as many as the shape says; into the bytes that were parsed
};

// Whether bytes begin as an IDX file of bytes (type 8).
bool IsIdx(std::string_view bytes);
// `bytes` outlive the result; `name` is for messages. Throws kUnsupported for other types than unsigned bytes and for
// what gzip packed, kInvalidInput for a file that is shorter or longer than its head says.
IdxArray ParseIdx(std::string_view bytes, const std::string& name);

}  // namespace atelier::data
