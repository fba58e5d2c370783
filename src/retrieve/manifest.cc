#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "retrieve/index.h"
#include "text/unicode.h"

namespace atelier::retrieve {

uint64_t IndexManifest::documents() const {
  uint64_t count = 0;
  for (const SegmentEntry& entry : segments) count += entry.documents - entry.deleted.size();
  return count;
}

Json ToJson(const IndexManifest& manifest) {
  const IndexConfig& c = manifest.config;
  Json segments = Json::array();
  for (const SegmentEntry& entry : manifest.segments) {
    segments.push_back({{"file", entry.file},
                        {"hash", entry.hash},
                        {"graph", entry.graph},
                        {"graph_hash", entry.graph_hash},
                        {"documents", entry.documents},
                        {"chunks", entry.chunks},
                        {"bytes", entry.bytes},
                        {"deleted", entry.deleted}});
  }
  return {{"format", 1},
          {"name", manifest.name},
          {"created_at", manifest.created_at},
          {"changed_at", manifest.changed_at},
          {"generation", manifest.generation},
          {"analysis",
           {{"stem", c.analysis.stem},
            {"compounds", c.analysis.compounds},
            {"pairs", c.analysis.pairs},
            {"words", c.analysis.words}}},
          {"bm25", {{"k1", c.bm25.k1}, {"b", c.bm25.b}, {"heading_weight", c.bm25.heading_weight}}},
          {"chunks", {{"target", c.chunks.target}, {"most", c.chunks.most}, {"overlap", c.chunks.overlap}}},
          {"segmenter", c.segmenter},
          {"model", c.model},
          {"model_hash", c.model_hash},
          {"dims", c.dims},
          {"segments", segments}};
}

IndexManifest IndexManifestFromJson(const Json& json, const std::string& what) {
  IndexManifest manifest;
  try {
    if (const int format = json.at("format").get<int>(); format != 1) {
      throw Error(Code::kUnsupported, Cat(what, ": is of format ", format, "; this program reads 1"),
                  "use the Atelier that made it, or make the index anew");
    }
    manifest.name = json.at("name").get<std::string>();
    manifest.created_at = json.at("created_at").get<std::string>();
    manifest.changed_at = json.at("changed_at").get<std::string>();
    manifest.generation = json.at("generation").get<uint64_t>();
    IndexConfig& c = manifest.config;
    const Json& analysis = json.at("analysis");
    c.analysis = {analysis.at("stem").get<bool>(), analysis.at("compounds").get<bool>(),
                  analysis.at("pairs").get<bool>(), analysis.at("words").get<bool>()};
    const Json& bm25 = json.at("bm25");
    c.bm25 = {bm25.at("k1").get<double>(), bm25.at("b").get<double>(), bm25.at("heading_weight").get<double>()};
    const Json& chunks = json.at("chunks");
    c.chunks = {chunks.at("target").get<int>(), chunks.at("most").get<int>(), chunks.at("overlap").get<int>()};
    if (!(c.bm25.k1 >= 0 && c.bm25.k1 <= 100 && c.bm25.b >= 0 && c.bm25.b <= 1 && c.bm25.heading_weight >= 0 &&
          c.bm25.heading_weight <= 100) ||
        c.chunks.target < 8 || c.chunks.most < c.chunks.target || c.chunks.overlap < 0) {
      throw Error(Code::kCorrupt, Cat(what, ": its settings are out of their ranges"));
    }
    c.segmenter = json.at("segmenter").get<std::string>();
    c.model = json.at("model").get<std::string>();
    c.model_hash = json.at("model_hash").get<std::string>();
    c.dims = json.at("dims").get<int>();
    for (const Json& item : json.at("segments")) {
      SegmentEntry entry;
      entry.file = item.at("file").get<std::string>();
      entry.hash = item.at("hash").get<std::string>();
      entry.graph = item.at("graph").get<std::string>();
      entry.graph_hash = item.at("graph_hash").get<std::string>();
      entry.documents = item.at("documents").get<uint32_t>();
      entry.chunks = item.at("chunks").get<uint32_t>();
      entry.bytes = item.at("bytes").get<uint64_t>();
      entry.deleted = item.at("deleted").get<std::vector<uint32_t>>();
      for (size_t i = 0; i < entry.deleted.size(); ++i) {
        if (entry.deleted[i] >= entry.documents || (i > 0 && entry.deleted[i] <= entry.deleted[i - 1])) {
          throw Error(Code::kCorrupt, Cat(what, ": its list of deleted documents is wrong"));
        }
      }
      for (const std::string* name : {&entry.file, &entry.graph}) {
        if (name->find('/') != std::string::npos || name->starts_with('.')) {
          throw Error(Code::kCorrupt, Cat(what, ": ", Quote(*name), " is not a file of an index"));
        }
      }
      manifest.segments.push_back(std::move(entry));
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(Code::kCorrupt, Cat(what, ": is not the manifest of an index: ", e.what()), "make the index anew");
  }
  return manifest;
}

IndexManifest ReadIndexManifest(const std::string& folder) {
  const std::string path = Cat(folder, "/index.json");
  if (!FileExists(path)) {
    const std::string name = std::filesystem::path(folder).filename().string();
    std::string near;
    if (FolderExists(Cat(folder, "/.."))) {
      std::vector<std::string> there;
      for (const std::string& other : ListFolder(Cat(folder, "/.."))) {
        if (FileExists(Cat(folder, "/../", other, "/index.json"))) there.push_back(other);
      }
      near = Nearest(name, there);
    }
    throw Error(Code::kNotFound, Cat("there is no index ", Quote(name)),
                near.empty() ? "atelier index add NAME FILE... makes one; atelier index list shows those that are there"
                             : Cat("did you mean '", near, "'?"));
  }
  Json json;
  try {
    json = ParseJson(ReadFile(path, 256u << 20), path);
  } catch (const Error& e) {
    if (e.code() == Code::kInvalidInput) throw Error(Code::kCorrupt, e.what(), "make the index anew");
    throw;
  }
  return IndexManifestFromJson(json, path);
}

bool IsIndexName(std::string_view name) {
  if (name.empty() || name[0] == '.' || !text::IsValidUtf8(name) || text::CountChars(name) > 64) return false;
  for (size_t at = 0; at < name.size();) {
    const text::DecodedChar c = text::DecodeChar(name.substr(at));
    at += c.length;
    if (c.c != U'-' && c.c != U'_' && c.c != U'.' && !text::IsLetter(c.c) && !text::IsNumber(c.c)) return false;
  }
  return true;
}

std::string IndexFolder(const std::string& studio, const std::string& name) {
  if (!IsIndexName(name)) {
    throw Error(Code::kUsage, Cat(Quote(name), " is not a name for an index"),
                "letters and digits of any script, '-', '_' and '.', at most 64, no dot in front");
  }
  return Cat(studio, "/indexes/", name);
}

std::vector<std::string> ListIndexes(const std::string& studio) {
  std::vector<std::string> names;
  const std::string folder = Cat(studio, "/indexes");
  if (!FolderExists(folder)) return names;
  for (const std::string& name : ListFolder(folder)) {
    if (IsIndexName(name) && FileExists(Cat(folder, "/", name, "/index.json"))) names.push_back(name);
  }
  return names;
}

Mode ParseMode(std::string_view text) {
  for (const Mode mode : {Mode::kHybrid, Mode::kBm25, Mode::kDense}) {
    if (text == ModeName(mode)) return mode;
  }
  throw Error(Code::kUsage, Cat(Quote(text), " is not a way to search"), "hybrid, bm25 or dense");
}

std::string_view ModeName(Mode mode) {
  switch (mode) {
    case Mode::kBm25: return "bm25";
    case Mode::kDense: return "dense";
    default: return "hybrid";
  }
}

}  // namespace atelier::retrieve
