// What orders texts by what people chose before (docs/formats/ranker.md), whatever computes it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "artefact/generator.h"
#include "base/json.h"

namespace atelier::artefact {

// One of the texts to choose from, with what is known of it beside its text.
struct RankOption {
  std::string text;
  std::map<std::string, double> features;
};

// From any thread.
class Ranker {
 public:
  virtual ~Ranker() = default;
  virtual const ModelInfo& info() const = 0;
  // The features that every option has to bring; the others are computed from its text.
  virtual const std::vector<std::string>& wants() const = 0;
  // One score per option, the greater the better. Only differences between options of one context mean something: the
  // model says that a is preferred to b with the probability 1 / (1 + exp(score b - score a)). `context` is what the
  // texts are about: a text, a record (an object), or null. Throws kInvalidInput that names a wanted feature which an
  // option lacks or which is no finite number.
  virtual std::vector<double> Score(const Json& context, const std::vector<RankOption>& options) = 0;
};

// Throws kNotFound where there is none of this name.
using RankerProvider = std::function<std::shared_ptr<Ranker>(const std::string& name)>;

}  // namespace atelier::artefact
