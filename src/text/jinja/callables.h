// Macros and the `loop` of a for statement.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "text/jinja/renderer.h"

namespace atelier::text::jinja {

class Macro final : public Callable {
 public:
  Macro(const Stmt* statement, ScopePtr scope, std::string name)
      : statement_(statement), scope_(std::move(scope)), name_(std::move(name)) {}
  Value Call(Renderer& renderer, Arguments arguments) override;
  Value Attribute(Renderer& renderer, std::string_view name) override;
  std::string Repr(Renderer& renderer) const override;

 private:
  const Stmt* statement_;
  ScopePtr scope_;
  std::string name_;  // "" for the body of a call block
};

class LoopObject final : public Callable {
 public:
  // `length` is -1 where only walking to the end tells it.
  LoopObject(const Stmt* statement, ScopePtr scope, std::shared_ptr<Iterator> items, int64_t length, int depth0);
  bool Advance(Renderer& renderer, Value* out);
  void End();

  bool callable() const override { return true; }
  Value Call(Renderer& renderer, Arguments arguments) override;
  Value Attribute(Renderer& renderer, std::string_view name) override;
  std::string Repr(Renderer& renderer) const override;
  bool Changed(Renderer& renderer, Value values);
  int64_t index0() const { return index0_; }

 private:
  bool Peek(Renderer& renderer);
  int64_t Length(Renderer& renderer);

  const Stmt* statement_;
  ScopePtr scope_;
  std::shared_ptr<Iterator> items_;
  int64_t length_;
  int depth0_;
  int64_t index0_ = -1;
  std::vector<Value> ahead_;  // what Length() walked past, in reverse
  Value before_ = Value::Missing(), current_ = Value::Missing(), after_ = Value::Missing();
  Value changed_ = Value::Missing();
  bool ended_ = false;
};

// A loop lets go of what it holds when its statement ends: a template may have stored it inside itself.
class LoopEnd {
 public:
  explicit LoopEnd(LoopObject* loop) : loop_(loop) {}
  ~LoopEnd() {
    if (loop_) loop_->End();
  }

 private:
  LoopObject* loop_;
};

}  // namespace atelier::text::jinja
