#include "runtime/constraint/grammar.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"

namespace atelier::runtime {

Grammar::Grammar() {
  nodes.emplace_back();
  // One space after comma and colon is what models have mostly seen; more white space there is not.
  comma = AddLexeme(std::make_shared<LiteralAutomaton>(std::vector<std::string>{",", ", "}));
  colon = AddLexeme(std::make_shared<LiteralAutomaton>(std::vector<std::string>{":", ": "}));
  open_array = Literal("[");
  close_array = Literal("]");
  open_object = Literal("{");
  close_object = Literal("}");
}

int32_t Grammar::AddLexeme(std::shared_ptr<Automaton> automaton) {
  automata.push_back(std::move(automaton));
  return static_cast<int32_t>(automata.size() - 1);
}

int32_t Grammar::Literal(const std::string& text) {
  const auto found = literals_.find(text);
  if (found != literals_.end()) return found->second;
  return literals_[text] = AddLexeme(std::make_shared<LiteralAutomaton>(std::vector<std::string>{text}));
}

int32_t Grammar::Add(Node node) {
  if (nodes.size() >= kMostNodes) {
    throw Error(Code::kUnsupported, Cat("the schema needs a grammar of more than ", kMostNodes, " nodes"));
  }
  nodes.push_back(std::move(node));
  return static_cast<int32_t>(nodes.size() - 1);
}

int Grammar::HeightOf(const Node& n) const {
  const auto height = [&](int32_t id) { return node(id).height; };
  int out = kTooDeep;
  switch (n.kind) {
    case Kind::kNever: break;
    case Kind::kLexeme: return 0;
    case Kind::kChoice:
      for (int32_t part : n.parts) out = std::min(out, height(part));
      return out;
    case Kind::kSequence:
      out = 0;
      for (int32_t part : n.parts) out = std::max(out, height(part));
      return out;
    case Kind::kArray: {
      if (n.most != kNoLimit && n.least > n.most) return kTooDeep;
      out = 0;
      for (int i = 0; i < n.least && static_cast<size_t>(i) < n.parts.size(); ++i) {
        out = std::max(out, height(n.parts[static_cast<size_t>(i)]));
      }
      if (static_cast<size_t>(n.least) > n.parts.size()) out = std::max(out, height(n.rest));
      return std::min(out + 1, kTooDeep);
    }
    case Kind::kSet: {
      const bool fits =
          static_cast<size_t>(n.least) <= n.properties.size() && (n.most == kNoLimit || n.least <= n.most);
      return fits ? 1 : kTooDeep;
    }
    case Kind::kObject: {
      if (n.most != kNoLimit && n.least > n.most) return kTooDeep;
      out = 0;
      int required = 0;
      std::vector<int> others;
      for (const Property& p : n.properties) {
        if (p.required) {
          ++required;
          out = std::max(out, height(p.value));
        } else {
          others.push_back(height(p.value));
        }
      }
      if (n.most != kNoLimit && required > n.most) return kTooDeep;
      if (n.least > required) {  // the easiest of the others
        const auto more = static_cast<size_t>(n.least - required);
        for (const Open& open : n.open) {
          const int64_t names = automata[static_cast<size_t>(open.key)]->Remaining(0);
          others.insert(others.end(), static_cast<size_t>(std::min<int64_t>(names, static_cast<int64_t>(more))),
                        height(open.value));
        }
        if (others.size() < more) return kTooDeep;
        std::sort(others.begin(), others.end());
        out = std::max(out, others[more - 1]);
      }
      return std::min(out + 1, kTooDeep);
    }
  }
  return out;
}

void Grammar::Finish(int32_t the_root, size_t first) {
  root = the_root;
  for (bool changed = true; changed;) {  // heights only sink, and are at most kTooDeep
    changed = false;
    for (size_t i = nodes.size(); i-- > first;) {  // what was added later is mostly deeper inside
      const int height = HeightOf(nodes[i]);
      if (height < nodes[i].height) {
        nodes[i].height = height;
        changed = true;
      }
    }
  }
}

}  // namespace atelier::runtime
