// A run, put together from its configuration: tokenizer, examples, model. In its folder:
//   config.toml  tokenizer.json  source_tokenizer.json  last.safetensors  best.safetensors  metrics.jsonl
//   events.out.tfevents.*  samples/
#pragma once

#include <memory>
#include <string>

#include "base/progress.h"
#include "model/model_file.h"
#include "text/tokenizer.h"
#include "train/examples.h"
#include "train/policy_engine.h"
#include "train/settings.h"

namespace atelier::train {

struct Run {
  TrainSettings settings;
  const model::Architecture* architecture = nullptr;
  model::DataKind data = model::DataKind::kTokens;  // what it eats
  model::About about;
  text::TokenizerSpec tokenizer_spec;
  std::unique_ptr<text::Tokenizer> tokenizer;         // null for pictures
  std::unique_ptr<text::Tokenizer> source_tokenizer;  // pairs: of the source, where it has one of its own
  model::DataShape shape;
  std::shared_ptr<model::Model> model;
  std::unique_ptr<Examples> train, validation;  // validation may be null
  ExamplesReport train_report, validation_report;
  std::shared_ptr<PolicyEngine> engine;  // of a decoder that is tuned: who writes for it
};

struct RunOptions {
  std::string config, file;   // the TOML, and its name for messages
  std::string folder = {};    // the run's, which gets the tokenizer
  bool resume = false;        // a tokenizer that stands in the folder is the run's
  std::string datasets = {};  // the studio's folder data, or ""
  ProgressFn progress = {};   // of the tokenizer's training
};

// Reads everything that the configuration names and makes the model. Relative files are found from where the program
// runs.
Run PrepareRun(const RunOptions& options);

}  // namespace atelier::train
