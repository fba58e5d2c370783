#include "base/log.h"

#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>

#include "base/json.h"

namespace atelier {
namespace {

constexpr size_t kMostBytes = 64 << 10;  // of one value, as it is written

constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                 spdlog::level::err};

// What the environment says, if that is a level.
std::optional<spdlog::level::level_enum> Wanted() {
  const char* said = std::getenv("ATELIER_LOG");
  if (said == nullptr) return std::nullopt;
  const auto level = spdlog::level::from_str(said);  // "off" for what it does not know
  if (level == spdlog::level::off && std::string_view(said) != "off") return std::nullopt;
  return level;
}

// Standard error, for a reader that may have stopped reading: its lines are left out and counted, since a server must
// not wait for whoever reads its log.
class ErrorSink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    if (left_out_ > 0) fmt::format_to(std::back_inserter(line), "{} lines of the log were left out\n", left_out_);
    formatter_->format(message, line);
    left_out_ = Write({line.data(), line.size()}) ? 0 : left_out_ + 1;
  }
  void flush_() override {}

 private:
  static constexpr size_t kPiece = 4096;  // PIPE_BUF: what a pipe that is ready takes without waiting
  static constexpr int kMillis = 50;

  static bool Write(std::string_view bytes) {
    while (!bytes.empty()) {
      pollfd ready{STDERR_FILENO, POLLOUT, 0};
      if (::poll(&ready, 1, kMillis) != 1 || (ready.revents & POLLOUT) == 0) return false;
      const ssize_t n = ::write(STDERR_FILENO, bytes.data(), std::min(bytes.size(), kPiece));
      if (n < 0 && errno != EINTR) return false;
      if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  size_t left_out_ = 0;
};

spdlog::logger& Logger() {
  static auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("atelier", std::make_shared<ErrorSink>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    made->set_level(Wanted().value_or(spdlog::level::warn));
    return made;
  }();
  return *logger;
}

// Characters that JSON leaves alone and a terminal or an editor may take for a command, a line's end or another
// direction of writing: DEL, C1 controls, U+2028 to U+202E, U+2066 to U+2069. `at` is one whole character.
bool IsUnsafe(std::string_view at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(at[i]); };
  if (at.size() == 1) return byte(0) == 0x7f;
  if (at.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;
  if (at.size() != 3 || byte(0) != 0xe2) return false;
  return (byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae) ||
         (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9);
}

// As a JSON string, whole characters and escapes only, at most kMostBytes and an ellipsis.
void AppendQuoted(std::string* line, std::string_view value) {
  const std::string json =
      ToText(Json(value.substr(0, kMostBytes)));  // valid UTF-8, quoted, control characters escaped
  const std::string_view text = std::string_view(json).substr(1, json.size() - 2);
  const size_t start = line->size();
  bool cut = value.size() > kMostBytes;
  *line += '"';
  for (size_t i = 0, size = 0; i < text.size(); i += size) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead == '\\') {
      size = text[i + 1] == 'u' ? 6 : 2;
    } else {
      size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    }
    if (line->size() - start + 6 > kMostBytes) {
      cut = true;
      break;
    }
    const std::string_view at = text.substr(i, size);
    if (!IsUnsafe(at)) {
      line->append(at);
      continue;
    }
    const auto byte = [&](size_t k) { return static_cast<unsigned>(static_cast<unsigned char>(at[k])); };
    const unsigned code = size == 1   ? byte(0)
                          : size == 2 ? (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f)
                                      : (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    char escaped[8];
    std::snprintf(escaped, sizeof(escaped), "\\u%04x", code);
    line->append(escaped);
  }
  *line += cut ? "\"..." : "\"";
}

}  // namespace

void SetLogLevel(LogLevel level) { Logger().set_level(Wanted().value_or(kLevels[static_cast<int>(level)])); }

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const auto at = kLevels[static_cast<int>(level)];
  if (!Logger().should_log(at)) return;
  std::string line(event);
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    AppendQuoted(&line, value);
  }
  Logger().log(at, line);
}

}  // namespace atelier
