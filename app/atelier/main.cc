// The program `atelier`: finds the command, runs it, turns an Error into one line and an exit code.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>

#include "app/atelier/command.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

constexpr const char* kVersion = ATELIER_VERSION;

class CliEleven : public Cli {
 public:
  explicit CliEleven(CLI::App* app) : app_(app) {}
  void Text(const std::string& names, std::string* target, const std::string& help, bool required) override {
    app_->add_option(names, *target, help)->required(required);
  }
  void Texts(const std::string& names, std::vector<std::string>* target, const std::string& help) override {
    // Of options one value each, so that what follows is not swallowed; positional arguments take all.
    app_->add_option(names, *target, help)->allow_extra_args(!names.starts_with('-'));
  }
  void Int(const std::string& names, int64_t* target, const std::string& help, int64_t least, int64_t most) override {
    Number(names, Cat("a whole number from ", least, " to ", most), Cat(*target), help, [=](const std::string& text) {
      const std::optional<int64_t> value = ParseInt(text);
      if (!value || *value < least || *value > most) return false;
      *target = *value;
      return true;
    });
  }
  void Int(const std::string& names, std::optional<int64_t>* target, const std::string& help, int64_t least,
           int64_t most) override {
    Number(names, Cat("a whole number from ", least, " to ", most), "", help, [=](const std::string& text) {
      const std::optional<int64_t> value = ParseInt(text);
      if (!value || *value < least || *value > most) return false;
      *target = value;
      return true;
    });
  }
  void Double(const std::string& names, double* target, const std::string& help, double least, double most) override {
    const std::string range = Cat("a number from ", FormatShort(least), " to ", FormatShort(most));
    Number(names, range, FormatShort(*target), help, [=](const std::string& text) {
      const std::optional<double> value = ParseDouble(text);
      if (!value || *value < least || *value > most) return false;
      *target = *value;
      return true;
    });
  }
  void Double(const std::string& names, std::optional<double>* target, const std::string& help, double least,
              double most) override {
    const std::string range = Cat("a number from ", FormatShort(least), " to ", FormatShort(most));
    Number(names, range, "", help, [=](const std::string& text) {
      const std::optional<double> value = ParseDouble(text);
      if (!value || *value < least || *value > most) return false;
      *target = value;
      return true;
    });
  }
  void Flag(const std::string& names, bool* target, const std::string& help) override {
    app_->add_flag(names, *target, help);
  }

 private:
  // CLI11's own conversion reads 010 as 8, takes nan, and holds what does not fit 64 bits for the greatest that does.
  void Number(const std::string& names, const std::string& range, const std::string& fallback, const std::string& help,
              const std::function<bool(const std::string&)>& take) {
    const auto check = [=](const std::string& text) {
      return take(text) ? std::string() : Cat(Quote(text), " is not ", range);
    };
    app_->add_option_function<std::string>(
            names, [](const std::string&) {}, help)
        ->check(CLI::Validator(check, ""))
        ->type_name(Cat("(", range, ")"))
        ->default_str(fallback);
  }
  static std::string FormatShort(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof(buffer), "%g", value);
    return buffer;
  }

  CLI::App* app_;
};

void AddGlobals(CLI::App* app, Globals* globals) {
  app->add_option("--studio", globals->studio, "the studio's folder (default: found by walking up from here)");
  app->add_flag("--json", globals->json, "one JSON document on standard output");
  app->add_flag("--quiet", globals->quiet, "no progress");
}

void PrintError(const Error& error, bool json) {
  if (json) {
    Json body = {{"error", {{"code", Info(error.code()).name}, {"message", error.what()}, {"hint", error.hint()}}}};
    std::cout << ToText(body) << "\n";
  }
  // A path, an argument or a template's own complaint may hold anything; what is said is one line of plain UTF-8.
  std::fprintf(stderr, "atelier: %s\n", text::ForTerminal(error.Line()).c_str());
}

int Main(int argc, char** argv) {
  // A reader that closes the pipe ends the program quietly through a failed write, not through a signal.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // the same for a file that may not grow
  CLI::App app("Atelier: a private studio for generated content that learns from what its readers do.", "atelier");
  app.set_version_flag("--version", std::string("atelier ") + kVersion);
  app.require_subcommand(0, 1);
  Globals globals;
  AddGlobals(&app, &globals);

  std::map<std::string, CLI::App*> groups;
  std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> commands;
  for (const CommandEntry& entry : AllCommands()) {
    const std::vector<std::string> words = Split(entry.name, ' ');
    CLI::App* parent = &app;
    if (words.size() == 2) {
      CLI::App*& group = groups[words[0]];
      if (group == nullptr) {
        group = app.add_subcommand(words[0], Cat("the ", words[0], " commands"));
        group->require_subcommand(1);
      }
      parent = group;
    }
    CLI::App* sub = parent->add_subcommand(words.back(), std::string(entry.summary));
    if (entry.summary.empty()) sub->group("");  // not shown
    if (!entry.examples.empty()) sub->footer(Cat("Examples:\n", entry.examples));
    AddGlobals(sub, &globals);
    auto command = entry.make();
    CliEleven cli(sub);
    command->Declare(cli);
    commands.emplace_back(sub, std::move(command));
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForAllHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForVersion& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    // The flag may stand behind the mistake, where the parser has not come.
    const bool json = globals.json || std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
    PrintError(Error(Code::kUsage, e.what(), "see `atelier --help`"), json);
    return Info(Code::kUsage).exit_code;
  }
  for (auto& [sub, command] : commands) {
    if (!sub->parsed()) continue;
    try {
      const int exit_code = command->Run(globals);
      std::cout.flush();
      if (!std::cout) throw Error(Code::kIo, "standard output could not be written");
      return exit_code;
    } catch (const Error& error) {
      PrintError(error, globals.json);
      return Info(error.code()).exit_code;
    } catch (const std::bad_alloc&) {
      PrintError(Error(Code::kResourceExhausted, "out of memory"), globals.json);
    } catch (const std::exception& e) {
      PrintError(Error(Code::kInternal, e.what(), "this is a bug of Atelier's; please report it"), globals.json);
    }
    return 1;
  }
  std::cout << app.help();
  return 0;
}

}  // namespace
}  // namespace atelier::app

int main(int argc, char** argv) { return atelier::app::Main(argc, argv); }
