// Ctrl-C for commands that work long: the first asks them to stop where nothing is half done, a second one ends the
// program at once.
#pragma once

#include <functional>

namespace atelier::app {

// Listens from now on; the function says whether somebody asked. It holds no state of its own: call it from any thread.
std::function<bool()> WatchInterrupts();

}  // namespace atelier::app
