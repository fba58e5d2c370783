#include "data/json_record.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/str.h"
#include "data/scan.h"

namespace atelier::data {
namespace {

namespace od = simdjson::ondemand;

constexpr size_t kMostLevels = 200;
constexpr size_t kMostKeys = 10'000;

std::string_view TrimRight(std::string_view token) {
  while (!token.empty() &&
         (token.back() == ' ' || token.back() == '\t' || token.back() == '\r' || token.back() == '\n')) {
    token.remove_suffix(1);
  }
  return token;
}

}  // namespace

std::string_view NumberFault(std::string_view token) {
  constexpr std::string_view kNoNumber = "not a JSON value (NaN and Infinity are none; write null)";
  size_t at = token.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const size_t begin = at;
    while (at < token.size() && token[at] >= '0' && token[at] <= '9') ++at;
    return at - begin;
  };
  const size_t first = at, whole = digits();
  if (whole == 0) return kNoNumber;
  if (whole > 1 && token[first] == '0') return "a number with leading zeros; write it as text";
  bool integer = true;
  if (at < token.size() && token[at] == '.') {
    ++at;
    integer = false;
    if (digits() == 0) return "a number that ends in a point";
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    integer = false;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    if (digits() == 0) return "a number without its exponent";
  }
  if (at != token.size()) return kNoNumber;
  const char *begin = token.data(), *end = begin + token.size();
  if (integer) {
    if (whole <= 18) return "";
    int64_t as_signed = 0;
    uint64_t as_unsigned = 0;
    if (std::from_chars(begin, end, as_signed).ec == std::errc() ||
        std::from_chars(begin, end, as_unsigned).ec == std::errc()) {
      return "";
    }
    return "a whole number beyond 64 bits; write it as text";
  }
  if (token.size() <= 18) {  // too short for a large exponent, unless it has one
    if (std::memchr(begin, 'e', token.size()) == nullptr && std::memchr(begin, 'E', token.size()) == nullptr) return "";
  }
  double value = 0;
  if (std::from_chars(begin, end, value).ec != std::errc()) {
    // Out of range is also what is too near to zero, which is harmless.
    if (token.find("e-") == token.npos && token.find("E-") == token.npos) return "a number beyond the range of double";
  }
  return "";
}

struct JsonRecordParser::State {
  od::parser parser{};
  std::string* raw = nullptr;     // where values go
  std::vector<std::string> keys;  // of the last record, escaped, in order: most records have the same
  std::vector<std::string_view> sorted;
  std::string key;

  // Each of these: "" when all is well, else the reason; `where` then points at the bad token where it is known.
  const char* where = nullptr;

  std::string Why(simdjson::error_code code) {
    switch (code) {
      case simdjson::UTF8_ERROR: return "bytes that are not UTF-8";
      case simdjson::UNESCAPED_CHARS: return "a control character inside a string; write it as \\n, \\t or \\u00xx";
      case simdjson::UNCLOSED_STRING: return "a string that never closes";
      case simdjson::STRING_ERROR: return "a string with a broken escape or half a surrogate pair";
      case simdjson::DEPTH_ERROR: return Cat("more than ", kMostLevels, " levels");
      case simdjson::EMPTY: return "empty";
      case simdjson::INCORRECT_TYPE: return "not a JSON object";
      case simdjson::CAPACITY: return "too large";
      case simdjson::MEMALLOC: return "no memory";
      default: return "not valid JSON";
    }
  }

  std::string Text(od::value value, std::string_view token) {
    if (token.size() < 2 || token.back() != '"') return "a string that never closes";
    const std::string_view inside = token.substr(1, token.size() - 2);
    if (std::memchr(inside.data(), '\\', inside.size()) == nullptr) {
      raw->append(token);
      // Taken, since passing over a string that a colon follows would take it for a key.
      od::raw_json_string consumed;
      if (const auto error = value.get_raw_json_string().get(consumed); error != simdjson::SUCCESS) return Why(error);
      return "";
    }
    std::string_view plain;
    if (const auto error = value.get_string().get(plain); error != simdjson::SUCCESS)
      return Why(simdjson::STRING_ERROR);
    if (!simdjson::validate_utf8(plain.data(), plain.size())) return Why(simdjson::STRING_ERROR);
    if (std::memchr(plain.data(), 0, plain.size()) != nullptr) return "a NUL character (\\u0000)";
    raw->push_back('"');
    AppendEscaped(raw, plain);
    raw->push_back('"');
    return "";
  }

  std::string Value(od::value value, size_t depth) {
    const std::string_view token = TrimRight(value.raw_json_token());
    where = token.data();
    if (token.empty()) return "a value is missing";
    switch (token.front()) {
      case '"': return Text(value, token);
      case '[': return List(value, depth + 1);
      case '{': return Object(value, depth + 1);
      case 't':
      case 'f':
      case 'n': {
        const bool good = token == "true" || token == "false" || token == "null";
        if (!good) return "not a JSON value (true, false and null are written so)";
        raw->append(token);
        return "";
      }
      default: {
        if (const std::string_view fault = NumberFault(token); !fault.empty()) return std::string(fault);
        raw->append(token);
        return "";
      }
    }
  }

  std::string List(od::value value, size_t depth) {
    if (depth > kMostLevels) return Why(simdjson::DEPTH_ERROR);
    od::array array;
    if (const auto error = value.get_array().get(array); error != simdjson::SUCCESS) return Why(error);
    raw->push_back('[');
    bool first = true;
    for (auto item : array) {
      od::value inner;
      if (const auto error = item.get(inner); error != simdjson::SUCCESS) return Why(error);
      if (!first) raw->push_back(',');
      first = false;
      if (std::string why = Value(inner, depth); !why.empty()) return why;
    }
    raw->push_back(']');
    return "";
  }

