// JSON documents: nlohmann's value with insertion order kept, so that what we print is stable and what a template walks
// comes in the writer's order. Bulk records go through simdjson in data/, not through this.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace atelier {

using Json = nlohmann::ordered_json;

constexpr int kMostJsonDepth = 200;

// Parses one document. Throws Error(kInvalidInput) that names `what` and the byte, also for nesting beyond `depth`
// levels or an object of more than 20,000 keys (the ordered object is linear in look-ups). REQUIRES: depth <=
// kMostJsonDepth
Json ParseJson(std::string_view text, std::string_view what, int depth = kMostJsonDepth);

// Compact UTF-8 text; bytes that are not UTF-8 come out as U+FFFD, never as an exception.
std::string ToText(const Json& value);
// The same with two spaces of indentation, for people.
std::string ToPrettyText(const Json& value);

}  // namespace atelier

// Instantiated once, in json.cc: most of what the header costs every other file.
extern template class nlohmann::basic_json<nlohmann::ordered_map>;
