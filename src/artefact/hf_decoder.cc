#include "artefact/hf_decoder.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "artefact/gguf_writer.h"
#include "artefact/head_rows.h"
#include "artefact/hf_config.h"
#include "artefact/safetensors.h"
#include "artefact/tokenizer_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "text/tokenizer_json.h"

namespace atelier::artefact {
namespace {

constexpr size_t kMostShards = 1000;

Json ReadJson(const std::string& path) { return ParseJson(ReadFile(path, kMostConfigBytes), path); }

// All tensors of a model, whichever file they lie in; each may be taken once.
class Weights {
 public:
  explicit Weights(const std::string& folder) {
    const std::string whole = folder + "/model.safetensors", index = whole + ".index.json";
    std::set<std::string> files;
    if (FileExists(whole)) {
      files.insert("model.safetensors");
    } else if (FileExists(index)) {
      const Json json = ReadJson(index);
      const auto map = json.find("weight_map");
      if (map == json.end() || !map->is_object()) throw Error(Code::kCorrupt, Cat(index, ": has no weight_map"));
      for (const auto& item : map->items()) {
        if (!item.value().is_string())
          throw Error(Code::kCorrupt, Cat(index, ": ", Quote(item.key()), " is in no file"));
        files.insert(item.value().get<std::string>());
      }
      if (files.size() > kMostShards) throw Error(Code::kUnsupported, Cat(index, ": names ", files.size(), " files"));
    } else {
      throw Error(Code::kNotFound, Cat(folder, ": has no model.safetensors"), "weights of other formats are not read");
    }
    for (const std::string& file : files) {
      // A name of the folder's own, which may be a link: Hugging Face's cache is made of them.
      if (file.empty() || file == "." || file == ".." ||
          file.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
        throw Error(Code::kPermissionDenied, Cat(index, ": ", Quote(file), " is no file of the folder"));
      }
      files_.push_back(SafetensorsFile::Open(Cat(folder, "/", file)));
      for (const SafeTensor& tensor : files_.back()->tensors()) {
        if (!tensors_.emplace(tensor.name, Place{&tensor, files_.back().get()}).second) {
          throw Error(Code::kCorrupt, Cat(files_.back()->path(), ": the tensor ", Quote(tensor.name), " stands twice"));
        }
      }
    }
  }

  struct Taken {
    const SafeTensor& tensor;
    TensorType type;
  };
  Taken Take(const std::string& name, const std::vector<int64_t>& shape) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      throw Error(Code::kCorrupt, Cat(files_.front()->path(), ": the tensor ", Quote(name), " is missing"));
    }
    const Place& place = found->second;
    taken_.insert(name);
    if (place.tensor->shape != shape) {
      throw Error(Code::kCorrupt,
                  Cat(place.file->path(), ": the tensor ", Quote(name), " has another shape than config.json"));
    }
    return {*place.tensor, TypeOf(*place.tensor, place.file->path())};
  }

  // What nobody took would have changed the model's answers.
  void CheckAllTaken(const std::set<std::string>& needless) const {
    for (const auto& [name, place] : tensors_) {
      if (taken_.contains(name) || needless.contains(name) || name.ends_with(".rotary_emb.inv_freq")) continue;
      throw Error(Code::kUnsupported,
                  Cat(place.file->path(), ": the tensor ", Quote(name), " is not of this architecture"));
    }
  }

 private:
  struct Place {
    const SafeTensor* tensor;
    const SafetensorsFile* file;
  };
  std::vector<std::shared_ptr<const SafetensorsFile>> files_;
  std::map<std::string, Place> tensors_;
  std::set<std::string> taken_;
};

class Converter {
 public:
  Converter(const HfConfig& config, const std::string& folder, GgufWriter* out)
      : c_(config), weights_(folder), out_(*out) {}

