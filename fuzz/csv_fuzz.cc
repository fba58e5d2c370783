// Bytes of a table file: decoding, CSV, lists. Only Error may come out, and what comes out is UTF-8.
#include <cstdlib>

#include "base/error.h"
#include "data/csv.h"
#include "data/encoding.h"
#include "data/records.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  try {
    const data::Decoded decoded = data::DecodeText(std::string(reinterpret_cast<const char*>(data), size), "fuzz.csv");
    if (data::FirstInvalidUtf8(decoded.text) != std::string::npos) std::abort();
    const data::CsvTable table = data::ParseCsv(decoded.text, "fuzz.csv");
    for (const data::CsvRow& row : table.rows) {
      if (row.cells.size() != table.header.size()) std::abort();
      for (const std::string& cell : row.cells) {
        if (data::FirstInvalidUtf8(cell) != std::string::npos) std::abort();
        for (const std::string& item : data::SplitList(cell, ";；、|\n")) {
          if (item.empty() || data::FirstInvalidUtf8(item) != std::string::npos) std::abort();
        }
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
