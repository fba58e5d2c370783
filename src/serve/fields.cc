#include "serve/fields.h"

#include <cmath>

#include "base/str.h"

namespace atelier::serve {

FieldError::FieldError(std::string field, std::string message, std::string hint, Code code)
    : Error(code, Cat(field.empty() ? "the body" : field, ": ", message), std::move(hint)), field_(std::move(field)) {}

Fields::Fields(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object.is_object()) throw FieldError(path_, "is not a JSON object");
}

std::string Fields::Path(std::string_view name) const {
  return path_.empty() ? std::string(name) : Cat(path_, ".", name);
}

void Fields::Refuse(std::string_view name, const std::string& message, const std::string& hint) const {
  throw FieldError(Path(name), message, hint);
}

bool Fields::Has(std::string_view name) const {
  const auto at = object_.find(std::string(name));
  return at != object_.end() && !at->is_null();
}

const Json* Fields::Any(std::string_view name) {
  known_.emplace(name);
  const auto at = object_.find(std::string(name));
  return at == object_.end() || at->is_null() ? nullptr : &*at;
}

std::optional<std::string> Fields::StringOr(std::string_view name) {
  const Json* value = Any(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) Refuse(name, "is not a text");
  return value->get<std::string>();
}

std::string Fields::String(std::string_view name) {
  std::optional<std::string> value = StringOr(name);
  if (!value) Refuse(name, "is missing");
  return *std::move(value);
}

std::optional<bool> Fields::BoolOr(std::string_view name) {
  const Json* value = Any(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) Refuse(name, "is not true or false");
  return value->get<bool>();
}

std::optional<int64_t> Fields::IntOr(std::string_view name, int64_t least, int64_t most) {
  const Json* value = Any(name);
  if (value == nullptr) return std::nullopt;
  const std::string range = Cat("from ", least, " to ", most);
  if (value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
    Refuse(name, "is out of range", range);
  if (!value->is_number_integer()) Refuse(name, "is not a whole number", range);
  const auto number = value->get<int64_t>();
  if (number < least || number > most) Refuse(name, Cat("is ", number), range);
  return number;
}

std::optional<double> Fields::NumberOr(std::string_view name, double least, double most) {
  const Json* value = Any(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) Refuse(name, "is not a number");
  const double number = value->get<double>();
  if (!(number >= least && number <= most)) Refuse(name, Cat("is ", number), Cat("from ", least, " to ", most));
  return number;
}

std::vector<std::string> Fields::TextsOr(std::string_view name, size_t most) {
  const Json* value = Any(name);
  if (value == nullptr) return {};
  if (value->is_string()) return {value->get<std::string>()};
  if (!value->is_array()) Refuse(name, "is neither a text nor an array of texts");
  if (value->size() > most) Refuse(name, Cat("has ", value->size(), " entries"), Cat("at most ", most));
  std::vector<std::string> texts;
  for (const Json& entry : *value) {
    if (!entry.is_string()) Refuse(name, "holds something that is not a text");
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

void Fields::Done() const {
  for (const auto& [name, value] : object_.items()) {
    if (!known_.contains(name)) {
      std::vector<std::string> known(known_.begin(), known_.end());
      const std::string near = Nearest(name, known);
      throw FieldError(Path(name), "is not supported here", near.empty() ? "" : Cat("did you mean '", near, "'?"),
                       Code::kUnsupported);
    }
  }
}

}  // namespace atelier::serve
