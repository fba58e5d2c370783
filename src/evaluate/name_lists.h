// What names.cc knows of Chinese names, as data.
#pragma once

#include <span>
#include <string_view>

namespace atelier::evaluate {

// Countries, provinces, large cities and regions that goods come from. Without those that are everyday words, too.
std::span<const std::string_view> Places();
// What a place or an organisation ends in (公司, 大学, 县).
struct NameSuffix {
  std::string_view word, kind;
};
std::span<const NameSuffix> NameSuffixes();
// Words before such a suffix that make no name (这家公司).
std::span<const std::string_view> NoNames();
std::span<const std::string_view> Surnames();
// What stands behind a person's name, and before one.
std::span<const std::string_view> TitlesBehind();
std::span<const std::string_view> TitlesBefore();

}  // namespace atelier::evaluate
