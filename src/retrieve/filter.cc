#include "retrieve/filter.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "base/str.h"

namespace atelier::retrieve {

Condition ParseCondition(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw Error(Code::kUsage, Cat("the filter ", Quote(text), " is not FIELD=VALUE"),
                "for example lang=zh, team=sales|service, year=2020..2024");
  }
  Condition condition;
  condition.field = std::string(Trim(text.substr(0, equals)));
  std::string_view value = text.substr(equals + 1);
  if (value.starts_with('=')) {
    condition.values = {std::string(value.substr(1))};
    return condition;
  }
  if (const size_t dots = value.find(".."); dots != std::string_view::npos) {
    const std::string_view from = value.substr(0, dots), to = value.substr(dots + 2);
    const auto least = ParseDouble(from), most = ParseDouble(to);
    if ((from.empty() || least) && (to.empty() || most) && (least || most)) {
      if (least && most && *least > *most) {
        throw Error(Code::kUsage, Cat("the filter ", Quote(text), " ends before it begins"));
      }
      condition.range = true;
      condition.least = least;
      condition.most = most;
      return condition;
    }
  }
  condition.values = Split(value, '|');
  return condition;
}

Allowed AllowedChunks(const Segment& segment, std::span<const Condition> conditions,
                      std::span<const uint32_t> deleted) {
  if (conditions.empty() && deleted.empty()) return {};
  std::vector<bool> documents(segment.documents(), true);
  for (const uint32_t document : deleted) {
    if (document < documents.size()) documents[document] = false;
  }
  for (const Condition& condition : conditions) {
    const auto& columns = segment.columns();
    const auto column =
        std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == condition.field; });
    if (column == columns.end()) {
      std::fill(documents.begin(), documents.end(), false);
      break;
    }
    std::vector<bool> codes(column->values);
    for (uint32_t code = 0; code < column->values; ++code) {
      const std::string_view value = segment.column_value(*column, code);
      if (condition.range) {
        const auto number = ParseDouble(value);
        codes[code] = number && (!condition.least || *number >= *condition.least) &&
                      (!condition.most || *number <= *condition.most);
      } else {
        codes[code] = std::find(condition.values.begin(), condition.values.end(), value) != condition.values.end();
      }
    }
    for (uint32_t document = 0; document < segment.documents(); ++document) {
      const uint32_t code = segment.column_code(*column, document);
      if (code == kNoChunk || !codes[code]) documents[document] = false;
    }
  }
  Allowed allowed((size_t{segment.chunks()} + 63) / 64);
  for (uint32_t document = 0; document < segment.documents(); ++document) {
    if (!documents[document]) continue;
    for (uint32_t i = segment.first_chunk(document); i < segment.first_chunk(document + 1); ++i) {
      allowed[i >> 6] |= uint64_t{1} << (i & 63);
    }
  }
  if (allowed.empty()) allowed.push_back(0);  // none, which is not the same as all
  return allowed;
}

uint64_t CountAllowed(const Allowed& allowed, uint32_t chunks) {
  if (allowed.empty()) return chunks;
  uint64_t count = 0;
  for (const uint64_t word : allowed) count += static_cast<uint64_t>(std::popcount(word));
  return count;
}

}  // namespace atelier::retrieve
