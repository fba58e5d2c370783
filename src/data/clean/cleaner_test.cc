#include "data/clean/cleaner.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/clean/markup_text.h"
#include "data/clean/memory_run.h"
#include "text/unicode.h"

namespace atelier::data::clean {
namespace {

const Json& Goldens() {
  static const Json* json =
      new Json(ParseJson(ReadFile(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/clean/clean.json"), "clean.json"));
  return *json;
}

std::string Line(const std::string& text) { return ToText(Json{{"text", text}}) + "\n"; }

std::string TextOf(const MemoryRun& run) {
  return run.lines.empty() ? "(dropped)" : ParseJson(run.lines, "line")["text"].get<std::string>();
}

std::string Clean(const std::string& toml, const std::string& text) { return TextOf(MemoryRun::Of(toml, Line(text))); }

TEST(Normalise, IsPythonsUnicodedata) {
  ASSERT_GE(Goldens()["normalise"].size(), 400u);
  for (const Json& one : Goldens()["normalise"]) {
    const std::string toml =
        Cat("[[operation]]\nuse = 'normalise'\nform = '", one["form"].get<std::string>(), "'\nwidth = '",
            one["width"].get<std::string>(), "'\nspace = '", one["space"].get<std::string>(), "'\nquotes = '",
            one["quotes"].get<std::string>(), "'\n");
    const std::string text = one["text"].get<std::string>(), expected = one["expected"].get<std::string>();
    EXPECT_EQ(Clean(toml, text), expected) << toml << Quote(text, 300);
    EXPECT_EQ(Clean(toml, expected), expected) << "a second time: " << toml << Quote(text, 300);
  }
}

TEST(Normalise, LeavesWhatItIsToldToLeave) {
  const std::string all = "\x07 e\xCC\x81 \xE2\x80\x8B";
  EXPECT_EQ(Clean("[[operation]]\nuse='normalise'\nform='none'\nwidth='keep'\nspace='keep'\ncontrols=false\n"
                  "invisible=false\n",
                  all),
            all);
  EXPECT_EQ(Clean("[[operation]]\nuse='normalise'\n", "1️⃣ 👩‍💻 a\xE2\x80\x8D"),
            "1️⃣ 👩‍💻 a\xE2\x80\x8D");
  EXPECT_EQ(Clean("[[operation]]\nuse='normalise'\njoiners=true\n", "a\xE2\x80\x8D"), "a");
}

TEST(Entities, ArePythonsHtmlUnescape) {
  for (const Json& one : Goldens()["entities"]) {
    std::string out;
    DecodeEntities(one["text"].get<std::string>(), &out);
    EXPECT_EQ(out, one["expected"].get<std::string>()) << one["text"];
  }
}

TEST(Markup, TagsGoAndTextStays) {
  const std::pair<const char*, const char*> kCases[] = {
      {"<p>Hello <b>world</b></p>", "\nHello world\n"},
      {"a<br>b<BR/>c", "a\nb\nc"},
      {"if a < b and c > d: <3", "if a < b and c > d: <3"},
      {"x<script>var a = '<p>';</script>y<style>p{}</style>z", "xyz"},
      {"<!-- hidden > --><a href='x>y' title=\"<\">link</a>", "link"},
      {"<!doctype html><?xml version='1'?>ok", "ok"},
      {"unclosed <b", "unclosed <b"},
      {"<a href='x>broken", "broken"},
      {"<script>never closed", "never closed"},
      {"<!-- never closed", "<!-- never closed"},
      {"中<em>文</em>", "中文"},
      {"", ""},
  };
  for (const auto& [text, expected] : kCases) {
    std::string out;
    StripTags(text, &out);
    EXPECT_EQ(out, expected) << text;
  }
}

TEST(Markup, IsLinearInHostileText) {
  std::string hostile;
  for (int i = 0; i < 200000; ++i) hostile += i % 3 == 0 ? "<!--" : i % 3 == 1 ? "<a b='" : "</";
  std::string out;
  StripTags(hostile + ">", &out);
  EXPECT_LE(out.size(), hostile.size() + 1);
}

TEST(Markup, AddressesAndFooters) {
  std::string out;
  ReplaceUrls("see https://a.b/c?d=(e). 或www.x.cn，好 (http://y.org/z) xhttp://no http:// end", "[URL]", &out);
  EXPECT_EQ(out, "see [URL]. 或[URL]，好 ([URL]) xhttp://no http:// end");
  out.clear();
  ReplaceMails("a.b+c@d-e.co.uk, 邮箱x@y.cn。@me a@b", "", &out);
  EXPECT_EQ(out, ", 邮箱。@me a@b");
  out.clear();
  StripMail("Hi\n> quoted\nyes\n-- \nBob\nCEO", &out);
  EXPECT_EQ(out, "Hi\nyes");
  out.clear();
  StripMail("你好\n发自我的 iPhone", &out);
  EXPECT_EQ(out, "你好");
  EXPECT_EQ(Clean("[[operation]]\nuse='markup'\nurls='drop'\nmails='[MAIL]'\n", "<i>a&amp;b</i> http://x.y q@w.de"),
            "a&b  [MAIL]");
}

TEST(RepeatedLines, FurnitureGoes) {
  std::string lines;
  for (int i = 0; i < 30; ++i) lines += Line(Cat("story ", i, "\n All rights reserved. \n", i % 2 ? "odd" : "even"));
  lines += Line("All rights reserved.");
  const MemoryRun run =
      MemoryRun::Of("[[operation]]\nuse='repeated_lines'\nleast_records=20\nleast_share=0.6\n", lines, 3, false, 100);
  EXPECT_EQ(run.records, 30u);
  ASSERT_EQ(run.rejects.size(), 1u);
  EXPECT_EQ(run.rejects[0].record, 31u);
  EXPECT_EQ(ParseJson(run.lines.substr(0, run.lines.find('\n')), "line")["text"], "story 0\neven");
  EXPECT_EQ(run.lines.find("reserved"), std::string::npos);
}

TEST(Rules, EachHasItsReason) {
  const struct {
    const char *rule, *good, *bad, *why;
  } kCases[] = {
      {"least_characters = 3", "三个字", "两字", "too few characters"},
      {"most_characters = 3", "三个字", "四个字了", "too many characters"},
      {"least_words = 2", "two words", "one", "too few words"},
      {"most_words = 2", "two words", "three words here", "too many words"},
      {"most_digits = 0.5", "ab12", "a123", "too many digits"},
      {"most_symbols = 0.25", "abc!", "ab!!", "too many symbols"},
      {"least_letters = 0.5", "ab 1", "a 12", "too few letters"},
      {"most_run = 3", "aaab", "好好好好", "one character too often in a row"},
      {"most_repeated = 0.4", "a b c d e f", "a b c a b c a b c", "says the same again and again"},
      {"least_stop_words = 0.2", "the name of a city", "buy cheap watches online now discount",
       "too few function words"},
  };
  for (const auto& one : kCases) {
    const std::string toml = Cat("[[operation]]\nuse = 'rules'\n", one.rule, "\n");
    EXPECT_EQ(Clean(toml, one.good), one.good) << one.rule;
    const MemoryRun run = MemoryRun::Of(toml, Line(one.bad));
    ASSERT_EQ(run.rejects.size(), 1u) << one.rule;
    EXPECT_EQ(run.rejects[0].reason, one.why);
    EXPECT_EQ(run.rejects[0].line + "\n", Line(one.bad));
    EXPECT_EQ(run.report.operations[0].tally.reasons.at(one.why), 1u);
  }
}

TEST(Language, WritesAndKeeps) {
  const std::string lines = Line("这是中文") + Line("This is English") + Line("Das ist nicht gut") + Line("123");
  MemoryRun run = MemoryRun::Of("[[operation]]\nuse='language'\ninto='lang'\nunknown='en'\n", lines);
  EXPECT_EQ(run.lines,
            "{\"text\":\"这是中文\",\"lang\":\"zh\"}\n{\"text\":\"This is English\",\"lang\":\"en\"}\n"
            "{\"text\":\"Das ist nicht gut\",\"lang\":\"other\"}\n{\"text\":\"123\",\"lang\":\"en\"}\n");
  run = MemoryRun::Of("[[operation]]\nuse='language'\ninto=''\nkeep=['zh']\n", lines);
  EXPECT_EQ(run.lines, Line("这是中文"));
  EXPECT_EQ(run.rejects.size(), 3u);
  EXPECT_EQ(run.rejects[0].reason, "in English");
}

TEST(Cleaner, RefusesWhatItDoesNotKnow) {
  const std::pair<const char*, const char*> kCases[] = {
      {"[[operation]]\nuse = 'normalize'\n", "clean.toml:2: [operation] use: there is no operation 'normalize'"},
      {"[[operation]]\nuse = 'normalise'\nfrom = 'nfc'\n", "clean.toml:3: [operation] from: unknown key"},
      {"[[operation]]\nuse = 'fold_script'\nto = 'x'\n", "clean.toml:3: [operation] to: 'x' is not a folding"},
      {"[[operation]]\nuse = 'scale'\nfields = 'a'\nmethod = 'minmax'\nfit_on = 'all'\n", "fitted on train only"},
      {"operations = 1\n", "operation"},
      {"", "operation"},
  };
  for (const auto& [toml, message] : kCases) {
    try {
      Cleaner::Parse(toml, "clean.toml");
      ADD_FAILURE() << toml;
    } catch (const Error& e) {
      EXPECT_NE(e.Line().find(message), std::string::npos) << e.Line();
    }
  }
}

// The same bytes, rejects and report with any number of threads and any cut into blocks.
TEST(Cleaner, ThreadsDoNotShow) {
  Rng rng(9);
  std::string lines;
  const char* const texts[] = {"臺灣的軟體 ＡＢＣ",
                               "plain words here",
                               "<p>markup &amp; more</p>",
                               "Das ist nicht gut",
                               "x",
                               "e\xCC\x81 zero\xE2\x80\x8Bwidth   spaces",
                               "好好好好好好好好好好",
                               "这是一个测试。"};
  for (int i = 0; i < 3000; ++i) {
    if (rng.Below(50) == 0) lines += "{broken\n";
    lines += ToText(Json{{"text", Cat(texts[rng.Below(8)], " ", rng.Below(30))},
                         {"price", rng.Uniform() * 100},
                         {"label", Cat("l", rng.Below(3))},
                         {"_split", rng.Below(5) ? "train" : "test"}}) +
             "\n";
  }
  const std::string toml = R"(
[[operation]]
use = "normalise"
[[operation]]
use = "markup"
[[operation]]
use = "fold_script"
to = "t2s"
[[operation]]
use = "language"
keep = ["zh", "en"]
[[operation]]
use = "rules"
most_run = 6
[[operation]]
use = "labels"
conflicts = "majority"
[[operation]]
use = "outliers"
fields = "price"
method = "iqr"
most = 0.3
[[operation]]
use = "scale"
fields = "price"
method = "standard"
suffix = "_scaled"
[[operation]]
use = "encode"
fields = "label"
method = "onehot"
)";
  const MemoryRun one = MemoryRun::Of(toml, lines, 1, true);
  EXPECT_GT(one.records, 100u);
  EXPECT_GT(one.rejects.size(), 100u);
  for (const auto& [threads, block] : {std::pair(2, 5000), std::pair(5, 333), std::pair(3, 1 << 20)}) {
    const MemoryRun other = MemoryRun::Of(toml, lines, threads, true, static_cast<size_t>(block));
    EXPECT_EQ(one.lines, other.lines);
    EXPECT_EQ(ToText(one.report.ToJson()), ToText(other.report.ToJson()));
    ASSERT_EQ(one.rejects.size(), other.rejects.size());
    for (size_t i = 0; i < one.rejects.size(); ++i) EXPECT_EQ(one.rejects[i].record, other.rejects[i].record);
  }
  // What was fitted does the same to the same data, without fitting.
  Cleaner first = Cleaner::Parse(toml, "clean.toml");
  MemoryRun::Of(&first, lines, 1, true);
  Cleaner second = Cleaner::Parse(toml, "clean.toml");
  second.Restore(ParseJson(ToText(first.Fitted()), "fitted"));
  EXPECT_LT(second.passes(), first.passes());
}

TEST(Cleaner, MaskTakesPersonalDataOutAndShowsNoneOfIt) {
  const std::string lines =
      Line("打 13812345678 或写 li@example.com") + Line("nothing here") + Line("card 4111111111111111");
  const MemoryRun run = MemoryRun::Of("[[operation]]\nuse='mask'\n", lines);
  EXPECT_NE(run.lines.find("打 [phone] 或写 [email]"), std::string::npos) << run.lines;
  EXPECT_NE(run.lines.find("card [card]"), std::string::npos);
  EXPECT_NE(run.lines.find("nothing here"), std::string::npos);
  EXPECT_EQ(run.report.operations[0].tally.changed, 2u);
  EXPECT_EQ(ToText(run.report.ToJson()).find("1381234"), std::string::npos);
  const MemoryRun some = MemoryRun::Of("[[operation]]\nuse='mask'\nkinds=['phone']\nstyle='shape'\n", lines);
  EXPECT_NE(some.lines.find("打 138****5678 或写 li@example.com"), std::string::npos) << some.lines;
  // Nor does what the operations around it did.
  const std::string more = lines + Line("call 13800138000 ！") + Line("13800138000") + "{\"text\":13800138000\n";
  const MemoryRun around = MemoryRun::Of(
      "[[operation]]\nuse='normalise'\nform='nfkc'\n[[operation]]\nuse='rules'\nleast_characters=12\n"
      "[[operation]]\nuse='mask'\n",
      more);
  EXPECT_EQ(around.report.operations[0].tally.changes.back().after, "call [phone] !");
  EXPECT_GT(around.report.operations[1].tally.dropped, 0u);
  EXPECT_EQ(ToText(around.report.ToJson()).find("13800138000"), std::string::npos) << ToText(around.report.ToJson());
  EXPECT_THROW(Cleaner::Parse("[[operation]]\nuse='mask'\nkinds=['shoe']\n", "c.toml"), Error);
  EXPECT_THROW(Cleaner::Parse("[[operation]]\nuse='mask'\nstyle='bold'\n", "c.toml"), Error);
}

TEST(Cleaner, ReportCountsAndShows) {
  const MemoryRun run = MemoryRun::Of(
      "[[operation]]\nuse='fold_script'\nto='t2s'\n[[operation]]\nuse='rules'\n"
      "least_characters=3\n",
      Line("臺灣大學") + Line("no") + Line("fine text") + "{}\n[]\n");
  const Report& report = run.report;
  EXPECT_EQ(report.read, 5u);
  EXPECT_EQ(report.kept, 3u);
  EXPECT_EQ(report.unreadable.dropped, 1u);
  EXPECT_EQ(report.operations[0].tally.seen, 4u);
  EXPECT_EQ(report.operations[0].tally.changed, 1u);
  ASSERT_EQ(report.operations[0].tally.changes.size(), 1u);
  EXPECT_EQ(report.operations[0].tally.changes[0].before, "臺灣大學");
  EXPECT_EQ(report.operations[0].tally.changes[0].after, "台湾大学");
  EXPECT_EQ(report.operations[0].tally.changes[0].record, 1u);
  ASSERT_EQ(report.operations[1].tally.drops.size(), 1u);
  EXPECT_EQ(report.operations[1].tally.drops[0].record, 2u);
  EXPECT_EQ(run.rejects.back().stage, "read");
}

}  // namespace
}  // namespace atelier::data::clean
