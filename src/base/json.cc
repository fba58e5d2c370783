#include "base/json.h"

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/str.h"

template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace atelier {

namespace {

// What a document may cost before anything is built from it. Looks at brackets, strings and colons only: whether it is
// JSON at all the parser says. (The parser's own callback would do, but looks at an array again for each object in it.)
void CheckShape(std::string_view text, std::string_view what, int depth) {
  constexpr size_t kMaxKeys = 20000;
  // Each key of an object is compared with those before it, long ones perhaps to their last byte. Most objects are
  // small; the largest may come once.
  const uint64_t most_compared = uint64_t{kMaxKeys} * kMaxKeys / 2 + 16 * text.size();
  uint64_t compared = 0;
  constexpr size_t kBytesAtOnce = 32;
  size_t length = 0;         // of the last string
  std::vector<size_t> keys;  // per open object or array
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"': {
        const size_t begin = i;
        while (++i < text.size() && text[i] != '"') i += text[i] == '\\';
        length = i - begin;
        break;
      }
      case '{':
      case '[':
        if (keys.size() == static_cast<size_t>(depth))
          throw Error(Code::kInvalidInput, Cat(what, ": JSON nested beyond ", depth, " levels"));
        keys.push_back(0);
        break;
      case '}':
      case ']':
        if (!keys.empty()) keys.pop_back();
        break;
      case ':':
        if (keys.empty()) break;
        compared += keys.back() * (1 + length / kBytesAtOnce);
        if (++keys.back() > kMaxKeys)
          throw Error(Code::kInvalidInput, Cat(what, ": a JSON object with more than ", kMaxKeys, " keys"));
        if (compared > most_compared)
          throw Error(Code::kInvalidInput, Cat(what, ": too many JSON objects with very many keys"));
        break;
      default: break;
    }
  }
}

}  // namespace

Json ParseJson(std::string_view text, std::string_view what, int depth) {
  CheckShape(text, what, depth);
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::parse_error& e) {
    size_t line = 1;
    for (size_t i = 0; i + 1 < e.byte && i < text.size(); ++i) line += text[i] == '\n';
    throw Error(Code::kInvalidInput, Cat(what, ": not JSON at line ", line, ", byte ", e.byte),
                "check the quotes, commas and brackets there");
  } catch (const Json::exception& e) {
    throw Error(Code::kInvalidInput, Cat(what, ": not JSON: ", e.what()));
  }
}

std::string ToText(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }
std::string ToPrettyText(const Json& value) { return value.dump(2, ' ', false, Json::error_handler_t::replace); }

}  // namespace atelier
