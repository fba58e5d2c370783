// One way of changing text, a picture or sound, and the list of them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/config.h"
#include "base/rng.h"
#include "data/media/picture.h"
#include "data/media/sound.h"

namespace atelier::data {

// A stretch of a text: a word (of any script; ICU's word boundaries, whose dictionary cuts Chinese), or what is
// between.
struct Token {
  std::string_view text;
  bool word = false;
};
// All of the text, in order. `text` must be UTF-8.
std::vector<Token> CutWords(std::string_view text);

// On the text of a field.
class AugmentOperation {
 public:
  virtual ~AugmentOperation() = default;
  // Operations that count first see every text of the train side once, before any Apply.
  virtual bool counts() const { return false; }
  virtual void Count(std::string_view /*text*/) {}
  virtual void EndCounting() {}
  // The text changed, or as it was. A function of the text and of what `rng` gives.
  virtual std::string Apply(const std::string& text, Rng* rng) const = 0;
};

// On the file of a record. What Apply does is a function of what it gets and of what `rng` gives; that nothing changed
// is seen by comparing.
class PictureOperation {
 public:
  virtual ~PictureOperation() = default;
  virtual void Apply(Picture* picture, Rng* rng) const = 0;
};

class SoundOperation {
 public:
  virtual ~SoundOperation() = default;
  virtual void Apply(Sound* sound, Rng* rng) const = 0;
};

// Each reads its keys; `folder` is where the configuration's file lies, for files that it names.
using MakeText = std::unique_ptr<AugmentOperation> (*)(Table* table, const std::string& folder);
using MakePicture = std::unique_ptr<PictureOperation> (*)(Table* table);
using MakeSound = std::unique_ptr<SoundOperation> (*)(Table* table);

struct AugmentEntry {
  std::string_view name;     // `use = "..."`
  std::string_view summary;  // one line
  std::variant<MakeText, MakePicture, MakeSound> make;
};
std::span<const AugmentEntry> AllAugmentations();

// The files behind the list.
std::unique_ptr<AugmentOperation> MakeNoise(Table* table, const std::string& folder);     // noise.cc
std::unique_ptr<AugmentOperation> MakeSynonyms(Table* table, const std::string& folder);  // synonyms.cc
std::unique_ptr<AugmentOperation> MakeOrder(Table* table, const std::string& folder);     // order.cc
std::unique_ptr<AugmentOperation> MakeMask(Table* table, const std::string& folder);      // mask.cc
std::unique_ptr<PictureOperation> MakeCrop(Table* table);                                 // crop.cc
std::unique_ptr<PictureOperation> MakeFlip(Table* table);                                 // flip.cc
std::unique_ptr<PictureOperation> MakeColour(Table* table);                               // colour.cc
std::unique_ptr<SoundOperation> MakeShift(Table* table);                                  // shift.cc
std::unique_ptr<SoundOperation> MakeGain(Table* table);                                   // gain.cc
std::unique_ptr<SoundOperation> MakeSpeed(Table* table);                                  // speed.cc
std::unique_ptr<SoundOperation> MakeWhiteNoise(Table* table);                             // white_noise.cc

// Two numbers [least, most] that the key names, or `otherwise`; both within [from, to], in their order.
struct Range {
  double least = 0, most = 0;
  // Uniform in it.
  double Draw(Rng* rng) const { return least + (most - least) * rng->Uniform(); }
};
Range RangeOr(Table* table, std::string_view key, Range otherwise, double from, double to);

// `name` beside the configuration, unless it is absolute.
std::string BesideConfig(const std::string& folder, const std::string& name);

}  // namespace atelier::data
