// Walks a tree with a context and writes text. One Renderer renders once; the tree is only read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/jinja.h"
#include "text/jinja/ast.h"
#include "text/jinja/builtins.h"

namespace atelier::text::jinja {

// The variables of one frame, and the frame around it.
struct Scope {
  std::shared_ptr<Scope> parent;
  std::vector<std::pair<int, Value>> variables;  // each name once
  const Value* Find(int name) const;
  void Set(int name, Value value);
  void Clear();

 private:
  std::unordered_map<int, size_t> index_;  // of the variables, once they are many
};
using ScopePtr = std::shared_ptr<Scope>;

class Renderer : public Budget {
 public:
  Renderer(const Tree& tree, const Json& context, const RenderOptions& options);
  ~Renderer();
  std::string Run();
  int line() const { return line_; }
  const RenderOptions& options() const { return options_; }
  bool autoescape() const { return options_.html_escape; }

  // Counts levels of evaluation, whose stack is limited.
  void Enter() {
    if (++depth_ > kMaxLevels) Exhausted("the template calls itself, or nests, too deeply");
  }
  void Leave() { --depth_; }

  // A string made by the template, counted.
  Value Made(std::string text, bool safe = false) {
    Make(text.size());
    return Value::String(std::move(text), safe);
  }
  Value MadeList(std::vector<Value> items) {
    Make(items.size() * sizeof(Value));
    return Value::List(std::move(items));
  }

  // a.name and a[key], as jinja2's sandbox resolves them.
  Value Attribute(const Value& object, std::string_view name);
  Value Item(const Value& object, const Value& key);
  Value Slice(const Value& object, const Value& start, const Value& stop, const Value& step);
  // Fail unless it is callable.
  Value Call(const Value& function, Arguments arguments);

  // Fail unless the value can be walked. Next() counts a step.
  std::shared_ptr<Iterator> Iterate(const Value& value);
  bool Next(Iterator& iterator, Value* out) {
    Step();
    return iterator.Next(*this, out);
  }
  std::vector<Value> ToVector(const Value& value);

  const std::string& NameOf(int id) const { return tree_.names[static_cast<size_t>(id)]; }
  // loop(iterable) inside a recursive loop.
  Value RecursiveLoopText(const Stmt& s, const ScopePtr& scope, const Value& iterated, int depth0) {
    return Captured(RecursiveLoop(s, scope, iterated, depth0));
  }

  // Namespaces can hold one another in circles: they are emptied at the end.
  void Keep(std::shared_ptr<Namespace> ns) { namespaces_.push_back(std::move(ns)); }

 private:
  friend class Macro;
  friend class LoopFilter;
  enum class Flow { kOn, kBreak, kContinue };
  class Level;
  class InScope;
  static constexpr int kMaxLevels = 1500;

  // exec.cc
  Flow Execute(const Body& body);
  Flow Execute(const Stmt& statement);
  Flow If(const Stmt& s);
  Flow For(const Stmt& s);
  Flow Loop(const Stmt& s, const Value& iterated, int depth0);
  Flow SetBlock(const Stmt& s);
  Flow FilterBlock(const Stmt& s);
  Flow With(const Stmt& s);
  void CallBlock(const Stmt& s);
  void NamedBlock(const Stmt& s);
  void Assign(const Expr& target, const Value& value);
  void Unpack(const Expr& target, const Value& value);
  ScopePtr NewScope(const Stmt& s, size_t body, ScopePtr parent) const;
  Value MakeMacro(const Stmt& s, bool is_caller);
  std::string RecursiveLoop(const Stmt& s, const ScopePtr& scope, const Value& iterated, int depth0);
  void Write(std::string_view text);
  void Print(const Value& value);
  void WriteBlock(const Value& value);
  Value Captured(std::string text) { return Made(std::move(text), autoescape()); }

  // eval.cc
  Value Eval(const Expr& expr);
  Value EvalName(int name);
  Value EvalDict(const Expr& expr);
  Value EvalItem(const Expr& expr);
  Value EvalCall(const Expr& expr, const Value* caller);
  Value EvalConcat(const Expr& expr);
  Value EvalCompare(const Expr& expr);
  Value EvalBinary(const Expr& expr);
  Value EvalFilter(const Expr& expr, const Value* start);
  Value EvalTest(const Expr& expr);
  std::vector<Value> EvalList(const std::vector<ExprPtr>& list);
  Arguments EvalArguments(const Expr& expr);

  int IdOf(std::string_view name) const;  // -1 when the template never mentions it

  const Tree& tree_;
  const RenderOptions& options_;
  std::vector<Value> context_;  // by name; kMissing where it has none
  std::string* out_ = nullptr;
  ScopePtr root_, scope_;
  int loop_name_ = -1, caller_name_ = -1, kwargs_name_ = -1, varargs_name_ = -1;
  int line_ = 1;
  int depth_ = 0;
  std::vector<std::shared_ptr<Namespace>> namespaces_;
  std::vector<ScopePtr> captured_;
};

// a op b for + - * / // % **, as Python has them.
Value Arithmetic(Renderer& renderer, std::string_view op, const Value& a, const Value& b);
bool Contains(Renderer& renderer, const Value& container, const Value& item);

}  // namespace atelier::text::jinja
