#include "artefact/adapter.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "artefact/gguf_writer.h"
#include "artefact/head_rows.h"
#include "artefact/safetensors.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

constexpr int64_t kMostRank = 4096;
constexpr char kA[] = ".lora_a", kB[] = ".lora_b";
constexpr std::string_view kLayers = "base_model.model.model.layers.";  // in PEFT's names

std::vector<float> Floats(std::string_view bytes, ScalarType type, const std::string& where) {
  if (type != ScalarType::kF32 && type != ScalarType::kF16 && type != ScalarType::kBf16) {
    throw Error(Code::kUnsupported, Cat(where, " is ", Info(type).name));
  }
  std::vector<float> out = ToFloats(bytes, type);
  if (!std::all_of(out.begin(), out.end(), [](float v) { return std::isfinite(v); })) {
    throw Error(Code::kCorrupt, Cat(where, " holds a number that is not finite"));
  }
  return out;
}

ScalarType ScalarOf(TensorType type, const std::string& where) {
  switch (type) {
    case TensorType::kF32: return ScalarType::kF32;
    case TensorType::kF16: return ScalarType::kF16;
    case TensorType::kBF16: return ScalarType::kBf16;
    default: throw Error(Code::kUnsupported, Cat(where, " is ", Name(type)));
  }
}

std::string_view Bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

void Check(const LoraPair& pair, int64_t rank_of_b, const std::string& where) {
  if (pair.rank < 1 || pair.rank > kMostRank || pair.rank != rank_of_b) {
    throw Error(Code::kCorrupt, Cat(where, ": ", Quote(pair.tensor), " has ranks ", pair.rank, " and ", rank_of_b));
  }
}

void CheckAlpha(double alpha, const std::string& where) {
  if (!(std::isfinite(alpha) && alpha > 0)) throw Error(Code::kCorrupt, Cat(where, ": its alpha is ", alpha));
}

// GGUF's and PEFT's names of a layer's matrices.
constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"attn_q", "self_attn.q_proj"},      {"attn_k", "self_attn.k_proj"}, {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"}, {"ffn_gate", "mlp.gate_proj"},  {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
};

struct Place {
  std::string layer;
  std::string_view gguf, peft;
};

// "blk.3.attn_q.weight".
Place PlaceOfGguf(const std::string& tensor) {
  for (const auto& [gguf, peft] : kNames) {
    const std::string ending = Cat(".", gguf, ".weight");
    if (tensor.starts_with("blk.") && tensor.ends_with(ending)) {
      return {tensor.substr(4, tensor.size() - 4 - ending.size()), gguf, peft};
    }
  }
  throw Error(Code::kUnsupported, Cat("PEFT has no name for an adapter of ", Quote(tensor)));
}

bool Turns(std::string_view gguf) { return gguf == "attn_q" || gguf == "attn_k"; }

// B's rows in another order.
std::vector<float> Reordered(const LoraPair& pair, int64_t head_dim, Rows order) {
  return ToFloats(HeadRows(Bytes(pair.b), pair.outs, head_dim, order), ScalarType::kF32);
}

}  // namespace

bool IsAdapter(const GgufFile& file) { return file.StringOr("general.type", "") == "adapter"; }

Adapter ReadAdapterGguf(const std::string& path) { return ReadAdapterGguf(*GgufFile::Open(path)); }

