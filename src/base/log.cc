#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "base/json.h"

namespace atelier {
namespace {

spdlog::logger& Logger() {
  static auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("atelier", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    const char* wanted = std::getenv("ATELIER_LOG");
    made->set_level(wanted == nullptr ? spdlog::level::warn : spdlog::level::from_str(wanted));
    return made;
  }();
  return *logger;
}

}  // namespace

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                   spdlog::level::err};
  const auto at = kLevels[static_cast<int>(level)];
  if (!Logger().should_log(at)) return;
  std::string line(event);
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    line += ToText(Json(value));  // quoted and escaped: one event stays one line
  }
  Logger().log(at, line);
}

}  // namespace atelier
