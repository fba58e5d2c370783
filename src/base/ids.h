// Identifiers and time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atelier {

int64_t NowMillis();        // Unix time
double MonotonicSeconds();  // for durations
// "2026-11-22T13:42:52.123Z".
std::string FormatTime(int64_t unix_millis);

// UUID version 7 (RFC 9562): sorts by time of making, also within one millisecond of one process.
std::string NewUuid();
bool IsUuid(std::string_view text);

// A W3C traceparent of a new trace: "00-<32 hex>-<16 hex>-01".
std::string NewTraceparent();

// `bytes` bytes from the operating system's generator, as hex.
std::string RandomHex(int bytes);

}  // namespace atelier
