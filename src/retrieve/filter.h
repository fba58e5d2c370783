// Conditions on documents' fields.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retrieve/bm25.h"
#include "retrieve/segment.h"

namespace atelier::retrieve {

// One field: it equals one of the values, or lies in a range of numbers. A document without the field does not meet it.
struct Condition {
  std::string field;
  std::vector<std::string> values;
  bool range = false;
  std::optional<double> least, most;
};

// "lang=zh", "team=sales|service", "year=2020..2024", "year=2020.." and, for a text that looks like one of these,
// "name==a|b". `id`, `lang` and `source` are fields of every document. Throws Error(kUsage).
Condition ParseCondition(std::string_view text);

// The chunks that meet all conditions and do not belong to the deleted documents (ascending). Empty when all do.
Allowed AllowedChunks(const Segment& segment, std::span<const Condition> conditions, std::span<const uint32_t> deleted);

uint64_t CountAllowed(const Allowed& allowed, uint32_t chunks);

}  // namespace atelier::retrieve
