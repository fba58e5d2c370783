#include "text/jinja/callables.h"

#include <utility>

#include "base/str.h"
#include "text/jinja/print.h"

namespace atelier::text::jinja {
namespace {

// loop.cycle and loop.changed. They hold the loop's value, so that it lives as long as they do.
struct LoopMethod final : Callable {
  LoopMethod(std::shared_ptr<LoopObject> l, bool c) : loop(std::move(l)), cycle(c) {}
  Value Call(Renderer& r, Arguments arguments) override {
    if (!arguments.named.empty()) Fail("the methods of loop take no named arguments");
    if (!cycle) return Value::Bool(loop->Changed(r, Value::Tuple(std::move(arguments.positional))));
    if (arguments.positional.empty()) Fail("loop.cycle needs something to cycle through");
    const int64_t size = static_cast<int64_t>(arguments.positional.size());
    return arguments.positional[static_cast<size_t>(loop->index0() % size)];
  }
  std::string Repr(Renderer&) const override { return cycle ? "<bound method cycle>" : "<bound method changed>"; }
  std::shared_ptr<LoopObject> loop;
  bool cycle;
};

}  // namespace

Value Macro::Attribute(Renderer& r, std::string_view name) {
  if (name == "name") return name_.empty() ? Value::None() : Value::String(name_);
  if (name == "catch_kwargs") return Value::Bool(statement_->uses_kwargs);
  if (name == "catch_varargs") return Value::Bool(statement_->uses_varargs);
  if (name == "caller") return Value::Bool(statement_->uses_caller);
  if (name != "arguments") return Value::Missing();
  std::vector<Value> names;
  for (const auto& [id, value] : statement_->parameters) names.push_back(Value::String(r.NameOf(id)));
  return Value::Tuple(std::move(names));
}

std::string Macro::Repr(Renderer&) const {
  if (name_.empty()) return "<Macro anonymous>";
  std::string out = "<Macro ";
  AppendQuoted(&out, name_);
  return out + ">";
}

LoopObject::LoopObject(const Stmt* statement, ScopePtr scope, std::shared_ptr<Iterator> items, int64_t length,
                       int depth0)
    : statement_(statement), scope_(std::move(scope)), items_(std::move(items)), length_(length), depth0_(depth0) {
  depth = items_->depth;
}

bool LoopObject::Peek(Renderer& r) {
  if (!after_.is(Kind::kMissing)) return true;
  if (!ahead_.empty()) {
    after_ = std::move(ahead_.back());
    ahead_.pop_back();
    return true;
  }
  return items_ && r.Next(*items_, &after_);
}

bool LoopObject::Advance(Renderer& r, Value* out) {
  if (!Peek(r)) return false;
  ++index0_;
  before_ = std::exchange(current_, std::exchange(after_, Value::Missing()));
  *out = current_;
  return true;
}

int64_t LoopObject::Length(Renderer& r) {
  if (length_ >= 0) return length_;
  std::vector<Value> rest;
  Value item;
  while (items_ && r.Next(*items_, &item)) {
    r.Make(sizeof(Value));
    rest.push_back(item);
  }
  length_ = static_cast<int64_t>(rest.size()) + index0_ + 1 + (after_.is(Kind::kMissing) ? 0 : 1);
  ahead_.assign(std::make_move_iterator(rest.rbegin()), std::make_move_iterator(rest.rend()));
  return length_;
}

void LoopObject::End() {
  ended_ = true;
  changed_ = before_ = current_ = after_ = Value::Missing();
  ahead_.clear();
  items_ = nullptr;
  scope_ = nullptr;
}

Value LoopObject::Call(Renderer& r, Arguments arguments) {
  const auto a = Bind("loop", arguments, {"iterable"}, 1);
  if (!statement_->recursive || !scope_) Fail("only a loop marked `recursive` can be called");
  return r.RecursiveLoopText(*statement_, scope_, a[0], depth0_ + 1);
}

bool LoopObject::Changed(Renderer& r, Value values) {
  if (!changed_.is(Kind::kMissing) && Equal(r, changed_, values)) return false;
  if (!ended_) changed_ = std::move(values);
  return true;
}

Value LoopObject::Attribute(Renderer& r, std::string_view name) {
  if (name == "index") return Value::Int(index0_ + 1);
  if (name == "index0") return Value::Int(index0_);
  if (name == "first") return Value::Bool(index0_ == 0);
  if (name == "last") return Value::Bool(!Peek(r));
  if (name == "length") return Value::Int(Length(r));
  if (name == "revindex") return Value::Int(Length(r) - index0_);
  if (name == "revindex0") return Value::Int(Length(r) - index0_ - 1);
  if (name == "depth") return Value::Int(depth0_ + 1);
  if (name == "depth0") return Value::Int(depth0_);
  if (name == "previtem") return index0_ == 0 ? Value::Undefined("there is no previous item") : before_;
  if (name == "nextitem") return Peek(r) ? after_ : Value::Undefined("there is no next item");
  if (name == "cycle" || name == "changed") {
    return Value::Of(
        std::make_shared<LoopMethod>(std::static_pointer_cast<LoopObject>(shared_from_this()), name == "cycle"));
  }
  return Value::Missing();
}

std::string LoopObject::Repr(Renderer& r) const {
  return Cat("<LoopContext ", index0_ + 1, "/", const_cast<LoopObject*>(this)->Length(r), ">");
}

}  // namespace atelier::text::jinja
