// What measures by meaning read of texts by rule: quantities, names, sentences, the surface of a style. A text and,
// behind U+001E, its source. Nothing may be thrown, spans lie within the text and in order, and a text is true to
// itself.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "evaluate/faithful.h"
#include "evaluate/names.h"
#include "evaluate/quantities.h"
#include "evaluate/surface_style.h"
#include "text/sentences.h"

namespace {

using namespace atelier::evaluate;  // NOLINT: a fuzz target

void Must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(bytes.find('\x1E'), bytes.size());
  const std::string_view text = bytes.substr(0, cut), source = bytes.substr(std::min(cut + 1, bytes.size()));
  size_t at = 0;
  for (const std::string_view sentence : atelier::text::Sentences(text)) {
    Must(sentence.data() == text.data() + at && !sentence.empty());
    at += sentence.size();
  }
  Must(at == text.size());
  size_t last = 0;
  for (const Name& name : FindNames(text)) {
    Must(name.begin >= last && name.begin < name.end && name.end <= text.size());
    Must(name.text == text.substr(name.begin, name.end - name.begin));
    last = name.end;
  }
  for (const Unsupported& one : FindUnsupported(text, source)) Must(one.begin < one.end && one.end <= text.size());
  for (const Unsupported& one : FindUnsupported(text, text)) {
    // A number too large to be one equals nothing.
    Must(one.kind == "number");
    for (const Quantity& quantity : FindQuantities(one.text))
      Must(!std::isfinite(quantity.value) || one.text.size() > 300);
  }
  const std::vector<double> surface = MeasureSurface(text), other = MeasureSurface(source);
  for (const double value : surface) Must(std::isfinite(value) && value >= 0);
  const SurfaceHouse house({surface, other});
  Must(std::isfinite(house.Delta(surface)));
  for (const double delta : house.DeltasWithoutSelf()) Must(std::isfinite(delta));
  return 0;
}
