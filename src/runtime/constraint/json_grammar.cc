#include "runtime/constraint/json_grammar.h"

#include "runtime/constraint/regex.h"

namespace atelier::runtime {

std::shared_ptr<Automaton> PlainAutomaton(std::string_view regex) {
  Regulars regulars;
  const Regulars::Id whole = ParseRegex(&regulars, regex, {.anchored = true});
  return std::make_shared<EncodedAutomaton>(BuildDfa(&regulars, whole), EncodedAutomaton::Writing::kPlain);
}

AnyJson AddAnyJson(Grammar* grammar) {
  using Kind = Grammar::Kind;
  AnyJson any;
  const auto words = [&](std::vector<std::string> texts) {
    return grammar->Lexeme(std::make_shared<LiteralAutomaton>(std::move(texts)));
  };
  any.string = grammar->Lexeme(AnyJsonString());
  any.number = grammar->Lexeme(PlainAutomaton(kAnyNumber));
  any.integer = grammar->Lexeme(PlainAutomaton(kAnyInteger));
  any.boolean = words({"true", "false"});
  any.null = words({"null"});
  any.value = grammar->Add({.kind = Kind::kChoice});
  any.array = grammar->Add({.kind = Kind::kArray, .rest = any.value});
  any.object = grammar->Add({.kind = Kind::kObject, .open = {{grammar->AddLexeme(AnyJsonString()), any.value}}});
  grammar->nodes[static_cast<size_t>(any.value)].parts = {any.string, any.number, any.boolean,
                                                          any.null,   any.object, any.array};
  return any;
}

}  // namespace atelier::runtime
