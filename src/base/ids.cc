#include "base/ids.h"

#include <sys/random.h>

#include <chrono>
#include <ctime>
#include <mutex>

#include "base/error.h"
#include "base/str.h"

namespace atelier {
namespace {

std::string Hex(const unsigned char* bytes, size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < size; ++i) {
    out.push_back(kDigits[bytes[i] >> 4]);
    out.push_back(kDigits[bytes[i] & 15]);
  }
  return out;
}

void FillRandom(unsigned char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t n = ::getrandom(bytes, size, 0);
    if (n < 0) throw Error(Code::kIo, "the operating system gives no random bytes");
    bytes += n;
    size -= static_cast<size_t>(n);
  }
}

}  // namespace

int64_t NowMillis() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

double MonotonicSeconds() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

std::string FormatTime(int64_t unix_millis) {
  std::time_t seconds = static_cast<std::time_t>(unix_millis / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char buffer[80];
  std::snprintf(buffer, sizeof(buffer), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(unix_millis % 1000));
  return buffer;
}

std::string NewUuid() {
  static std::mutex mutex;
  static int64_t last_millis = 0;
  static unsigned sequence = 0;
  unsigned char bytes[16];
  FillRandom(bytes, sizeof(bytes));
  int64_t millis = NowMillis();
  unsigned counter = 0;
  {
    std::lock_guard lock(mutex);
    if (millis > last_millis) {
      last_millis = millis;
      sequence = (bytes[6] & 3u) << 8 | bytes[7];  // a random start that leaves room to count
    } else if (++sequence > 0xfff) {
      ++last_millis;
      sequence = 0;
    }
    millis = last_millis;
    counter = sequence;
  }
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(millis >> (8 * (5 - i)));
  bytes[6] = static_cast<unsigned char>(0x70 | counter >> 8);
  bytes[7] = static_cast<unsigned char>(counter);
  bytes[8] = static_cast<unsigned char>(0x80 | (bytes[8] & 0x3f));
  const std::string hex = Hex(bytes, sizeof(bytes));
  return Cat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-", hex.substr(16, 4), "-",
             hex.substr(20));
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

std::string NewTraceparent() { return Cat("00-", RandomHex(16), "-", RandomHex(8), "-01"); }

std::string RandomHex(int bytes) {
  std::string raw(static_cast<size_t>(bytes), '\0');
  FillRandom(reinterpret_cast<unsigned char*>(raw.data()), raw.size());
  return Hex(reinterpret_cast<unsigned char*>(raw.data()), raw.size());
}

}  // namespace atelier
