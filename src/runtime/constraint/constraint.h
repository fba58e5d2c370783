// Constrained decoding: texts that satisfy a JSON Schema, a regular expression or a list of choices, token by token.
//
//     auto constraint = Compile(spec, index);            // once per request; throws what cannot be kept
//     Matcher matcher(constraint);                       // per sample; a value
//     matcher.Mask(&mask);                               // the tokens that may come
//     matcher.Accept(token);
//
// Promise: after every accepted token the text so far can be completed, and a text that Complete() says is complete
// satisfies the constraint. Texts are always whole, valid UTF-8 when complete. Whatever a schema or pattern asks that
// is not kept is refused by Compile (docs/formats/schema.md). Of what a schema allows, not every writing is produced:
// properties come in their declared order, white space is at most one space after a comma or colon.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/generator.h"
#include "runtime/constraint/masks.h"

namespace atelier::runtime {

// A compiled constraint over one vocabulary. Matchers of several threads may share it: it guards itself.
class Constraint;

// Throws kUnsupported for what cannot be kept (naming the JSON pointer of the keyword, or the byte of the pattern),
// kInvalidInput for what is malformed, artefact::FunctionError where that is so of one function's parameters,
// kResourceExhausted beyond its budgets (a schema of 1 MiB, 10,000 choices of together 1 MiB). REQUIRES: spec.kind is
// not kNone.
std::shared_ptr<const Constraint> Compile(const artefact::ConstraintSpec& spec,
                                          std::shared_ptr<const TokenIndex> tokens);

// The same without a vocabulary.
std::unique_ptr<Grammar> CompileGrammar(const artefact::ConstraintSpec& spec, const TokenIndex* tokens = nullptr);

// The memory that it takes by now, about. Thread-safe, and waits for nobody.
size_t BytesOf(const Constraint& constraint);

class Matcher {
 public:
  explicit Matcher(std::shared_ptr<const Constraint> constraint);

  // The tokens that may come next; those that end a reply exactly when Complete(). Throws kInternal where none may: a
  // vocabulary without a token for every byte.
  void Mask(TokenMask* out) const;
  // False: the token may not come, and nothing changes. Both throw kInvalidInput where the constraint leaves too many
  // ways to go on. A token that ends the reply is accepted when Complete().
  bool Accept(int32_t token);
  bool AcceptText(std::string_view bytes);  // the same for bytes, for tests and prompts that begin a reply

  bool Complete() const;     // the text so far satisfies the constraint
  bool CanContinue() const;  // more text may follow; if not, the reply is over

 private:
  std::shared_ptr<const Constraint> constraint_;
  std::shared_ptr<Stacks> stacks_;
  std::vector<StackId> at_;
};

}  // namespace atelier::runtime
