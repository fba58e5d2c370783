#include "data/manifest.h"

#include <cmath>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::data {
namespace {

constexpr size_t kMostShards = 100'000;

// One object of the manifest: every key is asked for once, what was not asked for is an error.
class Fields {
 public:
  Fields(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) Refuse("is not an object");
  }
  // Throwing from a destructor is no good: callers say when they are through.
  void Done() const {
    for (const auto& [key, value] : json_.items()) {
      if (!asked_.contains(key)) Refuse(Cat("has the unknown key ", Quote(key)));
    }
  }
  std::string Text(const char* key) {
    const Json& value = Get(key);
    if (!value.is_string()) Refuse(Cat(Quote(key), " is not a text"));
    return value.get<std::string>();
  }
  std::string Hash(const char* key, size_t digits, bool may_be_empty = false) {
    std::string text = Text(key);
    if (may_be_empty && text.empty()) return text;
    bool good = text.size() == digits;
    for (const char c : text) good = good && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    if (!good) Refuse(Cat(Quote(key), " is not ", digits, " lower-case hex digits"));
    return text;
  }
  uint64_t Count(const char* key) { return ToCount(Get(key), key); }
  uint64_t ToCount(const Json& value, std::string_view key) const {
    if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<int64_t>() < 0)) {
      Refuse(Cat(Quote(key), " is not a whole number from 0"));
    }
    const uint64_t count = value.get<uint64_t>();
    if (count > uint64_t{1} << 60) Refuse(Cat(Quote(key), " is not believable: ", count));
    return count;
  }
  double Number(const char* key) {
    const Json& value = Get(key);
    if (!value.is_number()) Refuse(Cat(Quote(key), " is not a number"));
    return value.get<double>();
  }
  std::map<std::string, uint64_t> Counts(const char* key) {
    const Json& value = Get(key);
    if (!value.is_object()) Refuse(Cat(Quote(key), " is not an object"));
    std::map<std::string, uint64_t> out;
    for (const auto& [name, count] : value.items()) out[name] = ToCount(count, name);
    return out;
  }
  const Json& List(const char* key) {
    const Json& value = Get(key);
    if (!value.is_array()) Refuse(Cat(Quote(key), " is not a list"));
    return value;
  }
  const Json& Get(const char* key) {
    asked_.insert(key);
    const auto at = json_.find(key);
    if (at == json_.end()) Refuse(Cat("has no ", Quote(key)));
    return *at;
  }
  bool Has(const char* key) const { return json_.contains(key); }
  const std::string& where() const { return where_; }
  [[noreturn]] void Refuse(const std::string& why) const {
    throw Error(Code::kCorrupt, Cat(where_, " ", why), "restore the dataset from a backup, or import it again");
  }

 private:
  const Json& json_;
  std::string where_;
  std::set<std::string> asked_;
};

// A file of the version's own folder, nothing else.
std::string PlainFile(Fields& fields, const char* key) {
  std::string name = fields.Text(key);
  bool good = !name.empty() && name.size() <= 100 && name[0] != '.';
  for (const char c : name) {
    good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                    c == '_' || c == '.');
  }
  if (!good) fields.Refuse(Cat(Quote(key), " is not the name of a file: ", Quote(name)));
  return name;
}

template <typename T, typename Read>
std::vector<T> ReadList(Fields& fields, const char* key, Read read) {
  std::vector<T> out;
  for (const Json& item : fields.List(key)) {
    Fields inner(item, Cat(fields.where(), ": ", key, "[", out.size(), "]"));
    out.push_back(read(inner));
    inner.Done();
  }
  return out;
}

FieldInfo ReadField(Fields& f) {
  FieldInfo info;
  info.name = f.Text("name");
  info.types = f.Counts("types");
  info.present = f.Count("present");
  info.empty = f.Count("empty");
  info.distinct = f.Count("distinct");
  if (f.Has("numbers")) {
    Fields n(f.Get("numbers"), Cat(f.where(), ": numbers"));
    info.numbers = NumberStats{n.Number("min"), n.Number("max"), n.Number("mean"), n.Number("stddev")};
    n.Done();
  }
  if (f.Has("lengths")) {
    Fields n(f.Get("lengths"), Cat(f.where(), ": lengths"));
    info.lengths = LengthStats{n.Count("min"), n.Count("max"), n.Number("mean")};
    n.Done();
  }
  return info;
}

}  // namespace

std::string Manifest::Reference() const { return Cat(name, "@", version); }

std::string ContentHash(const std::vector<ShardInfo>& shards) {
  Sha256 hash;
  for (const ShardInfo& shard : shards) hash.Update(Cat(shard.xxh3, " ", shard.records, " ", shard.bytes, "\n"));
  return hash.Hex();
}

