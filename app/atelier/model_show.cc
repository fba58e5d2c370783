// atelier model show MODEL: what a GGUF file holds. docs/formats/manifest.md has the JSON's shape.
#include <iostream>
#include <map>

#include "app/atelier/command.h"
#include "app/atelier/print_ranker.h"
#include "app/atelier/studio_here.h"
#include "app/atelier/text_table.h"
#include "artefact/gguf.h"
#include "artefact/model_file.h"
#include "artefact/ranker_file.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

using artefact::GgufFile;
using artefact::TensorInfo;

// A metadata value for people, or null where it is not there.
Json ValueOrNull(const GgufFile& file, std::string_view key) { return file.Has(key) ? file.ToJson(key) : Json(); }

Json Tokenizer(const GgufFile& file) {
  if (!file.Has("tokenizer.ggml.model")) return nullptr;
  return {{"model", ValueOrNull(file, "tokenizer.ggml.model")},
          {"pre", ValueOrNull(file, "tokenizer.ggml.pre")},
          {"tokens", file.Count("tokenizer.ggml.tokens")},
          {"bos", ValueOrNull(file, "tokenizer.ggml.bos_token_id")},
          {"eos", ValueOrNull(file, "tokenizer.ggml.eos_token_id")},
          {"add_bos", ValueOrNull(file, "tokenizer.ggml.add_bos_token")}};
}

Json Describe(const artefact::ModelEntry& entry, const GgufFile& file) {
  const artefact::Manifest described = artefact::Describe(file);
  const artefact::Manifest& kept = entry.manifest;
  Json types = Json::object(), unsupported = Json::array();
  for (const TensorInfo& tensor : file.tensors()) {
    Json& type = types[std::string(artefact::Name(tensor.type))];
    if (type.is_null()) type = {{"count", 0}, {"bytes", uint64_t{0}}};
    type["count"] = type["count"].get<int64_t>() + 1;
    type["bytes"] = type["bytes"].get<uint64_t>() + tensor.bytes;
    if (!artefact::Info(tensor.type).supported) unsupported.push_back(tensor.name);
  }
  Json metadata = Json::object();
  for (const std::string& key : file.Keys()) metadata[key] = file.ToJson(key);
  return {{"name", entry.name},
          {"path", entry.path},
          {"architecture", described.architecture},
          {"parameters", described.parameters},
          {"quantisation", described.quantisation},
          {"context_length", described.context_length},
          {"bytes", file.file_bytes()},
          {"sha256", kept.sha256.empty() ? Json() : Json(kept.sha256)},
          {"licence", kept.licence.empty() ? described.licence : kept.licence},
          {"source", kept.source.empty() ? Json() : Json(kept.source)},
          {"gguf_version", file.version()},
          {"alignment", file.alignment()},
          {"tokenizer", Tokenizer(file)},
          {"chat_template", file.Has("tokenizer.chat_template")},
          {"tensors", {{"count", file.tensors().size()}, {"types", types}, {"unsupported", unsupported}}},
          {"metadata", metadata}};
}

std::string Millions(int64_t n) { return FormatFixed(static_cast<double>(n) / 1e6, 1) + " million"; }

void Print(const Json& d) {
  const auto line = [](std::string_view name, const std::string& value) {
    std::string label(name);
    label.resize(16, ' ');
    std::cout << label << text::ForTerminal(value) << "\n";
  };
  const auto shown = [](const Json& value) {
    return value.is_null() ? std::string("-") : value.is_string() ? value.get<std::string>() : ToText(value);
  };
  line("name", shown(d["name"]));
  line("path", shown(d["path"]));
  line("architecture", shown(d["architecture"]));
  line("parameters", Millions(d["parameters"].get<int64_t>()));
  line("quantisation", shown(d["quantisation"]));
  line("context", Cat(shown(d["context_length"]), " tokens"));
  line("size", FormatBytes(d["bytes"].get<uint64_t>()));
  line("licence", d["licence"].get<std::string>().empty() ? "not stated" : shown(d["licence"]));
  line("source", shown(d["source"]));
  line("sha256", shown(d["sha256"]));
  if (const Json& tokenizer = d["tokenizer"]; !tokenizer.is_null()) {
    line("tokenizer", Cat(shown(tokenizer["model"]), ", ", shown(tokenizer["tokens"]), " tokens"));
  }
  line("chat template", d["chat_template"].get<bool>() ? "yes" : "no");
  std::cout << "\n";
  TextTable types({"TENSORS", "TYPE", "SIZE"});
  for (const auto& item : d["tensors"]["types"].items()) {
    types.Add({shown(item.value()["count"]), item.key(), FormatBytes(item.value()["bytes"].get<uint64_t>())});
  }
  std::cout << types.Text();
  if (const Json& unsupported = d["tensors"]["unsupported"]; !unsupported.empty()) {
    std::cout << unsupported.size() << " tensors are of types that this build does not compute with, the first is "
              << text::ForTerminal(shown(unsupported[0])) << ".\n";
  }
  std::cout << "\n";
  TextTable metadata({"KEY", "VALUE"});
  for (const auto& item : d["metadata"].items()) metadata.Add({item.key(), Quote(shown(item.value()), 80)});
  std::cout << metadata.Text();
}

