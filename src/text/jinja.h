// Jinja templates: the language of chat templates and of recipes. A subset of jinja2 chosen by what model families and
// recipes use, rendered to the same bytes as jinja2 with trim_blocks, lstrip_blocks, loop controls and Hugging Face's
// `tojson`, `raise_exception` and `strftime_now`.
//
// A template comes from a model file, so it is hostile until it ends: parsing has a depth limit, rendering a budget of
// steps and of output bytes, values a size; nothing in it reads a file, the clock (but strftime_now) or our objects.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"

namespace atelier::text {

struct RenderOptions {
  uint64_t max_steps = 2'000'000;   // evaluated nodes; a fraction of a second
  uint64_t max_output = 16u << 20;  // bytes, also for every string made on the way
  int64_t now_unix_millis = -1;     // what strftime_now sees; -1: the clock
  bool html_escape = false;         // escape {{ }} output for HTML unless marked `| safe`
};

class Template {
 public:
  // Throws Error(kInvalidInput) "name:line: ..." for what is not a template.
  static Template Parse(std::string_view source, std::string name);
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  // `context` is an object: its keys are the template's variables. Throws Error(kInvalidInput) with name:line for a
  // failure of the template's own (raise_exception included, its text in the message), kResourceExhausted when a
  // budget is spent. Thread-safe.
  std::string Render(const Json& context, const RenderOptions& options = {}) const;

 private:
  struct Impl;
  explicit Template(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace atelier::text
