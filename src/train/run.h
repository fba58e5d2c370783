// A run, put together from its configuration: tokenizer, examples, model. In its folder:
//   config.toml  tokenizer.json  last.safetensors  best.safetensors  metrics.jsonl  events.out.tfevents.*  samples/
#pragma once

#include <memory>
#include <string>

#include "model/zoo.h"
#include "text/tokenizer.h"
#include "train/examples.h"
#include "train/settings.h"

namespace atelier::train {

struct Run {
  std::string config;  // the TOML, as it was read
  TrainSettings settings;
  const model::Architecture* architecture = nullptr;
  text::TokenizerSpec tokenizer_spec;
  std::unique_ptr<text::Tokenizer> tokenizer;  // null for pictures
  model::DataShape shape;
  std::shared_ptr<model::Model> model;
  std::unique_ptr<Examples> train, validation;  // validation may be null
  ExamplesReport train_report, validation_report;
};

// Reads everything that the configuration names and makes the model. `datasets` is the studio's folder data, or "".
// Relative files are found from where the program runs.
Run PrepareRun(const std::string& config, const std::string& file, const std::string& datasets);

}  // namespace atelier::train