// A segmenter has no tensors and no tokenizer; its file says what it was trained on.
int ShowSegmenter(const artefact::ModelEntry& entry, bool json) {
  const artefact::Manifest m = artefact::DescribeFile(entry.path);
  const artefact::Manifest& kept = entry.manifest;
  const Json description = {{"name", entry.name},
                            {"path", entry.path},
                            {"architecture", m.architecture},
                            {"parameters", m.parameters},
                            {"quantisation", m.quantisation},
                            {"bytes", m.bytes},
                            {"sha256", kept.sha256.empty() ? Json() : Json(kept.sha256)},
                            {"licence", kept.licence},
                            {"source", kept.source.empty() ? Json() : Json(kept.source)},
                            {"config", m.config}};
  if (json) {
    std::cout << ToText(description) << "\n";
    return 0;
  }
  TextTable table({"KEY", "VALUE"});
  for (const auto& item : description.items()) {
    if (item.key() == "config") continue;
    table.Add({item.key(),
               text::ForTerminal(item.value().is_string() ? item.value().get<std::string>() : ToText(item.value()))});
  }
  for (const auto& item : m.config.items()) table.Add({item.key(), text::ForTerminal(ToText(item.value()))});
  std::cout << table.Text();
  return 0;
}

// What a ranker learned; in its file everything is for people.
int ShowRanker(const artefact::ModelEntry& entry, bool json) {
  const artefact::RankerFile ranker = artefact::ParseRankerFile(ReadFile(entry.path, 64 << 20), entry.path);
  const artefact::Manifest m = artefact::DescribeFile(entry.path);
  const artefact::Manifest& kept = entry.manifest;
  Json features = Json::array();
  for (const artefact::RankerFeature& feature : ranker.features) {
    features.push_back(
        {{"name", feature.name}, {"mean", feature.mean}, {"deviation", feature.deviation}, {"weight", feature.weight}});
  }
  const Json description = {{"name", entry.name},
                            {"path", entry.path},
                            {"architecture", m.architecture},
                            {"parameters", m.parameters},
                            {"quantisation", m.quantisation},
                            {"bytes", m.bytes},
                            {"sha256", kept.sha256.empty() ? Json() : Json(kept.sha256)},
                            {"source", kept.source.empty() ? Json() : Json(kept.source)},
                            {"loss", ranker.loss},
                            {"l2", ranker.l2},
                            {"temperature", ranker.temperature},
                            {"encoder", ranker.encoder.empty() ? Json() : Json(ranker.encoder)},
                            {"features", features},
                            {"trained", ranker.trained}};
  if (json) {
    std::cout << ToText(description) << "\n";
    return 0;
  }
  TextTable table({"KEY", "VALUE"});
  for (const auto& item : description.items()) {
    if (item.value().is_structured()) continue;
    table.Add({item.key(),
               text::ForTerminal(item.value().is_string() ? item.value().get<std::string>() : ToText(item.value()))});
  }
  std::cout << table.Text() << "\n";
  PrintRanker(ranker);
  return 0;
}

class ModelShow : public Command {
 public:
  void Declare(Cli& cli) override { cli.Text("model", &model_, "a registered name or a GGUF file's path", true); }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    const artefact::ModelEntry entry = here->models->Resolve(model_);
    if (artefact::EndingOf(entry.path) == ".seg") return ShowSegmenter(entry, globals.json);
    if (artefact::EndingOf(entry.path) == ".ranker") return ShowRanker(entry, globals.json);
    const Json description = Describe(entry, *GgufFile::Open(entry.path));
    if (globals.json) {
      std::cout << ToText(description) << "\n";
    } else {
      Print(description);
    }
    return 0;
  }

 private:
  std::string model_;
};

}  // namespace

std::unique_ptr<Command> MakeModelShow() { return Make<ModelShow>(); }

}  // namespace atelier::app
