// `atelier template render`: a Jinja template with a JSON context, as text on standard output.
#include <iostream>

#include "app/atelier/command.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "text/jinja.h"

namespace atelier::app {
namespace {

class TemplateRender : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("file", &file_, "the template", true);
    cli.Text("--context", &context_, "a JSON object: the template's variables; - reads standard input");
    cli.Int("--now", &now_, "what strftime_now sees, in milliseconds since 1970 (default: the clock)", -1,
            int64_t{1} << 50);
    cli.Flag("--html", &html_, "escape values for HTML");
  }

  int Run(const Globals& globals) override {
    const std::string source = ReadFile(file_, 64u << 20);
    Json context = Json::object();
    if (!context_.empty()) {
      const bool piped = context_ == "-";
      context = ParseJson(ReadFile(piped ? "/dev/stdin" : context_, 256u << 20), piped ? "standard input" : context_);
      if (!context.is_object()) {
        throw Error(Code::kInvalidInput, (piped ? "standard input" : context_) + ": the context is not a JSON object");
      }
    }
    text::RenderOptions options;
    options.now_unix_millis = now_;
    options.html_escape = html_;
    const std::string text = text::Template::Parse(source, file_).Render(context, options);
    if (globals.json) {
      std::cout << ToText(Json{{"text", text}}) << "\n";
    } else {
      std::cout << text;
    }
    return 0;
  }

 private:
  std::string file_, context_;
  int64_t now_ = -1;
  bool html_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTemplateRender() { return Make<TemplateRender>(); }

}  // namespace atelier::app
