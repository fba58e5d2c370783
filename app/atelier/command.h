// One command of the program: it declares its options, then runs. One file per command, one line per command in
// commands.cc. CLI11 stays inside main.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::app {

// What a command may ask for on the command line. Targets keep their value when the option is not given.
class Cli {
 public:
  virtual ~Cli() = default;
  virtual void Text(const std::string& names, std::string* target, const std::string& help, bool required = false) = 0;
  virtual void Texts(const std::string& names, std::vector<std::string>* target, const std::string& help) = 0;
  virtual void Int(const std::string& names, int64_t* target, const std::string& help, int64_t least, int64_t most) = 0;
  // The same, and it stays nothing when the option is not given.
  virtual void Int(const std::string& names, std::optional<int64_t>* target, const std::string& help, int64_t least,
                   int64_t most) = 0;
  virtual void Double(const std::string& names, double* target, const std::string& help, double least, double most) = 0;
  virtual void Double(const std::string& names, std::optional<double>* target, const std::string& help, double least,
                      double most) = 0;
  virtual void Flag(const std::string& names, bool* target, const std::string& help) = 0;
  // Positional arguments are options whose name has no dash: Text("recipe", ...).
};

struct Globals {
  std::string studio;  // --studio DIR; "" : found by walking up from the working folder
  bool json = false;   // one JSON document on standard output, nothing else there
  bool quiet = false;  // no progress
};

class Command {
 public:
  virtual ~Command() = default;
  virtual void Declare(Cli& cli) = 0;
  // Returns the exit code; throws Error for failures. Results go to standard output, the rest to standard error.
  virtual int Run(const Globals& globals) = 0;
};

struct CommandEntry {
  std::string_view name;      // "generate", or "model pull": a group and its command
  std::string_view summary;   // one line; "": for the program itself, not shown under --help
  std::string_view examples;  // shown under --help, one per line
  std::unique_ptr<Command> (*make)();
};

// The visible list, in the order of `atelier --help`.
std::span<const CommandEntry> AllCommands();

template <typename T>
std::unique_ptr<Command> Make() {
  return std::make_unique<T>();
}

}  // namespace atelier::app
