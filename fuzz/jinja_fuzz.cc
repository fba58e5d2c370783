// Templates come out of model files: any bytes must end in a text or in an Error, within the budgets.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "text/jinja.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const atelier::Json context = atelier::ParseJson(
      R"({"messages": [{"role": "user", "content": "你好 🙂"}, {"role": "assistant", "content": "x <b>", "tool_calls": []}],
          "n": 3, "f": -2.5, "s": "a b\tc", "xs": [3, 1, 2], "d": {"b": 1, "a": [true, null]}, "e": ""})",
      "context");
  atelier::text::RenderOptions options;
  options.max_steps = 20000;
  options.max_output = 1 << 16;
  options.now_unix_millis = 1784019903000;
  options.html_escape = size % 2 == 1;
  try {
    const std::string_view source(reinterpret_cast<const char*>(data), size);
    atelier::text::Template::Parse(source, "fuzz").Render(context, options);
  } catch (const atelier::Error& error) {
    if (error.code() == atelier::Code::kInternal) __builtin_trap();
  }
  return 0;
}
