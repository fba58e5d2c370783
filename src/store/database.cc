#include "store/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::store {
namespace {

constexpr int kBusyMillis = 10'000;

[[noreturn]] void FailFull(const std::string& path) {
  throw Error(Code::kResourceExhausted, Cat(path, ": the disk is full"),
              "free some space and try again; nothing was changed");
}

[[noreturn]] void Fail(sqlite3* db, int status, const std::string& path) {
  const std::string why = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(status);
  switch (status & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(Code::kUnavailable, Cat(path, ": another process is writing"), "wait for it to end, then try again");
    case SQLITE_CONSTRAINT: throw Error(Code::kConflict, Cat(path, ": ", why));
    case SQLITE_CORRUPT:
      throw Error(Code::kCorrupt, Cat(path, ": the database is damaged: ", why), "restore it from a backup");
    case SQLITE_NOTADB:
      throw Error(Code::kCorrupt, Cat(path, ": is not a database"),
                  "restore it from a backup, or move it away and start with an empty one");
    case SQLITE_FULL: FailFull(path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      throw Error(
          Code::kPermissionDenied, Cat(path, ": ", why),
          "the database, the files beside it and its folder have to be writable, also to read: its log lies there");
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: {
      // The log and its index are files of their own; a disk too full for them is an I/O error to SQLite.
      const int system = db != nullptr ? sqlite3_system_errno(db) : 0;
      if (system == ENOSPC || system == EDQUOT || status == SQLITE_IOERR_SHMSIZE) FailFull(path);
      throw Error(Code::kIo, Cat(path, ": ", why, system != 0 ? Cat(": ", std::strerror(system)) : std::string()),
                  "look whether the folder is there, writable, and its disk sound");
    }
    case SQLITE_NOMEM: throw std::bad_alloc();
    case SQLITE_TOOBIG: throw Error(Code::kInvalidInput, Cat(path, ": a value is too large to store"));
    default: throw Error(Code::kInternal, Cat(path, ": ", why));
  }
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)), path_(other.path_) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::BindNull(int index) {
  if (const int status = sqlite3_bind_null(statement_, index + 1); status != SQLITE_OK) Fail(db_, status, *path_);
}

void Statement::BindInt(int index, int64_t value) {
  if (const int status = sqlite3_bind_int64(statement_, index + 1, value); status != SQLITE_OK)
    Fail(db_, status, *path_);
}

void Statement::BindDouble(int index, double value) {
  if (std::isnan(value)) throw Error(Code::kInvalidInput, Cat(*path_, ": 'not a number' cannot be stored"));
  if (const int status = sqlite3_bind_double(statement_, index + 1, value); status != SQLITE_OK)
    Fail(db_, status, *path_);
}

void Statement::BindText(int index, std::string_view value) {
  // An empty view may have no address; SQLite would take that for NULL.
  const char* text = value.data() != nullptr ? value.data() : "";
  const int status = sqlite3_bind_text64(statement_, index + 1, text, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (status != SQLITE_OK) Fail(db_, status, *path_);
}

bool Statement::Step() {
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  // The message belongs to the connection until the next call on it; resetting first would lose it.
  try {
    Fail(db_, sqlite3_extended_errcode(db_), *path_);
  } catch (...) {
    sqlite3_reset(statement_);
    throw;
  }
}

void Statement::Reset() { sqlite3_reset(statement_); }
bool Statement::IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::Double(int column) const { return sqlite3_column_double(statement_, column); }
int Statement::columns() const { return sqlite3_column_count(statement_); }
std::string Statement::ColumnName(int column) const { return sqlite3_column_name(statement_, column); }

std::string Statement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return "";
  return std::string(reinterpret_cast<const char*>(text),
                     static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

Database Database::Open(const std::string& path) { return OpenWith(path, SQLITE_OPEN_CREATE); }
Database Database::OpenExisting(const std::string& path) { return OpenWith(path, 0); }

Database Database::OpenWith(const std::string& path, int flags) {
  sqlite3* handle = nullptr;
  const int status =
      sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(handle, path);  // closes the handle whatever happens below
  if (status != SQLITE_OK) Fail(handle, status, path);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMillis);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // recursive_triggers: without it INSERT OR REPLACE would delete rows past the triggers that forbid it.
  db.Execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
      "PRAGMA recursive_triggers = ON;");
  return db;
}

Database Database::OpenFrozen(const std::string& path) {
  // Read without its log the database would lack what was committed last: a revoked key could live again.
  if (std::error_code ignored; std::filesystem::file_size(path + "-wal", ignored) > 0 && !ignored) {
    throw Error(Code::kPermissionDenied, Cat(path, ": cannot be written, and changes wait in its log (", path, "-wal)"),
                "open it once where it can be written, `atelier key list` does, and its log is taken in");
  }
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      uri += Cat("%", c == '?' ? "3f" : c == '#' ? "23" : "25");
    } else {
      uri += c;
    }
  }
  sqlite3* handle = nullptr;
  const int status = sqlite3_open_v2((uri + "?immutable=1").c_str(), &handle,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(handle, path);
  if (status != SQLITE_OK) Fail(handle, status, path);
  sqlite3_extended_result_codes(handle, 1);
  db.QueryInt("SELECT count(*) FROM sqlite_master");  // reads it, which opening does not
  return db;
}

