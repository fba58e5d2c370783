// Models that stand beside another's file: its weights stay there as they are, what is learned lies beside them, and a
// checkpoint holds that alone. The file has the tokenizer, too.
#pragma once

#include <string>

#include "artefact/gguf.h"
#include "model/zoo.h"

namespace atelier::model {

class OnBase {
 public:
  virtual ~OnBase() = default;
  // Null for a model of a kind that may stand beside a file and does not.
  virtual const artefact::GgufFile* base() const = 0;
};

// The file that `model` stands beside; null where there is none.
const artefact::GgufFile* BaseOf(const Model& model);

// The path of the file: the one that training begins with, or for a model that is trained already the one that `init`
// names. Throws kConflict where its bytes are not those that the model was trained on.
std::string FindBase(const std::string& init, const StartShape& start);

}  // namespace atelier::model