Adapter ReadAdapterGguf(const GgufFile& file) {
  const std::string& path = file.path();
  if (!IsAdapter(file) || file.StringOr("adapter.type", "") != "lora") {
    throw Error(Code::kUnsupported, Cat(path, ": is no low-rank adapter"));
  }
  Adapter adapter;
  adapter.architecture = std::string(file.String("general.architecture"));
  adapter.alpha = file.Float("adapter.lora.alpha");
  adapter.name = std::string(file.StringOr("general.name", ""));
  adapter.licence = std::string(file.StringOr("general.license", ""));
  adapter.base = std::string(file.StringOr("adapter.base", ""));
  CheckAlpha(adapter.alpha, path);
  for (const TensorInfo& tensor : file.tensors()) {
    if (tensor.name.ends_with(kB)) {
      if (file.Find(tensor.name.substr(0, tensor.name.size() - 7) + kA) == nullptr) {
        throw Error(Code::kCorrupt, Cat(path, ": ", Quote(tensor.name), " has no other half"));
      }
      continue;
    }
    if (!tensor.name.ends_with(kA)) {
      throw Error(Code::kUnsupported, Cat(path, ": the tensor ", Quote(tensor.name), " is not of an adapter"));
    }
    LoraPair pair;
    pair.tensor = tensor.name.substr(0, tensor.name.size() - 7);
    const TensorInfo& other = file.Require(pair.tensor + kB);
    if (tensor.shape.size() != 2 || other.shape.size() != 2) {
      throw Error(Code::kCorrupt, Cat(path, ": the halves for ", Quote(pair.tensor), " are no matrices"));
    }
    pair.ins = tensor.dim(0), pair.rank = tensor.dim(1), pair.outs = other.dim(1);
    Check(pair, other.dim(0), path);
    const auto values = [&](const TensorInfo& t) {
      const std::string where = Cat(path, ": the tensor ", Quote(t.name));
      return Floats({reinterpret_cast<const char*>(t.data), static_cast<size_t>(t.bytes)}, ScalarOf(t.type, where),
                    where);
    };
    pair.a = values(tensor), pair.b = values(other);
    adapter.pairs.push_back(std::move(pair));
  }
  if (adapter.pairs.empty()) throw Error(Code::kCorrupt, Cat(path, ": the adapter changes nothing"));
  return adapter;
}

void WriteAdapterGguf(const Adapter& adapter, const std::string& path) {
  GgufWriter writer;
  writer.Set("general.type", "adapter");
  writer.Set("general.architecture", adapter.architecture);
  if (!adapter.name.empty()) writer.Set("general.name", adapter.name);
  if (!adapter.licence.empty()) writer.Set("general.license", adapter.licence);
  writer.Set("adapter.type", "lora");
  writer.Set("adapter.lora.alpha", static_cast<float>(adapter.alpha));
  if (!adapter.base.empty()) writer.Set("adapter.base", adapter.base);
  for (const LoraPair& pair : adapter.pairs) {
    writer.AddTensor(pair.tensor + kA, TensorType::kF32, {pair.ins, pair.rank}, Bytes(pair.a));
    writer.AddTensor(pair.tensor + kB, TensorType::kF32, {pair.rank, pair.outs}, Bytes(pair.b));
  }
  writer.Write(path);
}

void WriteAdapterPeft(const Adapter& adapter, int64_t head_dim, const std::string& folder) {
  SafetensorsWriter writer;
  writer.SetMetadata("format", "pt");
  std::set<std::string> modules;
  std::vector<std::vector<float>> kept;
  kept.reserve(adapter.pairs.size());
  int64_t rank = 0;
  for (const LoraPair& pair : adapter.pairs) {
    const Place place = PlaceOfGguf(pair.tensor);
    if (pair.rank != adapter.pairs[0].rank) {
      throw Error(Code::kUnsupported, Cat("PEFT has one rank for all; ", Quote(pair.tensor), " has another"));
    }
    if (head_dim > 0 && Turns(place.gguf) && pair.outs % head_dim != 0) {
      throw Error(Code::kInvalidInput, Cat("the rows of ", Quote(pair.tensor), " are no heads of ", head_dim));
    }
    const std::string name = Cat(kLayers, place.layer, ".", place.peft);
    modules.insert(std::string(place.peft.substr(place.peft.find('.') + 1)));
    rank = pair.rank;
    kept.push_back(head_dim > 0 && Turns(place.gguf) ? Reordered(pair, head_dim, Rows::kToHalves) : pair.b);
    writer.Add(name + ".lora_A.weight", ScalarType::kF32, {pair.rank, pair.ins}, Bytes(pair.a));
    writer.Add(name + ".lora_B.weight", ScalarType::kF32, {pair.outs, pair.rank}, Bytes(kept.back()));
  }
  const Json config = {{"peft_type", "LORA"},
                       {"task_type", "CAUSAL_LM"},
                       {"base_model_name_or_path", adapter.base},
                       {"r", rank},
                       {"lora_alpha", adapter.alpha},
                       {"lora_dropout", 0.0},
                       {"bias", "none"},
                       {"fan_in_fan_out", false},
                       {"inference_mode", true},
                       {"target_modules", std::vector<std::string>(modules.begin(), modules.end())}};
  MakeFolders(folder);
  writer.Write(folder + "/adapter_model.safetensors");
  WriteFileAtomic(folder + "/adapter_config.json", ToPrettyText(config) + "\n");
}

