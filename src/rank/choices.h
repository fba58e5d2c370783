// Choices that people made: what was shown side by side, and what of it was taken. JSON Lines, one choice each
// (docs/formats/choices.md), or one preferred pair, as `tune dpo` reads them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/ranker.h"
#include "base/json.h"

namespace atelier::rank {

struct Choice {
  Json context;                               // what the options are about: a text, an object, or null
  std::vector<artefact::RankOption> options;  // in the order in which they were shown
  std::vector<double> gains;                  // [options] what each was worth to who chose: 1 for a click; 0: nothing
  // Choices of one group (a reader, a record) are never parted between what is learned and what is held out.
  std::string group;
  double weight = 1;  // how much it counts: 1 / the probability that it was shown, say
  size_t line = 0;    // where it stands in its file, from 1
};

// The names of a pair's fields.
struct PairFields {
  std::string prompt = "prompt", chosen = "chosen", rejected = "rejected";
};

struct Choices {
  std::vector<Choice> list;
  // Lines that say nothing about what is preferred, and are left out: nothing was taken; all was worth the same;
  // there was nothing beside it.
  size_t nothing_taken = 0, all_alike = 0, alone = 0;

  size_t left_out() const { return nothing_taken + all_alike + alone; }
};

inline constexpr size_t kMostOptions = 1000;
// Of a feature's value, either way.
inline constexpr double kMostValue = 1e12;

// One line. `where` ("FILE:3") begins every error (kInvalidInput): no JSON, an unknown key, an empty text, a number
// that is none, no options, more than kMostOptions. The group of a choice that names none is its context's text, or
// `where`.
Choice ParseChoice(std::string_view line, const std::string& where, const PairFields& fields = {});

// All lines of a text; empty ones are passed over. `name` is for messages.
Choices ParseChoices(std::string_view text, const std::string& name, const PairFields& fields = {});
// Throws kInvalidInput where a group of `held_out` is among `data`, too.
void RefuseSharedGroups(const Choices& data, const Choices& held_out);
// Of a file. Throws kInvalidInput also where it holds nothing to learn from, saying what it holds.
Choices ReadChoices(const std::string& path, const PairFields& fields = {});

}  // namespace atelier::rank
