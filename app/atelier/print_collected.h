// How commands tell what became of objects that nothing refers to any more.
#pragma once

#include "base/json.h"
#include "base/str.h"
#include "data/collect.h"

namespace atelier::app {

inline Json ToJson(const data::Collected& collected) {
  return {
      {"busy", collected.busy}, {"objects", collected.objects}, {"bytes", collected.bytes}, {"kept", collected.kept}};
}

inline std::string Counted(const data::Collected& collected) {
  return Cat(collected.objects, collected.objects == 1 ? " object" : " objects", ", ", FormatBytes(collected.bytes));
}

}  // namespace atelier::app
