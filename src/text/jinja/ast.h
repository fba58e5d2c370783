// A parsed template. Names are numbers into Tree::names; every node knows its line.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/jinja/value.h"

namespace atelier::text::jinja {

struct Expr;
struct Stmt;
using ExprPtr = std::unique_ptr<Expr>;
using StmtPtr = std::unique_ptr<Stmt>;
using Body = std::vector<StmtPtr>;

enum class ExprKind : uint8_t {
  kConst,
  kName,       // name
  kNsRef,      // name, text: an assignment's target ns.attribute
  kTuple,      // list
  kList,       // list
  kDict,       // list: key, value, key, value ...
  kAttribute,  // a.text
  kItem,       // a[b]
  kSlice,      // list[0]:list[1]:list[2], each may be null; stands only below kItem and kTuple
  kCall,       // a(args)
  kFilter,     // a|text(args); a is null at the start of a filter block
  kTest,       // a is text(args)
  kNot,
  kNegate,
  kPlus,
  kBinary,   // a text b
  kConcat,   // list[0] ~ list[1] ~ ...
  kCompare,  // a, then ops[i] list[i]
  kAnd,
  kOr,
  kIf,  // a if b else c (null)
};

struct Expr {
  ExprKind kind = ExprKind::kConst;
  int line = 0;
  int depth = 1;  // of the tree below: limited by the parser, so that walking it needs little stack
  int name = -1;
  std::string text;
  Value constant;
  ExprPtr a, b, c;
  std::vector<ExprPtr> list;  // items, or positional arguments
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr star, star_star;
  std::vector<std::string> ops;
};

enum class StmtKind : uint8_t {
  kText,      // text
  kPrint,     // exprs
  kIf,        // branches: exprs[i] with bodies[i]; one more body is the else
  kFor,       // target, exprs[0] iterated, exprs[1] filter or null; bodies[0], bodies[1] the else
  kSet,       // target = exprs[0]
  kSetBlock,  // target = bodies[0] through the filter exprs[0] (may be null)
  kMacro,     // name, parameters, bodies[0]
  kCall,      // exprs[0] is a kCall; parameters, bodies[0] are the caller
  kFilter,    // exprs[0] over bodies[0]
  kWith,      // targets[i] = exprs[i], bodies[0]
  kBlock,     // bodies[0]
  kBreak,
  kContinue,
};

struct Stmt {
  StmtKind kind = StmtKind::kText;
  int line = 0;
  int name = -1;
  std::string text;
  ExprPtr target;
  std::vector<ExprPtr> exprs;
  std::vector<Body> bodies;
  std::vector<ExprPtr> targets;                     // kWith
  std::vector<std::pair<int, ExprPtr>> parameters;  // name, default or null
  bool recursive = false;
  bool uses_loop = false;                                               // kFor: its body mentions `loop`
  bool uses_caller = false, uses_kwargs = false, uses_varargs = false;  // kMacro, kCall
  // Per body, the names that it assigns before any of its code or an outer one mentions them: they start as missing,
  // hiding a variable of the context, as jinja2's compiled code has it.
  std::vector<std::vector<int>> hidden;
};

struct Tree {
  Body body;
  std::vector<int> hidden;  // of the root
  std::vector<std::string> names;
};

}  // namespace atelier::text::jinja