Manifest ManifestFromJson(const Json& json, const std::string& where) {
  Fields f(json, where);
  if (f.Count("format") != kDatasetFormat) {
    throw Error(Code::kUnsupported,
                Cat(where, ": a dataset of format ", f.Count("format"), "; this build reads ", kDatasetFormat),
                "use a newer atelier");
  }
  Manifest m;
  m.name = f.Text("name");
  const uint64_t version = f.Count("version");
  if (version < 1 || version > 999'999) f.Refuse("has a version out of range");
  m.version = static_cast<int>(version);
  m.tenant = f.Text("tenant");
  m.created_at = static_cast<int64_t>(f.Count("created_at"));
  m.parents = ReadList<ParentRef>(f, "parents", [](Fields& p) {
    ParentRef parent{p.Text("name"), static_cast<int>(p.Count("version") & 0xFFFFFF), p.Hash("content_hash", 64)};
    return parent;
  });
  m.sources = ReadList<SourceInfo>(f, "sources", [](Fields& s) {
    return SourceInfo{s.Text("name"), s.Text("kind"), s.Count("bytes"), s.Hash("sha256", 64, true), s.Text("encoding")};
  });
  m.licence = f.Text("licence");
  m.consent = f.Text("consent");
  Fields recipe(f.Get("recipe"), Cat(where, ": recipe"));
  m.recipe = {recipe.Text("operation"), recipe.Text("toml"), recipe.Hash("sha256", 64)};
  recipe.Done();
  m.fields = ReadList<FieldInfo>(f, "fields", ReadField);
  m.records = f.Count("records");
  m.rejects = f.Count("rejects");
  m.bytes = f.Count("bytes");
  m.shards = ReadList<ShardInfo>(f, "shards", [](Fields& s) {
    return ShardInfo{PlainFile(s, "file"), s.Count("records"), s.Count("bytes"), s.Count("compressed_bytes"),
                     s.Hash("xxh3", 32)};
  });
  if (m.shards.size() > kMostShards) f.Refuse(Cat("has more than ", kMostShards, " shards"));
  m.files = ReadList<FileInfo>(f, "files", [](Fields& s) {
    return FileInfo{PlainFile(s, "file"), s.Count("bytes"), s.Hash("sha256", 64)};
  });
  m.splits = f.Counts("splits");
  m.content_hash = f.Hash("content_hash", 64);
  f.Done();
  uint64_t records = 0, bytes = 0;
  for (const ShardInfo& shard : m.shards) records += shard.records, bytes += shard.bytes;
  if (records != m.records || bytes != m.bytes) f.Refuse("counts other records or bytes than its shards have");
  if (ContentHash(m.shards) != m.content_hash) f.Refuse("has a content hash that is not its shards'");
  return m;
}

Manifest ParseManifest(std::string_view text, const std::string& where) {
  try {
    return ManifestFromJson(ParseJson(text, where, 20), where);
  } catch (const Error& e) {
    if (e.code() == Code::kUnsupported) throw;
    throw Error(Code::kCorrupt, e.what(), "restore the dataset from a backup, or import it again");
  }
}

Json ToJson(const Manifest& m) {
  Json parents = Json::array(), sources = Json::array(), fields = Json::array(), shards = Json::array(),
       files = Json::array();
  for (const ParentRef& p : m.parents) {
    parents.push_back({{"name", p.name}, {"version", p.version}, {"content_hash", p.content_hash}});
  }
  for (const SourceInfo& s : m.sources) {
    sources.push_back(
        {{"name", s.name}, {"kind", s.kind}, {"bytes", s.bytes}, {"sha256", s.sha256}, {"encoding", s.encoding}});
  }
  for (const FieldInfo& f : m.fields) {
    Json field = {{"name", f.name},
                  {"types", Json::object()},
                  {"present", f.present},
                  {"empty", f.empty},
                  {"distinct", f.distinct}};
    for (const auto& [type, count] : f.types) field["types"][type] = count;
    if (f.numbers) {
      field["numbers"] = {
          {"min", f.numbers->min}, {"max", f.numbers->max}, {"mean", f.numbers->mean}, {"stddev", f.numbers->stddev}};
    }
    if (f.lengths) field["lengths"] = {{"min", f.lengths->min}, {"max", f.lengths->max}, {"mean", f.lengths->mean}};
    fields.push_back(std::move(field));
  }
  for (const ShardInfo& s : m.shards) {
    shards.push_back({{"file", s.file},
                      {"records", s.records},
                      {"bytes", s.bytes},
                      {"compressed_bytes", s.compressed_bytes},
                      {"xxh3", s.xxh3}});
  }
  for (const FileInfo& s : m.files) files.push_back({{"file", s.file}, {"bytes", s.bytes}, {"sha256", s.sha256}});
  Json splits = Json::object();
  for (const auto& [name, count] : m.splits) splits[name] = count;
  return {{"format", kDatasetFormat},
          {"name", m.name},
          {"version", m.version},
          {"tenant", m.tenant},
          {"created_at", m.created_at},
          {"parents", std::move(parents)},
          {"sources", std::move(sources)},
          {"licence", m.licence},
          {"consent", m.consent},
          {"recipe", {{"operation", m.recipe.operation}, {"toml", m.recipe.toml}, {"sha256", m.recipe.sha256}}},
          {"fields", std::move(fields)},
          {"records", m.records},
          {"rejects", m.rejects},
          {"bytes", m.bytes},
          {"shards", std::move(shards)},
          {"files", std::move(files)},
          {"splits", std::move(splits)},
          {"content_hash", m.content_hash}};
}

}  // namespace atelier::data