  void AddAll() {
    const int64_t width = c_.width, queries = c_.heads * c_.head_dim, keys = c_.kv_heads * c_.head_dim;
    Matrix("model.embed_tokens", "token_embd", c_.vocabulary, width);
    std::set<std::string> needless;
    if (c_.tied) {
      needless.insert("lm_head.weight");  // some writers store it a second time
    } else {
      Matrix("lm_head", "output", c_.vocabulary, width);
    }
    Norm("model.norm", "output_norm", width);
    for (int64_t i = 0; i < c_.layers; ++i) {
      const std::string from = Cat("model.layers.", i, "."), to = Cat("blk.", i, ".");
      Norm(from + "input_layernorm", to + "attn_norm", width);
      const auto projection = [&](const char* letter, int64_t rows, int64_t heads) {
        const std::string source = Cat(from, "self_attn.", letter, "_proj"), target = Cat(to, "attn_", letter);
        Matrix(source, target, rows, width, c_.turns_pairs ? heads : 0);
        if (c_.attention_bias) Vector(source + ".bias", target + ".bias", rows, 0, c_.turns_pairs ? heads : 0);
      };
      projection("q", queries, c_.heads);
      projection("k", keys, c_.kv_heads);
      projection("v", keys, 0);
      Matrix(from + "self_attn.o_proj", to + "attn_output", width, queries);
      if (c_.head_norms) {
        Norm(from + "self_attn.q_norm", to + "attn_q_norm", c_.head_dim);
        Norm(from + "self_attn.k_norm", to + "attn_k_norm", c_.head_dim);
      }
      if (c_.post_norms) {
        Norm(from + "post_attention_layernorm", to + "post_attention_norm", width);
        Norm(from + "pre_feedforward_layernorm", to + "ffn_norm", width);
        Norm(from + "post_feedforward_layernorm", to + "post_ffw_norm", width);
      } else {
        Norm(from + "post_attention_layernorm", to + "ffn_norm", width);
      }
      Matrix(from + "mlp.gate_proj", to + "ffn_gate", c_.hidden, width);
      Matrix(from + "mlp.up_proj", to + "ffn_up", c_.hidden, width);
      Matrix(from + "mlp.down_proj", to + "ffn_down", width, c_.hidden);
    }
    weights_.CheckAllTaken(needless);
    divisors_ = RopeDivisors(c_);
    if (!divisors_.empty()) {
      out_.AddTensor("rope_freqs.weight", TensorType::kF32, {static_cast<int64_t>(divisors_.size())},
                     {reinterpret_cast<const char*>(divisors_.data()), divisors_.size() * sizeof(float)});
    }
  }

 private:
  // `heads`: of rows that turn in pairs, or 0.
  void Matrix(const std::string& from, const std::string& to, int64_t rows, int64_t cols, int64_t heads = 0) {
    const auto [tensor, type] = weights_.Take(from + ".weight", {rows, cols});
    if (heads == 0) {
      out_.AddTensor(to + ".weight", type, {cols, rows}, tensor.data);
    } else {
      out_.AddTensor(to + ".weight", type, {cols, rows},
                     [data = tensor.data, rows, this] { return HeadRows(data, rows, c_.head_dim, Rows::kToPairs); });
    }
  }
  void Vector(const std::string& from, const std::string& to, int64_t size, float add, int64_t heads = 0) {
    const SafeTensor& tensor = weights_.Take(from, {size}).tensor;
    out_.AddTensor(to, TensorType::kF32, {size}, [&tensor, size, add, heads, this] {
      std::vector<float> values = ToFloats(tensor.data, tensor.type);
      for (float& value : values) value += add;
      const std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
      return heads == 0 ? bytes : HeadRows(bytes, size, c_.head_dim, Rows::kToPairs);
    });
  }
  void Norm(const std::string& from, const std::string& to, int64_t size) {
    Vector(from + ".weight", to + ".weight", size, c_.post_norms ? 1.0f : 0.0f);
  }

  const HfConfig& c_;
  Weights weights_;
  GgufWriter& out_;
  std::vector<float> divisors_;
};

// The template of a name, "default" or "tool_use", that renders conversations: a file of its own, or of
// tokenizer_config.json a text or one of several with names.
std::string ChatTemplate(const std::string& folder, std::string_view name) {
  const std::string file = folder + "/chat_template.jinja";
  if (name == "default" && FileExists(file)) return ReadFile(file, kMostConfigBytes);
  const std::string path = folder + "/tokenizer_config.json";
  if (!FileExists(path)) return "";
  const Json config = ReadJson(path);
  const auto found = config.find("chat_template");
  if (found == config.end()) return "";
  if (found->is_string()) return name == "default" ? found->get<std::string>() : "";
  if (found->is_array()) {
    for (const Json& entry : *found) {
      if (entry.is_object() && entry.value("name", Json()) == name && entry.value("template", Json()).is_string()) {
        return entry["template"].get<std::string>();
      }
    }
  }
  return "";
}

}  // namespace

bool IsHfFolder(const std::string& path) { return FolderExists(path) && FileExists(path + "/config.json"); }

void ConvertHfDecoder(const std::string& folder, std::string_view name, std::string_view licence,
                      const std::string& to) {
  const std::string where = folder + "/config.json";
  const HfConfig config = ReadHfConfig(ReadJson(where), where);
  text::TokenizerSpec tokenizer = ReadTokenizerJson(folder + "/tokenizer.json", text::NormalForm::kLeaveToTexts);
  FillVocabulary(config.vocabulary, folder + "/tokenizer.json", &tokenizer);
  GgufWriter out;
  SetHfConfig(config, &out);
  out.Set("general.name", name);
  if (!licence.empty()) out.Set("general.license", licence);
  WriteTokenizerToGguf(tokenizer, out);
  for (const auto& [called, key] :
       {std::pair("default", "tokenizer.chat_template"), std::pair("tool_use", "tokenizer.chat_template.tool_use")}) {
    if (const std::string chat = ChatTemplate(folder, called); !chat.empty()) out.Set(key, chat);
  }
  Converter converter(config, folder, &out);
  converter.AddAll();
  out.Write(to);
}

}  // namespace atelier::artefact
