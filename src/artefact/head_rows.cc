#include "artefact/head_rows.h"

#include <cstring>

namespace atelier::artefact {

std::string HeadRows(std::string_view bytes, int64_t rows, int64_t head_dim, Rows order) {
  const size_t size = bytes.size() / static_cast<size_t>(rows);
  std::string out(bytes.size(), '\0');
  for (int64_t pair = 0; pair < rows; ++pair) {
    const int64_t i = pair % head_dim, half = pair - i + i % 2 * (head_dim / 2) + i / 2;
    const int64_t from = order == Rows::kToPairs ? half : pair, to = order == Rows::kToPairs ? pair : half;
    std::memcpy(out.data() + static_cast<size_t>(to) * size, bytes.data() + static_cast<size_t>(from) * size, size);
  }
  return out;
}

}  // namespace atelier::artefact
