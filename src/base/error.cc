#include "base/error.h"

#include "base/str.h"

namespace atelier {
namespace {

constexpr CodeInfo kTable[] = {
    {Code::kUsage, "usage", 400, 2},
    {Code::kInvalidInput, "invalid_input", 400, 1},
    {Code::kCorrupt, "corrupt", 422, 1},
    {Code::kUnsupported, "unsupported", 400, 1},
    {Code::kNotFound, "not_found", 404, 1},
    {Code::kConflict, "conflict", 409, 1},
    {Code::kPermissionDenied, "permission_denied", 403, 1},
    {Code::kResourceExhausted, "resource_exhausted", 429, 1},
    {Code::kUnavailable, "unavailable", 503, 1},
    {Code::kCancelled, "cancelled", 499, 130},
    {Code::kIo, "io", 500, 1},
    {Code::kInternal, "internal", 500, 1},
};

}  // namespace

const CodeInfo& Info(Code code) {
  for (const CodeInfo& info : kTable) {
    if (info.code == code) return info;
  }
  return kTable[std::size(kTable) - 1];
}

std::string Error::Line() const {
  std::string line = what();
  if (!hint_.empty()) line += Cat(" (", hint_, ")");
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return line;
}

Error Error::Within(std::string_view context) const { return Error(code_, Cat(context, ": ", what()), hint_); }

}  // namespace atelier
