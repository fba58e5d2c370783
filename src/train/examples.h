// Records as what a model learns from: rows that can be drawn in any order and laid together as a batch.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/rng.h"
#include "model/zoo.h"
#include "text/tokenizer.h"
#include "train/records.h"
#include "train/settings.h"

namespace atelier::train {

class Examples {
 public:
  virtual ~Examples() = default;
  virtual int64_t size() const = 0;
  // Rows of like length lie together in a batch; 0 where all are alike.
  virtual int64_t Length(int64_t row) const = 0;
  // The batch of some rows. `rng` is for what is drawn anew each time (which words are masked).
  virtual model::Batch Collate(std::span<const int64_t> rows, Rng rng) const = 0;
  // Where a row comes from, for messages: "record 12".
  virtual std::string Describe(int64_t row) const = 0;
};

// What became of the records, to be told before training starts.
struct ExamplesReport {
  int64_t records = 0, empty = 0, truncated = 0, dropped = 0;
  int64_t tokens = 0, characters = 0;  // of what is learned
  int64_t targets = 0;                 // tokens that are asked for, marks among them (kTokens)
};

struct SpecialIds {
  int64_t padding = 0, begin = -1, end = -1, unknown = -1, mask = -1;  // -1: the tokenizer has none
};
// By the usual names of such tokens: "<pad>", "<s>" or "<|begin|>", "</s>" or "<|end|>", "<unk>", "<mask>".
SpecialIds FindSpecialIds(const text::Tokenizer& tokenizer);

// One constructor per kind of data; the others are in examples_KIND.h. Each reads all records and keeps their tokens
// (four bytes each) in memory. Throws kInvalidInput where nothing usable is there, or a label is not among `classes`
// (naming the record); with `classes` empty they are found and sorted.
std::unique_ptr<Examples> TokenExamples(const Records& records, const DataSettings& data,
                                        const text::Tokenizer& tokenizer, ExamplesReport* report);

// Which rows a step learns from: a function of seed and step alone, so that a resumed run goes on exactly. Each epoch
// is a fresh order of all rows; the last step of an epoch may have fewer. Where rows differ in length, those of a batch
// are alike: windows of 64 batches are sorted by length before the batches are shuffled.
class Sampler {
 public:
  Sampler(const Examples& examples, int64_t batch, uint64_t seed);
  int64_t steps_per_epoch() const { return steps_; }
  std::span<const int64_t> Rows(int64_t step);

 private:
  const Examples& examples_;
  int64_t batch_, steps_, epoch_ = -1;
  uint64_t seed_;
  std::vector<int64_t> order_, batches_;
};

}  // namespace atelier::train
