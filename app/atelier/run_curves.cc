// atelier run curves FOLDER... --metric validation/loss --out curves.svg: one number of several runs as one picture.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "text/unicode.h"
#include "track/run_curves.h"

namespace atelier::app {
namespace {

class RunCurves : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Texts("runs", &runs_, "the folders of the runs");
    cli.Texts("--metric", &metrics_, "what is drawn (default: validation/loss); may be repeated");
    cli.Text("--title", &title_, "of the picture (default: the metrics' names)");
    cli.Text("--out", &out_, "the SVG file to write", true);
    cli.Text("--lang", &language_, "zh or en (default: by LANG)");
  }

  int Run(const Globals& globals) override {
    if (runs_.empty()) throw Error(Code::kUsage, "which runs? give their folders");
    if (metrics_.empty()) metrics_ = {"validation/loss"};
    if (title_.empty()) title_ = Join(metrics_, ", ");
    WriteFileAtomic(out_, track::DrawRuns(runs_, metrics_, title_, PageLanguage(language_) == "zh"));
    std::cout << (globals.json ? ToText({{"out", out_}}) : text::ForTerminal(out_)) << "\n";
    return 0;
  }

 private:
  std::vector<std::string> runs_, metrics_;
  std::string title_, out_, language_;
};

}  // namespace

std::unique_ptr<Command> MakeRunCurves() { return Make<RunCurves>(); }

}  // namespace atelier::app
