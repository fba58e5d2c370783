// What the command line promises whatever is typed: exit codes, one line of UTF-8 on standard error, one JSON document.
#include <gtest/gtest.h>

#include <cstdlib>

#include "artefact/gguf_writer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/str.h"
#include "runtime/golden_model.h"
#include "text/unicode.h"

namespace atelier {
namespace {

ProcessResult Atelier(const std::vector<std::string>& arguments) {
  const char* build = std::getenv("ATELIER_BUILD_DIR");
  std::vector<std::string> argv = {Cat(build != nullptr ? build : ".", "/atelier")};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return RunProcess(argv);
}

std::string TinyModel() {
  const std::string path = Cat(testing::TempDir(), "command_line_llama.gguf");
  WriteFileAtomic(path, runtime::GoldenBytes("llama"));
  return path;
}

TEST(CommandLine, NumbersAreDecimalFiniteAndInRange) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"--seed", "9223372036854775808"}, {"--seed", "-1"},       {"--seed", "1x"},
      {"--max-tokens", "1.5"},           {"--max-tokens", ""},   {"--max-tokens", "0x"},
      {"--temperature", "nan"},          {"--temperature", "-1"}};
  for (const auto& [option, value] : wrong) {
    const ProcessResult result = Atelier({"generate", "-m", "none", "-p", "a", option, value, "--json"});
    EXPECT_EQ(result.exit_code, 2) << option << " " << value << result.error_text;
    EXPECT_EQ(ParseJson(result.output, "output").at("error").at("code"), "usage");
    EXPECT_NE(result.error_text.find(option), std::string::npos) << result.error_text;
  }
  const ProcessResult ten =
      Atelier({"generate", "-m", TinyModel(), "-p", "a", "--max-tokens", "010", "--ignore-end", "--json"});
  EXPECT_EQ(ParseJson(ten.output, "output").at("output_tokens"), 10) << ten.error_text;  // not eight
}

TEST(CommandLine, AMistakeBeforeJsonIsToldInJson) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"model", "--json"}, {"--studio", "a", "--studio", "b", "model", "list", "--json"}, {"nosuch", "--json"}}) {
    const ProcessResult result = Atelier(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(ParseJson(result.output, "output").at("error").at("code"), "usage") << arguments[0];
  }
}

TEST(CommandLine, WhatIsSaidIsUtf8) {
  const ProcessResult result = Atelier({"model", "show", "no\xFF\xFEsuch", "--json"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(text::IsValidUtf8(result.error_text));
  EXPECT_TRUE(text::IsValidUtf8(result.output));
  EXPECT_EQ(std::count(result.error_text.begin(), result.error_text.end(), '\n'), 1);
}

TEST(CommandLine, AModelFileCannotSpeakToTheTerminal) {
  const std::string path = Cat(testing::TempDir(), "command_line_escapes.gguf");
  artefact::GgufWriter writer;
  writer.Set("general.architecture", "llama");
  writer.Set("general.license", "\x1b]0;title\x07 \xE2\x80\xAE");
  writer.Set("general.name", "\xFF\x1b[2J");
  writer.Write(path);
  const ProcessResult result = Atelier({"model", "show", path});
  EXPECT_EQ(result.exit_code, 0) << result.error_text;
  EXPECT_TRUE(text::IsValidUtf8(result.output));
  EXPECT_EQ(result.output.find_first_of("\x1b\x07"), std::string::npos);
  EXPECT_EQ(result.output.find("\xE2\x80\xAE"), std::string::npos);
  const ProcessResult absent = Atelier({"model", "show", "\x1b[31m/\n"});
  EXPECT_EQ(absent.error_text.find('\x1b'), std::string::npos);
}

TEST(CommandLine, SchemaCheckSaysWhatRepliesCanBe) {
  const std::string schema = Cat(testing::TempDir(), "command_line_schema.json");
  const std::string texts = Cat(testing::TempDir(), "command_line_texts");
  WriteFileAtomic(schema, R"({"type":"object","properties":{"名":{"maxLength":2}},"required":["名"]})");
  EXPECT_EQ(Atelier({"schema", "check", schema}).exit_code, 0);
  WriteFileAtomic(texts, "{\"名\":\"😀中\"}\n{\"名\":\"\x1b[31m\n\n{\"名\": \"\"}");
  const ProcessResult asked = Atelier({"schema", "check", schema, "--texts", texts, "--json"});
  EXPECT_EQ(asked.exit_code, 1) << asked.error_text;
  const Json lines = ParseJson(asked.output, "output").at("texts");
  const std::vector<std::pair<bool, int>> expected = {{true, 17}, {false, 8}, {false, 0}, {true, 11}};
  ASSERT_EQ(lines.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(lines[i], Json({{"line", i + 1}, {"possible", expected[i].first}, {"bytes", expected[i].second}}));
  }
  EXPECT_EQ(Atelier({"schema", "check", schema, "--texts", texts}).output.find('\x1b'), std::string::npos);
  WriteFileAtomic(texts, "{\"名\":\"a\"}\n");
  EXPECT_EQ(Atelier({"schema", "check", schema, "--texts", texts}).exit_code, 0);
  WriteFileAtomic(schema, R"({"properties":{"a":{"not":{"items":{"type":"null"}}}}})");
  const ProcessResult refused = Atelier({"schema", "check", schema, "--json"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(ParseJson(refused.output, "output").at("error").at("code"), "unsupported");
  EXPECT_NE(refused.error_text.find("/properties/a/not"), std::string::npos) << refused.error_text;
}

TEST(CommandLine, BenchTakesASmallVocabulary) {
  const ProcessResult result =
      Atelier({"bench", "-m", TinyModel(), "-p", "40", "-n", "2", "-r", "1", "-t", "1", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.error_text;
  EXPECT_EQ(ParseJson(result.output, "output").at("prompt_tokens"), 40);
}

}  // namespace
}  // namespace atelier
