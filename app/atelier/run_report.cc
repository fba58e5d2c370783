// atelier run report FOLDER: a run of training as a page, also while it goes on.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "base/json.h"
#include "track/run_report.h"

namespace atelier::app {
namespace {

class RunReport : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("run", &run_, "the run's folder", true);
    cli.Text("--lang", &language_, "zh or en (default: by LANG)");
  }

  int Run(const Globals& globals) override {
    const std::string page = track::WriteReportOfRun(run_, PageLanguage(language_));
    std::cout << (globals.json ? ToText({{"report", page}}) : page) << "\n";
    return 0;
  }

 private:
  std::string run_, language_;
};

}  // namespace

std::unique_ptr<Command> MakeRunReport() { return Make<RunReport>(); }

}  // namespace atelier::app
