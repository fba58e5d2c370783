#include "text/jinja/scopes.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/str.h"
#include "text/jinja/builtins.h"

namespace atelier::text::jinja {
namespace {

// How a name of a frame gets its first value.
enum class Start : uint8_t {
  kOuter,      // whatever the name means outside, down to the context
  kHidden,     // nothing: it is assigned before it is read
  kParameter,  // a loop's target, a macro's parameter
};

// The names of one frame: a loop's body, a macro, the template's root. Conditions are no frames: each branch is an
// overlay over the names so far, so that a long template is not copied once per condition.
struct Names {
  const Names* parent = nullptr;  // the frame around
  const Names* base = nullptr;    // the same frame, without this branch
  std::unordered_map<int, Start> start;
  std::unordered_set<int> stored;

  static Names Branch(const Names* of) {
    Names names;
    names.parent = of->parent;
    names.base = of;
    return names;
  }
  bool Here(int name) const {
    for (const Names* part = this; part; part = part->base) {
      if (part->start.count(name)) return true;
    }
    return false;
  }
  bool Stored(int name) const {
    for (const Names* part = this; part; part = part->base) {
      if (part->stored.count(name)) return true;
    }
    return false;
  }
  bool Known(int name) const {
    for (const Names* frame = this; frame; frame = frame->parent) {
      if (frame->Here(name)) return true;
    }
    return false;
  }
  void Load(int name) {
    if (!Known(name)) start.emplace(name, Start::kOuter);
  }
  void Store(int name) {
    stored.insert(name);
    if (Here(name)) return;
    start.emplace(name, parent && parent->Known(name) ? Start::kOuter : Start::kHidden);
  }
  void Parameter(int name) {
    stored.insert(name);
    start[name] = Start::kParameter;
  }
};

class Resolver {
 public:
  explicit Resolver(Tree* tree) : tree_(tree) {
    for (size_t i = 0; i < tree->names.size(); ++i) {
      if (tree->names[i] == "loop") loop_ = static_cast<int>(i);
    }
  }

  void Run() {
    Names root;
    Mentioned(tree_->body, &root);
    tree_->hidden = Hidden(root);
    Descend(tree_->body, root, false, false);
  }

 private:
  static std::vector<int> Hidden(const Names& names) {
    std::vector<int> hidden;
    for (const auto& [name, start] : names.start) {
      if (start == Start::kHidden) hidden.push_back(name);
    }
    std::sort(hidden.begin(), hidden.end());
    return hidden;
  }

  static void Mentioned(const Expr* expr, Names* names) {
    if (!expr) return;
    if (expr->kind == ExprKind::kName || expr->kind == ExprKind::kNsRef) names->Load(expr->name);
    Mentioned(expr->a.get(), names);
    Mentioned(expr->b.get(), names);
    Mentioned(expr->c.get(), names);
    for (const ExprPtr& child : expr->list) Mentioned(child.get(), names);
    for (const auto& [name, child] : expr->named) Mentioned(child.get(), names);
    Mentioned(expr->star.get(), names);
    Mentioned(expr->star_star.get(), names);
  }

  static void Assigned(const Expr& target, Names* names, bool parameter) {
    if (target.kind == ExprKind::kTuple) {
      for (const ExprPtr& item : target.list) Assigned(*item, names, parameter);
    } else if (target.kind == ExprKind::kNsRef) {
      names->Load(target.name);
    } else if (parameter) {
      names->Parameter(target.name);
    } else {
      names->Store(target.name);
    }
  }

  // What a frame's own statements read and write, in their order; inner frames are left out.
  static void Mentioned(const Body& body, Names* names) {
    for (const StmtPtr& s : body) Mentioned(*s, names);
  }
  static void Mentioned(const Stmt& s, Names* names) {
    switch (s.kind) {
      case StmtKind::kIf: If(s, 0, names); break;
      case StmtKind::kFor: Mentioned(s.exprs[0].get(), names); break;
      case StmtKind::kSet:
        Mentioned(s.exprs[0].get(), names);
        Assigned(*s.target, names, false);
        break;
      case StmtKind::kSetBlock: Assigned(*s.target, names, false); break;
      case StmtKind::kMacro: names->Store(s.name); break;
      case StmtKind::kBlock: break;
      default:
        for (const ExprPtr& expr : s.exprs) Mentioned(expr.get(), names);
    }
  }

