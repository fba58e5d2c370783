// Bytes of a JSON Schema: compiled, then a text is drawn by its masks. Only Error may leave the compiler; every token
// of a mask must be accepted, and a complete text must be JSON.
#include <cstdlib>

#include "base/error.h"
#include "base/json.h"
#include "runtime/constraint/test_vocabulary.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  using namespace atelier::runtime;
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::shared_ptr<const Constraint> constraint;
  try {
    constraint = CompileForTest(SpecKind::kJsonSchema, text);
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) std::abort();
    return 0;
  }
  Rng rng(size);
  Matcher matcher(constraint);
  TokenMask mask;
  std::string made;
  for (int i = 0; i < 40 && matcher.CanContinue(); ++i) {
    try {
      matcher.Mask(&mask);
      const auto start = static_cast<int32_t>(rng.Below(static_cast<uint64_t>(TestIndex()->vocab())));
      int32_t token = start;
      while (!mask.Has(token) || TestIndex()->bytes(token).empty()) token = (token + 1) % TestIndex()->vocab();
      if (!matcher.Accept(token)) std::abort();
      made += TestIndex()->bytes(token);
    } catch (const Error& error) {
      if (error.code() == Code::kInternal) std::abort();
      return 0;
    }
    if (matcher.Complete() && !Json::accept(made)) std::abort();
  }
  return 0;
}
