// The filters' register, the tests, and the functions a template finds without being given them.
#include "text/jinja/builtins.h"

#include <chrono>
#include <ctime>
#include <unordered_map>

#include "base/str.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"
#include "text/jinja/text_ops.h"
#include "text/jinja/walk.h"

namespace atelier::text::jinja {
namespace {

const std::unordered_map<std::string_view, Filter>& Filters() {
  static const auto* filters = [] {
    auto* map = new std::unordered_map<std::string_view, Filter>;
    for (const auto* list : {&ListFilters(), &LazyFilters(), &TextFilters(), &ValueFilters()}) {
      for (const FilterEntry& entry : *list) map->emplace(entry.name, entry.filter);
    }
    return map;
  }();
  return *filters;
}

bool Parity(Renderer& r, const Value& value, Arguments& a, const char* name, int64_t by, int64_t rest) {
  Bind(name, a, {});
  return Equal(r, Arithmetic(r, "%", value, Value::Int(by)), Value::Int(rest));
}
bool Odd(Renderer& r, const Value& v, Arguments& a) { return Parity(r, v, a, "odd", 2, 1); }
bool Even(Renderer& r, const Value& v, Arguments& a) { return Parity(r, v, a, "even", 2, 0); }
bool DivisibleBy(Renderer& r, const Value& v, Arguments& a) {
  const auto b = Bind("divisibleby", a, {"num"}, 1);
  return Equal(r, Arithmetic(r, "%", v, b[0]), Value::Int(0));
}

template <Kind kKind>
bool IsA(Renderer&, const Value& v, Arguments& a) {
  Bind("the test", a, {});
  return v.is(kKind);
}
bool Defined(Renderer&, const Value& v, Arguments& a) {
  Bind("defined", a, {});
  return !v.is(Kind::kUndefined);
}
template <bool kWanted>
bool IsBool(Renderer&, const Value& v, Arguments& a) {
  Bind("the test", a, {});
  return v.is(Kind::kBool) && v.boolean() == kWanted;
}
bool Number(Renderer&, const Value& v, Arguments& a) {
  Bind("number", a, {});
  return v.is_number();
}
bool CaseTest(Renderer& r, const Value& v, Arguments& a, const char* name, const char* method) {
  Bind(name, a, {});
  return IsKindOfText(ToStr(r, v), method);
}
bool LowerTest(Renderer& r, const Value& v, Arguments& a) { return CaseTest(r, v, a, "lower", "islower"); }
bool UpperTest(Renderer& r, const Value& v, Arguments& a) { return CaseTest(r, v, a, "upper", "isupper"); }
bool Sequence(Renderer&, const Value& v, Arguments& a) {
  Bind("sequence", a, {});
  // Undefined has a length, and its subscript is a failure, not an absence.
  return v.is(Kind::kString) || v.is_sequence() || v.is(Kind::kDict) || v.is(Kind::kRange) || v.is(Kind::kUndefined);
}
bool IterableTest(Renderer&, const Value& v, Arguments& a) {
  Bind("iterable", a, {});
  return LengthOf(v) >= 0 || v.is(Kind::kIterator);
}
bool CallableTest(Renderer&, const Value& v, Arguments& a) {
  Bind("callable", a, {});
  return v.is(Kind::kUndefined) || (v.is(Kind::kObject) && v.callable().callable());
}
bool IsEscaped(Renderer&, const Value& v, Arguments& a) {
  Bind("escaped", a, {});
  return v.is_safe();
}
bool SameAs(Renderer& r, const Value& v, Arguments& a) {
  const auto b = Bind("sameas", a, {"other"}, 1);
  if (v.kind() != b[0].kind()) return false;
  if (v.is(Kind::kNone) || v.is(Kind::kBool) || v.is(Kind::kInt)) return Equal(r, v, b[0]);
  return v.shared() != nullptr && v.shared() == b[0].shared();
}
bool FilterTest(Renderer&, const Value& v, Arguments& a) {
  Bind("filter", a, {});
  if (!Hashable(v)) Fail(Cat("a filter's name cannot be of type ", TypeName(v)));
  return v.is(Kind::kString) && IsFilter(v.text());
}
bool TestTest(Renderer&, const Value& v, Arguments& a) {
  Bind("test", a, {});
  if (!Hashable(v)) Fail(Cat("a test's name cannot be of type ", TypeName(v)));
  return v.is(Kind::kString) && IsTest(v.text());
}

constexpr char kEqual[] = "==", kNotEqual[] = "!=", kLess[] = "<", kLessEqual[] = "<=", kGreater[] = ">",
               kGreaterEqual[] = ">=", kIn[] = "in";
template <const char* kOp>
bool Relation(Renderer& r, const Value& v, Arguments& a) {
  const auto b = Bind(kOp, a, {"/other"}, 1);
  return Related(r, kOp, v, b[0]);
}
bool InTest(Renderer& r, const Value& v, Arguments& a) {
  const auto b = Bind("in", a, {"seq"}, 1);
  return Contains(r, b[0], v);
}

const std::unordered_map<std::string_view, Test>& Tests() {
  static const std::unordered_map<std::string_view, Test> tests = {
      {"odd", Odd},
      {"even", Even},
      {"divisibleby", DivisibleBy},
      {"defined", Defined},
      {"undefined", IsA<Kind::kUndefined>},
      {"none", IsA<Kind::kNone>},
      {"boolean", IsA<Kind::kBool>},
      {"integer", IsA<Kind::kInt>},
      {"float", IsA<Kind::kFloat>},
      {"string", IsA<Kind::kString>},
      {"mapping", IsA<Kind::kDict>},
      {"true", IsBool<true>},
      {"false", IsBool<false>},
      {"number", Number},
      {"lower", LowerTest},
      {"upper", UpperTest},
      {"sequence", Sequence},
      {"iterable", IterableTest},
      {"callable", CallableTest},
      {"escaped", IsEscaped},
      {"sameas", SameAs},
      {"filter", FilterTest},
      {"test", TestTest},
      {"in", InTest},
      {"==", Relation<kEqual>},
      {"eq", Relation<kEqual>},
      {"equalto", Relation<kEqual>},
      {"!=", Relation<kNotEqual>},
      {"ne", Relation<kNotEqual>},
      {"<", Relation<kLess>},
      {"lt", Relation<kLess>},
      {"lessthan", Relation<kLess>},
      {"<=", Relation<kLessEqual>},
      {"le", Relation<kLessEqual>},
      {">", Relation<kGreater>},
      {"gt", Relation<kGreater>},
      {"greaterthan", Relation<kGreater>},
      {">=", Relation<kGreaterEqual>},
      {"ge", Relation<kGreaterEqual>},
  };
  return tests;
}

// ---- functions

using Function = Value (*)(Renderer& r, Arguments& a);

struct Native final : Callable {
  Native(std::string_view n, Function f) : name(n), function(f) {}
  Value Call(Renderer& r, Arguments arguments) override { return function(r, arguments); }
  std::string Repr(Renderer&) const override { return Cat("<function ", name, ">"); }
  std::string_view name;
  Function function;
};

Value RangeFunction(Renderer&, Arguments& a) {
  const auto b = Bind("range", a, {"/start", "/stop", "/step"}, 1);
  auto range = std::make_shared<Range>();
  if (b[1].is(Kind::kMissing)) {
    range->stop = IntArgument(b[0], "range");
  } else {
    range->start = IntArgument(b[0], "range");
    range->stop = IntArgument(b[1], "range");
    range->step = b[2].is(Kind::kMissing) ? 1 : IntArgument(b[2], "range");
  }
  if (range->step == 0) Fail("the step of a range cannot be zero");
  if (range->size() > 100000 || range->size() < 0) Fail("a range of more than 100000 items");
  return Value::Of(std::move(range));
}

// dict(mapping or pairs, name=value ...), also what namespace() takes.
void FillDict(Renderer& r, Arguments& a, const char* what, Dict* dict) {
  if (a.positional.size() > 1) Fail(Cat(what, " takes at most one positional argument"));
  if (!a.positional.empty()) {
    const Value& from = a.positional[0];
    if (from.is(Kind::kUndefined)) {
      // an undefined value is an empty list of pairs
    } else if (from.is(Kind::kDict)) {
      for (const auto& [key, value] : from.dict().entries) dict->Set(r, key, value);
    } else {
      for (const Value& pair : r.ToVector(from)) {
        const std::vector<Value> parts = r.ToVector(pair);
        if (parts.size() != 2) Fail(Cat(what, " needs pairs"));
        dict->Set(r, parts[0], parts[1]);
      }
    }
  }
  for (auto& [name, value] : a.named) dict->Set(r, Value::String(name), std::move(value));
}

Value DictFunction(Renderer& r, Arguments& a) {
  auto dict = std::make_shared<Dict>();
  FillDict(r, a, "dict", dict.get());
  return Value::Of(std::move(dict));
}

Value NamespaceFunction(Renderer& r, Arguments& a) {
  auto ns = std::make_shared<Namespace>();
  r.Make(sizeof(Namespace));
  FillDict(r, a, "namespace", &ns->attributes);
  r.Keep(ns);
  return Value::Of(std::move(ns));
}

struct Cycler final : Callable {
  explicit Cycler(std::vector<Value> i) : items(std::move(i)) {
    for (const Value& item : items) Deepen(this, item);
  }
  struct Method final : Callable {
    Method(std::shared_ptr<Cycler> o, bool n) : of(std::move(o)), next(n) { depth = of->depth; }
    Value Call(Renderer&, Arguments a) override {
      Bind(next ? "next" : "reset", a, {});
      if (!next) {
        of->at = 0;
        return Value::None();
      }
      const Value item = of->items[of->at];
      of->at = (of->at + 1) % of->items.size();
      return item;
    }
    std::string Repr(Renderer&) const override { return "<bound method>"; }
    std::shared_ptr<Cycler> of;
    bool next;
  };
  bool callable() const override { return false; }
  Value Call(Renderer&, Arguments) override { Fail("a cycler cannot be called; use its next()"); }
  Value Attribute(Renderer&, std::string_view name) override {
    if (name == "current") return items[at];
    if (name == "pos") return Value::Int(static_cast<int64_t>(at));
    if (name == "items") return Value::Tuple(items);
    if (name != "next" && name != "reset") return Value::Missing();
    return Value::Of(std::make_shared<Method>(std::static_pointer_cast<Cycler>(shared_from_this()), name == "next"));
  }
  std::string Repr(Renderer&) const override { return "<Cycler>"; }
  std::vector<Value> items;
  size_t at = 0;
};

Value CyclerFunction(Renderer&, Arguments& a) {
  if (!a.named.empty()) Fail("cycler takes no named arguments");
  if (a.positional.empty()) Fail("cycler needs at least one item");
  return Value::Of(std::make_shared<Cycler>(std::move(a.positional)));
}

struct Joiner final : Callable {
  explicit Joiner(Value s) : separator(std::move(s)) { Deepen(this, separator); }
  Value Call(Renderer&, Arguments a) override {
    Bind("joiner", a, {});
    if (used) return separator;
    used = true;
    return Value::String("");
  }
  Value Attribute(Renderer&, std::string_view name) override {
    return name == "sep" ? separator : name == "used" ? Value::Bool(used) : Value::Missing();
  }
  std::string Repr(Renderer&) const override { return "<Joiner>"; }
  Value separator;
  bool used = false;
};

Value JoinerFunction(Renderer&, Arguments& a) {
  const auto b = Bind("joiner", a, {"sep"});
  return Value::Of(std::make_shared<Joiner>(b[0].is(Kind::kMissing) ? Value::String(", ") : b[0]));
}

Value RaiseException(Renderer& r, Arguments& a) {
  const auto b = Bind("raise_exception", a, {"message"}, 1);
  Fail(ToStr(r, b[0]));
}

Value StrftimeNow(Renderer& r, Arguments& a) {
  const auto b = Bind("strftime_now", a, {"format"}, 1);
  if (!b[0].is(Kind::kString)) Fail("strftime_now needs a text");
  int64_t millis = r.options().now_unix_millis;
  if (millis < 0) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    millis = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  }
  const time_t seconds = static_cast<time_t>(millis / 1000);
  struct tm parts {};
  localtime_r(&seconds, &parts);
  // %f is Python's own: microseconds.
  std::string format;
  const std::string& given = b[0].text();
  if (given.size() > 1000 || given.find('\0') != std::string::npos)
    Fail("strftime_now: a format of at most 1000 bytes");
  for (size_t i = 0; i < given.size(); ++i) {
    if (given[i] == '%' && i + 1 < given.size()) {
      if (given[i + 1] == 'f') {
        char micros[8];
        std::snprintf(micros, sizeof micros, "%06d", static_cast<int>(millis % 1000) * 1000);
        format += micros;
      } else if (given[i + 1] != 'z' && given[i + 1] != 'Z') {  // a naive time has no zone
        format += given.substr(i, 2);
      }
      ++i;
    } else {
      format += given[i];
    }
  }
  if (format.empty()) return Value::String("");
  std::string out(format.size() * 64 + 256, '\0');
  out.resize(std::strftime(out.data(), out.size(), format.c_str(), &parts));
  return r.Made(std::move(out));
}

Value Lipsum(Renderer&, Arguments&) { Fail("lipsum is refused: a rendering must be repeatable"); }

}  // namespace

