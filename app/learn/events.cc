#include "app/learn/events.h"

#include <c10/util/Exception.h>

#include <cstdio>

#include "base/error.h"
#include "base/str.h"

namespace atelier::learn {
namespace {

bool silent = false;

}  // namespace

void StaySilent(bool on) { silent = on; }

void Tell(std::string_view event, Json fields) {
  if (silent) return;
  Json line = {{"event", event}};
  line.update(fields);
  const std::string text = ToText(line) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int TellFailure() {
  const auto tell = [](const Error& error) {
    Tell("error", {{"code", Info(error.code()).name}, {"message", error.what()}, {"hint", error.hint()}});
    return Info(error.code()).exit_code;
  };
  try {
    throw;
  } catch (const Error& error) {
    return tell(error);
  } catch (const c10::Error& error) {
    return tell(Error(Code::kInternal, Cat("LibTorch: ", error.what_without_backtrace())));
  } catch (const std::bad_alloc&) {
    return tell(Error(Code::kResourceExhausted, "out of memory", "a smaller batch, or train.accumulate, needs less"));
  } catch (const std::exception& error) {
    return tell(Error(Code::kInternal, error.what()));
  }
}

}  // namespace atelier::learn
