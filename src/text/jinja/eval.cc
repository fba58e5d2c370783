// Expressions.
#include "base/str.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"
#include "text/jinja/walk.h"

namespace atelier::text::jinja {

Value Renderer::Eval(const Expr& e) {
  Step();
  line_ = e.line;
  const Level level(this);
  switch (e.kind) {
    case ExprKind::kConst: return e.constant;
    case ExprKind::kName: return EvalName(e.name);
    case ExprKind::kNsRef: Fail("a namespace's attribute stands where a value is needed");
    case ExprKind::kTuple: return Value::Tuple(EvalList(e.list));
    case ExprKind::kList: return MadeList(EvalList(e.list));
    case ExprKind::kDict: return EvalDict(e);
    case ExprKind::kAttribute: return Attribute(Eval(*e.a), e.text);
    case ExprKind::kItem: return EvalItem(e);
    case ExprKind::kSlice: Fail("a slice among several subscripts");
    case ExprKind::kCall: return EvalCall(e, nullptr);
    case ExprKind::kFilter: return EvalFilter(e, nullptr);
    case ExprKind::kTest: return EvalTest(e);
    case ExprKind::kNot: return Value::Bool(!Truth(Eval(*e.a)));
    case ExprKind::kNegate:
    case ExprKind::kPlus: {
      const Value value = Eval(*e.a);
      if (value.is(Kind::kUndefined)) Fail(value.why());
      if (!value.is_number())
        Fail(Cat("bad operand type for unary ", e.kind == ExprKind::kPlus ? "+" : "-", ": '", TypeName(value), "'"));
      if (value.is(Kind::kFloat)) return Value::Float(e.kind == ExprKind::kPlus ? value.number() : -value.number());
      return Arithmetic(*this, e.kind == ExprKind::kPlus ? "+" : "-", Value::Int(0), value);
    }
    case ExprKind::kBinary: return EvalBinary(e);
    case ExprKind::kConcat: return EvalConcat(e);
    case ExprKind::kCompare: return EvalCompare(e);
    case ExprKind::kAnd: {
      Value a = Eval(*e.a);
      return Truth(a) ? Eval(*e.b) : a;
    }
    case ExprKind::kOr: {
      Value a = Eval(*e.a);
      return Truth(a) ? a : Eval(*e.b);
    }
    case ExprKind::kIf:
      if (Truth(Eval(*e.b))) return Eval(*e.a);
      return e.c ? Eval(*e.c) : Value::Undefined("an inline `if` was false and has no `else`");
  }
  return Value();
}

Value Renderer::EvalName(int name) {
  for (const Scope* scope = scope_.get(); scope; scope = scope->parent.get()) {
    if (const Value* value = scope->Find(name)) {
      return value->is(Kind::kMissing) ? Value::Undefined(Cat("'", tree_.names[name], "' is undefined")) : *value;
    }
    Step();
  }
  Value& known = context_[static_cast<size_t>(name)];
  if (known.is(Kind::kMissing)) known = GlobalFunction(tree_.names[name]);
  if (known.is(Kind::kMissing)) known = Value::Undefined(Cat("'", tree_.names[name], "' is undefined"));
  return known;
}

std::vector<Value> Renderer::EvalList(const std::vector<ExprPtr>& list) {
  std::vector<Value> values;
  values.reserve(list.size());
  for (const ExprPtr& item : list) values.push_back(Eval(*item));
  return values;
}

Value Renderer::EvalDict(const Expr& e) {
  auto dict = std::make_shared<Dict>();
  for (size_t i = 0; i < e.list.size(); i += 2) {
    Value key = Eval(*e.list[i]);
    dict->Set(*this, std::move(key), Eval(*e.list[i + 1]));
  }
  return Value::Of(std::move(dict));
}

Value Renderer::EvalItem(const Expr& e) {
  const Value object = Eval(*e.a);
  if (e.b->kind != ExprKind::kSlice) return Item(object, Eval(*e.b));
  auto bound = [&](const ExprPtr& part) { return part ? Eval(*part) : Value::None(); };
  const Value start = bound(e.b->list[0]), stop = bound(e.b->list[1]), step = bound(e.b->list[2]);
  return Slice(object, start, stop, step);
}

Arguments Renderer::EvalArguments(const Expr& e) {
  Arguments arguments;
  arguments.positional = EvalList(e.list);
  for (const auto& [name, value] : e.named) arguments.named.emplace_back(name, Eval(*value));
  if (e.star) {
    const Value more = Eval(*e.star);
    for (Value& value : ToVector(more)) arguments.positional.push_back(std::move(value));
  }
  if (e.star_star) {
    const Value more = Eval(*e.star_star);
    if (!more.is(Kind::kDict)) Fail(Cat("the argument after ** must be a mapping, not ", TypeName(more)));
    if (more.dict().entries.size() > 1000) Fail("more than 1000 named arguments");
    for (const auto& [key, value] : more.dict().entries) {
      if (!key.is(Kind::kString)) Fail("the names of arguments must be texts");
      for (const auto& [name, other] : e.named) {
        if (name == key.text()) Fail(Cat("the argument ", name, " is given twice"));
      }
      arguments.named.emplace_back(key.text(), value);
    }
  }
  return arguments;
}

Value Renderer::EvalCall(const Expr& e, const Value* caller) {
  const Expr& function = *e.a;
  // A method of a text, list or dict is called without making it a value first.
  if (function.kind == ExprKind::kAttribute) {
    const Value self = Eval(*function.a);
    if (HasMethod(self, function.text)) {
      Arguments arguments = EvalArguments(e);
      if (caller) arguments.named.emplace_back("caller", *caller);
      line_ = e.line;
      return CallMethod(*this, self, function.text, std::move(arguments));
    }
    const Value callee = Attribute(self, function.text);
    Arguments arguments = EvalArguments(e);
    if (caller) arguments.named.emplace_back("caller", *caller);
    line_ = e.line;
    return Call(callee, std::move(arguments));
  }
  const Value callee = Eval(function);
  Arguments arguments = EvalArguments(e);
  if (caller) arguments.named.emplace_back("caller", *caller);
  line_ = e.line;
  return Call(callee, std::move(arguments));
}

Value Renderer::EvalConcat(const Expr& e) {
  const std::vector<Value> parts = EvalList(e.list);
  std::string out;
  bool safe = false;
  if (autoescape()) {
    for (const Value& part : parts) safe = safe || part.is_safe();
  }
  for (const Value& part : parts) {
    if (part.is(Kind::kString) && out.size() + part.text().size() > max_bytes()) Make(max_bytes() + 1);
    if (safe && !part.is_safe()) {
      out += Escaped(ToStr(*this, part));
    } else {
      AppendText(*this, &out, part);
    }
  }
  return Made(std::move(out), safe);
}

Value Renderer::EvalCompare(const Expr& e) {
  Value left = Eval(*e.a);
  for (size_t i = 0; i < e.ops.size(); ++i) {
    Value right = Eval(*e.list[i]);
    line_ = e.line;
    if (!Related(*this, e.ops[i], left, right)) return Value::Bool(false);
    left = std::move(right);
  }
  return Value::Bool(true);
}

Value Renderer::EvalBinary(const Expr& e) {
  const Value a = Eval(*e.a);
  const Value b = Eval(*e.b);
  line_ = e.line;
  return Arithmetic(*this, e.text, a, b);
}

Value Renderer::EvalFilter(const Expr& e, const Value* start) {
  Value value;
  if (!e.a) {
    value = *start;
  } else if (start && e.a->kind == ExprKind::kFilter) {
    value = EvalFilter(*e.a, start);
  } else {
    value = Eval(*e.a);
  }
  Arguments arguments = EvalArguments(e);
  line_ = e.line;
  return CallFilter(*this, e.text, value, std::move(arguments));
}

Value Renderer::EvalTest(const Expr& e) {
  const Value value = Eval(*e.a);
  Arguments arguments = EvalArguments(e);
  line_ = e.line;
  return Value::Bool(CallTest(*this, e.text, value, std::move(arguments)));
}

bool Related(Renderer& r, std::string_view op, const Value& a, const Value& b) {
  if (op == "==") return Equal(r, a, b);
  if (op == "!=") return !Equal(r, a, b);
  if (op == "in") return Contains(r, b, a);
  if (op == "not in") return !Contains(r, b, a);
  const int order = Compare(r, a, b, std::string(op).c_str());
  if (op == "<") return order == -1;
  if (op == "<=") return order == -1 || order == 0;
  if (op == ">") return order == 1;
  return order == 1 || order == 0;
}

}  // namespace atelier::text::jinja
