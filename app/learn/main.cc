// atelier-learn COMMAND --option value ...: trains and samples with LibTorch. Events go to standard output as JSON
// lines, the last one is {"event":"done"} or {"event":"error"}. SIGINT and SIGTERM end a run after its step, with a
// checkpoint.
#include <torch/torch.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <span>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "base/error.h"
#include "base/str.h"

namespace atelier::learn {
namespace {

std::atomic<bool> stop{false};

std::span<const Command> AllCommands() {
  static const std::vector<Command> list = {
      {"train", {"config", "run"}, {"resume", "datasets", "until", "courteous"}, &Train},
      {"export", {"model", "out"}, {"name", "licence", "f16", "peft", "base"}, &Export},
      {"generate", {"model"}, {"tokens", "samples", "temperature", "top-k", "seed"}, &Generate},
      {"translate",
       {"model", "input", "out"},
       {"beam", "length-penalty", "longest", "batch", "attention", "pictures", "zh"},
       &Translate},
      {"classify", {"input", "out"}, {"run", "model", "datasets", "threads"}, &Classify},
      {"pictures", {"out"}, {"run", "model", "count", "seed", "interpolate"}, &Pictures},
      {"score", {"input"}, {"run", "model", "datasets"}, &Score},
  };
  return list;
}

Options ParseOptions(const Command& command, int argc, char** argv) {
  Options options;
  const auto known = [&](const std::vector<std::string_view>& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  for (int i = 2; i < argc; ++i) {
    std::string_view name = argv[i];
    if (!name.starts_with("--")) throw Error(Code::kUsage, Cat("what is ", Quote(name), "?"));
    name.remove_prefix(2);
    if (!known(command.required, name) && !known(command.optional, name)) {
      throw Error(Code::kUsage, Cat(command.name, " has no option --", name));
    }
    const bool value = i + 1 < argc && !std::string_view(argv[i + 1]).starts_with("--");
    options[std::string(name)] = value ? argv[++i] : "";
  }
  for (const std::string_view name : command.required) {
    if (!options.contains(std::string(name))) throw Error(Code::kUsage, Cat(command.name, " wants --", name));
  }
  return options;
}

int Main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // mpirun hands SIGUSR1 on, where it would kill after the others.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) std::signal(signal, [](int) { stop = true; });
  try {
    const std::string_view name = argc > 1 ? argv[1] : "";
    for (const Command& command : AllCommands()) {
      if (command.name == name) return command.run(ParseOptions(command, argc, argv), stop);
    }
    throw Error(Code::kUsage, Cat("atelier-learn has no command ", Quote(name)), "atelier train starts it");
  } catch (...) {
    return TellFailure();
  }
}

}  // namespace
}  // namespace atelier::learn

int main(int argc, char** argv) { return atelier::learn::Main(argc, argv); }
