// A table or a query of a PostgreSQL server, through a cursor in a transaction that can only read. The address may hold
// a password: it is neither printed nor stored; PGPASSWORD and ~/.pgpass work too, and keep it off the command line.
#include <libpq-fe.h>

#include <memory>

#include "base/error.h"
#include "base/str.h"
#include "data/import/import.h"
#include "data/json_record.h"
#include "data/zstd_stream.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

// pg_type's numbers, which do not change.
enum Oid16 : Oid {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kNumeric = 1700,
  kJsonb = 3802,
};

constexpr size_t kBatchBytes = 4u << 20;

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

class Connection {
 public:
  explicit Connection(const std::string& address) {
    // What the address says, so that the password can be kept out of messages.
    char* fault = nullptr;
    PQconninfoOption* options = PQconninfoParse(address.c_str(), &fault);
    if (options == nullptr) {
      PQfreemem(fault);  // it quotes the address
      throw Error(Code::kUsage, "the PostgreSQL address cannot be read",
                  "postgresql://USER@HOST:PORT/DATABASE, special characters as %xx");
    }
    for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
      if (option->val == nullptr) continue;
      const std::string_view key = option->keyword;
      if (key == "password" || key == "sslpassword") secrets_.emplace_back(option->val);
      if (key == "host" || key == "hostaddr") where_ = option->val;
    }
    PQconninfoFree(options);
    const std::string with_timeout =
        address + (address.find('?') == std::string::npos ? "?" : "&") + "connect_timeout=10&application_name=atelier";
    connection_ = PQconnectdb((address.find("connect_timeout") == std::string::npos ? with_timeout : address).c_str());
    if (PQstatus(connection_) != CONNECTION_OK) {
      const std::string why = Message(PQerrorMessage(connection_));
      PQfinish(connection_);
      throw Error(Code::kUnavailable, Cat("PostgreSQL", where_.empty() ? "" : " at ", where_, ": ", why),
                  "is the server there, and are user and password right?");
    }
    PQsetClientEncoding(connection_, "UTF8");
    PQsetNoticeProcessor(
        connection_, [](void*, const char*) {}, nullptr);
  }
  ~Connection() { PQfinish(connection_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result Run(const std::string& sql) {
    Result result(PQexec(connection_, sql.c_str()), &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      throw Error(PQstatus(connection_) == CONNECTION_OK ? Code::kInvalidInput : Code::kUnavailable,
                  Cat("PostgreSQL: ", Message(PQresultErrorMessage(result.get()))));
    }
    return result;
  }
  // NAME or SCHEMA.NAME as SQL.
  std::string Table(const std::string& table) {
    std::string out;
    for (const std::string& part : Split(table, '.')) {
      char* quoted = PQescapeIdentifier(connection_, part.c_str(), part.size());
      if (quoted == nullptr) throw Error(Code::kUsage, Cat("the table ", Quote(table), " cannot be named so"));
      out += Cat(out.empty() ? "" : ".", quoted);
      PQfreemem(quoted);
    }
    return out;
  }

 private:
  std::string Message(std::string_view text) const {
    std::string out(Trim(text));
    for (const std::string& secret : secrets_) {
      if (!secret.empty()) out = ReplaceAll(out, secret, "***");
    }
    return text::ForTerminal(ReplaceAll(ReplaceAll(out, "\n", " "), "\t", ""), 400);
  }

  PGconn* connection_ = nullptr;
  std::vector<std::string> secrets_;
  std::string where_;
};

}  // namespace

