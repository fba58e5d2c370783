#include "text/jinja/expression_parser.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::text::jinja {

ExpressionParser::ExpressionParser(std::string_view source) : tokens_(Tokenize(source)) {}

// Open calls of the recursive descent. A pair of parentheses takes two.
class ExpressionParser::Level {
 public:
  explicit Level(ExpressionParser* parser) : parser_(parser) {
    if (++parser_->level_ > 400) Bad(parser_->Now().line, "an expression is nested beyond 200 levels");
  }
  ~Level() { --parser_->level_; }

 private:
  ExpressionParser* parser_;
};

void ExpressionParser::Bad(int line, const std::string& why) { throw Error(Code::kInvalidInput, Cat(line, ": ", why)); }

void ExpressionParser::Unexpected(const std::string& wanted) const {
  const Token& t = Now();
  std::string found;
  switch (t.type) {
    case Tok::kVariableEnd: found = "}}"; break;
    case Tok::kBlockEnd: found = "%}"; break;
    case Tok::kEnd: found = "the end of the template"; break;
    case Tok::kString: found = Cat("the string ", Quote(t.text, 30)); break;
    case Tok::kData: found = "text"; break;
    default: found = Quote(t.text, 30);
  }
  Bad(t.line, Cat("expected ", wanted, ", found ", found));
}

Token ExpressionParser::Take() {
  Token token = std::move(tokens_[at_]);
  if (at_ + 1 < tokens_.size()) {
    ++at_;
  } else {
    tokens_[at_].type = Tok::kEnd;
  }
  return token;
}
bool ExpressionParser::SkipOp(std::string_view op) {
  if (!IsOp(op)) return false;
  Take();
  return true;
}
bool ExpressionParser::SkipName(std::string_view name) {
  if (!IsName(name)) return false;
  Take();
  return true;
}
void ExpressionParser::ExpectOp(std::string_view op) {
  if (!SkipOp(op)) Unexpected(Cat("'", op, "'"));
}
void ExpressionParser::ExpectName(std::string_view name) {
  if (!SkipName(name)) Unexpected(Cat("'", name, "'"));
}
void ExpressionParser::Expect(Tok type, const char* what) {
  if (Now().type != type) Unexpected(what);
  Take();
}

int ExpressionParser::Intern(const std::string& name) {
  const auto [it, is_new] = ids_.emplace(name, static_cast<int>(names_.size()));
  if (is_new) names_.push_back(name);
  return it->second;
}

ExprPtr ExpressionParser::Make(ExprKind kind, int line) const {
  auto node = std::make_unique<Expr>();
  node->kind = kind;
  node->line = line;
  return node;
}

ExprPtr ExpressionParser::Finish(ExprPtr node) {
  int below = 0;
  auto look = [&](const ExprPtr& child) {
    if (child) below = std::max(below, child->depth);
  };
  look(node->a), look(node->b), look(node->c), look(node->star), look(node->star_star);
  for (const ExprPtr& child : node->list) look(child);
  for (const auto& [name, child] : node->named) look(child);
  node->depth = below + 1;
  if (node->depth > 200) Bad(node->line, "an expression is nested beyond 200 levels");
  return node;
}

ExprPtr ExpressionParser::Binary(ExprKind kind, ExprPtr a, ExprPtr b, std::string op, int line) const {
  ExprPtr node = Make(kind, line);
  node->a = std::move(a);
  node->b = std::move(b);
  node->text = std::move(op);
  return Finish(std::move(node));
}

ExprPtr ExpressionParser::Condition() {
  const Level level(this);
  ExprPtr node = Or();
  while (IsName("if")) {
    ExprPtr condition = Make(ExprKind::kIf, Take().line);
    condition->a = std::move(node);
    condition->b = Or();
    if (SkipName("else")) condition->c = Condition();
    node = Finish(std::move(condition));
  }
  return node;
}

ExprPtr ExpressionParser::Or() {
  ExprPtr node = And();
  while (IsName("or")) {
    const int line = Take().line;
    node = Binary(ExprKind::kOr, std::move(node), And(), "", line);
  }
  return node;
}

