// What a model writes, on standard output as it comes.
#pragma once

#include <cstdio>

#include "artefact/generator.h"

namespace atelier::app {

// A stream that stops the model where nobody can read it any more.
inline artefact::StreamFn PrintPieces() {
  return [](int, const artefact::StreamPiece& piece) {
    return std::fwrite(piece.text.data(), 1, piece.text.size(), stdout) == piece.text.size() &&
           std::fflush(stdout) == 0;
  };
}

}  // namespace atelier::app
