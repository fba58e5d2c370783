// The expressions of a template, by recursive descent with jinja2's precedence. parser.cc adds the statements.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/lexer.h"

namespace atelier::text::jinja {

class ExpressionParser {
 protected:
  explicit ExpressionParser(std::string_view source);

  struct TupleRules {
    bool condition = true;       // `a if b` may stand in it
    const char* end_name = "";   // a name that ends it too
    bool parenthesised = false;  // () is a tuple
    bool target = false;         // names only
    bool namespaces = false;     // with ns.attribute among them
  };
  ExprPtr Tuple(const TupleRules& rules);
  ExprPtr Expression() { return Condition(); }
  ExprPtr FilterChain(ExprPtr node, bool start_inline);
  ExprPtr Target(const TupleRules& rules);
  int TargetName();

  const Token& Now() const { return tokens_[at_]; }
  const Token& Ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token Take();
  bool IsOp(std::string_view op) const { return Now().type == Tok::kOp && Now().text == op; }
  bool IsName(std::string_view name) const { return Now().type == Tok::kName && Now().text == name; }
  bool SkipOp(std::string_view op);
  bool SkipName(std::string_view name);
  void ExpectOp(std::string_view op);
  void ExpectName(std::string_view name);
  void Expect(Tok type, const char* what);
  [[noreturn]] void Unexpected(const std::string& wanted) const;
  [[noreturn]] static void Bad(int line, const std::string& why);
  int Intern(const std::string& name);
  size_t& Mentions(std::string_view name) { return mentions_[std::string(name)]; }

  std::vector<std::string> names_;

 private:
  class Level;
  ExprPtr Make(ExprKind kind, int line) const;
  static ExprPtr Finish(ExprPtr node);  // computes and limits its depth
  ExprPtr Binary(ExprKind kind, ExprPtr a, ExprPtr b, std::string op, int line) const;
  ExprPtr Condition();
  ExprPtr Or();
  ExprPtr And();
  ExprPtr Not();
  ExprPtr Comparison();
  ExprPtr Sum();
  ExprPtr Concat();
  ExprPtr Product();
  ExprPtr Power();
  ExprPtr Unary(bool with_filters);
  ExprPtr Primary(bool namespaces);
  ExprPtr Postfix(ExprPtr node);
  ExprPtr FiltersAndTests(ExprPtr node);
  ExprPtr Test(ExprPtr node);
  ExprPtr Subscript(ExprPtr node);
  ExprPtr Subscribed();
  ExprPtr Call(ExprPtr node);
  void CallArguments(Expr* call);
  ExprPtr ListLiteral();
  ExprPtr DictLiteral();

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int level_ = 0;
  std::unordered_map<std::string, int> ids_;
  std::unordered_map<std::string, size_t> mentions_;
};

}  // namespace atelier::text::jinja
