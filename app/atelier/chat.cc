// atelier chat -m MODEL: a conversation at the terminal, or line by line from a pipe.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/model_option.h"
#include "app/atelier/print_pieces.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "runtime/chat.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

class ChatCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    model_.Declare(cli);
    cli.Text("--system", &system_, "a system message that comes first");
    cli.Int("--max-tokens", &max_tokens_, "the most tokens of one reply", 1, 1 << 20);
    cli.Double("--temperature", &temperature_, "0: always the likeliest token", 0, 100);
    cli.Double("--top-p", &top_p_, "keep the smallest set with this probability", 0, 1);
    cli.Int("--seed", &seed_, "of the random numbers", 0, INT64_MAX);
  }

  int Run(const Globals& globals) override {
    const auto model = model_.Load(globals);
    Json messages = Json::array();
    if (!system_.empty()) messages.push_back({{"role", "system"}, {"content", system_}});
    runtime::RenderChat(
        *model, {{{"role", "user"}, {"content", "?"}}});  // a model that cannot chat says so before the first line
    const bool terminal = isatty(STDIN_FILENO) == 1;
    if (terminal) {
      std::fprintf(stderr, "Chat with %s. An empty line or Ctrl-D ends it; /new starts afresh.\n",
                   model->info().name.c_str());
    }
    const size_t fixed = messages.size();
    std::string line;
    for (int64_t turn = 0;; ++turn) {
      if (terminal) std::fprintf(stderr, "> ");
      if (!std::getline(std::cin, line)) break;
      line = text::SanitizeUtf8(line);
      if (Trim(line).empty()) {
        if (terminal) break;
        continue;
      }
      if (line == "/new") {
        messages.erase(messages.begin() + static_cast<int64_t>(fixed), messages.end());
        continue;
      }
      messages.push_back({{"role", "user"}, {"content", line}});
      try {
        Answer(*model, messages, turn, globals.json);
      } catch (const Error& error) {  // one message that cannot be answered does not end the conversation
        if (error.code() != Code::kInvalidInput) throw;
        messages.erase(messages.end() - 1);
        if (globals.json) {
          std::cout << ToText({{"error", {{"code", Info(error.code()).name}, {"message", error.Line()}}}}) << "\n"
                    << std::flush;
        } else {
          std::fprintf(stderr, "atelier: %s\n", text::ForTerminal(error.Line()).c_str());
        }
      }
    }
    return 0;
  }

 private:
  // Answers the last message, shows the answer, and adds it to the conversation.
  void Answer(artefact::Generator& model, Json& messages, int64_t turn, bool json) const {
    artefact::GenerateRequest request;
    request.prompt = runtime::RenderChat(model, messages);
    request.parse_special = true;
    request.max_tokens = static_cast<int>(max_tokens_);
    request.seed = static_cast<uint64_t>(seed_ + turn);
    request.sampling.temperature = temperature_;
    request.sampling.top_p = top_p_;
    const auto result = model.Generate(request, json ? nullptr : PrintPieces());
    const artefact::Generated& reply = result.samples[0];
    messages.push_back({{"role", "assistant"}, {"content", reply.text}});
    if (!json) {
      std::cout << "\n" << std::flush;
      return;
    }
    std::cout << ToText({{"text", reply.text},
                         {"finish", artefact::Name(reply.finish)},
                         {"prompt_tokens", result.prompt_tokens},
                         {"output_tokens", reply.tokens.size()}})
              << "\n"
              << std::flush;
  }

  ModelOption model_;
  std::string system_;
  double temperature_ = 0.7, top_p_ = 0.95;
  int64_t max_tokens_ = 512, seed_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeChat() { return std::make_unique<ChatCommand>(); }

}  // namespace atelier::app