ExprPtr ExpressionParser::And() {
  ExprPtr node = Not();
  while (IsName("and")) {
    const int line = Take().line;
    node = Binary(ExprKind::kAnd, std::move(node), Not(), "", line);
  }
  return node;
}

ExprPtr ExpressionParser::Not() {
  if (!IsName("not")) return Comparison();
  const Level level(this);
  const int line = Take().line;
  return Binary(ExprKind::kNot, Not(), nullptr, "", line);
}

ExprPtr ExpressionParser::Comparison() {
  const int line = Now().line;
  ExprPtr first = Sum();
  ExprPtr chain;
  while (true) {
    std::string op;
    if (Now().type == Tok::kOp && (IsOp("==") || IsOp("!=") || IsOp("<") || IsOp("<=") || IsOp(">") || IsOp(">="))) {
      op = Take().text;
    } else if (SkipName("in")) {
      op = "in";
    } else if (IsName("not") && Ahead().type == Tok::kName && Ahead().text == "in") {
      Take();
      Take();
      op = "not in";
    } else {
      break;
    }
    if (!chain) {
      chain = Make(ExprKind::kCompare, line);
      chain->a = std::move(first);
    }
    chain->ops.push_back(std::move(op));
    chain->list.push_back(Sum());
  }
  return chain ? Finish(std::move(chain)) : std::move(first);
}

ExprPtr ExpressionParser::Sum() {
  ExprPtr node = Concat();
  while (IsOp("+") || IsOp("-")) {
    Token op = Take();
    node = Binary(ExprKind::kBinary, std::move(node), Concat(), op.text, op.line);
  }
  return node;
}

ExprPtr ExpressionParser::Concat() {
  ExprPtr first = Product();
  if (!IsOp("~")) return first;
  ExprPtr node = Make(ExprKind::kConcat, Now().line);
  node->list.push_back(std::move(first));
  while (SkipOp("~")) node->list.push_back(Product());
  return Finish(std::move(node));
}

ExprPtr ExpressionParser::Product() {
  ExprPtr node = Power();
  while (IsOp("*") || IsOp("/") || IsOp("//") || IsOp("%")) {
    Token op = Take();
    node = Binary(ExprKind::kBinary, std::move(node), Power(), op.text, op.line);
  }
  return node;
}

ExprPtr ExpressionParser::Power() {
  ExprPtr node = Unary(true);
  while (IsOp("**")) {
    const int line = Take().line;
    node = Binary(ExprKind::kBinary, std::move(node), Unary(true), "**", line);
  }
  return node;
}

ExprPtr ExpressionParser::Unary(bool with_filters) {
  const Level level(this);
  ExprPtr node;
  if (IsOp("-") || IsOp("+")) {
    const Token sign = Take();
    node = Binary(sign.text == "-" ? ExprKind::kNegate : ExprKind::kPlus, Unary(false), nullptr, "", sign.line);
  } else {
    node = Primary(false);
  }
  node = Postfix(std::move(node));
  return with_filters ? FiltersAndTests(std::move(node)) : std::move(node);
}

ExprPtr ExpressionParser::Primary(bool namespaces) {
  const int line = Now().line;
  ExprPtr node = Make(ExprKind::kConst, line);
  switch (Now().type) {
    case Tok::kName: {
      const std::string name = Take().text;
      if (name == "true" || name == "True" || name == "false" || name == "False") {
        node->constant = Value::Bool(name[0] == 't' || name[0] == 'T');
      } else if (name == "none" || name == "None") {
        node->constant = Value::None();
      } else if (namespaces && SkipOp(".")) {
        if (Now().type != Tok::kName) Unexpected("a name");
        node->kind = ExprKind::kNsRef;
        node->name = Intern(name);
        node->text = Take().text;
      } else {
        node->kind = ExprKind::kName;
        node->name = Intern(name);
        ++mentions_[name];
      }
      return node;
    }
    case Tok::kString: {
      std::string text;
      while (Now().type == Tok::kString) text += Take().text;
      node->constant = Value::String(std::move(text));
      node->constant.str().Length();  // counted now: renderings in several threads share it
      return node;
    }
    case Tok::kInt: node->constant = Value::Int(Take().integer); return node;
    case Tok::kFloat: node->constant = Value::Float(Take().real); return node;
    default: break;
  }
  if (SkipOp("(")) {
    TupleRules rules;
    rules.parenthesised = true;
    node = Tuple(rules);
    ExpectOp(")");
    return node;
  }
  if (IsOp("[")) return ListLiteral();
  if (IsOp("{")) return DictLiteral();
  Unexpected("an expression");
}

