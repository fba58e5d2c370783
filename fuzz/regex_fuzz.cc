// Bytes of a regular expression: compiled as the form of a whole reply and as a schema's pattern, then a text is drawn.
// Only Error may leave the compiler; every token of a mask must be accepted, and a complete text must be UTF-8.
#include <cstdlib>

#include "base/error.h"
#include "base/json.h"
#include "runtime/constraint/test_vocabulary.h"
#include "text/unicode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  using namespace atelier::runtime;
  const std::string pattern(reinterpret_cast<const char*>(data), size);
  for (const bool whole : {true, false}) {
    std::shared_ptr<const Constraint> constraint;
    try {
      constraint = whole ? CompileForTest(SpecKind::kRegex, pattern)
                         : CompileForTest(SpecKind::kJsonSchema,
                                          ToText({{"type", "string"}, {"pattern", pattern}, {"maxLength", 20}}));
    } catch (const Error& error) {
      if (error.code() == Code::kInternal) std::abort();
      continue;
    }
    Rng rng(size);
    Matcher matcher(constraint);
    TokenMask mask;
    std::string made;
    for (int i = 0; i < 30 && matcher.CanContinue(); ++i) {
      matcher.Mask(&mask);
      auto token = static_cast<int32_t>(rng.Below(static_cast<uint64_t>(TestIndex()->vocab())));
      while (!mask.Has(token) || TestIndex()->bytes(token).empty()) token = (token + 1) % TestIndex()->vocab();
      if (!matcher.Accept(token)) std::abort();
      made += TestIndex()->bytes(token);
      if (matcher.Complete() && !text::IsValidUtf8(made)) std::abort();
    }
  }
  return 0;
}