void ReadPostgresSource(const ReaderInput& input, ImportSink& sink) {
  const ImportRequest& request = input.request;
  if (request.table.empty() == request.query.empty()) {
    throw Error(Code::kUsage, "which table of the database?", "give --table NAME, or --query 'SELECT ...'");
  }
  Connection connection(input.path);
  connection.Run("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  connection.Run("SET LOCAL extra_float_digits = 1");
  const std::string sql = request.table.empty() ? request.query : "SELECT * FROM " + connection.Table(request.table);
  // DECLARE takes one SELECT and nothing behind it; its end is a line of its own, so that a comment cannot hide it.
  connection.Run(Cat("DECLARE atelier_rows NO SCROLL CURSOR FOR ", sql, "\n"));
  JsonRecordParser json;
  std::vector<std::string> keys, names;
  uint64_t row = 0;
  size_t batch = 50;
  while (true) {
    const Result result = connection.Run(Cat("FETCH FORWARD ", batch, " FROM atelier_rows"));
    const int rows = PQntuples(result.get()), columns = PQnfields(result.get());
    if (keys.empty()) {
      for (int i = 0; i < columns; ++i) {
        const std::string name = PQfname(result.get(), i);
        std::string kept = name.empty() ? Cat("column_", i + 1) : name.starts_with('_') ? "x" + name : name;
        if (kept != name) sink.Note(Cat("the column ", Quote(name), " is kept as ", Quote(kept)));
        if (std::find(names.begin(), names.end(), kept) != names.end()) {
          throw Error(Code::kInvalidInput, Cat("two columns are named ", Quote(kept)), "rename one with AS");
        }
        keys.push_back(Escaped(kept));
        names.push_back(std::move(kept));
      }
    }
    if (rows == 0) break;
    uint64_t bytes = 0;
    for (int r = 0; r < rows; ++r) {
      ++row;
      LineBuilder& record = sink.record();
      std::string fault;
      for (int i = 0; i < columns && fault.empty(); ++i) {
        const auto column = static_cast<size_t>(i);
        record.Key(keys[column]);
        if (PQgetisnull(result.get(), r, i) != 0) {
          record.Json("null");
          continue;
        }
        const std::string_view value(PQgetvalue(result.get(), r, i),
                                     static_cast<size_t>(PQgetlength(result.get(), r, i)));
        bytes += value.size();
        if (value.size() > request.most_cell_bytes) {
          fault = Cat("the column ", Quote(names[column]), " holds ", FormatBytes(value.size()));
          break;
        }
        switch (PQftype(result.get(), i)) {
          case kBool: record.Json(value == "t" ? "true" : "false"); break;
          case kInt2:
          case kInt4:
          case kInt8: record.Json(value); break;
          case kFloat4:
          case kFloat8:
          case kNumeric:
            if (const std::string_view why = NumberFault(value); why.empty()) {
              record.Json(value);
            } else if (PQftype(result.get(), i) == kNumeric && value != "NaN" && !value.ends_with("Infinity")) {
              record.Text(value);  // more digits than a number keeps
            } else {
              fault = Cat("the column ", Quote(names[column]), " holds ", value, ", which is no number in JSON");
            }
            break;
          case kJson:
          case kJsonb:
            if (!json.AppendValue(value, record.raw())) {
              fault = Cat("the column ", Quote(names[column]), ": ", json.reason());
            }
            break;
          case kBytea:
            fault = Cat("the column ", Quote(names[column]), " holds bytes (bytea); leave it out with --query");
            break;
          default:
            if (FirstInvalidUtf8(value) != std::string_view::npos) {  // a server that is in SQL_ASCII checks nothing
              fault = Cat("the column ", Quote(names[column]), " holds bytes that are not UTF-8");
            } else {
              record.Text(value);
            }
        }
      }
      if (fault.empty()) {
        sink.Done(row);
      } else {
        sink.Reject(row, 0, fault, "");
      }
    }
    sink.Progress(bytes);
    // So many rows that a batch stays near its size, however wide they are.
    const uint64_t per_row = std::max<uint64_t>(1, bytes / static_cast<uint64_t>(rows));
    batch = static_cast<size_t>(std::clamp<uint64_t>(kBatchBytes / per_row, 1, std::min<size_t>(batch * 4, 10'000)));
  }
  connection.Run("COMMIT");
}

}  // namespace atelier::data
