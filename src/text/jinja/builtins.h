// The filters, tests, methods and functions that a template can call, by name.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "text/jinja/value.h"

namespace atelier::text::jinja {

using Filter = Value (*)(Renderer& renderer, const Value& value, Arguments& arguments);
using Test = bool (*)(Renderer& renderer, const Value& value, Arguments& arguments);

bool IsFilter(std::string_view name);
bool IsTest(std::string_view name);
// Fail for an unknown name.
Value CallFilter(Renderer& renderer, std::string_view name, const Value& value, Arguments arguments);
bool CallTest(Renderer& renderer, std::string_view name, const Value& value, Arguments arguments);

// Each file of filters gives its own list.
struct FilterEntry {
  std::string_view name;
  Filter filter;
};
const std::vector<FilterEntry>& ListFilters();
const std::vector<FilterEntry>& LazyFilters();  // map, select, groupby ...
const std::vector<FilterEntry>& TextFilters();
const std::vector<FilterEntry>& ValueFilters();

// range, dict, namespace, cycler, joiner, raise_exception, strftime_now; kMissing for another name.
Value GlobalFunction(std::string_view name);

// Methods of Python's str, list, tuple, dict ... as templates may call them.
bool HasMethod(const Value& self, std::string_view name);
Value CallMethod(Renderer& renderer, const Value& self, std::string_view name, Arguments arguments);
Value CallStringMethod(Renderer& renderer, const Value& self, std::string_view name, Arguments arguments);
bool IsStringMethod(std::string_view name);
Value BoundMethod(const Value& self, std::string_view name);

// Arguments against a signature: one value per name, kMissing where none was given. Fail for too many, unknown or
// missing ones. A name that begins with '/' can only be given by position.
std::vector<Value> Bind(std::string_view what, Arguments& arguments, std::initializer_list<std::string_view> names,
                        size_t required = 0);
int64_t IntArgument(const Value& value, std::string_view what);  // Fail unless int or bool

}  // namespace atelier::text::jinja
