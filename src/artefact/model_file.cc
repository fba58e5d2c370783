#include "artefact/model_file.h"

#include <iterator>

#include "artefact/adapter.h"
#include "artefact/ranker_file.h"
#include "artefact/safetensors.h"
#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "text/segmenter_model.h"

namespace atelier::artefact {
namespace {

std::string_view Bytes(const MappedFile& map) { return {reinterpret_cast<const char*>(map.data()), map.size()}; }

Manifest DescribeSegmenter(const std::string& path) {
  const auto map = MappedFile::Open(path);
  const auto model = text::SegmenterModel::Parse(Bytes(*map), path);
  Manifest m;
  m.architecture = "segmenter";
  m.quantisation = "I16";
  m.parameters = model->parameters();
  m.bytes = map->size();
  m.config = ParseJson(model->weights().description, Cat(path, ": description"));
  if (!m.config.is_object()) throw Error(Code::kCorrupt, Cat(path, ": the description is not an object"));
  return m;
}

// What training wrote. The tensors' meaning is room model's; here they are counted.
Manifest DescribeTrained(const std::string& path) {
  const auto file = SafetensorsFile::Open(path);
  const auto said = file->metadata().find("config");
  if (!file->metadata().contains("atelier.model") || said == file->metadata().end()) {
    throw Error(Code::kUnsupported, Cat(path, ": a safetensors file, but no model of Atelier's"));
  }
  file->CheckSeal();
  Manifest m;
  Table config = Table::Parse(said->second, path);
  Table model = config.Sub("model");
  m.architecture = model.String("architecture");
  m.config = model.ToJson();
  m.quantisation = "F32";
  m.bytes = FileSize(path);
  for (const SafeTensor& tensor : file->tensors()) {
    if (tensor.name.starts_with("model/"))
      m.parameters += static_cast<int64_t>(tensor.data.size()) / Info(tensor.type).bytes;
  }
  return m;
}

Manifest DescribeRanker(const std::string& path) {
  const auto map = MappedFile::Open(path);
  const RankerFile ranker = ParseRankerFile(Bytes(*map), path);
  Manifest m;
  m.architecture = kRankerArchitecture;
  m.quantisation = "F64";
  m.parameters =
      static_cast<int64_t>(ranker.features.size() + ranker.text_weights.size() + ranker.product_weights.size());
  m.bytes = map->size();
  Json features = Json::array();
  for (const RankerFeature& feature : ranker.features) features.push_back(feature.name);
  m.config = {{"loss", ranker.loss}, {"features", features}};
  if (!ranker.encoder.empty()) {
    m.config["encoder"] = ranker.encoder;
    m.config["encoder_sha256"] = ranker.encoder_sha256;
    m.config["embedding_length"] = ranker.text_weights.size();
  }
  return m;
}

// What says which models it fits: their architecture, how wide they are, how many layers they have at least.
Manifest DescribeAdapter(const GgufFile& file) {
  const Adapter adapter = ReadAdapterGguf(file);
  Manifest m = Describe(file);
  m.architecture = kAdapterArchitecture;
  m.context_length = 0;
  m.config = {{"adapts", adapter.architecture}, {"base", adapter.base}, {"rank", adapter.pairs[0].rank}};
  int64_t layers = 0;
  for (const LoraPair& pair : adapter.pairs) {
    const std::vector<std::string> parts = Split(pair.tensor, '.');  // blk.3.attn_q.weight
    if (parts.size() == 4)
      layers = std::max(layers, std::min<int64_t>(std::strtoll(parts[1].c_str(), nullptr, 10), 1 << 20) + 1);
    if (parts.size() == 4 && parts[2] != "attn_output" && parts[2] != "ffn_down")
      m.config["embedding_length"] = pair.ins;
  }
  m.config["block_count"] = layers;
  return m;
}

Manifest DescribeGguf(const std::string& path) {
  const auto file = GgufFile::Open(path);
  return IsAdapter(*file) ? DescribeAdapter(*file) : Describe(*file);
}

struct Kind {
  std::string_view ending;
  bool (*recognises)(std::string_view bytes);
  Manifest (*describe)(const std::string& path);
};

// What none of the others recognises is read as GGUF, which says what is wrong with it.
constexpr Kind kKinds[] = {
    {".ranker", &IsRankerFile, &DescribeRanker},
    {".seg", &text::SegmenterModel::Recognise, &DescribeSegmenter},
    {".safetensors", &SafetensorsFile::Recognise, &DescribeTrained},
    {".gguf", nullptr, &DescribeGguf},
};

const Kind& KindOf(const std::string& path) {
  for (const Kind& kind : kKinds) {
    if (kind.recognises == nullptr) return kind;
    try {
      if (kind.recognises(Bytes(*MappedFile::Open(path)))) return kind;
    } catch (const Error&) {  // not to be opened: whoever reads it says so
    }
  }
  return *std::rbegin(kKinds);
}

}  // namespace

std::string_view EndingOf(const std::string& path) { return KindOf(path).ending; }

Manifest DescribeFile(const std::string& path) { return KindOf(path).describe(path); }

void CheckFile(const std::string& path) {
  const Kind& kind = KindOf(path);
  if (kind.ending == ".gguf") {
    const auto file = GgufFile::Open(path);
    file->RequireSupportedTypes();
    if (IsAdapter(*file)) ReadAdapterGguf(*file);
  } else {
    kind.describe(path);
  }
}

}  // namespace atelier::artefact
