// A trained model in one safetensors file with everything that using it needs: architecture and options, what the data
// said of its shape, the tokenizer. A run's checkpoint is such a file with more in it (train/checkpoint.h).
// docs/formats/model_file.md.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "artefact/safetensors.h"
#include "base/json.h"
#include "model/zoo.h"
#include "text/tokenizer.h"

namespace atelier::model {

// The texts that a file says of itself.
struct About {
  std::string config;            // the run's TOML; [model] of it makes the model
  std::string shape;             // DataShape as JSON
  std::string tokenizer;         // tokenizer.json, or text/tokenizer_spec_json.h; "" where there is none
  std::string source_tokenizer;  // of what is translated, where it has one of its own

  std::map<std::string, std::string> Metadata() const;
};

About ReadAbout(const artefact::SafetensorsFile& file);

std::string ShapeToJson(const DataShape& shape);
DataShape ShapeFromJson(const std::string& json, const std::string& where);

struct OpenedModel {
  const Architecture* architecture = nullptr;
  About about;
  DataShape shape;
  text::TokenizerSpec tokenizer_spec, source_spec;
  std::unique_ptr<text::Tokenizer> tokenizer, source_tokenizer;  // null where there is none
  std::shared_ptr<Model> model;                                  // in evaluation mode
};

// Opens a model file or a checkpoint, of which the averaged parameters are taken where it has some. Throws kCorrupt,
// kUnsupported.
OpenedModel OpenModel(const std::string& path);

// Writes a model alone: parameters, buffers, About.
void WriteModel(const Model& model, const About& about, const std::string& path);

}  // namespace atelier::model
