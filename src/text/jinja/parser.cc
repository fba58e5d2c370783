#include "text/jinja/parser.h"

#include <initializer_list>
#include <utility>

#include "base/error.h"
#include "base/str.h"
#include "text/jinja/expression_parser.h"
#include "text/jinja/scopes.h"

namespace atelier::text::jinja {
namespace {

constexpr size_t kMaxSource = 4u << 20;

class Parser : private ExpressionParser {
 public:
  explicit Parser(std::string_view source) : ExpressionParser(source) {}

  Tree Run() {
    Tree tree;
    tree.body = Statements({});
    tree.names = std::move(names_);
    return tree;
  }

 private:
  using Ends = std::initializer_list<std::string_view>;

  // Statements up to a block tag named in `ends`, which stays current (its name); to the end for no ends.
  Body Statements(Ends ends) {
    if (++nesting_ > 90) Bad(Now().line, "statements are nested beyond 90 levels");
    Body body;
    const int opened = Now().line;
    while (true) {
      const int line = Now().line;
      if (Now().type == Tok::kData) {
        StmtPtr text = Make(StmtKind::kText, line);
        text->text = Take().text;
        body.push_back(std::move(text));
      } else if (Now().type == Tok::kVariableBegin) {
        Take();
        StmtPtr print = Make(StmtKind::kPrint, line);
        print->exprs.push_back(Tuple({}));
        Expect(Tok::kVariableEnd, "'}}'");
        body.push_back(std::move(print));
      } else if (Now().type == Tok::kBlockBegin) {
        Take();
        for (std::string_view end : ends) {
          if (IsName(end)) {
            --nesting_;
            return body;
          }
        }
        StmtPtr statement = Statement();
        if (statement) body.push_back(std::move(statement));
        Expect(Tok::kBlockEnd, "'%}'");
      } else if (ends.size() == 0) {
        --nesting_;
        return body;
      } else {
        Bad(opened, Cat("a block that begins here is not closed by {% ", *(ends.end() - 1), " %}"));
      }
    }
  }

  // The rest of a tag, then its body; the ending tag's name is taken.
  Body Block(Ends ends) {
    SkipOp(":");
    Expect(Tok::kBlockEnd, "'%}'");
    return Statements(ends);
  }
  Body BlockTo(std::string_view end) {
    Body body = Block({end});
    Take();
    return body;
  }

  // As BlockTo, in a function of its own: a loop around it cannot be left from inside.
  Body FunctionBody(Stmt* statement, std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    const size_t caller = Mentions("caller"), kwargs = Mentions("kwargs"), varargs = Mentions("varargs");
    Body body = BlockTo(end);
    statement->uses_caller = Mentions("caller") > caller;
    statement->uses_kwargs = Mentions("kwargs") > kwargs;
    statement->uses_varargs = Mentions("varargs") > varargs;
    loops_ = loops;
    return body;
  }

  static StmtPtr Make(StmtKind kind, int line) {
    auto statement = std::make_unique<Stmt>();
    statement->kind = kind;
    statement->line = line;
    return statement;
  }

  StmtPtr Statement() {
    if (Now().type != Tok::kName) Unexpected("a statement's name");
    const Token tag = Take();
    const std::string& name = tag.text;
    if (name == "if") return If(tag.line);
    if (name == "for") return For(tag.line);
    if (name == "set") return Set(tag.line);
    if (name == "macro") return Macro(tag.line);
    if (name == "call") return CallBlock(tag.line);
    if (name == "filter") return FilterBlock(tag.line);
    if (name == "with") return With(tag.line);
    if (name == "block") return NamedBlock(tag.line);
    if (name == "print") return Print(tag.line);
    if (name == "generation") {
      StmtPtr block = Make(StmtKind::kCall, tag.line);
      block->exprs.push_back(nullptr);
      block->bodies.push_back(FunctionBody(block.get(), "endgeneration"));
      return block;
    }
    if (name == "break" || name == "continue") {
      if (loops_ == 0) Bad(tag.line, Cat("{% ", name, " %} outside of a loop"));
      return Make(name == "break" ? StmtKind::kBreak : StmtKind::kContinue, tag.line);
    }
    for (std::string_view refused : {"include", "import", "from", "extends"}) {
      if (name == refused) {
        Bad(tag.line, Cat("{% ", name, " %} is refused: a template reads no other templates"));
      }
    }
    if (name == "autoescape") Bad(tag.line, "{% autoescape %} is not supported; escape values with | e");
    Bad(tag.line, Cat("unknown statement ", Quote(name, 30)));
  }

