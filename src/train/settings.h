// What a training configuration says, read strictly from TOML. docs/formats/train.md has every key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"

namespace atelier::train {

enum class Precision {
  kF32,
  kBf16,  // products in bf16 with f32 sums; parameters, moments and losses stay f32
};

struct OptimiserSettings {
  std::string name = "adamw";  // adamw, sgd, lion
  double rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;  // lion: 0.9, 0.99
  double eps = 1e-8;                  // adamw
  double momentum = 0.9;              // sgd; 0: off
  double weight_decay = 0.01;         // decoupled, of matrices only (not of biases, gains)
};

struct ScheduleSettings {
  std::string name = "cosine";  // constant, linear, cosine, plateau
  int64_t warmup = 0;           // steps from 0 to the full rate
  double final_share = 0.1;     // of the rate, at the last step (linear, cosine) and at least (plateau)
  double factor = 0.5;          // plateau: what the rate is multiplied by
  int64_t patience = 2;         // plateau: validations without improvement before that
};

struct DataSettings {
  std::string train, validation;  // a dataset of the studio, NAME[@VERSION][:SPLIT], or a file; validation may be ""
  std::string text = "text";      // the field that is learned
  std::string source = "source", target = "target";  // pairs
  std::string label = "label";
  std::string prompt = "prompt", response = "response";  // replies, where a record has no "messages"
  std::string chosen = "chosen", rejected = "rejected";  // preferences
  std::string format = "auto";  // replies: chat (the model's template), plain, or auto: chat where there is a template
  std::vector<std::string> classes;       // of labels; empty: those that occur in the training records
  bool characters = false;                // `units`: texts as code points instead of tokens, for models that hash them
  int64_t sequence_length = 256;          // tokens in a row, at most
  int64_t source_length = 0;              // pairs: of the source; 0: as sequence_length
  bool packed = true;                     // token streams: rows cut from records laid end to end, else one record a row
  std::string long_records = "truncate";  // those beyond sequence_length: truncate or drop; counted and said
  double mask = 0.15;                     // masked: the share of tokens that is hidden
  bool whole_words = false;               // masked: tokens of a word together
  std::string picture = "file";           // pictures: the field that names the file
  int64_t height = 0, width = 0;          // pictures: what all are brought to; 0: the first one's size
};

struct TokenizerSettings {
  std::string file;            // a tokenizer.json; "": made for the run
  std::string type = "bytes";  // bytes, bpe, unigram
  int64_t vocabulary = 8192;
};

struct TrainSettings {
  // [run]
  std::string name;
  uint64_t seed = 1;
  int threads = 0;    // 0: as many as cores
  bool fused = true;  // our own kernels where there are some, else plain LibTorch
  // [train]
  int64_t steps = 0;  // one of these is given
  double epochs = 0;
  int64_t batch = 32;      // rows per step, of all micro-batches and processes together
  int64_t accumulate = 1;  // micro-batches
  Precision precision = Precision::kF32;
  double clip = 1;  // the gradient's greatest norm; 0: off
  double label_smoothing = 0;
  bool checkpointing = false;  // recompute activations
  double ema = 0;              // decay of the averaged parameters; 0: off
  OptimiserSettings optimiser;
  std::map<std::string, OptimiserSettings> part_optimisers;  // where [optimiser.parts.NAME] says otherwise
  ScheduleSettings schedule;
  DataSettings data;
  TokenizerSettings tokenizer;
  std::optional<TokenizerSettings> source_tokenizer;  // pairs: of the source, where it is not the same
  // [validation]
  int64_t validate_every = 0;    // steps; 0: at each epoch's end
  int64_t validate_batches = 0;  // 0: all
  int64_t patience = 0;          // validations without improvement before training ends; 0: never
  std::string metric;            // by which validation is the best; "": the loss, or none where there are several parts
  bool maximise = false;
  // [keep], of decoders that are tuned: text that the model should go on writing as it did
  std::string keep;  // a dataset or a file; "": none
  double keep_weight = 1;
  int64_t keep_rows = 2, keep_length = 128;  // a step's share: rows, and tokens of each
  // [rollout], of objectives that eat prompts
  std::vector<std::string> scorer;  // a program and its arguments
  int64_t rollout_samples = 8, rollout_tokens = 64;
  double rollout_temperature = 1;
  // [checkpoint]
  int64_t checkpoint_every = 0;  // steps; 0: at validations only
  // [track]
  int64_t log_every = 10;
  int64_t samples_every = 0;  // steps; 0: at validations
  int64_t samples = 3;
  std::string prompt;  // of text samples

  const OptimiserSettings& OptimiserOf(const std::string& part) const;
};

// Reads everything but [model], which is the architecture's. Throws kInvalidInput with file:line.
TrainSettings ReadTrainSettings(Table& config);

}  // namespace atelier::train