bool IsFilter(std::string_view name) { return Filters().count(name) > 0; }
bool IsTest(std::string_view name) { return Tests().count(name) > 0; }

Value CallFilter(Renderer& r, std::string_view name, const Value& value, Arguments arguments) {
  const auto it = Filters().find(name);
  if (it == Filters().end()) Fail(Cat("no filter named ", Quote(name, 30)));
  return it->second(r, value, arguments);
}

bool CallTest(Renderer& r, std::string_view name, const Value& value, Arguments arguments) {
  const auto it = Tests().find(name);
  if (it == Tests().end()) Fail(Cat("no test named ", Quote(name, 30)));
  return it->second(r, value, arguments);
}

Value GlobalFunction(std::string_view name) {
  static constexpr std::pair<std::string_view, Function> kFunctions[] = {
      {"range", RangeFunction},   {"dict", DictFunction},        {"namespace", NamespaceFunction},
      {"cycler", CyclerFunction}, {"joiner", JoinerFunction},    {"raise_exception", RaiseException},
      {"lipsum", Lipsum},         {"strftime_now", StrftimeNow},
  };
  for (const auto& [known, function] : kFunctions) {
    if (known == name) return Value::Of(std::make_shared<Native>(known, function));
  }
  return Value::Missing();
}

}  // namespace atelier::text::jinja
