#include "artefact/manifest.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

constexpr int64_t kFormat = 1;

// Reads one object's keys, and refuses those that nobody asked for.
class Reader {
 public:
  Reader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) throw Error(Code::kInvalidInput, Cat(where_, ": an object is wanted"));
  }

  template <typename T>
  T Get(const std::string& key) {
    known_.push_back(key);
    const auto found = json_.find(key);
    if (found == json_.end()) throw Error(Code::kInvalidInput, Cat(where_, ": ", key, " is missing"));
    bool good = false;
    if constexpr (std::is_same_v<T, std::string>)
      good = found->is_string();
    else if constexpr (std::is_same_v<T, Json>)
      good = found->is_object();
    else if constexpr (std::is_unsigned_v<T>)
      good = found->is_number_unsigned();
    else
      good = found->is_number_integer();
    if (!good) throw Error(Code::kInvalidInput, Cat(where_, ": ", key, " is of the wrong type"));
    return found->template get<T>();
  }

  void Done() const {
    for (const auto& item : json_.items()) {
      if (std::find(known_.begin(), known_.end(), item.key()) != known_.end()) continue;
      const std::string nearest = Nearest(item.key(), known_);
      throw Error(Code::kInvalidInput, Cat(where_, ": unknown key ", Quote(item.key())),
                  nearest.empty() ? "" : Cat("did you mean ", nearest, "?"));
    }
  }

 private:
  const Json& json_;
  std::string where_;
  std::vector<std::string> known_;
};

// general.file_type, where it says more than the tensors' types do.
std::string_view FileTypeName(int64_t type) {
  switch (type) {
    case 0: return "F32";
    case 1: return "F16";
    case 2: return "Q4_0";
    case 3: return "Q4_1";
    case 7: return "Q8_0";
    case 8: return "Q5_0";
    case 9: return "Q5_1";
    case 10: return "Q2_K";
    case 11: return "Q3_K_S";
    case 12: return "Q3_K_M";
    case 13: return "Q3_K_L";
    case 14: return "Q4_K_S";
    case 15: return "Q4_K_M";
    case 16: return "Q5_K_S";
    case 17: return "Q5_K_M";
    case 18: return "Q6_K";
    case 32: return "BF16";
    default: return "";
  }
}

std::string Quantisation(const GgufFile& file) {
  if (file.Has("general.file_type") && !file.tensors().empty()) {
    const std::string_view name = FileTypeName(file.Int("general.file_type"));
    if (!name.empty()) return std::string(name);
  }
  std::map<std::string_view, uint64_t> bytes;
  for (const TensorInfo& tensor : file.tensors()) bytes[Name(tensor.type)] += tensor.bytes;
  const auto most =
      std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? "none" : std::string(most->first);
}

}  // namespace

Json ToJson(const Manifest& m) {
  Json json = {{"format", kFormat},
               {"name", m.name},
               {"architecture", m.architecture},
               {"quantisation", m.quantisation},
               {"parameters", m.parameters},
               {"context_length", m.context_length},
               {"config", m.config},
               {"sha256", m.sha256},
               {"bytes", m.bytes},
               {"licence", m.licence},
               {"source", m.source}};
  if (!m.terms.name.empty()) {
    json["terms"] = {{"name", m.terms.name},
                     {"url", m.terms.url},
                     {"sha256", m.terms.sha256},
                     {"accepted_by", m.terms.accepted_by},
                     {"accepted_at", m.terms.accepted_at}};
  }
  json["created_at"] = m.created_at;
  return json;
}

Manifest ManifestFromJson(const Json& json, const std::string& where) {
  Reader reader(json, where);
  if (const auto format = reader.Get<int64_t>("format"); format != kFormat) {
    throw Error(Code::kUnsupported, Cat(where, ": manifest format ", format, "; this program reads ", kFormat),
                "use a newer Atelier");
  }
  Manifest m;
  m.name = reader.Get<std::string>("name");
  m.architecture = reader.Get<std::string>("architecture");
  m.quantisation = reader.Get<std::string>("quantisation");
  m.parameters = reader.Get<int64_t>("parameters");
  m.context_length = reader.Get<int64_t>("context_length");
  m.config = reader.Get<Json>("config");
  m.sha256 = reader.Get<std::string>("sha256");
  m.bytes = reader.Get<uint64_t>("bytes");
  m.licence = reader.Get<std::string>("licence");
  m.source = reader.Get<std::string>("source");
  if (json.contains("terms")) {
    const Json object = reader.Get<Json>("terms");
    Reader terms(object, Cat(where, ": terms"));
    m.terms.name = terms.Get<std::string>("name");
    m.terms.url = terms.Get<std::string>("url");
    m.terms.sha256 = terms.Get<std::string>("sha256");
    m.terms.accepted_by = terms.Get<std::string>("accepted_by");
    m.terms.accepted_at = terms.Get<int64_t>("accepted_at");
    terms.Done();
  }
  m.created_at = reader.Get<int64_t>("created_at");
  reader.Done();
  return m;
}

Manifest LoadManifest(const std::string& path) {
  return ManifestFromJson(ParseJson(ReadFile(path, 16 << 20), path), path);
}

void SaveManifest(const Manifest& manifest, const std::string& path) {
  WriteFileAtomic(path, ToPrettyText(ToJson(manifest)) + "\n");
}

Manifest Describe(const GgufFile& file) {
  Manifest m;
  m.architecture = file.StringOr("general.architecture", "");
  m.quantisation = Quantisation(file);
  for (const TensorInfo& tensor : file.tensors()) m.parameters += tensor.elements();
  const std::string prefix = Cat(m.architecture, ".");
  for (const std::string& key : file.Keys()) {
    if (m.architecture.empty() || !key.starts_with(prefix)) continue;
    if (file.Type(key) == GgufType::kArray || file.Type(key) == GgufType::kString) continue;
    m.config[key.substr(prefix.size())] = file.ToJson(key);
  }
  const std::string context = Cat(prefix, "context_length");
  if (file.Has(context)) m.context_length = file.Int(context, 0);
  m.bytes = file.file_bytes();
  if (file.Has("general.license") && file.Type("general.license") == GgufType::kString) {
    m.licence = file.String("general.license");
  }
  return m;
}

bool IsModelName(std::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-'))) return false;
  }
  return true;
}

std::string ModelNameFrom(std::string_view file_name) {
  if (const size_t slash = file_name.rfind('/'); slash != std::string_view::npos) file_name.remove_prefix(slash + 1);
  std::string name = ToLowerAscii(file_name);
  if (name.ends_with(".gguf")) name.resize(name.size() - 5);
  if (name.ends_with(".seg")) name.resize(name.size() - 4);
  if (name.ends_with(".ranker")) name.resize(name.size() - 7);
  std::string out;
  for (const char c : name) {
    if (IsModelName(Cat("a", c))) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != '-') {
      out.push_back('-');
    }
  }
  while (!out.empty() && !IsModelName(out.substr(0, 1))) out.erase(0, 1);
  out.resize(std::min<size_t>(out.size(), 64));
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? "model" : out;
}

}  // namespace atelier::artefact
