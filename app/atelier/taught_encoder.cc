#include "app/atelier/taught_encoder.h"

#include <sstream>

#include "app/atelier/rankers.h"
#include "app/atelier/training_run.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "rank/features.h"
#include "rank/split.h"

namespace atelier::app {
namespace {

constexpr size_t kLeastGroups = 8;  // three for the ranker, two to stop by, and some to learn from

struct Halves {
  rank::Choices held, rest;
};

std::vector<std::string> GroupsOf(const rank::Choices& choices) {
  std::vector<std::string> groups;
  for (const rank::Choice& choice : choices.list) groups.push_back(choice.group);
  return groups;
}

Halves Part(const rank::Choices& choices, double share, uint64_t seed) {
  const std::vector<bool> held = rank::HoldOut(GroupsOf(choices), share, seed);
  Halves halves;
  for (size_t i = 0; i < held.size(); ++i) (held[i] ? halves.held : halves.rest).list.push_back(choices.list[i]);
  return halves;
}

// As docs/formats/choices.md has them, whatever they were read from.
void Write(const rank::Choices& choices, const std::string& path) {
  std::string lines;
  for (const rank::Choice& choice : choices.list) {
    Json options = Json::array();
    for (size_t i = 0; i < choice.options.size(); ++i)
      options.push_back({{"text", choice.options[i].text}, {"gain", choice.gains[i]}});
    lines += ToText(Json{
        {"context", rank::ContextText(choice.context)}, {"options", std::move(options)}, {"weight", choice.weight}});
    lines += "\n";
  }
  WriteFileAtomic(path, lines);
}

std::string Config(const TrainingRun& run, const artefact::ModelEntry& base, const TeachOptions& options) {
  std::ostringstream out;
  const int64_t context = base.manifest.context_length;
  out << "[run]\nname = " << TomlText(run.name) << "\nseed = " << options.seed
      << "\n\n[data]\ntrain = " << TomlText(Cat(run.folder, "/choices.jsonl"))
      << "\nvalidation = " << TomlText(Cat(run.folder, "/held_out.jsonl"))
      << "\nsequence_length = " << (context > 0 ? std::min<int64_t>(256, context) : 256)
      << "\n\n[model]\narchitecture = \"bert_ranker\"\ninit = " << TomlText(base.path)
      << "\nloss = " << TomlText(options.loss) << "\nproduct = " << (options.product ? "true" : "false")
      << "\nrank = " << options.rank << "\n\n[train]\nprecision = \"bf16\"\nepochs = " << options.epochs
      << "\nbatch = 8\n\n[optimiser]\nrate = " << options.rate
      << "\nweight_decay = 0.0\n\n[schedule]\nname = \"linear\"\nfinal = 0.0\n\n[validation]\npatience = 2\n";
  return out.str();
}

}  // namespace

Taught TeachEncoder(StudioHere& here, const std::string& name, const artefact::ModelEntry& base,
                    const rank::Choices& choices, const TeachOptions& options, const Globals& globals) {
  if (base.manifest.architecture != "bert") {
    throw Error(Code::kInvalidInput,
                Cat(base.name, " is a model of architecture ", Quote(base.manifest.architecture), ", no encoder"),
                "--encoder e5-small");
  }
  if (const size_t count = rank::CountGroups(GroupsOf(choices)); count < kLeastGroups) {
    throw Error(Code::kInvalidInput,
                Cat("the choices are of ", count, " groups; at least ", kLeastGroups,
                    " are needed to teach the encoder and then a ranker, each on its own"),
                "choices of more readers or records; or leave --adapt out");
  }
  TrainingRun run;
  run.name = Cat(name, "-encoder");
  if (!artefact::IsModelName(run.name)) {
    throw Error(Code::kInvalidInput, Cat(Quote(run.name), " cannot name the encoder"), "give a shorter --name");
  }
  run.folder = RunFolder(here, run.name);
  run.config = Cat(run.folder, "/run.toml");
  run.resume = options.resume && FileExists(Cat(run.folder, "/last.safetensors"));
  run.name_by = "--name", run.or_else = "remove it, or name the ranker otherwise by --name";
  CheckRun(here, run);
  const auto seed = static_cast<uint64_t>(options.seed);
  Halves both = Part(choices, 0.5, seed + 2);  // not the order that a ranker's own split goes by
  const Halves taught = Part(both.held, 0.2, seed + 3);
  MakeFolders(run.folder);
  Write(taught.rest, Cat(run.folder, "/choices.jsonl"));
  Write(taught.held, Cat(run.folder, "/held_out.jsonl"));
  WriteFileAtomic(run.config, Config(run, base, options));
  Taught out{.encoder = {}, .rest = std::move(both.rest), .run = RunTraining(here, run, globals)};
  if (out.run["ending"] == "interrupted") return out;
  const std::string kept = ExportRun(here, run, ".gguf", &base.manifest);
  out.run["report"] = ReportOfRun(run);
  out.encoder = ResolveToName(*here.models, kept);
  return out;
}

}  // namespace atelier::app
