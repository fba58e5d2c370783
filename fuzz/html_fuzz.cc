// HTML in process: only Error may come out, and what comes out is UTF-8 and survives the way through the child's pipe.
#include <cstdlib>

#include "base/error.h"
#include "data/encoding.h"
#include "data/import/section.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  try {
    const data::Document document = data::ExtractHtml({reinterpret_cast<const char*>(data), size});
    for (const data::Section& section : document.sections) {
      if (section.text.empty() || data::FirstInvalidUtf8(section.text) != std::string::npos) std::abort();
    }
    const Json json = data::ToJson(document);
    if (data::ToJson(data::DocumentFromJson(ParseJson(ToText(json), "fuzz"))) != json) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