Database::Database(Database&& other) noexcept : db_(std::exchange(other.db_, nullptr)), path_(std::move(other.path_)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(path_, other.path_);
  return *this;
}

Database::~Database() {
  if (db_ != nullptr) sqlite3_close_v2(db_);
}

Statement Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int status = sqlite3_prepare_v2(db_, sql.data(), static_cast<int>(sql.size()), &statement, &rest);
  if (status != SQLITE_OK) Fail(db_, status, path());
  Statement out(db_, statement, path_.get());
  if (statement == nullptr ||
      !Trim(std::string_view(rest, static_cast<size_t>(sql.data() + sql.size() - rest))).empty()) {
    throw Error(Code::kInternal, Cat(path(), ": one SQL statement is wanted in ", Quote(sql)));
  }
  return out;
}

void Database::Execute(const std::string& sql) {
  if (const int status = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr); status != SQLITE_OK) {
    Fail(db_, status, path());
  }
}

void Database::WaitForWriters(int millis) { sqlite3_busy_timeout(db_, millis); }
bool Database::read_only() const { return sqlite3_db_readonly(db_, "main") == 1; }
int64_t Database::Changes() const { return sqlite3_changes64(db_); }
bool Database::InTransaction() const { return sqlite3_get_autocommit(db_) == 0; }

std::string Database::Check() {
  Statement statement = Prepare("PRAGMA integrity_check(1)");
  if (!statement.Step()) return "the check gave no answer";
  const std::string found = statement.Text(0);
  return found == "ok" ? "" : found;
}

void Database::CopyTo(const std::string& path) {
  if (FileExists(path)) throw Error(Code::kConflict, Cat(path, ": is there already"));
  sqlite3* handle = nullptr;
  int status = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Database copy(handle, path);
  if (status != SQLITE_OK) Fail(handle, status, path);
  sqlite3_backup* backup = sqlite3_backup_init(copy.db_, "main", db_, "main");
  if (backup == nullptr) Fail(copy.db_, sqlite3_errcode(copy.db_), path);
  // All pages in one step: of one moment, whoever writes meanwhile.
  do {
    status = sqlite3_backup_step(backup, -1);
    if (status == SQLITE_BUSY || status == SQLITE_LOCKED) sqlite3_sleep(50);
  } while (status == SQLITE_BUSY || status == SQLITE_LOCKED);
  const int finished = sqlite3_backup_finish(backup);
  if (status != SQLITE_DONE) Fail(copy.db_, finished != SQLITE_OK ? finished : status, path);
}

Transaction::Transaction(Database& db) : db_(db) {
  if (db.InTransaction()) throw Error(Code::kInternal, Cat(db.path(), ": a transaction inside a transaction"));
  db_.Execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_ || !db_.InTransaction()) return;
  try {
    db_.Execute("ROLLBACK");
  } catch (const Error&) {
    // The connection is broken; SQLite undoes the transaction when the file is next opened.
  }
}

void Transaction::Commit() {
  db_.Execute("COMMIT");
  open_ = false;
}

}  // namespace atelier::store