  StmtPtr If(int line) {
    StmtPtr node = Make(StmtKind::kIf, line);
    TupleRules rules;
    rules.condition = false;
    while (true) {
      node->exprs.push_back(Tuple(rules));
      node->bodies.push_back(Block({"elif", "else", "endif"}));
      const std::string end = Take().text;
      if (end == "elif") continue;
      if (end == "else") node->bodies.push_back(BlockTo("endif"));
      return node;
    }
  }

  StmtPtr For(int line) {
    StmtPtr node = Make(StmtKind::kFor, line);
    TupleRules names;
    names.end_name = "in";
    node->target = Target(names);
    ExpectName("in");
    TupleRules iterated;
    iterated.condition = false;
    iterated.end_name = "recursive";
    node->exprs.push_back(Tuple(iterated));
    node->exprs.push_back(SkipName("if") ? Expression() : nullptr);
    node->recursive = SkipName("recursive");
    const size_t mentions = Mentions("loop");
    ++loops_;
    node->bodies.push_back(Block({"endfor", "else"}));
    --loops_;
    node->uses_loop = node->recursive || Mentions("loop") > mentions;
    node->bodies.push_back(Take().text == "else" ? BlockTo("endfor") : Body());
    return node;
  }

  StmtPtr Set(int line) {
    StmtPtr node = Make(StmtKind::kSet, line);
    TupleRules rules;
    rules.namespaces = true;
    node->target = Target(rules);
    if (SkipOp("=")) {
      node->exprs.push_back(Tuple({}));
      return node;
    }
    node->kind = StmtKind::kSetBlock;
    node->exprs.push_back(FilterChain(nullptr, false));
    node->bodies.push_back(BlockTo("endset"));
    return node;
  }

  void Signature(Stmt* node) {
    ExpectOp("(");
    while (!IsOp(")")) {
      if (!node->parameters.empty()) ExpectOp(",");
      const int line = Now().line;
      const int name = TargetName();
      if (node->parameters.size() >= 1000) Bad(line, "a macro with more than 1000 parameters");
      for (const auto& [other, value] : node->parameters) {
        if (other == name) Bad(line, Cat("the parameter ", names_[name], " stands twice"));
      }
      ExprPtr value;
      if (SkipOp("=")) {
        value = Expression();
      } else if (!node->parameters.empty() && node->parameters.back().second) {
        Bad(line, "a parameter without a default follows one with a default");
      }
      node->parameters.emplace_back(name, std::move(value));
    }
    ExpectOp(")");
  }

  StmtPtr Macro(int line) {
    StmtPtr node = Make(StmtKind::kMacro, line);
    node->name = TargetName();
    Signature(node.get());
    node->bodies.push_back(FunctionBody(node.get(), "endmacro"));
    return node;
  }

  StmtPtr CallBlock(int line) {
    StmtPtr node = Make(StmtKind::kCall, line);
    if (IsOp("(")) Signature(node.get());
    node->exprs.push_back(Expression());
    if (node->exprs[0]->kind != ExprKind::kCall) Bad(line, "{% call %} needs a call, such as macro(...)");
    node->bodies.push_back(FunctionBody(node.get(), "endcall"));
    return node;
  }

  StmtPtr FilterBlock(int line) {
    StmtPtr node = Make(StmtKind::kFilter, line);
    node->exprs.push_back(FilterChain(nullptr, true));
    node->bodies.push_back(BlockTo("endfilter"));
    return node;
  }

  StmtPtr With(int line) {
    StmtPtr node = Make(StmtKind::kWith, line);
    while (Now().type != Tok::kBlockEnd) {
      if (!node->targets.empty()) ExpectOp(",");
      node->targets.push_back(Target({}));
      ExpectOp("=");
      node->exprs.push_back(Expression());
    }
    node->bodies.push_back(BlockTo("endwith"));
    return node;
  }

  StmtPtr NamedBlock(int line) {
    StmtPtr node = Make(StmtKind::kBlock, line);
    if (Now().type != Tok::kName) Unexpected("a block's name");
    const std::string name = Take().text;
    SkipName("scoped");
    SkipName("required");
    const int loops = std::exchange(loops_, 0);
    node->bodies.push_back(BlockTo("endblock"));
    loops_ = loops;
    SkipName(name);
    return node;
  }

  StmtPtr Print(int line) {
    StmtPtr node = Make(StmtKind::kPrint, line);
    while (Now().type != Tok::kBlockEnd) {
      if (!node->exprs.empty()) ExpectOp(",");
      node->exprs.push_back(Expression());
    }
    return node;
  }

  int nesting_ = 0;
  int loops_ = 0;
};

}  // namespace

Tree ParseTemplate(std::string_view source) {
  if (source.size() > kMaxSource) {
    throw Error(Code::kResourceExhausted, Cat("1: a template of more than ", kMaxSource, " bytes"));
  }
  Tree tree = Parser(source).Run();
  ResolveScopes(&tree);
  return tree;
}

}  // namespace atelier::text::jinja
