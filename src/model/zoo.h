// The architectures that can be trained, as one visible list. A new one is a file and a line in zoo.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "model/model.h"

namespace atelier::model {

// What an architecture eats, and with it how records become batches (train/examples.h).
enum class DataKind {
  kTokens,       // a stream of tokens, or one text per record; targets are the inputs moved by one
  kPairs,        // a source and a target text
  kMasked,       // a text, some of whose tokens are hidden
  kLabelled,     // a text and its class
  kTagged,       // words and the class of each
  kChoices,      // texts that were shown side by side, and which of them were taken
  kPictures,     // values in [0, 1]
  kReplies,      // conversations, or a prompt and its reply: the replies alone are learned
  kPreferences,  // two replies to a prompt, of which one was chosen
  kJudged,       // a reply to a prompt, and whether it was wanted
  kPrompts,      // prompts alone: the model answers them itself, and a scorer says how well
};

// An encoder that a model begins with (`init`), and what its file says of the model's shape; width 0: none.
struct StartShape {
  std::string file;  // GGUF, whose weights are taken; "" for a model that is trained already
  std::string hash;  // SHA-256 of a file that is still needed then: a decoder's
  int64_t vocabulary = 0, context = 0, layers = 0, width = 0, heads = 0, hidden = 0;
  double norm_eps = 0;
};

// What the data says of the model's shape.
struct DataShape {
  int64_t vocabulary = 0;                             // of the tokenizer (the target's, where there are two)
  int64_t source_vocabulary = 0;                      // kPairs
  int64_t padding = 0, begin = 0, end = 0, mask = 0;  // ids of the tokenizer's own tokens
  int64_t sequence_length = 0;                        // the longest row
  std::vector<std::string> classes;
  int64_t height = 0, width = 0;  // of a picture
  StartShape start;               // where it begins with another model
};

struct Architecture {
  std::string_view name;
  std::string_view summary;  // one line, for people
  DataKind data;
  // Reads the architecture's keys from [model] (the table's Done() is the caller's) and makes the model with fresh
  // parameters from torch's generator. Throws kInvalidInput that names the key.
  std::shared_ptr<Model> (*make)(Table& config, const DataShape& shape);
  bool starts = false;  // whether it can begin with another model's weights
  // Where what it eats is said by its configuration: the kind of data.
  DataKind (*data_of)(Table& config) = nullptr;
};

std::span<const Architecture> AllArchitectures();
// Throws kInvalidInput that names those there are.
const Architecture& FindArchitecture(std::string_view name, const Table& where);

}  // namespace atelier::model
