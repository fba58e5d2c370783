// Delimited text as RFC 4180 has it, read as people write it: quoted cells with line breaks and doubled quotes, CRLF,
// LF or CR line ends, and a delimiter found in the first rows among comma, semicolon, tab and bar. One scanner, for
// tables that fit memory (ParseCsv) and for streams that do not (import/read_csv.cc).
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
  size_t row_bytes = 64u << 20;
};

// What is wrong with a row, and where.
struct CsvDefect {
  size_t line = 0, column = 0;  // from 1; the column counts bytes
  std::string reason, hint;
};

// Cuts text into rows, as much at a time as there is.
class CsvScanner {
 public:
  enum class Step {
    kRow,     // cells() holds it
    kMore,    // the text ends inside a row: call again with the text from *at on and more behind it
    kEnd,     // all was read
    kDefect,  // defect(); reading goes on behind the line that is wrong
  };
  CsvScanner(char delimiter, const CsvLimits& limits) : delimiter_(delimiter), limits_(limits) {}

  // The row at *at of `text`; *at moves behind it. `last`: nothing follows `text`. The cells are valid until the next
  // call and as long as `text` is.
  Step Next(std::string_view text, bool last, size_t* at);
  const std::vector<std::string_view>& cells() const { return cells_; }
  size_t line() const { return row_line_; }  // where the row begins
  const CsvDefect& defect() const { return defect_; }

 private:
  struct Cell {
    size_t begin, size;
    bool kept;  // in kept_, else in the text
  };
  Step Defect(std::string_view text, bool last, size_t* at, size_t from, size_t line, size_t wrong, std::string reason,
              std::string hint);
  Step SkipLine(std::string_view text, bool last, size_t* at);

  char delimiter_;
  CsvLimits limits_;
  std::vector<Cell> found_;
  std::vector<std::string_view> cells_;
  std::string kept_;  // cells with doubled quotes
  CsvDefect defect_;
  size_t line_ = 1, row_line_ = 1;
  bool skipping_ = false;
};

struct CsvDialect {
  char delimiter = ',';
  size_t skip = 0;  // bytes before the table: Excel's line "sep=;"
};
// From the beginning of a file: the delimiter that cuts its first rows most evenly into most cells.
CsvDialect FindDialect(std::string_view head);

// Rows of white space alone are passed over.
bool BlankRow(const std::vector<std::string_view>& cells);

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