Adapter ReadAdapterPeft(const std::string& folder, const std::string& architecture, int64_t head_dim) {
  const std::string path = folder + "/adapter_config.json";
  const Json config = ParseJson(ReadFile(path, 1 << 20), path);
  Adapter adapter;
  adapter.architecture = architecture;
  try {
    if (config.at("peft_type") != "LORA") throw Error(Code::kUnsupported, Cat(path, ": peft_type is not LORA"));
    for (const char* key : {"use_dora", "use_rslora", "fan_in_fan_out"}) {
      if (config.value(key, false)) throw Error(Code::kUnsupported, Cat(path, ": ", key, " is set"));
    }
    // Those that fit a base that was changed for them.
    if (const auto init = config.find("init_lora_weights"); init != config.end() && init->is_string()) {
      const std::string how = ToLowerAscii(init->get<std::string>());
      for (const char* changes : {"pissa", "olora", "corda", "loftq"}) {
        if (how.starts_with(changes)) throw Error(Code::kUnsupported, Cat(path, ": init_lora_weights is ", how));
      }
    }
    if (config.contains("alora_invocation_tokens") && !config["alora_invocation_tokens"].is_null()) {
      throw Error(Code::kUnsupported, Cat(path, ": alora_invocation_tokens is set"));
    }
    if (config.value("bias", "none") != "none") throw Error(Code::kUnsupported, Cat(path, ": bias is not none"));
    for (const char* key : {"rank_pattern", "alpha_pattern"}) {
      if (config.contains(key) && !config[key].empty())
        throw Error(Code::kUnsupported, Cat(path, ": ", key, " is set"));
    }
    adapter.alpha = config.at("lora_alpha").get<double>();
    adapter.base = config.value("base_model_name_or_path", Json("")).is_string()
                       ? config.value("base_model_name_or_path", std::string())
                       : std::string();
  } catch (const Json::exception& error) {
    throw Error(Code::kCorrupt, Cat(path, ": ", error.what()));
  }
  CheckAlpha(adapter.alpha, path);
  const auto file = SafetensorsFile::Open(folder + "/adapter_model.safetensors");
  for (const SafeTensor& tensor : file->tensors()) {
    constexpr std::string_view kFirst = ".lora_A.weight", kSecond = ".lora_B.weight";
    const auto refuse = [&](std::string_view why) {
      throw Error(Code::kUnsupported, Cat(file->path(), ": the tensor ", Quote(tensor.name), " ", why));
    };
    const std::string_view name = tensor.name;
    if (name.ends_with(kSecond)) {
      if (file->Find(Cat(name.substr(0, name.size() - kSecond.size()), kFirst)) == nullptr) refuse("has no other half");
      continue;
    }
    if (!name.ends_with(kFirst)) refuse("is not of a low-rank adapter");
    const std::string stem(name.substr(0, name.size() - kFirst.size()));
    const SafeTensor* other = file->Find(Cat(stem, kSecond));
    if (other == nullptr) refuse("has no other half");
    LoraPair pair;
    bool turns = false;
    for (const auto& [gguf, peft] : kNames) {
      const std::string ending = Cat(".", peft);
      if (!stem.starts_with(kLayers) || !stem.ends_with(ending) || stem.size() < kLayers.size() + ending.size())
        continue;
      const std::string layer = stem.substr(kLayers.size(), stem.size() - kLayers.size() - ending.size());
      if (layer.empty() || layer.find_first_not_of("0123456789") != std::string::npos) continue;
      pair.tensor = Cat("blk.", layer, ".", gguf, ".weight");
      turns = Turns(gguf);
    }
    if (pair.tensor.empty()) refuse("is of a module that has no counterpart here");
    if (tensor.shape.size() != 2 || other->shape.size() != 2) refuse("is no matrix");
    pair.rank = tensor.shape[0], pair.ins = tensor.shape[1], pair.outs = other->shape[0];
    Check(pair, other->shape[1], file->path());
    pair.a = Floats(tensor.data, tensor.type, Cat(file->path(), ": ", Quote(tensor.name)));
    pair.b = Floats(other->data, other->type, Cat(file->path(), ": ", Quote(other->name)));
    if (head_dim > 0 && turns) {
      if (pair.outs % head_dim != 0) refuse("is not of heads of this model's width");
      pair.b = Reordered(pair, head_dim, Rows::kToPairs);
    }
    adapter.pairs.push_back(std::move(pair));
  }
  if (adapter.pairs.empty()) throw Error(Code::kCorrupt, Cat(file->path(), ": the adapter changes nothing"));
  return adapter;
}

}  // namespace atelier::artefact
