// A JSON object from outside, read strictly: every field has a type and a range, and one that nobody asked for is an
// error that names it. Nothing is ever ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace atelier::serve {

// What is wrong with a request, and with which of its fields ("messages[2].content").
class FieldError : public Error {
 public:
  FieldError(std::string field, std::string message, std::string hint = "", Code code = Code::kInvalidInput);
  const std::string& field() const { return field_; }

 private:
  std::string field_;
};

class Fields {
 public:
  // `path` names the object in messages: "" for the whole body, else "messages[2]". Throws where it is no object.
  // REQUIRES: `object` outlives this.
  Fields(const Json& object, std::string path);

  // Null counts as absent, as in the OpenAI API.
  bool Has(std::string_view name) const;
  // The value, nullptr where absent. The caller checks its type.
  const Json* Any(std::string_view name);

  std::string String(std::string_view name);
  std::optional<std::string> StringOr(std::string_view name);
  std::optional<bool> BoolOr(std::string_view name);
  std::optional<int64_t> IntOr(std::string_view name, int64_t least, int64_t most);
  std::optional<double> NumberOr(std::string_view name, double least, double most);
  // A text, or an array of at most `most` texts.
  std::vector<std::string> TextsOr(std::string_view name, size_t most);

  [[noreturn]] void Refuse(std::string_view name, const std::string& message, const std::string& hint = "") const;
  std::string Path(std::string_view name) const;
  // Throws for a field that was not asked for.
  void Done() const;

 private:
  const Json& object_;
  std::string path_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace atelier::serve
