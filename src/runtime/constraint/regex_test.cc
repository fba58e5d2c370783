#include "runtime/constraint/regex.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/rng.h"
#include "runtime/constraint/automaton.h"
#include "text/unicode.h"

namespace atelier::runtime {
namespace {

CharDfa Dfa(std::string_view pattern, bool anchored = true) {
  Regulars regulars;
  return BuildDfa(&regulars, ParseRegex(&regulars, pattern, {.anchored = anchored}));
}

bool Full(std::string_view pattern, std::string_view text) { return Dfa(pattern).Matches(text::DecodeUtf8(text)); }
bool Part(std::string_view pattern, std::string_view text) {
  return Dfa(pattern, false).Matches(text::DecodeUtf8(text));
}

std::string Why(std::string_view pattern, Code code) {
  try {
    Dfa(pattern);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << pattern.substr(0, 40);
    return error.what();
  }
  ADD_FAILURE() << pattern.substr(0, 40) << " is taken";
  return "";
}

// A random pattern of the common part of RE2 and ours, over a small alphabet.
std::string RandomPattern(Rng* rng, int depth) {
  static const char* const atoms[] = {"a",   "b",  "c",        ".", "[ab]", "[^a]", "\\d",
                                      "\\w", "中", "[b-d1-3]", "1", "\\.",  "😀"};
  std::string out;
  const uint64_t parts = 1 + rng->Below(3);
  for (uint64_t i = 0; i < parts; ++i) {
    std::string atom = atoms[rng->Below(std::size(atoms))];
    if (depth > 0 && rng->Below(3) == 0) atom = "(?:" + RandomPattern(rng, depth - 1) + ")";
    static const char* const loops[] = {"", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?"};
    out += atom + loops[rng->Below(std::size(loops))];
  }
  if (depth > 0 && rng->Below(3) == 0) out += "|" + RandomPattern(rng, depth - 1);
  return out;
}

TEST(RegexTest, AgreesWithRe2) {
  Rng rng(11);
  static const char* const pieces[] = {"a", "b", "c", "d", "1", "3", ".", "中", "😀", "\n", "é"};
  int matches = 0;
  for (int round = 0; round < 300; ++round) {
    const std::string body = RandomPattern(&rng, 2);
    const std::string edges[] = {body, "^" + body, body + "$", "^(?:" + body + ")$"};
    const std::string pattern = round % 2 == 0 ? body : edges[rng.Below(4)];
    const RE2 peer("(?:" + pattern + ")");  // RE2's . takes \r, ours does not: none is in the texts
    ASSERT_TRUE(peer.ok());
    const CharDfa full = Dfa(pattern), part = Dfa(pattern, false);
    for (int i = 0; i < 40; ++i) {
      std::string text;
      for (uint64_t n = rng.Below(7); n > 0; --n) text += pieces[rng.Below(std::size(pieces))];
      const auto chars = text::DecodeUtf8(text);
      matches += RE2::FullMatch(text, peer);
      ASSERT_EQ(full.Matches(chars), RE2::FullMatch(text, peer)) << pattern << " on " << text;
      ASSERT_EQ(part.Matches(chars), RE2::PartialMatch(text, peer)) << pattern << " in " << text;
    }
  }
  EXPECT_GT(matches, 500);
}

TEST(RegexTest, WhatOnlyEcmaSays) {
  EXPECT_TRUE(Full("\\u4e2d\\u{1F600}\\ud83d\\ude00\\x41\\cA\\0", std::string("中😀😀A\x01\0", 14)));
  EXPECT_TRUE(Full("\\p{L}+\\p{Script=Han}", "aé中"));
  EXPECT_FALSE(Full("\\P{L}", "中"));
  EXPECT_FALSE(Full(".", "\xE2\x80\xA8"));
  EXPECT_TRUE(Full("(?<name>a)(?P<other>b)", "ab"));
  EXPECT_TRUE(Full("a{,2}", "a{,2}"));  // no count
  EXPECT_TRUE(Part("^$", "") && !Part("^$", "a") && Part("", "anything"));
  EXPECT_TRUE(Part("^a|b$", "ax") && Part("^a|b$", "xb") && !Part("^a|b$", "xax"));
  EXPECT_TRUE(Part("(^a|b)c", "ac") && Part("(^a|b)c", "xbcx") && !Part("(^a|b)c", "xac"));
  EXPECT_TRUE(Full("^a$", "a"));
  EXPECT_TRUE(Full("[\\]\\-a]{3}", "]-a"));
  EXPECT_FALSE(Full("\\S", "\xEF\xBB\xBF") || Full("\\s", "\xEF\xBB\xBF"));  // peers differ about it
}

TEST(RegexTest, RefusesWithThePlace) {
  EXPECT_NE(Why("ab(?=c)", Code::kUnsupported).find("byte 2"), std::string::npos);
  EXPECT_NE(Why("(a)\\1", Code::kUnsupported).find("back-reference"), std::string::npos);
  EXPECT_NE(Why("a\\b", Code::kUnsupported).find("byte 2"), std::string::npos);
  for (const char* pattern :
       {"(?<!a)b", "(?i)a", "a++", "a^b", "a$b", "(^)*", "\\p{Klingon}", "\\pL", "a{10001}", "[[:alpha:]]", "\\k<a>"}) {
    Why(pattern, Code::kUnsupported);
  }
  for (const char* pattern : {"(", ")", "[a", "a**", "*", "a{2,1}", "[b-a]", "\\", "\\u{110000}", "\\ud800", "[\\d-z]",
                              "\xFF", "\\xg", "a{2}{3}"}) {
    Why(pattern, Code::kInvalidInput);
  }
}

TEST(RegexTest, HostilePatternsEndQuickly) {
  const double started = MonotonicSeconds();
  Why(std::string(60000, '('), Code::kUnsupported);
  Why(std::string(60000, '(') + "a" + std::string(60000, ')'), Code::kUnsupported);
  Why(std::string(1000, '(') + "a" + std::string(1000, ')'), Code::kUnsupported);
  Why("(.*a.{30})", Code::kUnsupported);
  Why("((((a{1,100}){1,100}){1,100}){1,100}b){1,100}(.*c.{20})", Code::kUnsupported);
  std::string optional;
  for (int i = 0; i < 2000; ++i) optional += "a?";
  try {
    Dfa(optional);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported);
  }
  EXPECT_LT(MonotonicSeconds() - started, 120);  // only a hang is a failure
}

TEST(RegexTest, CountsAreNotCopied) {
  const CharDfa dfa = Dfa("[^x]{0,1000}");
  EXPECT_EQ(dfa.accepts.size(), 1001u);
  EXPECT_EQ(Dfa("(ab|c){2,}").counts[0], CharDfa::kMany);
  EXPECT_EQ(Dfa("(a|b){0,3}").counts[0], 1 + 2 + 4 + 8);
  const std::vector<int32_t> classes = dfa.Classes(8);
  EXPECT_EQ(classes[0], classes[900]);
  EXPECT_NE(classes[0], classes[995]);
}

TEST(EncodedAutomatonTest, WritesEveryCharacterInEveryWay) {
  EncodedAutomaton json(Dfa("a[中-丮]😀\"?"), EncodedAutomaton::Writing::kJson);
  const auto takes = [](Automaton& automaton, std::string_view text) {
    int32_t state = 0;
    for (char c : text) {
      state = automaton.Step(state, static_cast<uint8_t>(c));
      if (state == Automaton::kDead) return false;
    }
    return automaton.Accepts(state);
  };
  EXPECT_TRUE(takes(json, "\"a中😀\""));
  EXPECT_TRUE(takes(json, "\"\\u0061\\u4E2d\\uD83d\\ude00\\\"\""));
  EXPECT_TRUE(takes(json, "\"\\u0061\\u4E2e\\uD83d\\ude00\\u0022\""));
  EXPECT_FALSE(takes(json, "\"a丯😀\""));
  EXPECT_FALSE(takes(json, "\"a中\\ud83d\""));
  EXPECT_FALSE(takes(json, "\"a中\\ud83e\\ude00\""));
  EXPECT_FALSE(takes(json, "\"a中😀\"\""));
  Automaton& any = *AnyJsonString();
  EXPECT_TRUE(takes(any, "\"\\n\\/ \x7F 中\\ud800\\udc00\""));
  for (const char* bad : {"\"\n\"", "\"\\x\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"",
                          "\"\\ud800\"", "\"\\udc00\"", "\"\xE4\xB8\"", "\"\\ud800\\u0041\"", "\"\xE0\x80\x80\""}) {
    EXPECT_FALSE(takes(any, bad)) << bad;
  }
  // Every code point, against the one encoder of text/.
  EncodedAutomaton plain(Dfa("[^中]"), EncodedAutomaton::Writing::kPlain);
  for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    text::AppendUtf8(&text, c);
    ASSERT_EQ(takes(plain, text), c != U'中') << static_cast<uint32_t>(c);
  }
}

}  // namespace
}  // namespace atelier::runtime
