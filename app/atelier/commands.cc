// The visible list of commands. A new command is one new file and two lines here.
#include "app/atelier/command.h"

namespace atelier::app {

std::unique_ptr<Command> MakeCompose();  // compose.cc
std::unique_ptr<Command> MakeTokenize();  // tokenize.cc

std::span<const CommandEntry> AllCommands() {
  static const std::vector<CommandEntry> list = {
      {"compose", "Show what a phrase grammar makes of rows",
       "atelier compose recipes/ad_copy/grammar/en.toml --input rows.jsonl --count 10", &MakeCompose},
      {"tokenize", "Show what a model's tokenizer makes of a text, line by line",
       "atelier tokenize -m smollm2 --text notes.txt --json", &MakeTokenize},
  };
  return list;
}

}  // namespace atelier::app
