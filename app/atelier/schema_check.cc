// atelier schema check FILE [--texts FILE]: whether replies can be held to a JSON Schema, and whether one could be
// these texts.
#include <iostream>

#include "app/atelier/command.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "runtime/constraint/reply_check.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

// Exit code 1: there is a text that no reply can be.
class SchemaCheckCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("file", &file_, "the JSON Schema", true);
    cli.Text("--texts", &texts_, "replies, one on each line; - reads standard input");
  }

  int Run(const Globals& globals) override {
    runtime::ReplyCheck check({artefact::ConstraintSpec::Kind::kJsonSchema, ReadFile(file_, 2u << 20), {}});
    const bool piped = texts_ == "-";
    std::string texts = texts_.empty() ? "" : ReadFile(piped ? "/dev/stdin" : texts_, 256u << 20);
    if (texts.ends_with('\n')) texts.pop_back();
    Json list = Json::array();
    bool all = true;
    if (!globals.json) std::cout << file_ << ": replies can be held to it\n";
    size_t number = 0;
    for (const std::string& line : texts.empty() ? std::vector<std::string>() : Split(texts, '\n')) {
      const auto [possible, bytes] = check.Of(line);
      all = all && possible;
      ++number;
      if (globals.json) {
        list.push_back({{"line", number}, {"possible", possible}, {"bytes", bytes}});
      } else if (possible) {
        std::cout << "line " << number << ": a reply can be this\n";
      } else if (bytes == line.size()) {
        std::cout << "line " << number << ": a reply can begin so, and does not end here\n";
      } else {
        std::cout << "line " << number << ": no reply goes on so after byte " << bytes << ": "
                  << text::ForTerminal(std::string_view(line).substr(bytes), 40) << "\n";
      }
    }
    if (globals.json) std::cout << ToText(Json{{"schema", file_}, {"kept", true}, {"texts", std::move(list)}}) << "\n";
    return all ? 0 : 1;
  }

 private:
  std::string file_, texts_;
};

}  // namespace

std::unique_ptr<Command> MakeSchemaCheck() { return Make<SchemaCheckCommand>(); }

}  // namespace atelier::app
