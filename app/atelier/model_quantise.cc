// atelier model quantise IN OUT --type q4_k: the same model, smaller.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/smaller_copy.h"
#include "app/atelier/text_table.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "runtime/quantise.h"

namespace atelier::app {
namespace {

class ModelQuantise : public Command {
 public:
  void Declare(Cli& cli) override {
    copy_.Declare(cli);
    cli.Text("--type", &type_, Cat("what its matrices become: ", Join(runtime::QuantisationNames(), ", ")), true);
  }

  int Run(const Globals& globals) override {
    const kernel::Format format = runtime::QuantisationNamed(type_);
    copy_.Open(globals);
    runtime::QuantiseReport report;
    {
      Progress progress("quantising", ProgressUnit::kBytes, globals.quiet);
      report = runtime::QuantiseModel(copy_.file(),
                                      {.format = format,
                                       .importance = copy_.importance(),
                                       .licence = copy_.entry().manifest.licence,
                                       .threads = copy_.threads()},
                                      copy_.out(), progress.Callback());
    }
    copy_.Compare(globals);
    globals.json ? PrintJson(report) : Print(report);
    return 0;
  }

 private:
  void PrintJson(const runtime::QuantiseReport& report) const {
    Json types = Json::object();
    for (const auto& [name, sum] : report.types) types[name] = {{"tensors", sum.tensors}, {"bytes", sum.bytes}};
    Json out = {{"model", copy_.entry().name},         {"path", copy_.out()},         {"type", type_},
                {"bytes_before", report.bytes_before}, {"bytes", report.bytes_after}, {"types", types},
                {"quantised_again", report.again}};
    copy_.AddTo(&out);
    std::cout << ToText(out) << "\n";
  }

  void Print(const runtime::QuantiseReport& report) const {
    TextTable types({"TENSORS", "TYPE", "SIZE"});
    for (const auto& [name, sum] : report.types) types.Add({std::to_string(sum.tensors), name, FormatBytes(sum.bytes)});
    std::cout << types.Text() << copy_.Ending(report.bytes_before, report.bytes_after, report.again);
  }

  SmallerCopy copy_;
  std::string type_;
};

}  // namespace

std::unique_ptr<Command> MakeModelQuantise() { return Make<ModelQuantise>(); }

}  // namespace atelier::app
