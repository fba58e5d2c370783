#include "app/learn/events.h"

#include <cstdio>

namespace atelier::learn {
namespace {

bool silent = false;

}  // namespace

void StaySilent() { silent = true; }

void Tell(std::string_view event, Json fields) {
  if (silent) return;
  Json line = {{"event", event}};
  line.update(fields);
  const std::string text = ToText(line) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace atelier::learn
