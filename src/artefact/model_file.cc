#include "artefact/model_file.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "text/segmenter_model.h"

namespace atelier::artefact {
namespace {

std::string_view Bytes(const MappedFile& map) { return {reinterpret_cast<const char*>(map.data()), map.size()}; }

bool IsSegmenter(const std::string& path) {
  try {
    return text::SegmenterModel::Recognise(Bytes(*MappedFile::Open(path)));
  } catch (const Error&) {  // whoever reads it as GGUF says what is wrong with it
    return false;
  }
}

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

}  // namespace

std::string_view EndingOf(const std::string& path) { return kModelEndings[IsSegmenter(path) ? 1 : 0]; }

Manifest DescribeFile(const std::string& path) {
  return IsSegmenter(path) ? DescribeSegmenter(path) : Describe(*GgufFile::Open(path));
}

void CheckFile(const std::string& path) {
  if (IsSegmenter(path)) {
    DescribeSegmenter(path);
  } else {
    GgufFile::Open(path)->RequireSupportedTypes();
  }
}

}  // namespace atelier::artefact
