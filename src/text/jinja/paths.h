// "a.b.0": what the attribute= arguments of filters name.
#pragma once

#include <vector>

#include "text/jinja/renderer.h"

namespace atelier::text::jinja {

class Path {
 public:
  // `path` is a text, a number, or none for the item itself. `otherwise` (unless none) replaces what is undefined.
  Path(Renderer& renderer, const Value& path, Value otherwise = Value::None());
  Value Of(Renderer& renderer, const Value& item) const;

 private:
  std::vector<Value> parts_;
  Value otherwise_;
};

// Texts in lower case, all else as it is: how filters ignore case.
Value Folded(Renderer& renderer, const Value& value);

}  // namespace atelier::text::jinja
