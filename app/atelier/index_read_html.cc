// atelier index read-html: the child that `index add` reads HTML with. A page on standard input, its document on
// standard output. Not listed: nobody needs it by hand.
#include <iostream>

#include "app/atelier/command.h"
#include "base/file.h"
#include "retrieve/html_child.h"

namespace atelier::app {
namespace {

class IndexReadHtml : public Command {
 public:
  void Declare(Cli&) override {}
  int Run(const Globals&) override {
    retrieve::Document document;
    retrieve::ReadHtml(ReadFile("/dev/stdin", 256u << 20), &document);
    std::cout << ToText(retrieve::HtmlToJson(document)) << "\n";
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> MakeIndexReadHtml() { return Make<IndexReadHtml>(); }

}  // namespace atelier::app
