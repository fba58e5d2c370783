// atelier model pull SOURCE: fetches weights, checks them, registers them.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <optional>

#include "app/atelier/adapter_file.h"
#include "app/atelier/command.h"
#include "app/atelier/studio_here.h"
#include "artefact/model_file.h"
#include "artefact/pull.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"
#include "guard/audit.h"
#include "runtime/arch/arch.h"
#include "runtime/merge.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

// A folder of PEFT's as the adapter's file, for as long as this lives.
struct ConvertedAdapter {
  ConvertedAdapter(const artefact::Registry& models, const std::string& folder, const std::string& base) {
    if (base.empty()) {
      throw Error(Code::kUsage, Cat(folder, ": an adapter is converted for its model"), "name it by --base");
    }
    const artefact::ModelEntry model = models.Resolve(base);
    const auto file = artefact::GgufFile::Open(model.path);
    artefact::Adapter adapter = ReadAdapter(folder, *file);
    runtime::CheckAdapter(*file, adapter);
    name = std::filesystem::path(folder).lexically_normal().filename().string();
    if (name.empty()) name = std::filesystem::path(folder).lexically_normal().parent_path().filename().string();
    adapter.name = name;
    adapter.base = model.name;
    const std::string at = Cat(models.home(), "/cache");
    MakeFolders(at);
    path = Cat(at, "/adapter-", ::getpid(), ".gguf");
    artefact::WriteAdapterGguf(adapter, path);
  }
  ~ConvertedAdapter() { ::unlink(path.c_str()); }
  ConvertedAdapter(const ConvertedAdapter&) = delete;
  ConvertedAdapter& operator=(const ConvertedAdapter&) = delete;

  std::string name, path;
};

class ModelPull : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text(
        "source", &options_.source,
        "smollm2, gemma3-270m, segmenter-zh, hf:OWNER/REPO/FILE, https://..., a file's path, or a folder of Hugging "
        "Face's (a model, or an adapter of PEFT's)",
        true);
    cli.Text("--name", &options_.name, "the model's name here (default: the catalogue's, or made of the file's)");
    cli.Text("--sha256", &options_.sha256, "refuse any file but the one with this SHA-256");
    cli.Text("--base", &base_, "of a folder of Hugging Face's PEFT: the model here that the adapter is for");
    cli.Flag("--accept-terms", &accept_terms_, "accept the model's terms of use, which are shown, without being asked");
    cli.Flag("--copy", &options_.copy, "put a file named by its path into $ATELIER_HOME/models too");
  }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    options_.actor = guard::LocalActor();
    std::optional<Progress> progress;
    artefact::PullHooks hooks;
    hooks.accept_terms = [&](std::string_view model, const artefact::CatalogueTerms& terms) {
      return Ask(model, terms);
    };
    hooks.on_stage = [&](std::string_view what) {
      progress.emplace(std::string(what), ProgressUnit::kBytes, globals.quiet);
    };
    hooks.progress = [&](uint64_t done, uint64_t total, std::string_view note) {
      if (progress) progress->Update(done, total, note);
    };
    std::optional<ConvertedAdapter> converted;
    if (IsPeftFolder(options_.source)) {
      if (!options_.sha256.empty()) throw Error(Code::kUsage, "--sha256 is for files; a folder is converted to one");
      converted.emplace(*here->models, options_.source, base_);
      if (options_.name.empty()) options_.name = artefact::ModelNameFrom(converted->name);
      options_.source = converted->path;
      options_.copy = true;
    } else if (!base_.empty()) {
      throw Error(Code::kUsage, "--base is for a folder of PEFT's, which has an adapter_config.json");
    }
    const artefact::Pulled pulled = artefact::Pull(*here->models, options_, hooks);
    progress.reset();
    const artefact::ModelEntry& entry = pulled.entry;
    if (globals.json) {
      std::cout << ToText({{"name", entry.name},
                           {"path", entry.path},
                           {"already", pulled.already},
                           {"registered", entry.registered},
                           {"manifest", artefact::ToJson(entry.manifest)}})
                << "\n";
      return 0;
    }
    const artefact::Manifest& m = entry.manifest;
    std::cout << entry.name << (pulled.already ? " is here already: " : ": ") << m.architecture << ", "
              << m.quantisation << ", " << FormatBytes(m.bytes) << ", licence "
              << (m.licence.empty() ? "not stated" : text::ForTerminal(m.licence)) << "\n  " << entry.path << "\n";
    if (entry.registered) {
      std::cout << "Registered in the studio " << here->studio->name() << ".\n";
    } else {
      std::cout << "There is no studio here; the model is usable by its name, as in `atelier " << Usage(entry)
                << "`.\n";
    }
    return 0;
  }

 private:
  static std::string Usage(const artefact::ModelEntry& entry) {
    const std::string& architecture = entry.manifest.architecture;
    if (architecture == "segmenter") return Cat("segment --segmenter ", entry.name, " --text FILE");
    if (architecture == artefact::kAdapterArchitecture) return Cat("generate -m MODEL+", entry.name, " -p ...");
    if (runtime::IsEncoder(architecture)) return Cat("embed -m ", entry.name, " TEXT");
    return Cat("generate -m ", entry.name, " -p ...");
  }

  bool Ask(std::string_view model, const artefact::CatalogueTerms& terms) const {
    std::cerr << model << " comes under the " << terms.name << ".\n  " << terms.notice << "\n  Read them at "
              << terms.url << "\n";
    if (accept_terms_) {
      std::cerr << "  Accepted with --accept-terms.\n";
      return true;
    }
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) return false;
    std::cerr << "Do you accept them? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    answer = ToLowerAscii(Trim(answer));
    return answer == "y" || answer == "yes" || answer == "是";
  }

  artefact::PullOptions options_;
  std::string base_;
  bool accept_terms_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeModelPull() { return Make<ModelPull>(); }

}  // namespace atelier::app