ExprPtr ExpressionParser::Tuple(const TupleRules& rules) {
  const int line = Now().line;
  std::vector<ExprPtr> items;
  bool is_tuple = false;
  while (true) {
    if (!items.empty()) ExpectOp(",");
    if (Now().type == Tok::kVariableEnd || Now().type == Tok::kBlockEnd || IsOp(")") ||
        (*rules.end_name && IsName(rules.end_name))) {
      break;
    }
    items.push_back(rules.target ? Primary(rules.namespaces) : rules.condition ? Condition() : Or());
    if (!IsOp(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!items.empty()) return std::move(items[0]);
    if (!rules.parenthesised) Unexpected("an expression");
  }
  ExprPtr node = Make(ExprKind::kTuple, line);
  node->list = std::move(items);
  return Finish(std::move(node));
}

ExprPtr ExpressionParser::ListLiteral() {
  ExprPtr node = Make(ExprKind::kList, Take().line);
  while (!IsOp("]")) {
    if (!node->list.empty()) ExpectOp(",");
    if (IsOp("]")) break;
    node->list.push_back(Expression());
  }
  ExpectOp("]");
  return Finish(std::move(node));
}

ExprPtr ExpressionParser::DictLiteral() {
  ExprPtr node = Make(ExprKind::kDict, Take().line);
  while (!IsOp("}")) {
    if (!node->list.empty()) ExpectOp(",");
    if (IsOp("}")) break;
    node->list.push_back(Expression());
    ExpectOp(":");
    node->list.push_back(Expression());
  }
  ExpectOp("}");
  return Finish(std::move(node));
}

ExprPtr ExpressionParser::Postfix(ExprPtr node) {
  while (true) {
    if (IsOp(".") || IsOp("[")) {
      node = Subscript(std::move(node));
    } else if (IsOp("(")) {
      node = Call(std::move(node));
    } else {
      return node;
    }
  }
}

ExprPtr ExpressionParser::FiltersAndTests(ExprPtr node) {
  while (true) {
    if (IsOp("|")) {
      node = FilterChain(std::move(node), false);
    } else if (IsName("is")) {
      node = Test(std::move(node));
    } else if (IsOp("(")) {
      node = Call(std::move(node));
    } else {
      return node;
    }
  }
}

ExprPtr ExpressionParser::FilterChain(ExprPtr node, bool start_inline) {
  while (start_inline || SkipOp("|")) {
    start_inline = false;
    if (Now().type != Tok::kName) Unexpected("a filter's name");
    ExprPtr filter = Make(ExprKind::kFilter, Now().line);
    filter->text = Take().text;
    while (SkipOp(".")) {
      if (Now().type != Tok::kName) Unexpected("a filter's name");
      filter->text += Cat(".", Take().text);
    }
    filter->a = std::move(node);
    if (IsOp("(")) CallArguments(filter.get());
    node = Finish(std::move(filter));
  }
  return node;
}

ExprPtr ExpressionParser::Test(ExprPtr node) {
  ExprPtr test = Make(ExprKind::kTest, Take().line);
  const bool negated = SkipName("not");
  if (Now().type != Tok::kName) Unexpected("a test's name");
  test->text = Take().text;
  while (SkipOp(".")) {
    if (Now().type != Tok::kName) Unexpected("a test's name");
    test->text += Cat(".", Take().text);
  }
  test->a = std::move(node);
  const Tok next = Now().type;
  if (IsOp("(")) {
    CallArguments(test.get());
  } else if ((next == Tok::kName && !IsName("else") && !IsName("or") && !IsName("and")) || next == Tok::kString ||
             next == Tok::kInt || next == Tok::kFloat || IsOp("[") || IsOp("{")) {
    if (IsName("is")) Bad(Now().line, "tests cannot be chained with 'is'");
    test->list.push_back(Postfix(Primary(false)));
  }
  const int line = test->line;
  test = Finish(std::move(test));
  return negated ? Binary(ExprKind::kNot, std::move(test), nullptr, "", line) : std::move(test);
}

ExprPtr ExpressionParser::Subscript(ExprPtr node) {
  const Token open = Take();
  ExprPtr item = Make(ExprKind::kItem, open.line);
  item->a = std::move(node);
  if (open.text == ".") {
    if (Now().type == Tok::kName) {
      item->kind = ExprKind::kAttribute;
      item->text = Take().text;
    } else if (Now().type == Tok::kInt) {
      item->b = Make(ExprKind::kConst, open.line);
      item->b->constant = Value::Int(Take().integer);
    } else {
      Unexpected("a name or a number");
    }
    return Finish(std::move(item));
  }
  std::vector<ExprPtr> parts;
  while (!IsOp("]")) {
    if (!parts.empty()) ExpectOp(",");
    parts.push_back(Subscribed());
  }
  ExpectOp("]");
  if (parts.size() == 1) {
    item->b = std::move(parts[0]);
  } else {
    item->b = Make(ExprKind::kTuple, open.line);
    item->b->list = std::move(parts);
    item->b = Finish(std::move(item->b));
  }
  return Finish(std::move(item));
}

ExprPtr ExpressionParser::Subscribed() {
  const int line = Now().line;
  ExprPtr first;
  if (!IsOp(":")) {
    first = Expression();
    if (!IsOp(":")) return first;
  }
  Take();
  ExprPtr slice = Make(ExprKind::kSlice, line);
  auto bound = [&]() -> ExprPtr {
    if (IsOp(":") || IsOp("]") || IsOp(",")) return nullptr;
    return Expression();
  };
  slice->list.push_back(std::move(first));
  slice->list.push_back(bound());
  slice->list.push_back(SkipOp(":") ? bound() : nullptr);
  return Finish(std::move(slice));
}

ExprPtr ExpressionParser::Call(ExprPtr node) {
  ExprPtr call = Make(ExprKind::kCall, Now().line);
  call->a = std::move(node);
  CallArguments(call.get());
  return Finish(std::move(call));
}

void ExpressionParser::CallArguments(Expr* call) {
  const int line = Now().line;
  ExpectOp("(");
  bool first = true;
  auto ensure = [&](bool fine) {
    if (!fine) Bad(line, "invalid order of arguments in a call");
  };
  while (!IsOp(")")) {
    if (!first) {
      ExpectOp(",");
      if (IsOp(")")) break;
    }
    first = false;
    if (SkipOp("*")) {
      ensure(!call->star && !call->star_star);
      call->star = Expression();
    } else if (SkipOp("**")) {
      ensure(!call->star_star);
      call->star_star = Expression();
    } else if (Now().type == Tok::kName && Ahead().type == Tok::kOp && Ahead().text == "=") {
      ensure(!call->star_star);
      std::string name = Take().text;
      Take();
      if (call->named.size() >= 1000) Bad(line, "a call with more than 1000 named arguments");
      for (const auto& [other, value] : call->named) {
        if (other == name) Bad(line, Cat("the argument ", name, " is given twice"));
      }
      call->named.emplace_back(std::move(name), Expression());
    } else {
      ensure(!call->star && !call->star_star && call->named.empty());
      call->list.push_back(Expression());
    }
  }
  ExpectOp(")");
}

ExprPtr ExpressionParser::Target(const TupleRules& rules) {
  TupleRules names = rules;
  names.target = true;
  ExprPtr target = Tuple(names);
  auto check = [](const Expr& node, auto& self) -> void {
    if (node.kind == ExprKind::kTuple) {
      for (const ExprPtr& item : node.list) self(*item, self);
    } else if (node.kind != ExprKind::kName && node.kind != ExprKind::kNsRef) {
      Bad(node.line, "only names can be assigned to");
    }
  };
  check(*target, check);
  return target;
}

int ExpressionParser::TargetName() {
  if (Now().type != Tok::kName) Unexpected("a name");
  static const std::vector<std::string> constants = {"true", "false", "none", "True", "False", "None"};
  for (const std::string& constant : constants) {
    if (Now().text == constant) Bad(Now().line, Cat("cannot assign to ", constant));
  }
  return Intern(Take().text);
}

}  // namespace atelier::text::jinja
