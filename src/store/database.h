// SQLite behind a small interface: statements with typed parameters and columns, transactions that undo themselves.
//
//   Database db = Database::Open("studio.db");
//   Transaction transaction(db);
//   db.Run("INSERT INTO runs (id, seed) VALUES (?, ?)", id, seed);
//   transaction.Commit();
//
// A Database is for one thread at a time; another thread (or process) opens its own on the same file, and waits up to
// ten seconds for a writer. Write-ahead log, foreign keys on, every commit synced. Errors: kConflict (a constraint),
// kUnavailable (somebody else writes for too long), kCorrupt, kResourceExhausted (disk full), kPermissionDenied, kIo,
// kInternal (SQL that does not parse).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

struct sqlite3;
struct sqlite3_stmt;

namespace atelier::store {

class Database;

// One prepared statement. Parameters and columns count from 0.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  void BindNull(int index);
  void BindInt(int index, int64_t value);
  void BindDouble(int index, double value);  // not a number throws kInvalidInput: SQLite would store NULL
  void BindText(int index, std::string_view value);

  // Any of bool, integers, floating-point numbers, text, nullptr and optionals of them, in order from parameter 0.
  // uint64_t keeps its 64 bits (large ones read as negative in SQL, and come back whole through Uint).
  template <typename... Args>
  Statement& Bind(const Args&... args) {
    int index = 0;
    (BindOne(index++, args), ...);
    return *this;
  }

  // True: a row is there. False: done, and the statement may be bound and stepped again.
  bool Step();
  void Reset();

  bool IsNull(int column) const;
  int64_t Int(int column) const;
  uint64_t Uint(int column) const { return static_cast<uint64_t>(Int(column)); }
  double Double(int column) const;
  std::string Text(int column) const;  // "" for NULL
  int columns() const;
  std::string ColumnName(int column) const;

 private:
  friend class Database;
  Statement(sqlite3* db, sqlite3_stmt* statement, const std::string* path)
      : db_(db), statement_(statement), path_(path) {}

  template <typename T>
  void BindOne(int index, const T& value) {
    if constexpr (std::is_same_v<T, std::nullptr_t>) {
      BindNull(index);
    } else if constexpr (std::is_floating_point_v<T>) {
      BindDouble(index, value);
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      BindInt(index, static_cast<int64_t>(value));
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      BindText(index, value);
    } else {  // std::optional
      if (value.has_value()) {
        BindOne(index, *value);
      } else {
        BindNull(index);
      }
    }
  }

  sqlite3* db_;
  sqlite3_stmt* statement_;
  const std::string* path_;
};

class Database {
 public:
  // Opens or makes the file. Throws kCorrupt for a file that is no database.
  static Database Open(const std::string& path);
  // The same, but a file that is not there is kIo.
  static Database OpenExisting(const std::string& path);
  // Opens a file that cannot be written, nor a log beside it, for reading; other processes must not write it meanwhile.
  // Throws kPermissionDenied where a log lies there that would have to be read too.
  static Database OpenFrozen(const std::string& path);
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  Statement Prepare(std::string_view sql);
  // Prepare, Bind, Step to the end; the number of rows changed.
  template <typename... Args>
  int64_t Run(std::string_view sql, const Args&... args) {
    Statement statement = Prepare(sql);
    statement.Bind(args...);
    while (statement.Step()) {
    }
    return Changes();
  }
  // Any number of statements without parameters.
  void Execute(const std::string& sql);
  // The first column of the first row, 0 where there is none.
  template <typename... Args>
  int64_t QueryInt(std::string_view sql, const Args&... args) {
    Statement statement = Prepare(sql);
    statement.Bind(args...);
    return statement.Step() ? statement.Int(0) : 0;
  }

  // A copy of the database as it stands now, in a new file. Writers go on meanwhile.
  void CopyTo(const std::string& path);
  // How long a write waits for somebody else's, instead of ten seconds.
  void WaitForWriters(int millis);

  bool read_only() const;
  int64_t Changes() const;
  bool InTransaction() const;
  const std::string& path() const { return *path_; }
  // SQLite's own check of the whole file: "" when it is sound, else what it found first.
  std::string Check();

 private:
  static Database OpenWith(const std::string& path, int flags);
  Database(sqlite3* db, std::string path) : db_(db), path_(std::make_unique<std::string>(std::move(path))) {}
  sqlite3* db_;
  std::unique_ptr<std::string> path_;  // stable, for statements
};

// Takes the write lock at once. Destroyed without Commit(), everything since is undone. They do not nest.
class Transaction {
 public:
  explicit Transaction(Database& db);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void Commit();

 private:
  Database& db_;
  bool open_ = true;
};

}  // namespace atelier::store
