// What tests of models on an encoder share.
#pragma once

#include <string>

#include "base/hash.h"
#include "model/bert_start.h"

namespace atelier::model {

// Of a model that begins with the encoder in this file and stays beside it.
inline DataShape ShapeBeside(const std::string& path) {
  DataShape shape;
  shape.start.file = path;
  ReadStart(&shape.start);
  shape.start.hash = Sha256HexOfFile(path);
  shape.vocabulary = shape.start.vocabulary;
  shape.sequence_length = 30;
  return shape;
}

}  // namespace atelier::model
