// What a dataset version says of itself: docs/formats/dataset.md. Plain structs, a strict reader, a writer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace atelier::data {

inline constexpr int kDatasetFormat = 1;

// A version that this one was made from.
struct ParentRef {
  std::string name;
  int version = 0;
  std::string content_hash;
};

// Where records came from. "_from":[i,line] in a record means sources[i].
struct SourceInfo {
  std::string name;      // the path's last part, or the table's name; never a password
  std::string kind;      // "csv", "jsonl", "pdf" ...
  uint64_t bytes = 0;    // as they were read; 0 for a database
  std::string sha256;    // of these bytes; "" for a database
  std::string encoding;  // "GB18030" ...; "" where it has none
};

// What made the version.
struct RecipeInfo {
  std::string operation;  // "import", "clean", "split" ...
  std::string toml;       // its whole configuration as text; may be empty
  std::string sha256;     // of `toml`
};

struct NumberStats {  // over the values that are numbers
  double min = 0, max = 0, mean = 0, stddev = 0;
};

struct LengthStats {  // of texts, in characters (code points)
  uint64_t min = 0, max = 0;
  double mean = 0;
};

struct FieldInfo {
  std::string name;
  std::map<std::string, uint64_t> types;  // "text", "number", "true or false", "list", "object", "null" -> values
  uint64_t present = 0;                   // records that have the key
  uint64_t empty = 0;                     // of these: null, "", white space, [] or {}
  uint64_t distinct = 0;                  // estimate (HyperLogLog, 1.6 % standard error)
  std::optional<NumberStats> numbers;
  std::optional<LengthStats> lengths;
};

struct ShardInfo {
  std::string file;  // "part-00000.jsonl.zst"
  uint64_t records = 0;
  uint64_t bytes = 0;  // of text
  uint64_t compressed_bytes = 0;
  std::string xxh3;  // XXH3-128 of the text, 32 hex digits: independent of how it was compressed
};

struct FileInfo {  // a report or the rejects beside the shards
  std::string file;
  uint64_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  std::string name;
  int version = 0;
  std::string tenant = "default";
  int64_t created_at = 0;  // Unix milliseconds
  std::vector<ParentRef> parents;
  std::vector<SourceInfo> sources;
  std::string licence, consent;  // in the user's words; "" where nobody said
  RecipeInfo recipe;
  std::vector<FieldInfo> fields;  // in the order in which they were first seen
  uint64_t records = 0, rejects = 0, bytes = 0;
  std::vector<ShardInfo> shards;
  std::vector<FileInfo> files;
  std::map<std::string, uint64_t> splits;  // "train" -> records; empty where there are none
  std::string content_hash;                // SHA-256 over the shards' hashes, see ContentHash

  std::string Reference() const;  // "NAME@3"
};

// Strict: a missing, unknown or wrongly typed key, or a sum that does not fit, is Error(kCorrupt) "WHERE: ...".
Manifest ManifestFromJson(const Json& json, const std::string& where);
Manifest ParseManifest(std::string_view text, const std::string& where);
Json ToJson(const Manifest& manifest);

// SHA-256 of one line "XXH3 RECORDS BYTES\n" per shard.
std::string ContentHash(const std::vector<ShardInfo>& shards);

}  // namespace atelier::data