  // Branch `i` and those behind it. A name that only some branch assigns keeps its outer meaning in the others.
  static void If(const Stmt& s, size_t i, Names* names) {
    Mentioned(s.exprs[i].get(), names);
    Names body = Names::Branch(names), elif = Names::Branch(names), otherwise = Names::Branch(names);
    Mentioned(s.bodies[i], &body);
    if (i == 0) {  // the elifs follow one another within one branch
      for (size_t j = 1; j < s.exprs.size(); ++j) If(s, j, &elif);
      if (s.bodies.size() > s.exprs.size()) Mentioned(s.bodies.back(), &otherwise);
    }
    std::unordered_set<int> fresh;
    for (const Names* branch : {&body, &elif, &otherwise}) {
      for (int name : branch->stored) {
        if (!names->Stored(name)) fresh.insert(name);
      }
    }
    for (Names* branch : {&body, &elif, &otherwise}) {
      for (const auto& [name, start] : branch->start) names->start[name] = start;
      names->stored.insert(branch->stored.begin(), branch->stored.end());
    }
    for (int name : fresh) names->start[name] = Start::kOuter;
  }

  void Check(const Expr* expr, bool soft) const {
    if (!expr) return;
    if (!soft && expr->kind == ExprKind::kFilter && !IsFilter(expr->text)) {
      Bad(expr->line, Cat("no filter named ", Quote(expr->text, 30)));
    }
    if (!soft && expr->kind == ExprKind::kTest && !IsTest(expr->text)) {
      Bad(expr->line, Cat("no test named ", Quote(expr->text, 30)));
    }
    if (expr->kind == ExprKind::kIf) soft = true;
    Check(expr->a.get(), soft);
    Check(expr->b.get(), soft);
    Check(expr->c.get(), soft);
    for (const ExprPtr& child : expr->list) Check(child.get(), soft);
    for (const auto& [name, child] : expr->named) Check(child.get(), soft);
    Check(expr->star.get(), soft);
    Check(expr->star_star.get(), soft);
  }

  [[noreturn]] static void Bad(int line, const std::string& why) {
    throw Error(Code::kInvalidInput, Cat(line, ": ", why));
  }

  void CheckTarget(const Expr& target, bool in_loop) const {
    if (target.kind == ExprKind::kName && target.name == loop_ && in_loop) {
      Bad(target.line, "`loop` cannot be assigned to inside a loop");
    }
    for (const ExprPtr& item : target.list) CheckTarget(*item, in_loop);
  }

  // One inner frame: its names, its hidden ones into `s`, then what lies inside.
  template <typename Declare>
  void Inner(Stmt* s, const Body& body, const Names* outer, bool in_loop, Declare declare) {
    Names names;
    names.parent = outer;
    declare(&names);
    Mentioned(body, &names);
    s->hidden.push_back(Hidden(names));
    Descend(body, names, false, in_loop);
  }

  void Descend(const Body& body, const Names& names, bool soft, bool in_loop) {
    for (const StmtPtr& s : body) Descend(s.get(), names, soft, in_loop);
  }

  void Descend(Stmt* s, const Names& names, bool soft, bool in_loop) {
    const bool condition = s->kind == StmtKind::kIf;
    for (size_t i = 0; i < s->exprs.size(); ++i) {
      const bool inside = (s->kind == StmtKind::kFor && i == 1) || s->kind == StmtKind::kSetBlock ||
                          s->kind == StmtKind::kFilter;  // belongs to the inner frame
      Check(s->exprs[i].get(), condition || (soft && !inside));
    }
    switch (s->kind) {
      case StmtKind::kIf:
        for (const Body& branch : s->bodies) Descend(branch, names, true, in_loop);
        break;
      case StmtKind::kFor:
        CheckTarget(*s->target, true);
        Inner(s, s->bodies[0], &names, true, [&](Names* inner) {
          if (s->uses_loop) inner->Parameter(loop_);
          Assigned(*s->target, inner, true);
        });
        Inner(s, s->bodies[1], &names, true, [](Names*) {});
        break;
      case StmtKind::kSet: CheckTarget(*s->target, in_loop); break;
      case StmtKind::kSetBlock:
        CheckTarget(*s->target, in_loop);
        Inner(s, s->bodies[0], &names, in_loop, [](Names*) {});
        break;
      case StmtKind::kMacro:
      case StmtKind::kCall:
        for (const auto& [name, value] : s->parameters) Check(value.get(), false);
        Inner(s, s->bodies[0], &names, in_loop, [&](Names* inner) {
          for (const auto& [name, value] : s->parameters) inner->Parameter(name);
          for (const auto& [name, value] : s->parameters) Mentioned(value.get(), inner);
        });
        break;
      case StmtKind::kFilter:
        Inner(s, s->bodies[0], &names, in_loop, [&](Names* inner) { Mentioned(s->exprs[0].get(), inner); });
        break;
      case StmtKind::kWith:
        Inner(s, s->bodies[0], &names, in_loop, [&](Names* inner) {
          for (const ExprPtr& target : s->targets) Assigned(*target, inner, true);
        });
        break;
      case StmtKind::kBlock: Inner(s, s->bodies[0], nullptr, in_loop, [](Names*) {}); break;
      default: break;
    }
  }

  Tree* tree_;
  int loop_ = -1;
};

}  // namespace

void ResolveScopes(Tree* tree) { Resolver(tree).Run(); }

}  // namespace atelier::text::jinja
