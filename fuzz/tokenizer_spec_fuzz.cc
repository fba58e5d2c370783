// Bytes as a tokenizer's specification in JSON: what is read is written back the same, and the tokenizer that it makes,
// if it makes one, encodes without harm.
#include <cstdlib>

#include "base/error.h"
#include "text/tokenizer_spec_json.h"

using namespace atelier;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const text::TokenizerSpec spec = text::ParseSpecJson(bytes, "fuzz.json");
    const std::string json = text::ToSpecJson(spec);
    if (!text::IsSpecJson(json) || text::ToSpecJson(text::ParseSpecJson(json, "again.json")) != json) std::abort();
    const auto tokenizer = text::MakeTokenizer(spec);
    for (const text::TokenId id : tokenizer->Encode("手冲 coffee 🙂\xff\n")) {
      if (id < 0 || id >= tokenizer->vocab_size()) std::abort();
    }
  } catch (const Error& e) {
    if (e.code() == Code::kInternal || e.Line().find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
