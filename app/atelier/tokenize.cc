// atelier tokenize -m MODEL --text FILE [--json]: what a model's tokenizer makes of a text, line by line.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/studio_here.h"
#include "artefact/gguf.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/vocabulary.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

// A piece for people: part of a character as its bytes.
std::string Shown(const std::string& piece) {
  if (text::IsValidUtf8(piece)) return Quote(piece);
  std::string out = "'";
  for (unsigned char byte : piece) {
    static constexpr char kHex[] = "0123456789abcdef";
    if (byte < 0x20 || byte >= 0x7F) {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += static_cast<char>(byte);
    }
  }
  return out + "'";
}

// --json: {"ids":[[...],...]}, one array per LF-ended line (a last line without LF counts; CR belongs to its line), no
// special tokens added or parsed, bytes that are not UTF-8 read as U+FFFD. Otherwise a listing of pieces.
class TokenizeCommand : public Command {
 public:
  void Declare(Cli& cli) override;
  int Run(const Globals& globals) override;

 private:
  std::string model_, text_;
};

void TokenizeCommand::Declare(Cli& cli) {
  cli.Text("-m,--model", &model_, "a registered model or the path of a GGUF file", true);
  cli.Text("--text", &text_, "the file to tokenize; - for standard input", true);
}

int TokenizeCommand::Run(const Globals& globals) {
  const auto file = artefact::GgufFile::Open(OpenHere(globals)->models->Resolve(model_).path);
  const auto tokenizer = runtime::TokenizerFromGguf(*file);
  const std::string text = ReadFile(text_ == "-" ? "/dev/stdin" : text_);
  std::string out = globals.json ? "{\"ids\":[" : "";
  size_t number = 0;
  for (size_t at = 0; at < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const auto ids = tokenizer->Encode(std::string_view(text).substr(at, end - at));
    at = end + 1;
    if (globals.json) {
      out += number == 0 ? "[" : ",[";
      for (size_t i = 0; i < ids.size(); ++i) {
        if (i > 0) out += ',';
        AppendTo(&out, ids[i]);
      }
      out += ']';
    } else {
      out += Cat("line ", number + 1, ": ", ids.size(), ids.size() == 1 ? " token\n" : " tokens\n");
      for (text::TokenId id : ids) out += Cat("  ", id, "\t", Shown(tokenizer->Piece(id, true)), "\n");
    }
    if (out.size() > (1u << 20)) {
      std::cout << out;
      out.clear();
    }
  }
  if (globals.json) out += "]}\n";
  std::cout << out;
  return 0;
}

}  // namespace

std::unique_ptr<Command> MakeTokenize() { return std::make_unique<TokenizeCommand>(); }

}  // namespace atelier::app