  std::string Object(od::value value, size_t depth) {
    if (depth > kMostLevels) return Why(simdjson::DEPTH_ERROR);
    od::object object;
    if (const auto error = value.get_object().get(object); error != simdjson::SUCCESS) return Why(error);
    raw->push_back('{');
    std::vector<std::string> names;
    for (auto item : object) {
      od::field field;
      if (const auto error = std::move(item).get(field); error != simdjson::SUCCESS) return Why(error);
      std::string name;
      if (std::string why = Key(field, &name); !why.empty()) return why;
      if (!names.empty()) raw->push_back(',');
      raw->push_back('"');
      raw->append(name);
      raw->append("\":");
      names.push_back(std::move(name));
      if (names.size() > kMostKeys) return Cat("an object of more than ", kMostKeys, " keys");
      if (std::string why = Value(field.value(), depth); !why.empty()) return why;
    }
    raw->push_back('}');
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
      return Cat("the key ", Quote(*twice), " twice");
    }
    return "";
  }

  std::string Key(od::field& field, std::string* name) {
    std::string_view plain;
    if (const auto error = field.unescaped_key().get(plain); error != simdjson::SUCCESS) return Why(error);
    if (!simdjson::validate_utf8(plain.data(), plain.size())) return Why(simdjson::STRING_ERROR);
    if (std::memchr(plain.data(), 0, plain.size()) != nullptr) return "a NUL character in a key";
    name->clear();
    AppendEscaped(name, plain);
    return "";
  }
};

JsonRecordParser::JsonRecordParser() : state_(std::make_unique<State>()) {}
JsonRecordParser::~JsonRecordParser() = default;

bool JsonRecordParser::Parse(std::string_view line, LineBuilder* out) {
  State& s = *state_;
  s.raw = out->raw();
  s.where = nullptr;
  reason_.clear();
  renamed_.clear();
  column_ = 0;
  const auto fail = [&](std::string why) {
    reason_ = std::move(why);
    if (s.where >= line.data() && s.where <= line.data() + line.size()) {
      column_ = static_cast<size_t>(s.where - line.data()) + 1;
    }
    return false;
  };
  od::document document;
  if (const auto error =
          s.parser.iterate(line.data(), line.size(), line.size() + simdjson::SIMDJSON_PADDING).get(document);
      error != simdjson::SUCCESS) {
    return fail(s.Why(error));
  }
  od::object object;
  if (const auto error = document.get_object().get(object); error != simdjson::SUCCESS) {
    return fail(error == simdjson::INCORRECT_TYPE ? "not a JSON object" : s.Why(error));
  }
  size_t count = 0;
  bool as_before = true;  // the keys so far are the last record's, which had no duplicates
  for (auto item : object) {
    od::field field;
    if (const auto error = std::move(item).get(field); error != simdjson::SUCCESS) return fail(s.Why(error));
    if (std::string why = s.Key(field, &s.key); !why.empty()) return fail(std::move(why));
    if (s.key.empty() || s.key.front() == '_') {
      renamed_ = s.key;
      s.key.insert(0, "x");
    }
    if (count >= kMostKeys) return fail(Cat("more than ", kMostKeys, " fields"));
    if (count >= s.keys.size()) {
      s.keys.push_back(s.key);
      as_before = false;
    } else if (s.keys[count] != s.key) {
      s.keys[count] = s.key;
      as_before = false;
    }
    ++count;
    out->Key(s.key);
    if (std::string why = s.Value(field.value(), 1); !why.empty()) {
      s.keys.clear();
      return fail(std::move(why));
    }
  }
  if (const auto rest = document.current_location(); rest.error() == simdjson::SUCCESS) {
    s.where = rest.value_unsafe();
    s.keys.clear();
    return fail("text behind the object");
  }
  if (count < s.keys.size()) {
    s.keys.resize(count);
  }
  if (!as_before) {
    s.sorted.assign(s.keys.begin(), s.keys.end());
    std::sort(s.sorted.begin(), s.sorted.end());
    if (const auto twice = std::adjacent_find(s.sorted.begin(), s.sorted.end()); twice != s.sorted.end()) {
      std::string why = Cat("the key ", Quote(*twice), " twice");
      s.keys.clear();
      return fail(std::move(why));
    }
  }
  return true;
}

bool JsonRecordParser::AppendValue(std::string_view json, std::string* out) {
  State& s = *state_;
  const size_t before = out->size();
  s.raw = out;
  s.where = nullptr;
  column_ = 0;
  reason_.clear();
  // As the one value of an object: simdjson reads a document that is a scalar by other functions.
  simdjson::padded_string padded(Cat("{\"v\":", json, "}"));
  od::document document;
  od::object object;
  size_t count = 0;
  if (const auto error = s.parser.iterate(padded).get(document); error != simdjson::SUCCESS) reason_ = s.Why(error);
  if (reason_.empty()) {
    if (const auto error = document.get_object().get(object); error != simdjson::SUCCESS) reason_ = s.Why(error);
  }
  if (reason_.empty()) {
    for (auto item : object) {
      od::field field;
      if (const auto error = std::move(item).get(field); error != simdjson::SUCCESS) reason_ = s.Why(error);
      if (reason_.empty() && ++count > 1) reason_ = "more than one value";
      if (reason_.empty()) reason_ = s.Value(field.value(), 1);
      if (!reason_.empty()) break;
    }
  }
  if (reason_.empty() && (count != 1 || document.current_location().error() == simdjson::SUCCESS)) {
    reason_ = "not one JSON value";
  }
  if (reason_.empty()) return true;
  out->resize(before);
  return false;
}

}  // namespace atelier::data
