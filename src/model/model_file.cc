#include "model/model_file.h"

#include "artefact/gguf_tokenizer.h"
#include "base/error.h"
#include "base/str.h"
#include "model/base_file.h"
#include "model/tensor_bytes.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_spec_json.h"

namespace atelier::model {
namespace {

using artefact::SafeTensor;
using artefact::SafetensorsFile;
using artefact::ScalarType;

constexpr char kModel[] = "model/", kAverage[] = "average/", kBuffer[] = "buffer/";

std::string Text(const SafetensorsFile& file, const char* key) {
  const auto it = file.metadata().find(key);
  return it == file.metadata().end() ? "" : it->second;
}

void Copy(const SafetensorsFile& file, const std::string& name, torch::Tensor into) {
  const SafeTensor* tensor = file.Find(name);
  if (tensor == nullptr) throw Error(Code::kCorrupt, Cat(file.path(), ": has no ", name));
  const bool f32 = tensor->type == ScalarType::kF32 && into.scalar_type() == torch::kFloat32;
  const bool i64 = tensor->type == ScalarType::kI64 && into.scalar_type() == torch::kInt64;
  if (into.sizes().vec() != tensor->shape || !(f32 || i64)) {
    throw Error(Code::kCorrupt, Cat(file.path(), ": ", name, " is not of the shape that its configuration asks for"));
  }
  into.copy_(ToTensor(*tensor));
}

}  // namespace

std::map<std::string, std::string> About::Metadata() const {
  std::map<std::string, std::string> out = {
      {"format", "pt"}, {"atelier.model", "1"}, {"config", config}, {"shape", shape}};
  if (!tokenizer.empty()) out["tokenizer"] = tokenizer;
  if (!source_tokenizer.empty()) out["source_tokenizer"] = source_tokenizer;
  return out;
}

About ReadAbout(const SafetensorsFile& file) {
  return {Text(file, "config"), Text(file, "shape"), Text(file, "tokenizer"), Text(file, "source_tokenizer")};
}

std::string ShapeToJson(const DataShape& s) {
  Json json = {{"vocabulary", s.vocabulary},
               {"source_vocabulary", s.source_vocabulary},
               {"padding", s.padding},
               {"begin", s.begin},
               {"end", s.end},
               {"mask", s.mask},
               {"sequence_length", s.sequence_length},
               {"classes", s.classes},
               {"height", s.height},
               {"width", s.width}};
  if (!s.start.hash.empty()) json["base"] = s.start.hash;
  if (s.start.width > 0) {
    json["start"] = {{"vocabulary", s.start.vocabulary}, {"context", s.start.context}, {"layers", s.start.layers},
                     {"width", s.start.width},           {"heads", s.start.heads},     {"hidden", s.start.hidden},
                     {"norm_eps", s.start.norm_eps}};
  }
  return ToText(json);
}

StartShape StartFromJson(const Json& json, const std::string& where) {
  StartShape s;
  for (const auto& [name, into] : std::initializer_list<std::pair<const char*, int64_t*>>{{"vocabulary", &s.vocabulary},
                                                                                          {"context", &s.context},
                                                                                          {"layers", &s.layers},
                                                                                          {"width", &s.width},
                                                                                          {"heads", &s.heads},
                                                                                          {"hidden", &s.hidden}}) {
    *into = json.at(name).get<int64_t>();
    if (*into < 1 || *into > 1 << 24) throw Error(Code::kCorrupt, Cat(where, ": shape.start.", name, " is ", *into));
  }
  s.norm_eps = json.at("norm_eps").get<double>();
  if (s.width % s.heads != 0) throw Error(Code::kCorrupt, Cat(where, ": its heads do not divide its width"));
  return s;
}

DataShape ShapeFromJson(const std::string& text, const std::string& where) {
  const Json json = ParseJson(text, where);
  DataShape s;
  try {
    for (const auto& [name, into] :
         std::initializer_list<std::pair<const char*, int64_t*>>{{"vocabulary", &s.vocabulary},
                                                                 {"source_vocabulary", &s.source_vocabulary},
                                                                 {"padding", &s.padding},
                                                                 {"begin", &s.begin},
                                                                 {"end", &s.end},
                                                                 {"mask", &s.mask},
                                                                 {"sequence_length", &s.sequence_length},
                                                                 {"height", &s.height},
                                                                 {"width", &s.width}}) {
      *into = json.at(name).get<int64_t>();
      if (*into < -1 || *into > int64_t{1} << 32)
        throw Error(Code::kCorrupt, Cat(where, ": shape.", name, " is ", *into));
    }
    s.classes = json.at("classes").get<std::vector<std::string>>();
    if (json.contains("start")) s.start = StartFromJson(json["start"], where);
    if (json.contains("base")) s.start.hash = json["base"].get<std::string>();
  } catch (const Json::exception& error) {
    throw Error(Code::kCorrupt, Cat(where, ": its shape: ", error.what()));
  }
  return s;
}

OpenedModel OpenModel(const std::string& path) {
  const auto file = SafetensorsFile::Open(path);
  if (Text(*file, "atelier.model") != "1") {
    throw Error(Code::kUnsupported, Cat(path, ": a safetensors file, but no model of Atelier's"));
  }
  OpenedModel opened;
  file->CheckSeal();
  opened.about = ReadAbout(*file);
  opened.shape = ShapeFromJson(opened.about.shape, path);
  const auto tokenizer = [&](const std::string& json, text::TokenizerSpec* spec) -> std::unique_ptr<text::Tokenizer> {
    if (json.empty()) return nullptr;
    *spec = text::IsSpecJson(json) ? text::ParseSpecJson(json, path) : text::ParseTokenizerJson(json, path);
    return text::MakeTokenizer(*spec);
  };
  opened.tokenizer = tokenizer(opened.about.tokenizer, &opened.tokenizer_spec);
  opened.source_tokenizer = tokenizer(opened.about.source_tokenizer, &opened.source_spec);
  Table config = Table::Parse(opened.about.config, path);
  Table model = config.Sub("model");
  opened.architecture = &FindArchitecture(model.String("architecture"), model);
  // Classifiers may read characters instead.
  const DataKind data = opened.architecture->data;
  const bool counts = data == DataKind::kTokens || data == DataKind::kPairs || data == DataKind::kMasked;
  const auto fits = [&](const auto& tokens, int64_t vocabulary) {
    return tokens == nullptr || tokens->vocab_size() == vocabulary;
  };
  if (counts && (!fits(opened.tokenizer, opened.shape.vocabulary) ||
                 !fits(opened.source_tokenizer, opened.shape.source_vocabulary))) {
    throw Error(Code::kCorrupt, Cat(path, ": its tokenizer has another vocabulary than the model"));
  }
  opened.model = opened.architecture->make(model, opened.shape);
  if (const artefact::GgufFile* base = BaseOf(*opened.model)) {
    opened.tokenizer_spec = artefact::SpecFromGguf(*base);
    opened.tokenizer = text::MakeTokenizer(opened.tokenizer_spec);
  }
  const torch::NoGradGuard no_gradient;
  for (const auto& item : opened.model->named_parameters()) {
    const std::string average = Cat(kAverage, item.key());
    Copy(*file, file->Find(average) != nullptr ? average : Cat(kModel, item.key()), item.value());
  }
  for (const auto& item : opened.model->named_buffers()) Copy(*file, Cat(kBuffer, item.key()), item.value());
  opened.model->eval();
  return opened;
}

void WriteModel(const Model& model, const About& about, const std::string& path) {
  artefact::SafetensorsWriter writer;
  for (const auto& [key, value] : about.Metadata()) writer.SetMetadata(key, value);
  std::vector<torch::Tensor> kept;
  const auto add = [&](const std::string& name, const torch::Tensor& tensor) {
    kept.push_back(tensor.detach().cpu().contiguous());
    AddTensor(name, kept.back(), &writer);
  };
  for (const auto& item : model.named_parameters()) add(Cat(kModel, item.key()), item.value());
  for (const auto& item : model.named_buffers()) add(Cat(kBuffer, item.key()), item.value());
  writer.Seal();
  writer.Write(path);
}

}  // namespace atelier::model
