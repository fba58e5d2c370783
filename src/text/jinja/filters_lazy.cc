// Filters that give their items one at a time, when they are asked for: jinja2's generators.
#include <algorithm>

#include "base/str.h"
#include "text/jinja/builtins.h"
#include "text/jinja/paths.h"
#include "text/jinja/renderer.h"
#include "text/jinja/unicode.h"

namespace atelier::text::jinja {

Path::Path(Renderer& r, const Value& path, Value otherwise) : otherwise_(std::move(otherwise)) {
  if (path.is(Kind::kNone)) return;
  if (!path.is(Kind::kString)) {
    parts_.push_back(path);
    return;
  }
  r.Scan(path.text().size());
  for (const std::string& part : Split(path.text(), '.')) {
    const bool digits =
        !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) {
      parts_.push_back(Value::String(part));
    } else if (const std::optional<int64_t> number = ParseInt(part)) {
      parts_.push_back(Value::Int(*number));
    } else {
      Fail("an attribute's number is beyond 64 bits");
    }
  }
}

Value Path::Of(Renderer& r, const Value& item) const {
  Value value = item;
  for (const Value& part : parts_) {
    r.Step();
    value = r.Item(value, part);
    if (value.is(Kind::kUndefined) && !otherwise_.is(Kind::kNone)) value = otherwise_;
  }
  return value;
}

Value Folded(Renderer& r, const Value& value) {
  if (!value.is(Kind::kString)) return value;
  r.Scan(value.text().size());
  return r.Made(Lower(value.text()));
}

