// More training data from what there is: every record of the train side and changed copies of it.
//
// A copy is a function of the seed, the record's _id and the copy's number: the same data and configuration give the
// same bytes, whatever stands around a record. A copy that came out unchanged, or equal to another of its record, is
// left out. "_from" of a copy is its parent's _id as text (of other records it is [source, line]); its "_split" is its
// parent's.
//
// Steps on pictures or sound change the record's file (docs/formats/dataset.md): the copy has a file of its own,
// without loss, among the studio's objects, and the record what is true of that. A file that cannot be read or decoded
// gets no copies; its record stays, and the rejects say why. At most one decoded file, a copy of it and its encoded
// bytes are in memory at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/progress.h"
#include "data/augment/operation.h"
#include "data/dataset.h"
#include "store/objects.h"

namespace atelier::data {

struct AugmentStep {
  std::string use;
  std::vector<std::string> fields;  // of text
  double chance = 1;                // that a copy goes through this step
  // One of the three.
  std::unique_ptr<AugmentOperation> operation;
  std::unique_ptr<PictureOperation> picture;
  std::unique_ptr<SoundOperation> sound;
};

// seed, copies (1..100), part ("train"), whole (false: a dataset without splits is refused), most_pixels, most_seconds,
// and [[step]]s with use, fields (of steps on text), chance and the keys of the operation. Strict. Steps on text may
// stand beside steps on pictures, or beside steps on sound.
struct AugmentOptions {
  uint64_t seed = 1;
  int copies = 1;
  std::string part = "train";
  bool whole = false;
  uint64_t most_pixels = kMostPixels;  // larger pictures and longer sound are not decoded
  double most_seconds = kMostSeconds;
  std::vector<AugmentStep> steps;
  std::string toml;  // the text that it was read from

  bool OnPictures() const;  // whether there is a step on pictures
  bool OnSound() const;
};
AugmentOptions ReadAugmentOptions(const std::string& path);
AugmentOptions ParseAugmentOptions(std::string_view toml, const std::string& file, const std::string& folder);

struct AugmentOutcome {
  Manifest manifest;
  Json report;  // as augment.json beside the shards holds it: counts by step, examples
};
// `objects` holds the files of records, and gets those of copies; steps on text need none.
AugmentOutcome AugmentDataset(const Datasets& datasets, const std::string& ref, const AugmentOptions& options,
                              const std::function<ProgressFn(std::string_view stage)>& progress = nullptr,
                              const store::Objects* objects = nullptr);

}  // namespace atelier::data
