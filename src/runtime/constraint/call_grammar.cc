#include "runtime/constraint/call_grammar.h"

#include "artefact/generator.h"
#include "base/error.h"
#include "base/str.h"
#include "runtime/constraint/json_grammar.h"
#include "runtime/constraint/schema.h"

namespace atelier::runtime {
namespace {

using artefact::CallSpec;
using artefact::CallSyntax;
using Kind = Grammar::Kind;

class CallCompiler {
 public:
  CallCompiler(const CallSpec& spec, const TokenIndex& tokens, Grammar* grammar)
      : spec_(spec), tokens_(tokens), grammar_(*grammar) {}

  void Compile() {
    const CallSyntax& syntax = spec_.syntax;
    if (spec_.functions.empty()) throw Error(Code::kInvalidInput, "there is no function to call");
    const int32_t middle = Fixed(syntax.middle, false), tail = Fixed(syntax.tail, true);
    const int32_t call = Call(middle);
    int32_t rest = tail;
    if (syntax.between && spec_.most > 1) {
      const int32_t between = Fixed(*syntax.between, false);
      for (int i = 1; i < spec_.most; ++i) rest = Choice({tail, Sequence({between, call, rest})});
    }
    const int32_t calls = Sequence({Fixed(syntax.head, false), call, rest});
    if (spec_.required) return grammar_.Finish(calls);
    const int32_t text = Text();
    if (!syntax.text_before) return grammar_.Finish(Choice({text, calls}));
    const int32_t nothing = grammar_.Add({.kind = Kind::kLexeme, .lexeme = grammar_.Literal("")});
    grammar_.Finish(Sequence({text, Choice({nothing, calls})}));
  }

 private:
  int32_t Choice(std::vector<int32_t> parts) {
    return grammar_.Add({.kind = Kind::kChoice, .parts = std::move(parts)});
  }
  int32_t Sequence(std::vector<int32_t> parts) {
    return grammar_.Add({.kind = Kind::kSequence, .parts = std::move(parts)});
  }

  // Text in which no call begins; nor spells one out letter by letter that a control token begins.
  int32_t Text() {
    Regulars regulars;
    const Regulars::Id before = spec_.syntax.text_before ? regulars.AnyText() : Regulars::kEmpty;
    const Regulars::Id sign = regulars.Text(std::string_view(spec_.syntax.sign));
    const Regulars::Id text = regulars.Not(regulars.Then({before, sign, regulars.AnyText()}));
    return grammar_.Lexeme(
        std::make_shared<EncodedAutomaton>(BuildDfa(&regulars, text), EncodedAutomaton::Writing::kPlain));
  }

  int32_t Call(int32_t middle) {
    std::vector<int32_t> either;
    SchemaCosts costs;
    for (size_t i = 0; i < spec_.functions.size(); ++i) {
      const CallSpec::Function& function = spec_.functions[i];
      const int32_t name = grammar_.Add({.kind = Kind::kLexeme, .lexeme = grammar_.Literal(function.name)});
      try {
        CompileSchema(ParseJson(function.parameters, "the schema"), &grammar_, &costs);
      } catch (const Error& error) {
        throw artefact::FunctionError(i, error);
      }
      either.push_back(Sequence({name, middle, grammar_.root}));
    }
    return Choice(std::move(either));
  }

  // A fixed text; the last one of a reply may be cut where the reply ends by a token.
  int32_t Fixed(const std::string& text, bool last) {
    std::vector<int32_t> parts;
    bool ends = false;
    for (size_t at = 0; at <= text.size() && !ends;) {
      const size_t mark = std::min(text.find(CallSyntax::kIdMark, at), text.size());
      const std::string bytes = tokens_.Writing(std::string_view(text).substr(at, mark - at), &ends);
      if (ends && !last) throw Error(Code::kUnsupported, "the model's calls hold a token that ends replies");
      parts.push_back(grammar_.Add({.kind = Kind::kLexeme, .lexeme = grammar_.Literal(bytes)}));
      if (mark < text.size() && !ends) {
        parts.push_back(grammar_.Lexeme(PlainAutomaton(Cat("[A-Za-z0-9]{", CallSyntax::kIdSize, "}"))));
      }
      at = mark + 1;
    }
    return Sequence(std::move(parts));
  }

  const CallSpec& spec_;
  const TokenIndex& tokens_;
  Grammar& grammar_;
};

}  // namespace

void CompileCalls(const CallSpec& spec, const TokenIndex& tokens, Grammar* grammar) {
  CallCompiler(spec, tokens, grammar).Compile();
}

}  // namespace atelier::runtime
