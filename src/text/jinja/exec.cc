// Statements.
#include "base/error.h"
#include "base/str.h"
#include "text/jinja/callables.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"
#include "text/jinja/walk.h"

namespace atelier::text::jinja {

namespace {
constexpr size_t kFew = 16;
}

const Value* Scope::Find(int name) const {
  if (variables.size() > kFew && index_.size() == variables.size()) {
    const auto it = index_.find(name);
    return it == index_.end() ? nullptr : &variables[it->second].second;
  }
  for (const auto& [id, value] : variables) {
    if (id == name) return &value;
  }
  return nullptr;
}

void Scope::Set(int name, Value value) {
  if (const Value* held = Find(name)) {
    *const_cast<Value*>(held) = std::move(value);
    return;
  }
  variables.emplace_back(name, std::move(value));
  if (variables.size() <= kFew) return;
  for (size_t i = index_.size(); i < variables.size(); ++i) index_.emplace(variables[i].first, i);
}

void Scope::Clear() {
  variables.clear();
  index_.clear();
}

Renderer::Renderer(const Tree& tree, const Json& context, const RenderOptions& options)
    : Budget(options.max_steps, options.max_output), tree_(tree), options_(options) {
  loop_name_ = IdOf("loop");
  caller_name_ = IdOf("caller");
  kwargs_name_ = IdOf("kwargs");
  varargs_name_ = IdOf("varargs");
  context_.assign(tree.names.size(), Value::Missing());
  if (context.is_null()) return;
  if (!context.is_object()) Fail("the context of a template must be an object");
  std::unordered_map<std::string_view, size_t> ids;
  for (size_t i = 0; i < tree.names.size(); ++i) ids.emplace(tree.names[i], i);
  for (const auto& [key, value] : context.items()) {
    const auto it = ids.find(key);
    if (it != ids.end()) context_[it->second] = Value::FromJson(value);
  }
}

int Renderer::IdOf(std::string_view name) const {
  for (size_t i = 0; i < tree_.names.size(); ++i) {
    if (tree_.names[i] == name) return static_cast<int>(i);
  }
  return -1;
}

Renderer::~Renderer() {
  // Breaks circles: everything is still held by the lists while their parts let go of one another.
  std::vector<Value> held;
  for (const auto& ns : namespaces_) {
    for (auto& [key, value] : ns->attributes.entries) held.push_back(std::move(value));
    ns->attributes.entries.clear();
  }
  std::vector<std::vector<std::pair<int, Value>>> variables;
  for (const ScopePtr& scope : captured_) variables.push_back(std::move(scope->variables));
}

std::string Renderer::Run() {
  std::string out;
  out_ = &out;
  root_ = scope_ = std::make_shared<Scope>();
  for (int name : tree_.hidden) root_->Set(name, Value::Missing());
  Execute(tree_.body);
  return out;
}

void Renderer::Write(std::string_view text) {
  if (out_->size() + text.size() > max_bytes()) Exhausted("the template writes more than its output limit");
  Make(text.size());
  out_->append(text);
}

void Renderer::Print(const Value& value) {
  if (value.is(Kind::kString) && (!autoescape() || value.is_safe())) return Write(value.text());
  std::string text;
  AppendText(*this, &text, value);
  Write(autoescape() ? Escaped(text) : text);
}

Renderer::Flow Renderer::Execute(const Body& body) {
  for (const StmtPtr& statement : body) {
    const Flow flow = Execute(*statement);
    if (flow != Flow::kOn) return flow;
  }
  return Flow::kOn;
}

Renderer::Flow Renderer::Execute(const Stmt& s) {
  Step();
  line_ = s.line;
  const Level level(this);
  switch (s.kind) {
    case StmtKind::kText: Write(s.text); break;
    case StmtKind::kPrint:
      for (const ExprPtr& expr : s.exprs) Print(Eval(*expr));
      break;
    case StmtKind::kIf: return If(s);
    case StmtKind::kFor: return For(s);
    case StmtKind::kSet: Assign(*s.target, Eval(*s.exprs[0])); break;
    case StmtKind::kSetBlock: return SetBlock(s);
    case StmtKind::kMacro: scope_->Set(s.name, MakeMacro(s, false)); break;
    case StmtKind::kCall: CallBlock(s); break;
    case StmtKind::kFilter: return FilterBlock(s);
    case StmtKind::kWith: return With(s);
    case StmtKind::kBlock: NamedBlock(s); break;
    case StmtKind::kBreak: return Flow::kBreak;
    case StmtKind::kContinue: return Flow::kContinue;
  }
  return Flow::kOn;
}

Renderer::Flow Renderer::If(const Stmt& s) {
  for (size_t i = 0; i < s.exprs.size(); ++i) {
    if (Truth(Eval(*s.exprs[i]))) return Execute(s.bodies[i]);
  }
  return s.bodies.size() > s.exprs.size() ? Execute(s.bodies.back()) : Flow::kOn;
}

void Renderer::Unpack(const Expr& target, const Value& value) {
  const std::shared_ptr<Iterator> iterator = Iterate(value);
  std::vector<Value> parts;
  Value part;
  while (parts.size() <= target.list.size() && Next(*iterator, &part)) parts.push_back(part);
  if (parts.size() != target.list.size()) {
    Fail(Cat(parts.size() > target.list.size() ? "too many" : "not enough", " values to unpack: ", target.list.size(),
             " names stand there"));
  }
  for (size_t i = 0; i < parts.size(); ++i) Assign(*target.list[i], parts[i]);
}

void Renderer::Assign(const Expr& target, const Value& value) {
  if (target.kind == ExprKind::kTuple) return Unpack(target, value);
  if (target.kind == ExprKind::kName) return scope_->Set(target.name, value);
  const Value ns = EvalName(target.name);
  if (!ns.is(Kind::kNamespace)) Fail("an attribute can only be set on a namespace");
  ns.ns().attributes.Set(*this, Value::String(target.text), value);
}

ScopePtr Renderer::NewScope(const Stmt& s, size_t body, ScopePtr parent) const {
  auto scope = std::make_shared<Scope>();
  scope->parent = std::move(parent);
  for (int name : s.hidden[body]) scope->Set(name, Value::Missing());
  return scope;
}

namespace {

// Text that is written while this lives goes into a buffer of its own.
class Capture {
 public:
  explicit Capture(std::string** out) : out_(out), before_(*out) { *out_ = &text_; }
  ~Capture() { *out_ = before_; }
  std::string Take() { return std::move(text_); }

