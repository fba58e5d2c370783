// Structured log lines for operators, on standard error: time, level, event, fields. One event is one line whatever its
// fields hold: values are quoted and escaped, and cut at 64 KiB. Never prompt text, unless a studio asks for it
// (serve/prompt_log.h). ATELIER_LOG=debug|info|warn|error|off says from which level on; warn where nobody says.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace atelier {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// From which level on, where ATELIER_LOG says nothing (or nothing that is a level). From any thread.
void SetLogLevel(LogLevel level);

using LogField = std::pair<std::string_view, std::string>;
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace atelier
