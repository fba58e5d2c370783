#include <cmath>

#include "base/str.h"
#include "data/dedup/dedup.h"

namespace atelier::data {
namespace {

// Days since 1970-01-01 of the proleptic Gregorian calendar.
int64_t Days(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t of_era = year - era * 400;
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct Reader {
  std::string_view text;
  bool Number(size_t digits, int64_t* out) {
    if (text.size() < digits) return false;
    *out = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (text[i] < '0' || text[i] > '9') return false;
      *out = *out * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return true;
  }
  bool Skip(std::string_view any) {
    if (text.empty() || any.find(text[0]) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  }
};

}  // namespace

bool ParseWhen(std::string_view text, double* when) {
  if (const auto number = ParseDouble(text)) {
    *when = *number;
    return true;
  }
  Reader in{text};
  int64_t year, month, day, hour = 0, minute = 0, second = 0;
  double fraction = 0;
  if (!in.Number(4, &year) || !in.Skip("-/") || !in.Number(2, &month) || !in.Skip("-/") || !in.Number(2, &day)) {
    return false;
  }
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  double offset = 0;
  if (!in.text.empty()) {
    if (!in.Skip("T ") || !in.Number(2, &hour) || !in.Skip(":") || !in.Number(2, &minute)) return false;
    if (in.Skip(":") && !in.Number(2, &second)) return false;
    if (hour > 24 || minute > 59 || second > 60) return false;
    if (in.Skip(".,")) {
      double unit = 0.1;
      int64_t digit;
      while (in.Number(1, &digit)) fraction += unit * static_cast<double>(digit), unit /= 10;
    }
    if (const char sign = in.text.empty() ? 'Z' : in.text[0]; sign == '+' || sign == '-') {
      int64_t hours, minutes = 0;
      in.Skip("+-");
      if (!in.Number(2, &hours)) return false;
      in.Skip(":");
      if (!in.text.empty() && !in.Number(2, &minutes)) return false;
      offset = static_cast<double>(hours * 3600 + minutes * 60) * (sign == '+' ? 1 : -1);
    } else if (!in.text.empty() && !in.Skip("Z")) {
      return false;
    }
    if (!in.text.empty()) return false;
  }
  *when = static_cast<double>(Days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) + fraction - offset;
  return true;
}

}  // namespace atelier::data