 private:
  std::string** out_;
  std::string* before_;
  std::string text_;
};

}  // namespace

// The items of a loop's iterable that pass its `if`.
class LoopFilter final : public Iterator {
 public:
  LoopFilter(const Stmt* s, ScopePtr scope, std::shared_ptr<Iterator> source)
      : s_(s), scope_(std::move(scope)), source_(std::move(source)) {
    depth = source_->depth;
  }
  bool Next(Renderer& r, Value* out) override {
    while (r.Next(*source_, out)) {
      auto scope = std::make_shared<Scope>();
      scope->parent = scope_;
      const Renderer::InScope in(&r, std::move(scope));
      r.Assign(*s_->target, *out);
      if (Truth(r.Eval(*s_->exprs[1]))) return true;
    }
    return false;
  }

 private:
  const Stmt* s_;
  ScopePtr scope_;
  std::shared_ptr<Iterator> source_;
};

Renderer::Flow Renderer::For(const Stmt& s) {
  const Value iterated = Eval(*s.exprs[0]);
  if (!s.recursive) return Loop(s, iterated, 0);
  Write(RecursiveLoop(s, scope_, iterated, 0));
  return Flow::kOn;
}

std::string Renderer::RecursiveLoop(const Stmt& s, const ScopePtr& scope, const Value& iterated, int depth0) {
  const Level level(this);
  const InScope in(this, scope);
  Capture capture(&out_);
  Loop(s, iterated, depth0);
  return capture.Take();
}

Renderer::Flow Renderer::Loop(const Stmt& s, const Value& iterated, int depth0) {
  const ScopePtr outer = scope_;
  std::shared_ptr<Iterator> items = Iterate(iterated);
  if (s.exprs[1]) items = std::make_shared<LoopFilter>(&s, outer, std::move(items));
  std::shared_ptr<LoopObject> loop;
  if (s.uses_loop) loop = std::make_shared<LoopObject>(&s, outer, items, s.exprs[1] ? -1 : LengthOf(iterated), depth0);
  const LoopEnd end(loop.get());

  bool finished = false;  // some body ran to its end: jinja2 runs the else also when all were left early
  Value item;
  ScopePtr scope;
  while (loop ? loop->Advance(*this, &item) : Next(*items, &item)) {
    if (!scope || scope.use_count() > 1) {
      scope = NewScope(s, 0, outer);
    } else {  // nobody captured it: used again
      scope->Clear();
      for (int name : s.hidden[0]) scope->Set(name, Value::Missing());
    }
    Flow flow;
    {
      const InScope in(this, scope);
      if (loop) scope->Set(loop_name_, Value::Of(loop));
      Assign(*s.target, item);
      flow = Execute(s.bodies[0]);
    }
    if (flow == Flow::kBreak) break;
    finished = finished || flow == Flow::kOn;
    line_ = s.line;
  }
  if (finished || s.bodies[1].empty()) return Flow::kOn;
  const InScope in(this, NewScope(s, 1, outer));
  return Execute(s.bodies[1]);
}

Renderer::Flow Renderer::SetBlock(const Stmt& s) {
  Value value;
  {
    const InScope in(this, NewScope(s, 0, scope_));
    Capture capture(&out_);
    const Flow flow = Execute(s.bodies[0]);
    if (flow != Flow::kOn) return flow;
    value = Captured(capture.Take());
    if (s.exprs[0]) value = EvalFilter(*s.exprs[0], &value);
  }
  // Without autoescape jinja2 keeps what a filter gave, whatever its type.
  Assign(*s.target, value);
  return Flow::kOn;
}

Renderer::Flow Renderer::FilterBlock(const Stmt& s) {
  Value value;
  {
    const InScope in(this, NewScope(s, 0, scope_));
    Capture capture(&out_);
    const Flow flow = Execute(s.bodies[0]);
    if (flow != Flow::kOn) return flow;
    value = Captured(capture.Take());
    value = EvalFilter(*s.exprs[0], &value);
  }
  WriteBlock(value);
  return Flow::kOn;
}

Renderer::Flow Renderer::With(const Stmt& s) {
  const std::vector<Value> values = EvalList(s.exprs);
  const InScope in(this, NewScope(s, 0, scope_));
  for (size_t i = 0; i < values.size(); ++i) Assign(*s.targets[i], values[i]);
  return Execute(s.bodies[0]);
}

void Renderer::NamedBlock(const Stmt& s) {
  // A block sees the template's top level, not the loop that it stands in.
  const InScope in(this, NewScope(s, 0, root_));
  Execute(s.bodies[0]);
}

Value Renderer::MakeMacro(const Stmt& s, bool is_caller) {
  Step(8);
  captured_.push_back(scope_);
  return Value::Of(std::make_shared<Macro>(&s, scope_, is_caller ? "" : tree_.names[static_cast<size_t>(s.name)]));
}

void Renderer::CallBlock(const Stmt& s) {
  const Value caller = MakeMacro(s, true);
  if (!s.exprs[0]) return Print(Call(caller, {}));  // {% generation %}
  line_ = s.line;
  WriteBlock(EvalCall(*s.exprs[0], &caller));
}

void Renderer::WriteBlock(const Value& value) {
  // jinja2 joins these pieces as they are.
  if (!value.is(Kind::kString)) Fail(Cat("a block gives a ", TypeName(value), " where text is needed"));
  Print(value);
}

Value Macro::Call(Renderer& r, Arguments arguments) {
  const auto& parameters = statement_->parameters;
  const std::string name = name_.empty() ? "of a call block" : name_;
  ScopePtr scope = r.NewScope(*statement_, 0, scope_);
  // Every parameter is there, missing at first: defaults are evaluated in order and may name the ones before.
  std::vector<std::pair<std::string, Value>> kwargs = std::move(arguments.named);
  auto take = [&](std::string_view wanted) {
    for (size_t i = 0; i < kwargs.size(); ++i) {
      if (kwargs[i].first != wanted) continue;
      Value value = std::move(kwargs[i].second);
      kwargs.erase(kwargs.begin() + static_cast<int64_t>(i));
      return value;
    }
    return Value::Missing();
  };
  bool explicit_caller = false;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string& parameter = r.tree_.names[static_cast<size_t>(parameters[i].first)];
    explicit_caller = explicit_caller || parameter == "caller";
    scope->Set(parameters[i].first, i < arguments.positional.size() ? arguments.positional[i] : take(parameter));
  }
  if (statement_->uses_caller && !explicit_caller) {
    Value caller = take("caller");
    if (caller.is(Kind::kMissing) || caller.is(Kind::kNone)) caller = Value::Undefined("No caller defined");
    scope->Set(r.caller_name_, std::move(caller));
  }
  if (statement_->uses_kwargs) {
    auto dict = std::make_shared<Dict>();
    for (auto& [key, value] : kwargs) dict->Set(r, Value::String(key), std::move(value));
    scope->Set(r.kwargs_name_, Value::Of(std::move(dict)));
  } else if (!kwargs.empty()) {
    Fail(Cat("the macro ", name, " takes no argument named ", Quote(kwargs[0].first, 30)));
  }
  if (statement_->uses_varargs) {
    std::vector<Value> rest;
    for (size_t i = parameters.size(); i < arguments.positional.size(); ++i) rest.push_back(arguments.positional[i]);
    scope->Set(r.varargs_name_, Value::Tuple(std::move(rest)));
  } else if (arguments.positional.size() > parameters.size()) {
    Fail(Cat("the macro ", name, " takes not more than ", parameters.size(), " arguments"));
  }
  const Renderer::Level level(&r);
  const Renderer::InScope in(&r, scope);
  const int line = r.line_;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!scope->Find(parameters[i].first)->is(Kind::kMissing)) continue;
    Value value = parameters[i].second
                      ? r.Eval(*parameters[i].second)
                      : Value::Undefined(Cat("the parameter '", r.tree_.names[static_cast<size_t>(parameters[i].first)],
                                             "' was not given"));
    scope->Set(parameters[i].first, std::move(value));
  }
  Capture capture(&r.out_);
  r.Execute(statement_->bodies[0]);
  r.line_ = line;
  return r.Captured(capture.Take());
}

}  // namespace atelier::text::jinja
