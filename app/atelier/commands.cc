// The visible list of commands. A new command is one new file and two lines here.
#include "app/atelier/command.h"

namespace atelier::app {

std::unique_ptr<Command> MakeCompose();  // compose.cc

std::span<const CommandEntry> AllCommands() {
  static const std::vector<CommandEntry> list = {
      {"compose", "Show what a phrase grammar makes of rows",
       "atelier compose recipes/ad_copy/grammar/en.toml --input rows.jsonl --count 10", &MakeCompose},
  };
  return list;
}

}  // namespace atelier::app
