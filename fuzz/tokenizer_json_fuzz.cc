// tokenizer.json from outside. Only Error may come out; what was read makes a tokenizer whose ids are in range, and is
// written so that it is read again as the same.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace {

using namespace atelier;  // NOLINT: a fuzz target

void Expect(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  text::TokenizerSpec spec;
  try {
    spec = text::ParseTokenizerJson(bytes, "fuzz");
  } catch (const Error& error) {
    Expect(error.Line().find('\n') == std::string::npos);
    try {
      spec.tokens = {"<s>", "a"};
      text::ApplyTokenizerConfigJson(bytes, "fuzz", &spec);
    } catch (const Error&) {
    }
    return 0;
  }
  Expect(!spec.tokens.empty() && spec.types.size() == spec.tokens.size());
  const text::TokenizerSpec again = text::ParseTokenizerJson(text::ToTokenizerJson(spec), "again");
  Expect(again.tokens == spec.tokens && again.merges == spec.merges && again.scores == spec.scores &&
         again.types == spec.types && again.pre == spec.pre);
  const auto count = static_cast<text::TokenId>(spec.tokens.size());
  try {
    const auto tokenizer = text::MakeTokenizer(spec);
    for (const text::TokenId id :
         tokenizer->Encode(bytes.substr(0, 2000), {.add_special = true, .parse_special = true})) {
      Expect(id >= 0 && id < count);
    }
    for (text::TokenId id = 0; id < count; ++id) tokenizer->Piece(id);
  } catch (const Error&) {
  }
  return 0;
}
