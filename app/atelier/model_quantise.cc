// atelier model quantise IN OUT --type q4_k: the same model, smaller.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>

#include "app/atelier/command.h"
#include "app/atelier/divergence_report.h"
#include "app/atelier/studio_here.h"
#include "app/atelier/text_table.h"
#include "artefact/hf_decoder.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "runtime/local_generator.h"
#include "runtime/quantise.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

// A folder's model as a file beside another, under a name that nobody has; gone at the end.
class Unpacked {
 public:
  Unpacked(const std::string& folder, const std::string& beside) : path_(Cat(beside, ".", RandomHex(8), ".unpacked")) {
    artefact::ConvertHfDecoder(folder, artefact::ModelNameFrom(folder), "", path_);
  }
  ~Unpacked() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class ModelQuantise : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("model", &model_, "a registered name, a GGUF file's path, or a folder with config.json and safetensors",
             true);
    cli.Text("out", &out_, "the GGUF file to write", true);
    cli.Text("--type", &type_, Cat("what its matrices become: ", Join(runtime::QuantisationNames(), ", ")), true);
    cli.Text("--calibration", &calibration_,
             "a text like those the model is for: errors move to where it uses them least");
    cli.Text("--evaluate", &evaluate_, "a text on which copy and original are compared afterwards");
    cli.Int("--ctx", &context_, "tokens per window of both texts", 4, 1 << 20);
    cli.Flag("--overwrite", &overwrite_, "replace the file where there is one");
    cli.Int("-t,--threads", &threads_, "threads; 0: as many as there are processors", 0, 256);
  }

  int Run(const Globals& globals) override {
    const kernel::Format format = runtime::QuantisationNamed(type_);
    if (FileExists(out_) && !overwrite_)
      throw Error(Code::kConflict, Cat(out_, " is there already"), "--overwrite replaces it");
    const std::string text = evaluate_.empty() ? "" : ReadFile(evaluate_);
    const auto threads = static_cast<int>(threads_);
    std::unique_ptr<Unpacked> unpacked;
    if (artefact::IsHfFolder(model_)) unpacked = std::make_unique<Unpacked>(model_, out_);
    artefact::ModelEntry entry = OpenHere(globals)->models->Resolve(unpacked ? unpacked->path() : model_);
    if (unpacked) entry.name = artefact::ModelNameFrom(model_);
    const auto file = artefact::GgufFile::Open(entry.path);
    // What cannot be compared is told before the work is done.
    std::shared_ptr<artefact::Generator> original;
    int64_t context = context_;
    if (!evaluate_.empty()) {
      original = runtime::LoadGenerator(entry.path, entry.name, "", {.threads = threads});
      context = std::min<int64_t>(context, original->info().context_length);
      evaluate::TextWindows(*original, text, context);
    }
    runtime::Importance importance;
    if (!calibration_.empty()) {
      Progress progress("calibrating", ProgressUnit::kItems, globals.quiet);
      importance = runtime::MeasureImportance(file, ReadFile(calibration_), context_, threads, progress.Callback());
    }
    runtime::QuantiseReport report;
    {
      Progress progress("quantising", ProgressUnit::kBytes, globals.quiet);
      report = runtime::QuantiseModel(*file,
                                      {.format = format,
                                       .importance = calibration_.empty() ? nullptr : &importance,
                                       .licence = entry.manifest.licence,
                                       .threads = threads},
                                      out_, progress.Callback());
    }
    std::optional<evaluate::Divergence> divergence;
    if (!evaluate_.empty()) {
      const auto copy = runtime::LoadGenerator(out_, "", "", {.threads = threads});
      Progress progress("comparing", ProgressUnit::kItems, globals.quiet);
      divergence = evaluate::MeasureDivergence(*original, *copy, text, context, progress.Callback());
    }
    globals.json ? PrintJson(entry, report, divergence) : Print(report, divergence);
    return 0;
  }

 private:
  void PrintJson(const artefact::ModelEntry& entry, const runtime::QuantiseReport& report,
                 const std::optional<evaluate::Divergence>& divergence) const {
    Json types = Json::object();
    for (const auto& [name, sum] : report.types) types[name] = {{"tensors", sum.tensors}, {"bytes", sum.bytes}};
    Json out = {{"model", entry.name},
                {"path", out_},
                {"type", type_},
                {"bytes_before", report.bytes_before},
                {"bytes", report.bytes_after},
                {"types", types},
                {"quantised_again", report.again}};
    if (divergence) out["comparison"] = DivergenceJson(*divergence);
    std::cout << ToText(out) << "\n";
  }

  void Print(const runtime::QuantiseReport& report, const std::optional<evaluate::Divergence>& divergence) const {
    TextTable types({"TENSORS", "TYPE", "SIZE"});
    for (const auto& [name, sum] : report.types) types.Add({std::to_string(sum.tensors), name, FormatBytes(sum.bytes)});
    std::cout << types.Text() << text::ForTerminal(out_) << ": " << FormatBytes(report.bytes_after) << ", before "
              << FormatBytes(report.bytes_before) << "\n";
    if (report.again > 0) {
      std::cout << report.again
                << " matrices were quantised before; made of the full model, the copy would be closer.\n";
    }
    if (divergence) std::cout << "\n" << DivergenceText(*divergence);
  }

  std::string model_, out_, type_, calibration_, evaluate_;
  int64_t context_ = 512, threads_ = 0;
  bool overwrite_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeModelQuantise() { return Make<ModelQuantise>(); }

}  // namespace atelier::app
