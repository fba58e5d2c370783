#include "base/json.h"

#include "base/error.h"
#include "base/str.h"

template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace atelier {

Json ParseJson(std::string_view text, std::string_view what, int depth) {
  constexpr size_t kMaxKeys = 20000;
  std::vector<size_t> keys;  // per open object
  auto guard = [&](int at, Json::parse_event_t event, Json&) {
    if (at > depth) throw Error(Code::kInvalidInput, Cat(what, ": JSON nested beyond ", depth, " levels"));
    switch (event) {
      case Json::parse_event_t::object_start: keys.push_back(0); break;
      case Json::parse_event_t::object_end: keys.pop_back(); break;
      case Json::parse_event_t::key:
        if (++keys.back() > kMaxKeys) {
          throw Error(Code::kInvalidInput, Cat(what, ": a JSON object with more than ", kMaxKeys, " keys"));
        }
        break;
      default: break;
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), guard);
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
