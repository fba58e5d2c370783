// Walking values.
#include "base/str.h"
#include "text/jinja/renderer.h"
#include "text/jinja/unicode.h"

namespace atelier::text::jinja {
namespace {

// Whatever has a length and an order.
struct Indexed final : Iterator {
  explicit Indexed(Value v) : of(std::move(v)) {
    Deepen(this, of);
    size = static_cast<size_t>(LengthOf(of));
  }
  bool Next(Renderer&, Value* out) override {
    if (i >= size) return false;
    switch (of.kind()) {
      case Kind::kList:
      case Kind::kTuple: *out = of.items()[i]; break;
      case Kind::kDict: *out = of.dict().entries[i].first; break;
      case Kind::kView: *out = of.view().At(i); break;
      case Kind::kRange: *out = Value::Int(of.range().start + static_cast<int64_t>(i) * of.range().step); break;
      default: return false;
    }
    ++i;
    return true;
  }
  Value of;
  size_t i = 0, size;
};

struct CodePoints final : Iterator {
  explicit CodePoints(Value v) : of(std::move(v)) {}
  bool Next(Renderer&, Value* out) override {
    const std::string& text = of.text();
    if (at >= text.size()) return false;
    const size_t from = at;
    DecodeAt(text, &at);
    *out = Value::String(text.substr(from, at - from));
    return true;
  }
  Value of;
  size_t at = 0;
};

struct Nothing final : Iterator {
  bool Next(Renderer&, Value*) override { return false; }
};

}  // namespace

std::shared_ptr<Iterator> Renderer::Iterate(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: return std::make_shared<Nothing>();
    case Kind::kString: return std::make_shared<CodePoints>(value);
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kView:
    case Kind::kRange: return std::make_shared<Indexed>(value);
    case Kind::kIterator: return std::static_pointer_cast<Iterator>(value.shared());
    default: Fail(Cat("'", TypeName(value), "' cannot be walked"));
  }
}

std::vector<Value> Renderer::ToVector(const Value& value) {
  if (value.is_sequence()) {
    Make(value.items().size() * sizeof(Value));
    return value.items();
  }
  std::vector<Value> out;
  const std::shared_ptr<Iterator> iterator = Iterate(value);
  Value item;
  while (Next(*iterator, &item)) {
    Make(sizeof(Value));
    out.push_back(item);
  }
  if (out.size() * sizeof(Value) > max_bytes()) Exhausted("the template makes a value larger than its output limit");
  return out;
}

}  // namespace atelier::text::jinja
