// Delimited text as RFC 4180 has it, read as people write it: quoted cells with line breaks and doubled quotes, CRLF,
// LF or CR line ends, and a delimiter found in the header among comma, semicolon, tab and bar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::data {

struct CsvLimits {
  size_t cell_bytes = 1u << 20;
  size_t columns = 1000;
  size_t rows = 1'000'000;
};

struct CsvRow {
  std::vector<std::string> cells;  // [header]
  size_t line = 0;                 // where the row begins, from 1
};

struct CsvTable {
  std::vector<std::string> header;
  char delimiter = ',';
  std::vector<CsvRow> rows;
};

// `text` is UTF-8 without a BOM. Rows of white space alone are passed over. Throws Error(kInvalidInput) "file:line:
// ..." for a row of another length than the header (both counts), a quote that never closes or stands inside a bare
// cell, an empty or repeated header name, a cell or a table beyond the limits. `delimiter` 0: find it.
CsvTable ParseCsv(std::string_view text, const std::string& file, char delimiter = 0, const CsvLimits& limits = {});

}  // namespace atelier::data
