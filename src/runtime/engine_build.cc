#include <string>

#include "runtime/local_generator.h"

namespace atelier::runtime {

std::string EngineBuild() { return ATELIER_BUILD; }

}  // namespace atelier::runtime
