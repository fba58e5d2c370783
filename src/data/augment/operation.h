// One way of changing text, and the list of them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/rng.h"

namespace atelier::data {

// A stretch of a text: a word (of any script; ICU's word boundaries, whose dictionary cuts Chinese), or what is
// between.
struct Token {
  std::string_view text;
  bool word = false;
};
// All of the text, in order. `text` must be UTF-8.
std::vector<Token> CutWords(std::string_view text);

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

struct AugmentEntry {
  std::string_view name;     // `use = "..."`
  std::string_view summary;  // one line
  // Reads its keys; `folder` is where the configuration's file lies, for files that it names.
  std::unique_ptr<AugmentOperation> (*make)(Table* table, const std::string& folder);
};
std::span<const AugmentEntry> AllAugmentations();

// The files behind the list.
std::unique_ptr<AugmentOperation> MakeNoise(Table* table, const std::string& folder);     // noise.cc
std::unique_ptr<AugmentOperation> MakeSynonyms(Table* table, const std::string& folder);  // synonyms.cc
std::unique_ptr<AugmentOperation> MakeOrder(Table* table, const std::string& folder);     // order.cc
std::unique_ptr<AugmentOperation> MakeMask(Table* table, const std::string& folder);      // mask.cc

// `name` beside the configuration, unless it is absolute.
std::string BesideConfig(const std::string& folder, const std::string& name);

}  // namespace atelier::data
