// atelier reward -m MODEL+ADAPTER < REPLIES.jsonl: what a model that was taught rewards thinks of replies, line by
// line.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/model_option.h"
#include "artefact/verdict.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "runtime/chat.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

// Lines in: {"record": {"prompt": TEXT} or {"messages": [...]}, "reply": TEXT}; out: a number each, --json: {"reward"}.
class Reward : public Command {
 public:
  void Declare(Cli& cli) override {
    model_.Declare(cli);
    cli.Text("--prompt", &prompt_, "the field of a record with what was asked: a text, or a list of messages");
    cli.Text("--format", &format_, "chat (the model's template), plain, or auto: chat where there is a template");
  }

  int Run(const Globals& globals) override {
    if (format_ != "auto" && format_ != "chat" && format_ != "plain") {
      throw Error(Code::kUsage, Cat("--format ", Quote(format_), " is none"), "chat, plain or auto");
    }
    const auto model = model_.Load(globals);
    const bool chat = format_ == "chat" || (format_ == "auto" && !model->ChatTemplate().empty());
    std::optional<runtime::ChatFormat> format;
    if (chat) format.emplace(*model);
    const std::vector<std::string> words = {std::string(artefact::kGood), std::string(artefact::kBad)};
    int64_t number = 0;
    for (std::string line; std::getline(std::cin, line);) {
      ++number;
      if (Trim(line).empty()) continue;
      const std::string where = Cat("line ", number);
      const std::string text = Read(ParseJson(line, where), where, format ? &*format : nullptr);
      const std::vector<artefact::Scored> said = model->Score(text, words, chat);
      if (said[0].tokens != 1 || said[1].tokens != 1) {
        throw Error(Code::kUnsupported, Cat(model->info().name, ": its tokenizer has no '+' and '-'"));
      }
      const double reward = said[0].sum_logprob - said[1].sum_logprob;
      std::cout << (globals.json ? ToText(Json{{"reward", reward}}) : FormatFixed(reward, 6)) << "\n" << std::flush;
    }
    if (number == 0) throw Error(Code::kInvalidInput, "standard input is empty", "a line of JSON for each reply");
    return 0;
  }

 private:
  // What the model reads: what was asked, as it would be asked, and the reply.
  std::string Read(const Json& line, const std::string& where, const runtime::ChatFormat* format) const {
    const auto missing = [&](std::string_view what) {
      return Error(Code::kInvalidInput, Cat(where, ": has no ", what),
                   "{\"record\": {\"prompt\": ...}, \"reply\": ...}");
    };
    if (!line.is_object() || !line.contains("record") || !line["record"].is_object()) throw missing("\"record\"");
    if (!line.contains("reply") || !line["reply"].is_string()) throw missing("text \"reply\"");
    const Json& record = line["record"];
    const std::string field = record.contains("messages") ? "messages" : prompt_;
    if (!record.contains(field)) throw missing(Quote(field));
    const std::string reply = line["reply"];
    Json asked = record[field];
    if (format == nullptr) {
      if (!asked.is_string()) throw missing(Cat("text ", Quote(field)));
      return asked.get<std::string>() + reply;
    }
    if (asked.is_string()) asked = Json::array({{{"role", "user"}, {"content", asked}}});
    while (asked.is_array() && !asked.empty() && asked.back().is_object() &&
           asked.back().value("role", "") == "assistant")
      asked.erase(asked.size() - 1);
    if (!asked.is_array() || asked.empty()) throw missing(Cat("list of messages ", Quote(field)));
    try {
      return format->Render(asked) + reply;
    } catch (const Error& error) {
      throw error.Within(where);
    }
  }

  ModelOption model_;
  std::string prompt_ = "prompt", format_ = "auto";
};

}  // namespace

std::unique_ptr<Command> MakeReward() { return Make<Reward>(); }

}  // namespace atelier::app
