// atelier tokenize -m MODEL --text FILE [--count] [--json]: what a model's tokenizer makes of a text, line by line.
#include <chrono>
#include <ctime>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/studio_here.h"
#include "artefact/gguf.h"
#include "artefact/tokenizer_file.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
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
// special tokens added or parsed, bytes that are not UTF-8 read as U+FFFD. Otherwise a listing of pieces. --count: how
// many there are, how long it took on one thread, and xxHash-64 of the ids (32 bits each, all lines' together).
class TokenizeCommand : public Command {
 public:
  void Declare(Cli& cli) override;
  int Run(const Globals& globals) override;

 private:
  std::unique_ptr<text::Tokenizer> Open(const Globals& globals) const;
  int Count(const text::Tokenizer& tokenizer, std::string_view text, bool json) const;

  std::string model_, text_;
  bool count_ = false;
};

void TokenizeCommand::Declare(Cli& cli) {
  cli.Text("-m,--model", &model_, "a registered model, or the path of a GGUF file or of a tokenizer.json", true);
  cli.Text("--text", &text_, "the file to tokenize; - for standard input", true);
  cli.Flag("--count", &count_, "only count tokens, and time it");
}

int TokenizeCommand::Count(const text::Tokenizer& tokenizer, std::string_view text, bool json) const {
  std::vector<std::string_view> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::vector<text::TokenId> all;
  all.reserve(text.size() / 2);
  const std::clock_t cpu_begin = std::clock();
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string_view line : lines) {
    const auto ids = tokenizer.Encode(line);
    all.insert(all.end(), ids.begin(), ids.end());
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double cpu_seconds = static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC;
  const uint64_t hash = Hash64({reinterpret_cast<const char*>(all.data()), all.size() * sizeof(text::TokenId)});
  if (json) {
    std::cout << ToText({{"lines", lines.size()},
                         {"bytes", text.size()},
                         {"tokens", all.size()},
                         {"seconds", seconds},
                         {"cpu_seconds", cpu_seconds},
                         {"hash", hash}})
              << "\n";
  } else {
    std::cout << all.size() << " tokens in " << lines.size() << " lines, " << FormatBytes(text.size());
    if (seconds > 0) std::cout << ", " << FormatFixed(static_cast<double>(text.size()) / 1e6 / seconds, 1) << " MB/s";
    std::cout << "\n";
  }
  return 0;
}

std::unique_ptr<text::Tokenizer> TokenizeCommand::Open(const Globals& globals) const {
  if (model_.ends_with(".json") && FileExists(model_)) {
    return text::MakeTokenizer(artefact::ReadTokenizerJson(model_));
  }
  const auto file = artefact::GgufFile::Open(OpenHere(globals)->models->Resolve(model_).path);
  return runtime::TokenizerFromGguf(*file);
}

int TokenizeCommand::Run(const Globals& globals) {
  const auto tokenizer = Open(globals);
  const std::string text = ReadFile(text_ == "-" ? "/dev/stdin" : text_);
  if (count_) return Count(*tokenizer, text, globals.json);
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
