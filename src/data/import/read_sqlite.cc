// A table or a query of an SQLite file, opened for reading alone; the file is as untrusted as any other.
#include <sqlite3.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "data/import/import.h"

namespace atelier::data {
namespace {

struct Closer {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  ~Closer() {
    sqlite3_finalize(statement);
    sqlite3_close(db);
  }
};

std::string Quoted(std::string_view name) { return Cat("\"", ReplaceAll(name, "\"", "\"\""), "\""); }

std::vector<std::string> Tables(sqlite3* db) {
  std::vector<std::string> out;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type IN ('table','view') ORDER BY name LIMIT 1000",
                         -1, &statement, nullptr) == SQLITE_OK) {
    while (sqlite3_step(statement) == SQLITE_ROW) {
      const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
      if (name != nullptr) out.emplace_back(name);
    }
  }
  sqlite3_finalize(statement);
  return out;
}

}  // namespace

void ReadSqliteSource(const ReaderInput& input, ImportSink& sink) {
  if (input.path == "-") throw Error(Code::kUsage, "SQLite is not read from standard input", "name the file");
  const ImportRequest& request = input.request;
  if (request.table.empty() == request.query.empty()) {
    throw Error(Code::kUsage, Cat(input.path, ": which table?"), "give --table NAME, or --query 'SELECT ...'");
  }
  Closer open;
  const auto fail = [&](std::string_view doing) {
    const int code = sqlite3_errcode(open.db) & 0xFF;
    throw Error(code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? Code::kCorrupt : Code::kInvalidInput,
                Cat(input.path, ": ", doing, ": ", sqlite3_errmsg(open.db)));
  };
  if (sqlite3_open_v2(input.path.c_str(), &open.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    fail("opening");
  }
  sqlite3_busy_timeout(open.db, 10'000);
  sqlite3_db_config(open.db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(open.db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(open.db, SQLITE_LIMIT_LENGTH, static_cast<int>(std::min<uint64_t>(request.most_cell_bytes, 1u << 30)));
  // Nothing but reading, whatever the file's schema or the query say; no other file is attached.
  sqlite3_limit(open.db, SQLITE_LIMIT_ATTACHED, 0);
  const std::vector<std::string> tables = Tables(open.db);
  if (sqlite3_errcode(open.db) == SQLITE_NOTADB || sqlite3_errcode(open.db) == SQLITE_CORRUPT) fail("reading");
  if (!request.table.empty() && std::find(tables.begin(), tables.end(), request.table) == tables.end()) {
    const std::string near = Nearest(request.table, tables);
    throw Error(Code::kNotFound, Cat(input.path, ": there is no table ", Quote(request.table)),
                !near.empty() ? Cat("did you mean '", near, "'?") : Cat("there are: ", Join(tables, ", ")));
  }
  const std::string sql = request.table.empty() ? request.query : Cat("SELECT * FROM ", Quoted(request.table));
  const char* rest = nullptr;
  if (sqlite3_prepare_v2(open.db, sql.data(), static_cast<int>(sql.size()), &open.statement, &rest) != SQLITE_OK) {
    fail("the query");
  }
  const auto behind = static_cast<size_t>(rest - sql.data());
  if (open.statement == nullptr || !sqlite3_stmt_readonly(open.statement) ||
      !Trim(std::string_view(sql).substr(behind)).empty()) {
    throw Error(Code::kUsage, "--query takes one statement that reads", "for example 'SELECT * FROM orders'");
  }
  const int columns = sqlite3_column_count(open.statement);
  std::vector<std::string> keys, names;
  for (int i = 0; i < columns; ++i) {
    std::string name = sqlite3_column_name(open.statement, i);
    std::string kept = name.empty() ? Cat("column_", i + 1) : name.starts_with('_') ? "x" + name : name;
    if (kept != name) sink.Note(Cat("the column ", Quote(name), " is kept as ", Quote(kept)));
    if (FirstInvalidUtf8(kept) != std::string_view::npos) fail("a column's name is not UTF-8");
    if (std::find(names.begin(), names.end(), kept) != names.end()) {
      throw Error(Code::kInvalidInput, Cat(input.path, ": two columns are named ", Quote(kept)), "rename one with AS");
    }
    keys.push_back(Escaped(kept));
    names.push_back(std::move(kept));
  }
  uint64_t row = 0;
  while (true) {
    const int step = sqlite3_step(open.statement);
    if (step == SQLITE_DONE) break;
    if (step != SQLITE_ROW) fail(Cat("reading row ", row + 1));
    ++row;
    LineBuilder& record = sink.record();
    std::string fault;
    uint64_t bytes = 0;
    for (int i = 0; i < columns && fault.empty(); ++i) {
      const auto column = static_cast<size_t>(i);
      record.Key(keys[column]);
      switch (sqlite3_column_type(open.statement, i)) {
        case SQLITE_INTEGER:
          record.Int(sqlite3_column_int64(open.statement, i));
          bytes += 8;
          break;
        case SQLITE_FLOAT: {
          const double value = sqlite3_column_double(open.statement, i);
          bytes += 8;
          if (std::isfinite(value)) {
            record.Json(Cat(value));
          } else {
            fault = Cat("the column ", Quote(names[column]), " holds an infinite number");
          }
          break;
        }
        case SQLITE_NULL: record.Json("null"); break;
        case SQLITE_TEXT: {
          const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(open.statement, i));
          const std::string_view text(data == nullptr ? "" : data,
                                      static_cast<size_t>(sqlite3_column_bytes(open.statement, i)));
          bytes += text.size();
          if (FirstInvalidUtf8(text) != std::string_view::npos) {
            fault = Cat("the column ", Quote(names[column]), " holds bytes that are not UTF-8");
          } else if (text.find('\0') != std::string_view::npos) {
            fault = Cat("the column ", Quote(names[column]), " holds a NUL byte");
          } else {
            record.Text(text);
          }
          break;
        }
        default: fault = Cat("the column ", Quote(names[column]), " holds bytes (BLOB); leave it out with --query");
      }
    }
    sink.Progress(bytes);
    if (fault.empty()) {
      sink.Done(row);
    } else {
      sink.Reject(row, 0, fault, "");
    }
  }
  SourceInfo& source = sink.source();
  source.bytes = FileSize(input.path);
  source.sha256 = Sha256HexOfFile(input.path);
}

}  // namespace atelier::data
