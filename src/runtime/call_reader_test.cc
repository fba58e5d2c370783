#include "runtime/call_reader.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "text/unicode.h"

namespace atelier::runtime {
namespace {

using Events = std::vector<CallReader::Event>;
using Kind = CallReader::Event::Kind;

artefact::CallSpec Tags() {
  artefact::CallSpec spec;
  spec.syntax = {.head = "<tool_call>\n{\"name\": \"",
                 .middle = "\", \"arguments\": ",
                 .tail = "}\n</tool_call>",
                 .between = "}\n</tool_call>\n<tool_call>\n{\"name\": \"",
                 .sign = "<tool_call>",
                 .text_before = true};
  return spec;
}

// Neighbours of one kind put together: how pieces were cut does not matter.
void Join(const Events& from, Events* to) {
  for (const CallReader::Event& event : from) {
    if (event.kind != Kind::kName && !to->empty() && to->back().kind == event.kind) {
      to->back().text += event.text;
    } else {
      to->push_back(event);
    }
  }
}

Events Read(const artefact::CallSpec& spec, const std::vector<std::string>& pieces) {
  CallReader reader(spec);
  Events out;
  for (const std::string& piece : pieces) Join(reader.Append(piece), &out);
  Join(reader.Finish(), &out);
  return out;
}

const std::string kTwo =
    "Let me 看看.\n<tool_call>\n{\"name\": \"a-1\", \"arguments\": {\"x\": \"}]\\\"</tool_call>\", \"y\": [{}]}}\n"
    "</tool_call>\n<tool_call>\n{\"name\": \"b_\", \"arguments\": {}}\n</tool_call>";
const Events kTwoRead = {{Kind::kText, "Let me 看看."},
                         {Kind::kName, "a-1"},
                         {Kind::kArguments, "{\"x\": \"}]\\\"</tool_call>\", \"y\": [{}]}"},
                         {Kind::kName, "b_"},
                         {Kind::kArguments, "{}"}};

TEST(CallReader, TextThenCalls) {
  EXPECT_EQ(Read(Tags(), {kTwo}), kTwoRead);
  EXPECT_EQ(Read(Tags(), {"just <b>text</b> <tool_"}), (Events{{Kind::kText, "just <b>text</b> <tool_"}}));
  EXPECT_EQ(Read(Tags(), {"a \n", " b \n"}), (Events{{Kind::kText, "a \n b \n"}}));
  EXPECT_EQ(Read(Tags(), {}), Events());
}

TEST(CallReader, HoldsBackOnlyWhatCouldBecomeACall) {
  CallReader reader(Tags());
  EXPECT_EQ(reader.Append("one <"), (Events{{Kind::kText, "one"}}));
  EXPECT_EQ(reader.Append("b> two"), (Events{{Kind::kText, " <b> two"}}));
  EXPECT_EQ(reader.Append("<tool_"), Events());
  EXPECT_EQ(reader.Append("<tool_call>\n{\"name\": \"f"), (Events{{Kind::kText, "<tool_"}}));
  EXPECT_EQ(reader.Append("\""), (Events{{Kind::kName, "f"}}));
  EXPECT_EQ(reader.Append(", \"arguments\": {\"k"), (Events{{Kind::kArguments, "{\"k"}}));
}

TEST(CallReader, ACutReplyShowsNothingOfTheWriting) {
  artefact::CallSpec must = Tags();
  must.required = true;
  for (size_t size = 0; size <= kTwo.size(); ++size) {
    if (!text::IsValidUtf8(kTwo.substr(0, size))) continue;
    const Events cut = Read(Tags(), {kTwo.substr(0, size)});
    for (const CallReader::Event& event : cut) {
      EXPECT_TRUE(event.kind != Kind::kText || event.text.find("<tool_call>") == std::string::npos);
      EXPECT_TRUE(event.kind != Kind::kName || event.text == "a-1" || event.text == "b_");
    }
    const size_t calls = kTwo.find('<');
    if (size < calls) continue;
    for (const CallReader::Event& event : Read(must, {kTwo.substr(calls, size - calls)}))
      EXPECT_NE(event.kind, Kind::kText);
  }
}

TEST(CallReader, WithoutTextBeforeTheReplyIsOneOrTheOther) {
  artefact::CallSpec spec;
  spec.syntax = {
      .head = "{\"name\": \"", .middle = "\", \"parameters\": ", .tail = "}", .between = {}, .sign = "{\"name"};
  EXPECT_EQ(Read(spec, {"{", "\"name\": \"f\", \"parameters\": {\"a\": 1}}"}),
            (Events{{Kind::kName, "f"}, {Kind::kArguments, "{\"a\": 1}"}}));
  EXPECT_EQ(Read(spec, {"{\"na", "ive\": 1} {\"name\": 2}"}), (Events{{Kind::kText, "{\"naive\": 1} {\"name\": 2}"}}));
  EXPECT_EQ(Read(spec, {"{\"na"}), (Events{{Kind::kText, "{\"na"}}));
}

TEST(CallReader, SkipsIds) {
  artefact::CallSpec spec;
  spec.syntax = {.head = "[TOOL_CALLS][{\"name\": \"",
                 .middle = "\", \"arguments\": ",
                 .tail = ", \"id\": \"\xFE\"}]",
                 .between = ", \"id\": \"\xFE\"}, {\"name\": \"",
                 .sign = "[TOOL_CALLS]"};
  EXPECT_EQ(
      Read(spec, {"[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {}, \"id\": \"abcDEF123\"}, {\"name\": \"g\", "
                  "\"arguments\": {\"ü\": 1}, \"id\": \"123456789\"}]"}),
      (Events{{Kind::kName, "f"}, {Kind::kArguments, "{}"}, {Kind::kName, "g"}, {Kind::kArguments, "{\"ü\": 1}"}}));
}

TEST(CallReader, WhatHasNoNameIsNoCall) {
  artefact::CallSpec spec;
  spec.syntax = {.head = "<calls>\n", .middle = "=", .tail = "\n</calls>", .between = "\n", .sign = "<calls>"};
  EXPECT_EQ(Read(spec, {"<calls>\nf={\"深\":1}\n</calls>"}),
            (Events{{Kind::kName, "f"}, {Kind::kArguments, "{\"深\":1}"}}));
}

TEST(CallReader, TheCutDoesNotMatter) {
  Rng rng(4);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> pieces;
    for (size_t at = 0; at < kTwo.size();) {
      size_t size = 1 + rng.Below(6);
      while (!text::IsValidUtf8(kTwo.substr(at, size))) ++size;
      pieces.push_back(kTwo.substr(at, size));
      at += size;
    }
    ASSERT_EQ(Read(Tags(), pieces), kTwoRead) << testing::PrintToString(pieces);
  }
}

}  // namespace
}  // namespace atelier::runtime
