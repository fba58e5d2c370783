// Expands a grammar for one record: which patterns hold, the ways to fill them, and weighted draws of whole candidates.
//
// Work is bounded whatever the grammar says: per pattern a fixed number of fillings is tried (all of them where they
// are few, a random sample where they are many), so nested word lists and long feature lists cost no more than short
// ones. The same grammar, record and stream give the same candidates on every machine.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/rng.h"
#include "operators/compose_grammar.h"

namespace atelier::operators {

// What a grammar sees of a record.
struct Facts {
  std::map<std::string, std::string, std::less<>> fields;  // name, category, audience, price, tone: cleaned
  std::vector<std::string> features;                       // cleaned, as the sheet has them
  std::vector<std::string> inner;                          // the same as they stand inside a sentence
  std::vector<int> classes;                                // Grammar::ClassOf, one per feature
};

// `input`: an object of strings and arrays of strings; `features` is an array, or one string parted by ; ； or |.
// Missing fields are empty. Repeated features count once.
Facts ReadFacts(const Json& input, const Grammar& grammar);

bool Holds(const When& when, const Facts& facts);

struct Expansion {
  const Pattern* pattern = nullptr;
  std::string text;                         // finished: capitals, stops, spaces
  Json slots, words;                        // what filled it: {"f1": "..."}, {"moment": "..."}
  std::set<std::string, std::less<>> said;  // the fields that it says
  size_t longest = 0;                       // characters of the longest text of the record in it
  double weight = 0;                        // the pattern's weight, shared among its expansions
};

struct ExpandOptions {
  size_t per_pattern = 48;    // expansions kept of one pattern
  size_t tries = 512;         // fillings tried for one pattern
  size_t max_chars = 100000;  // longer texts are no expansion
};

std::vector<Expansion> Expand(const Grammar& grammar, const Facts& facts, Part part, Rng& rng,
                              const ExpandOptions& options = {});

struct Draft {
  const Expansion* headline = nullptr;
  const Expansion* body = nullptr;
};

// Draws up to `count` different (headline, body) pairs by weight, without replacement. Patterns and texts that were
// drawn already are drawn less often again, so that few candidates are varied ones. Pairs are left out that say the
// same thing twice: a body that holds its headline, or both with the same word of the same list; and pairs that
// `rules` do not let meet.
std::vector<Draft> Draw(const std::vector<Expansion>& headlines, const std::vector<Expansion>& bodies, size_t count,
                        Rng& rng, const Rules& rules = {});

}  // namespace atelier::operators
