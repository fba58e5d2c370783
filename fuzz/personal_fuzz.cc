// Any bytes: spans lie in the text, in order and apart; masking leaves what is between them as it was.
#include <cstdint>
#include <cstdlib>

#include "guard/personal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier::guard;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<PersonalSpan> spans = FindPersonal(text);
  std::string between;
  size_t last = 0;
  for (const PersonalSpan& span : spans) {
    if (span.begin < last || span.end <= span.begin || span.end > size) std::abort();
    between += text.substr(last, span.begin - last);
    between += '[';
    between += Name(span.kind);
    between += ']';
    last = span.end;
  }
  between += text.substr(last);
  if (MaskPersonal(text, spans) != between) std::abort();
  MaskPersonal(text, spans, {MaskStyle::kShape, ""});
  MaskPersonal(text, spans, {MaskStyle::kPseudonym, "0123456789abcdef"});
  return 0;
}
