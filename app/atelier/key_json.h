// How the key commands print a key.
#pragma once

#include <string>

#include "base/json.h"
#include "guard/keys.h"

namespace atelier::app {

// "live", "expired" or "revoked".
std::string KeyState(const guard::KeyInfo& key);
Json KeyJson(const guard::KeyInfo& key);

}  // namespace atelier::app
