#include "artefact/generator.h"

namespace atelier::artefact {

std::string_view Name(Finish finish) {
  switch (finish) {
    case Finish::kEnd: return "end";
    case Finish::kStop: return "stop";
    case Finish::kLength: return "length";
    case Finish::kCancelled: return "cancelled";
  }
  return "end";
}

}  // namespace atelier::artefact
