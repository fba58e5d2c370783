#include "serve/embedding_request.h"

#include <algorithm>
#include <cstring>

#include "base/str.h"
#include "serve/fields.h"

namespace atelier::serve {
namespace {

constexpr size_t kMostTexts = 2048, kMostBytes = 1 << 20;  // of one text

std::vector<std::string> ReadInput(Fields& fields) {
  const Json* input = fields.Any("input");
  if (input == nullptr) fields.Refuse("input", "is missing");
  const auto refuse_tokens = [&] {
    fields.Refuse("input", "holds token ids, which belong to another model's tokenizer",
                  "send texts (in LangChain: check_embedding_ctx_length=False)");
  };
  const auto text = [&](const Json& value, const std::string& where) {
    if (!value.is_string()) throw FieldError(where, "is not a text");
    const auto& one = value.get_ref<const std::string&>();
    if (one.empty()) throw FieldError(where, "is an empty text");
    if (one.size() > kMostBytes) throw FieldError(where, "has more than 1 MiB");
    return one;
  };
  if (input->is_string()) return {text(*input, "input")};
  if (!input->is_array()) fields.Refuse("input", "is neither a text nor an array of texts");
  if (input->empty()) fields.Refuse("input", "is an empty array");
  if (input->size() > kMostTexts) fields.Refuse("input", Cat("has more than ", kMostTexts, " texts"));
  std::vector<std::string> texts;
  for (size_t i = 0; i < input->size(); ++i) {
    const Json& value = (*input)[i];
    if (value.is_number() || value.is_array()) refuse_tokens();
    texts.push_back(text(value, Cat("input[", i, "]")));
  }
  return texts;
}

}  // namespace

EmbeddingRequest ReadEmbeddingRequest(const Json& body) {
  Fields fields(body, "");
  EmbeddingRequest out;
  out.model = fields.String("model");
  out.texts = ReadInput(fields);
  const std::string format = fields.StringOr("encoding_format").value_or("float");
  if (format != "float" && format != "base64") {
    fields.Refuse("encoding_format", Cat(Quote(format), " is neither float nor base64"));
  }
  out.base64 = format == "base64";
  out.dimensions = fields.IntOr("dimensions", 1, 1 << 20).value_or(0);
  const std::string type = fields.StringOr("input_type").value_or("passage");
  if (type != "query" && type != "passage") {
    fields.Refuse("input_type", Cat(Quote(type), " is neither query nor passage"));
  }
  if (type == "query") out.role = artefact::Embedder::Role::kQuery;
  fields.StringOr("user");  // who asks is told by the key; the field is allowed and not kept
  fields.Done();
  return out;
}

std::string FloatsInBase64(const float* values, size_t count) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes(count * sizeof(float), '\0');
  std::memcpy(bytes.data(), values, bytes.size());
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t left = std::min<size_t>(3, bytes.size() - at);
    uint32_t three = 0;
    for (size_t i = 0; i < 3; ++i) three = three << 8 | (i < left ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    for (size_t i = 0; i < 4; ++i) out.push_back(i <= left ? kDigits[three >> (18 - 6 * i) & 63] : '=');
  }
  return out;
}

}  // namespace atelier::serve
