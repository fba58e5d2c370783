// The fields of a tokenizer.json, asked for by type: whatever else stands there is told in one line that names the
// file.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/str.h"
#include "text/tokenizer_json.h"
#include "text/unicode.h"

namespace atelier::text {

namespace dom = simdjson::dom;

class JsonFields {
 public:
  static constexpr size_t kMostTokenBytes = 65536;

  explicit JsonFields(std::string_view what) : what_(what) {}

 protected:
  // The document's object, which lives as long as `parser`.
  dom::object Parse(std::string_view json, dom::parser* parser) const {
    if (json.size() > kMostTokenizerJson) Fail(Code::kInvalidInput, Cat("more than ", FormatBytes(kMostTokenizerJson)));
    dom::element root;
    const simdjson::error_code error = parser->parse(json.data(), json.size()).get(root);
    if (error != simdjson::SUCCESS) Fail(Code::kInvalidInput, Cat("not JSON: ", simdjson::error_message(error)));
    return Object(root, "the document");
  }
  [[noreturn]] void Fail(Code code, const std::string& why, const std::string& hint = "") const {
    throw Error(code, Cat(what_, ": ", why), hint);
  }

  dom::object Object(const dom::element& value, std::string_view where) const {
    dom::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) Fail(Code::kInvalidInput, Cat(where, " is no object"));
    return object;
  }
  dom::array Array(const dom::element& value, std::string_view where) const {
    dom::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) Fail(Code::kInvalidInput, Cat(where, " is no list"));
    return array;
  }
  std::string Text(const dom::element& value, std::string_view where) const {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) Fail(Code::kInvalidInput, Cat(where, " is no text"));
    if (!IsValidUtf8(text)) Fail(Code::kInvalidInput, Cat(where, " holds half a surrogate pair"));
    if (text.size() > kMostTokenBytes) {
      Fail(Code::kInvalidInput, Cat(where, " has ", text.size(), " bytes; ", kMostTokenBytes, " are allowed"));
    }
    return std::string(text);
  }
  bool Flag(const dom::object& object, const char* key, bool otherwise, std::string_view where) const {
    const auto value = Find(object, key);
    bool flag = otherwise;
    if (value && value->get_bool().get(flag) != simdjson::SUCCESS) {
      Fail(Code::kInvalidInput, Cat(where, ".", key, " is neither true nor false"));
    }
    return flag;
  }
  size_t Id(const dom::element& value, std::string_view where) const {
    uint64_t id = 0;
    if (value.get_uint64().get(id) != simdjson::SUCCESS || id >= kMostJsonTokens) {
      Fail(Code::kInvalidInput, Cat(where, " is no token id"));
    }
    return id;
  }
  // The value of a key, or nothing where it is absent or null.
  static std::optional<dom::element> Find(const dom::object& object, const char* key) {
    dom::element value;
    if (object.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
    return value;
  }
  dom::element Need(const dom::object& object, const char* key, std::string_view where) const {
    const auto value = Find(object, key);
    if (!value) Fail(Code::kInvalidInput, Cat(where, " has no ", Quote(key)));
    return *value;
  }
  void Known(const dom::object& object, std::string_view where, std::initializer_list<std::string_view> keys) const {
    for (const dom::key_value_pair field : object) {
      if (std::find(keys.begin(), keys.end(), field.key) != keys.end()) continue;
      std::vector<std::string> names(keys.begin(), keys.end());
      const std::string near = Nearest(field.key, names);
      Fail(Code::kUnsupported, Cat(where, " has the unknown field ", Quote(field.key)),
           near.empty() ? Cat("known are ", Join(names, ", ")) : Cat("did you mean ", near, "?"));
    }
  }
  std::string TypeOf(const dom::element& value, std::string_view where) const {
    return Text(Need(Object(value, where), "type", where), Cat(where, ".type"));
  }
  void Absent(const dom::object& object, const char* key, std::string_view where) const {
    const auto value = Find(object, key);
    if (!value) return;
    std::string_view text;
    double number = 1;
    if (value->get_string().get(text) == simdjson::SUCCESS && text.empty()) return;
    if (value->get_double().get(number) == simdjson::SUCCESS && number == 0) return;
    Fail(Code::kUnsupported, Cat(where, ".", key, " is set"));
  }

  static size_t SizeOf(const dom::object& object) {
    size_t count = 0;
    for ([[maybe_unused]] const dom::key_value_pair field : object) ++count;  // size() saturates at 2^24 - 1
    return count;
  }
  static size_t SizeOf(const dom::array& array) {
    size_t count = 0;
    for ([[maybe_unused]] const dom::element& element : array) ++count;
    return count;
  }

 private:
  const std::string what_;
};

}  // namespace atelier::text
