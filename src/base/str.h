// Small string helpers that every room uses: joining, splitting, trimming, numbers to text and back.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace atelier {

void AppendTo(std::string* out, double value);  // shortest text that reads back as the same number

void AppendFloat(std::string* out, float value);  // the same for a float; not a number and infinities as 0

template <typename T>
void AppendTo(std::string* out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    *out += value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, char>) {
    out->push_back(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    AppendTo(out, static_cast<double>(value));
  } else if constexpr (std::is_integral_v<T>) {
    char buffer[24];
    auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
    out->append(buffer, result.ptr);
  } else {
    out->append(std::string_view(value));
  }
}

// Cat("line ", 3, ": ", why): all arguments as text, one after the other.
template <typename... Args>
std::string Cat(const Args&... args) {
  std::string out;
  (AppendTo(&out, args), ...);
  return out;
}

constexpr bool IsAsciiDigit(char32_t c) { return c >= U'0' && c <= U'9'; }

std::vector<std::string> Split(std::string_view text, char separator);  // "a,,b" gives three parts
std::string Join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view Trim(std::string_view text);  // ASCII white space, both ends
std::string ToLowerAscii(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);  // ASCII
std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);

// The whole text as a number, or nothing: no white space, no trailing characters, no infinities.
std::optional<int64_t> ParseInt(std::string_view text);
std::optional<double> ParseDouble(std::string_view text);

// Fixed number of decimals, for people: FormatFixed(3.14159, 2) is "3.14".
std::string FormatFixed(double value, int decimals);
// "1.4 GiB", "312 KiB".
std::string FormatBytes(uint64_t bytes);
// "350 ms", "4.2 s", "3 min 5 s".
std::string FormatDuration(double seconds);

// A quoted excerpt of text from outside, at most `most` bytes, control characters escaped: safe in a one-line message.
std::string Quote(std::string_view text, size_t most = 60);

// The candidate with the smallest edit distance to `word`, or "" when none is near enough to be a likely slip.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace atelier