namespace {

// An iterator over a source that is opened at the first item.
struct Lazy : Iterator {
  explicit Lazy(Value s) : source(std::move(s)) { Deepen(this, source); }
  bool Next(Renderer& r, Value* out) final {
    if (done) return false;
    r.Enter();
    try {
      if (!items) items = Open(r);
      done = !items || !Step(r, out);
    } catch (...) {
      r.Leave();
      throw;
    }
    r.Leave();
    return !done;
  }
  virtual std::shared_ptr<Iterator> Open(Renderer& r) { return r.Iterate(source); }
  virtual bool Step(Renderer& r, Value* out) = 0;
  Value source;
  std::shared_ptr<Iterator> items;
  bool done = false;
};

struct Map final : Lazy {
  Map(Value s, Arguments a) : Lazy(std::move(s)), arguments(std::move(a)) {
    for (const Value& v : arguments.positional) Deepen(this, v);
    for (const auto& [name, v] : arguments.named) Deepen(this, v);
  }
  std::shared_ptr<Iterator> Open(Renderer& r) override {
    if (!Truth(source)) return nullptr;
    if (arguments.positional.empty()) {
      const auto b = Bind("map", arguments, {"attribute", "default"});
      if (b[0].is(Kind::kMissing)) Fail("map needs a filter's name or attribute=");
      path = std::make_unique<Path>(r, b[0], b[1].is(Kind::kMissing) ? Value::None() : b[1]);
    } else {
      if (!arguments.positional[0].is(Kind::kString)) Fail("map needs a filter's name");
      filter = arguments.positional[0].text();
      arguments.positional.erase(arguments.positional.begin());
    }
    return r.Iterate(source);
  }
  bool Step(Renderer& r, Value* out) override {
    Value item;
    if (!r.Next(*items, &item)) return false;
    *out = path ? path->Of(r, item) : CallFilter(r, filter, item, arguments);
    return true;
  }
  Arguments arguments;
  std::string filter;
  std::unique_ptr<Path> path;
};

struct Select final : Lazy {
  Select(Value s, Arguments a, bool w, bool attr)
      : Lazy(std::move(s)), arguments(std::move(a)), want(w), by_attribute(attr) {
    for (const Value& v : arguments.positional) Deepen(this, v);
    for (const auto& [name, v] : arguments.named) Deepen(this, v);
  }
  std::shared_ptr<Iterator> Open(Renderer& r) override {
    if (!Truth(source)) return nullptr;
    auto& positional = arguments.positional;
    if (by_attribute) {
      if (positional.empty()) Fail("an attribute's name is missing");
      path = std::make_unique<Path>(r, positional[0]);
      positional.erase(positional.begin());
    }
    if (!positional.empty()) {
      if (!positional[0].is(Kind::kString)) Fail("a test's name must be a text");
      test = positional[0].text();
      positional.erase(positional.begin());
    }
    return r.Iterate(source);
  }
  bool Step(Renderer& r, Value* out) override {
    while (r.Next(*items, out)) {
      const Value value = path ? path->Of(r, *out) : *out;
      const bool holds = test.empty() ? Truth(value) : CallTest(r, test, value, arguments);
      if (holds == want) return true;
    }
    return false;
  }
  Arguments arguments;
  bool want, by_attribute;
  std::string test;
  std::unique_ptr<Path> path;
};

struct Unique final : Lazy {
  Unique(Renderer& r, Value s, const Value& attribute, bool c)
      : Lazy(std::move(s)), path(r, attribute), sensitive(c), seen(std::make_shared<Dict>()) {}
  bool Step(Renderer& r, Value* out) override {
    while (r.Next(*items, out)) {
      Value key = path.Of(r, *out);
      if (!sensitive) key = Folded(r, key);
      if (seen->Find(r, key)) continue;
      seen->Set(r, std::move(key), Value::None());
      return true;
    }
    return false;
  }
  Path path;
  bool sensitive;
  std::shared_ptr<Dict> seen;
};

struct Batch final : Lazy {
  Batch(Value s, Value c, Value f) : Lazy(std::move(s)), wanted(std::move(c)), fill(std::move(f)) {
    Deepen(this, fill);
    Deepen(this, wanted);
  }
  std::shared_ptr<Iterator> Open(Renderer& r) override {
    if (wanted.is_number() && wanted.number() == static_cast<double>(static_cast<int32_t>(wanted.number()))) {
      count = static_cast<int64_t>(wanted.number());
    } else if (wanted.is_integral()) {
      count = wanted.integer();
    }
    return r.Iterate(source);
  }
  bool Step(Renderer& r, Value* out) override {
    std::vector<Value> row = std::move(next);
    next.clear();
    Value item;
    bool full = false;
    while (r.Next(*items, &item)) {
      r.Make(sizeof(Value));
      if (static_cast<int64_t>(row.size()) == count) {
        next.push_back(item);
        full = true;
        break;
      }
      row.push_back(item);
    }
    if (row.empty() && !full) return false;
    if (!full && !fill.is(Kind::kNone) && !wanted.is_integral()) IntArgument(wanted, "batch");
    if (!full && !fill.is(Kind::kNone) && static_cast<int64_t>(row.size()) < count) {
      r.Make(static_cast<uint64_t>(std::min<int64_t>(count, INT32_MAX)) * sizeof(Value));
      row.resize(static_cast<size_t>(count), fill);
    }
    *out = Value::List(std::move(row));
    return true;
  }
  Value wanted;
  int64_t count = -1;  // never reached, for what is no number
  Value fill;
  std::vector<Value> next;
};

struct Slices final : Lazy {
  Slices(Value s, Value c, Value f) : Lazy(std::move(s)), wanted(std::move(c)), fill(std::move(f)) {
    Deepen(this, fill);
    Deepen(this, wanted);
  }
  std::shared_ptr<Iterator> Open(Renderer& r) override {
    all = r.ToVector(source);
    count = IntArgument(wanted, "slice");
    if (count == 0) Fail("division by zero");
    return r.Iterate(Value::List({}));
  }
  bool Step(Renderer& r, Value* out) override {
    if (at >= count) return false;
    const int64_t length = static_cast<int64_t>(all.size()), each = length / count, extra = length % count;
    const int64_t size = each + (at < extra ? 1 : 0);
    r.Make(static_cast<uint64_t>(size + 1) * sizeof(Value));
    std::vector<Value> row(all.begin() + from, all.begin() + from + size);
    if (!fill.is(Kind::kNone) && at >= extra) row.push_back(fill);
    from += size;
    ++at;
    *out = Value::List(std::move(row));
    return true;
  }
  Value wanted;
  int64_t count = 0, at = 0, from = 0;
  Value fill;
  std::vector<Value> all;
};

struct Items final : Lazy {
  using Lazy::Lazy;
  std::shared_ptr<Iterator> Open(Renderer& r) override {
    if (source.is(Kind::kUndefined)) return nullptr;
    if (!source.is(Kind::kDict)) Fail(Cat("items needs a mapping, not ", TypeName(source)));
    auto view = std::make_shared<View>();
    view->part = View::kItems;
    view->of = source;
    return r.Iterate(Value::Of(std::move(view)));
  }
  bool Step(Renderer& r, Value* out) override { return r.Next(*items, out); }
};

Value MapFilter(Renderer&, const Value& value, Arguments& a) {
  return Value::Of(std::make_shared<Map>(value, std::move(a)));
}
Value SelectFilter(Renderer&, const Value& value, Arguments& a) {
  return Value::Of(std::make_shared<Select>(value, std::move(a), true, false));
}
Value RejectFilter(Renderer&, const Value& value, Arguments& a) {
  return Value::Of(std::make_shared<Select>(value, std::move(a), false, false));
}
Value SelectAttr(Renderer&, const Value& value, Arguments& a) {
  return Value::Of(std::make_shared<Select>(value, std::move(a), true, true));
}
Value RejectAttr(Renderer&, const Value& value, Arguments& a) {
  return Value::Of(std::make_shared<Select>(value, std::move(a), false, true));
}
Value UniqueFilter(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("unique", a, {"case_sensitive", "attribute"});
  const bool sensitive = !b[0].is(Kind::kMissing) && Truth(b[0]);
  return Value::Of(std::make_shared<Unique>(r, value, b[1].is(Kind::kMissing) ? Value::None() : b[1], sensitive));
}
Value BatchFilter(Renderer&, const Value& value, Arguments& a) {
  const auto b = Bind("batch", a, {"linecount", "fill_with"}, 1);
  return Value::Of(std::make_shared<Batch>(value, b[0], b[1].is(Kind::kMissing) ? Value::None() : b[1]));
}
Value SliceFilter(Renderer&, const Value& value, Arguments& a) {
  const auto b = Bind("slice", a, {"slices", "fill_with"}, 1);
  return Value::Of(std::make_shared<Slices>(value, b[0], b[1].is(Kind::kMissing) ? Value::None() : b[1]));
}
Value ItemsFilter(Renderer&, const Value& value, Arguments& a) {
  Bind("items", a, {});
  return Value::Of(std::make_shared<Items>(value));
}

}  // namespace

const std::vector<FilterEntry>& LazyFilters() {
  static const std::vector<FilterEntry> list = {
      {"map", MapFilter},         {"select", SelectFilter},   {"reject", RejectFilter},
      {"selectattr", SelectAttr}, {"rejectattr", RejectAttr}, {"unique", UniqueFilter},
      {"batch", BatchFilter},     {"slice", SliceFilter},     {"items", ItemsFilter},
  };
  return list;
}

}  // namespace atelier::text::jinja
