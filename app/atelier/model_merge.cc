// atelier model merge MODEL ADAPTER OUT: a low-rank adapter laid into its model for good.
#include <iostream>

#include "app/atelier/adapter_file.h"
#include "app/atelier/command.h"
#include "app/atelier/studio_here.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "runtime/merge.h"
#include "runtime/quantise.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

class ModelMerge : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("model", &model_, "a registered name or a GGUF file's path", true);
    cli.Text("adapter", &adapter_, "an adapter: a registered name, a GGUF file, or a folder of Hugging Face's PEFT",
             true);
    cli.Text("out", &out_, "the GGUF file to write", true);
    cli.Text("--type", &type_, "what the changed matrices become; keep: the model's own types");
    cli.Flag("--overwrite", &overwrite_, "replace the file where there is one");
  }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    const artefact::ModelEntry entry = here->models->Resolve(model_);
    if (FileExists(out_) && !overwrite_) {
      throw Error(Code::kConflict, Cat(out_, " is there already"), "--overwrite replaces it");
    }
    const auto file = artefact::GgufFile::Open(entry.path);
    runtime::MergeOptions options;
    if (type_ != "keep") options.format = runtime::QuantisationNamed(type_);
    options.licence = entry.manifest.licence;
    Progress progress("merging", ProgressUnit::kItems, globals.quiet);
    const bool path = FileExists(adapter_) || IsPeftFolder(adapter_);
    const artefact::Adapter adapter = ReadAdapter(path ? adapter_ : here->models->Resolve(adapter_).path, *file);
    runtime::MergeAdapter(*file, adapter, options, out_, progress.Callback());
    if (globals.json) {
      std::cout << ToText({{"model", entry.name},
                           {"adapter", adapter.name},
                           {"path", out_},
                           {"matrices", adapter.pairs.size()},
                           {"bytes", FileSize(out_)}})
                << "\n";
    } else {
      std::cout << text::ForTerminal(out_) << ": " << adapter.pairs.size() << " matrices changed\n";
    }
    return 0;
  }

 private:
  std::string model_, adapter_, out_, type_ = "q8_0";
  bool overwrite_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeModelMerge() { return Make<ModelMerge>(); }

}  // namespace atelier::app
