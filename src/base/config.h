// Strict TOML. A Table remembers which keys were asked for; Done() refuses the others by name and offers the nearest
// known one, so that a misspelt key never passes as a default. Every message says file:line.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace atelier {

struct TomlNode;  // the parsed document, private to config.cc

class Table {
 public:
  // Parses a document. Throws Error(kInvalidInput) with file:line:column; refuses more than 4 MiB of text.
  static Table Parse(std::string_view text, std::string file);
  static Table Load(const std::string& path);

  bool Has(std::string_view key) const;
  // Keys in the file's order. Reading them marks nothing as asked for.
  std::vector<std::string> Keys() const;

  // Required values: absent or of another type is an error.
  std::string String(std::string_view key);
  int64_t Int(std::string_view key, int64_t least = std::numeric_limits<int64_t>::min(),
              int64_t most = std::numeric_limits<int64_t>::max());
  double Double(std::string_view key, double least = -std::numeric_limits<double>::infinity(),
                double most = std::numeric_limits<double>::infinity());
  bool Bool(std::string_view key);
  std::vector<std::string> Strings(std::string_view key);
  std::vector<double> Doubles(std::string_view key);
  Table Sub(std::string_view key);
  std::vector<Table> Tables(std::string_view key);  // [[key]]

  // The same with a default for an absent key.
  std::string StringOr(std::string_view key, std::string otherwise);
  int64_t IntOr(std::string_view key, int64_t otherwise, int64_t least = std::numeric_limits<int64_t>::min(),
                int64_t most = std::numeric_limits<int64_t>::max());
  double DoubleOr(std::string_view key, double otherwise, double least = -std::numeric_limits<double>::infinity(),
                  double most = std::numeric_limits<double>::infinity());
  bool BoolOr(std::string_view key, bool otherwise);
  std::vector<std::string> StringsOr(std::string_view key, std::vector<std::string> otherwise);
  std::optional<Table> SubOr(std::string_view key);
  std::vector<Table> TablesOr(std::string_view key);  // empty when absent
  // A value that may be one string or an array of them.
  std::vector<std::string> StringOrStrings(std::string_view key);
  // A scalar of any type as text ("3", "true", "warm"), for tables whose values are free.
  std::string Scalar(std::string_view key);

  // Lays `over` on this table: its scalars and arrays replace, its tables merge. How variants override steps.
  void Overlay(const Table& over);

  // All of it as JSON, for those who keep or show it. Marks nothing as asked for.
  Json ToJson() const;

  // Throws when a key was never asked for. Call it after the last read; tables got from Sub are on their own.
  void Done() const;

  // "file:12", or "file:12: [step.writer] temperature" with a key.
  std::string Where(std::string_view key = "") const;
  [[noreturn]] void Refuse(std::string_view key, std::string_view why, std::string hint = "") const;

 private:
  explicit Table(std::shared_ptr<TomlNode> node);
  const TomlNode* Find(std::string_view key);
  const TomlNode& Require(std::string_view key);

  std::shared_ptr<TomlNode> node_;
};

}  // namespace atelier
