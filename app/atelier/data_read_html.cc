// atelier data read-html: the child that `data import` reads HTML with. A page on standard input, sections on standard
// output. Not listed: nobody needs it by hand.
#include <iostream>

#include "app/atelier/command.h"
#include "base/file.h"
#include "data/import/section.h"

namespace atelier::app {
namespace {

class DataReadHtml : public Command {
 public:
  void Declare(Cli&) override {}
  int Run(const Globals&) override {
    std::cout << ToText(data::ToJson(data::ExtractHtml(ReadFile("/dev/stdin", 256u << 20)))) << "\n";
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> MakeDataReadHtml() { return Make<DataReadHtml>(); }

}  // namespace atelier::app
