#include "runtime/constraint/formats.h"

#include <algorithm>
#include <array>
#include <utility>

namespace atelier::runtime {
namespace {

// Years 0001 to 9999, no 29 February.
#define ATELIER_DATE                                                                                        \
  "(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])" \
  "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
#define ATELIER_TIME \
  "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
#define ATELIER_LABEL "[A-Za-z0-9](?:[A-Za-z0-9]{0,30}[A-Za-z0-9])?"
#define ATELIER_HOST ATELIER_LABEL "(?:\\." ATELIER_LABEL "){0,3}\\.[A-Za-z]{2,12}"
#define ATELIER_BYTE "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"

#define ATELIER_EMAIL "[A-Za-z0-9]{1,20}(?:[._+-][A-Za-z0-9]{1,20}){0,2}@" ATELIER_HOST
#define ATELIER_URI \
  "https?://" ATELIER_HOST "(?::[1-9][0-9]{0,3})?(?:/[A-Za-z0-9._~-]{1,40}){0,8}/?(?:\\?[A-Za-z0-9._~&=-]{1,80})?"
#define ATELIER_POINTER "(?:/[A-Za-z0-9._-]{0,40}){0,16}"

constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
    {"date", ATELIER_DATE},
    {"time", ATELIER_TIME},
    {"date-time", ATELIER_DATE "T" ATELIER_TIME},
    {"duration",
     "P(?:[0-9]{1,4}W|(?:[0-9]{1,4}Y(?:[0-9]{1,2}M(?:[0-9]{1,3}D)?)?|[0-9]{1,2}M(?:[0-9]{1,3}D)?|[0-9]{1,3}D)"
     "(?:T(?:[0-9]{1,3}H(?:[0-9]{1,3}M(?:[0-9]{1,3}S)?)?|[0-9]{1,3}M(?:[0-9]{1,3}S)?|[0-9]{1,3}S))?"
     "|T(?:[0-9]{1,3}H(?:[0-9]{1,3}M(?:[0-9]{1,3}S)?)?|[0-9]{1,3}M(?:[0-9]{1,3}S)?|[0-9]{1,3}S))"},
    {"email", ATELIER_EMAIL},
    {"idn-email", ATELIER_EMAIL},
    {"hostname", ATELIER_HOST},
    {"idn-hostname", ATELIER_HOST},
    {"ipv4", ATELIER_BYTE "(?:\\." ATELIER_BYTE "){3}"},
    {"ipv6", "(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}"},
    {"uri", ATELIER_URI},
    {"uri-reference", ATELIER_URI},
    {"uri-template", ATELIER_URI},
    {"iri", ATELIER_URI},
    {"iri-reference", ATELIER_URI},
    {"uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"},
    {"json-pointer", ATELIER_POINTER},
    {"relative-json-pointer", "(?:0|[1-9][0-9]?)(?:#|" ATELIER_POINTER ")"},
    {"regex", "[A-Za-z0-9 ]{1,80}"},
};

}  // namespace

std::optional<std::string_view> FormatRegex(std::string_view format) {
  for (const auto& [name, regex] : kFormats) {
    if (name == format) return regex;
  }
  return std::nullopt;
}

}  // namespace atelier::runtime
