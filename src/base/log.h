// Structured log lines for operators, on standard error: time, level, event, fields. Never prompt text. Off for people
// at a terminal unless ATELIER_LOG=debug|info|warn|error asks for it (default warn).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace atelier {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

using LogField = std::pair<std::string_view, std::string>;
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace atelier
