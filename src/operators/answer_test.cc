#include "operators/answer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "operators/searching_run.h"
#include "text/unicode.h"

namespace atelier::operators {
namespace {

// Sure where a passage holds more than half of the question's words.
constexpr const char* kStep = R"(index = "docs"
absent = { zh = "文档里没有。", en = "Not in the documents." }
other_language = { zh = "只有英文版里写着：", en = "Only the Chinese edition says: " }
[confidence]
zh = { bias = -5.0, coverage = 10.0 }
en = { bias = -5.0, coverage = 10.0 }
)";

std::unique_ptr<recipe::Operator> Step(const std::string& toml = kStep) {
  Table table = Table::Parse(toml, "recipe.toml");
  std::unique_ptr<recipe::Operator> step = MakeAnswer(table, {.id = "answer", .folder = "."});
  table.Done();
  return step;
}

// As `retrieve` writes it; the passage stands `begin` characters into its document.
Json Passage(const std::string& text, const std::string& lang, size_t begin = 0, double cosine = 0.9,
             const std::string& document = "doc.html", const std::string& anchor = "part") {
  return {{"number", 1},
          {"document", document},
          {"title", "T"},
          {"source", "docs/" + document},
          {"anchor", anchor},
          {"lang", lang},
          {"headings", {"T", "H"}},
          {"heading", "H"},
          {"text", text},
          {"begin", begin},
          {"end", begin + text::CountChars(text)},
          {"score", 1.0},
          {"bm25", 3.0},
          {"cosine", cosine}};
}

recipe::Candidate Answered(const std::string& question, const std::string& lang, const Json& passages,
                           const std::string& toml = kStep) {
  SearchingRun run;
  run.Ask(question, lang).input["passages"] = passages;
  run.Apply(*Step(toml));
  EXPECT_EQ(run.records()[0].candidates.size(), 1U);
  EXPECT_EQ(run.records()[0].ranking, std::vector<size_t>{0});
  EXPECT_EQ(run.records()[0].offered, 1U);
  return run.records()[0].candidates.at(0);
}

std::string Characters(const std::string& text, size_t from, size_t to) {
  std::string out;
  for (const char32_t c : text::DecodeUtf8(text).substr(from, to - from)) text::AppendUtf8(&out, c);
  return out;
}

// Every quote is what stands at its span, and the parts are the whole passage, said where a quote is.
void ExpectQuotes(const recipe::Candidate& candidate, const Json& passage) {
  const std::string text = passage["text"];
  ASSERT_EQ(candidate.choices["citations"].size(), 1U);
  const Json& citation = candidate.choices["citations"][0];
  std::string whole, said, quoted;
  for (const Json& part : citation["parts"]) {
    whole += part["text"].get<std::string>();
    if (part["said"] == true) said += part["text"].get<std::string>();
  }
  EXPECT_EQ(whole, text);
  const size_t begin = passage["begin"];
  for (const Json& quote : citation["quotes"]) {
    EXPECT_EQ(Characters(text, quote["begin"].get<size_t>() - begin, quote["end"].get<size_t>() - begin),
              quote["text"]);
    EXPECT_NE(candidate.output["answer"].get<std::string>().find(quote["text"].get<std::string>()), std::string::npos);
    quoted += quote["text"].get<std::string>();
  }
  EXPECT_EQ(said, quoted);
}

TEST(AnswerTest, SaysTheNearestSentences) {
  const Json passage = Passage("Cats sleep all day. The package manager upgrades Debian. Dogs bark.", "en", 100);
  const recipe::Candidate candidate = Answered("package manager upgrades", "en", Json::array({passage}));
  EXPECT_EQ(
      candidate.output,
      (Json{{"answer", "The package manager upgrades Debian."}, {"found", "yes"}, {"citations", {"doc.html#part"}}}));
  EXPECT_EQ(candidate.writer, "answer");
  const Json& quote = candidate.choices["citations"][0]["quotes"][0];
  EXPECT_EQ(quote["begin"], 120);
  EXPECT_EQ(quote["end"], 156);
  EXPECT_EQ(candidate.choices["found"], true);
  EXPECT_EQ(candidate.scores.at("coverage"), 1);
  EXPECT_EQ(candidate.scores.at("bm25"), 3);
  EXPECT_GT(candidate.scores.at("confidence"), 0.99);
  ExpectQuotes(candidate, passage);
}

TEST(AnswerTest, TakesSeveralOfOnePassageInItsOrderUpToTheLimits) {
  const Json passage =
      Passage("Keys open locks here. Nothing else of note. Keys close locks here. Keys oil locks here too.", "en");
  const std::string two = std::string("most_sentences = 2\n") + kStep;
  recipe::Candidate candidate = Answered("Keys locks", "en", Json::array({passage}), two);
  EXPECT_EQ(candidate.output["answer"], "Keys open locks here. … Keys close locks here.");
  ExpectQuotes(candidate, passage);
  candidate = Answered("Keys locks", "en", Json::array({passage}), std::string("most_chars = 30\n") + kStep);
  EXPECT_EQ(candidate.output["answer"], "Keys open locks here.");
  // Never of two passages, however good the second is.
  const Json other = Passage("Keys and locks, the same words.", "en", 0, 0.9, "other.html");
  candidate = Answered("Keys locks", "en", Json::array({passage, other}));
  EXPECT_EQ(candidate.output["citations"], (Json{"doc.html#part"}));
}

TEST(AnswerTest, RefusesBelowTheCut) {
  const Json passages = Json::array({Passage("The package manager upgrades Debian.", "en")});
  const recipe::Candidate candidate = Answered("package prices at the bakery", "en", passages);
  EXPECT_EQ(candidate.output,
            (Json{{"answer", "Not in the documents."}, {"found", "no"}, {"citations", Json::array()}}));
  EXPECT_EQ(candidate.choices["found"], false);
  EXPECT_LT(candidate.scores.at("confidence"), 0.5);
  // The cut itself: coverage 0.5 is bias -5 + 5, a confidence of exactly one half.
  EXPECT_EQ(Answered("package bread", "en", passages).output["found"], "yes");
  EXPECT_EQ(Answered("包装 面包", "zh", passages).output["answer"], "文档里没有。");
}

TEST(AnswerTest, TheConfidenceIsTheLogisticOfItsMeasures) {
  const Json words = Passage("apt here and there.", "en", 0, 0), near = Passage("Nothing of it.", "en", 0, 0.7);
  Json both = Passage("apt upgrades it.", "en", 0, 0.68), none = near;
  both["bm25"] = 5.5;
  none["bm25"] = 0.0;
  std::string step = kStep;
  step.replace(step.find("en = { bias"), std::string::npos,
               "en = { bias = -3.0, cosine = 1.0, coverage = 0.5, bm25 = 0.25, sentence = 2.0, agreement = 1.5 }\n");
  const auto scores = Answered("apt upgrades", "en", Json::array({words, both, none, near}), step).scores;
  EXPECT_EQ(scores.at("cosine"), 0.7);
  EXPECT_EQ(scores.at("bm25"), 5.5);
  EXPECT_EQ(scores.at("coverage"), 1);
  EXPECT_NEAR(scores.at("sentence"), 0.9, 1e-12);  // 0.8 + 0.1 where all the words are
  EXPECT_EQ(scores.at("agreement"), 0.5);
  EXPECT_NEAR(scores.at("confidence"), 1 / (1 + std::exp(-(-3.0 + 0.7 + 0.5 + 0.25 * 5.5 + 2 * 0.9 + 1.5 * 0.5))),
              1e-9);
}

TEST(AnswerTest, WithoutPassagesNothingIsFound) {
  for (const Json& none : {Json::array(), Json(nullptr), Json("text")}) {
    const recipe::Candidate candidate = Answered("anything", "en", none);
    EXPECT_EQ(candidate.output["found"], "no");
    EXPECT_EQ(candidate.scores.at("confidence"), 0);
  }
  // Passages in which nothing can be said.
  EXPECT_EQ(Answered("x", "en", Json::array({Passage("", "en"), Passage(" \n ", "en")})).output["found"], "no");
}

TEST(AnswerTest, OtherLanguagesAreAnnouncedAndComeSecond) {
  const Json zh = Passage("apt 升级 系统。", "zh", 0, 0.90, "zh.html"),
             en = Passage("apt 升级 upgrades the system.", "en", 0, 0.92, "en.html");
  recipe::Candidate candidate = Answered("apt 升级", "zh", Json::array({en}));
  EXPECT_EQ(candidate.output["answer"], "只有英文版里写着：apt 升级 upgrades the system.");
  ExpectQuotes(candidate, en);
  candidate = Answered("apt 升级", "en", Json::array({zh}));
  EXPECT_EQ(candidate.output["answer"], "Only the Chinese edition says: apt 升级 系统。");
  // In the question's language while it is about as near as the nearest.
  EXPECT_EQ(Answered("apt 升级", "zh", Json::array({en, zh})).output["citations"], (Json{"zh.html#part"}));
  Json far = zh;
  far["cosine"] = 0.87;
  EXPECT_EQ(Answered("apt 升级", "zh", Json::array({en, far})).output["citations"], (Json{"en.html#part"}));
  // Without the key there is nothing said before it.
  std::string silent = kStep;
  silent.erase(silent.find("other_language"), silent.find("[confidence]") - silent.find("other_language"));
  EXPECT_EQ(Answered("apt 升级", "zh", Json::array({en}), silent).output["answer"], "apt 升级 upgrades the system.");
}

TEST(AnswerTest, SpansAreCharactersInChineseAndEmoji) {
  const Json passage = Passage(
      "👩‍👩‍👧‍👦 第一句话说的是别的事情。用 apt 升级 "
      "全部软件包最为稳妥😀！“引号里的 "
      "升级 "
      "也算 "
      "apt "
      "吗？”他问道。\n"
      "| apt | 升级 命令 | \u3000",
      "zh", 7);
  const recipe::Candidate candidate = Answered("apt 升级", "zh", Json::array({passage}));
  EXPECT_NE(candidate.output["answer"].get<std::string>().find("软件包最为稳妥😀！"), std::string::npos);
  EXPECT_GE(candidate.choices["citations"][0]["quotes"].size(), 2U);
  ExpectQuotes(candidate, passage);
}

TEST(AnswerTest, RowsAndLinesWithBlanksAroundThem) {
  for (const std::string text : {"  command | what apt does  \n  other | thing", "Do this with apt:\n   apt update  \n",
                                 "\t apt \t", "Use apt:  \n\n  sudo apt\n  \n"}) {
    const Json passage = Passage(text, "en", 3);
    const recipe::Candidate candidate = Answered("apt", "en", Json::array({passage}));
    EXPECT_EQ(candidate.output["found"], "yes") << text;
    ExpectQuotes(candidate, passage);
  }
}

TEST(AnswerTest, MarkupInAPassageIsText) {
  const std::string text = "Type <script>alert('apt')</script> & \"apt\" {{ question }} </pre><img src=x onerror=1>.";
  const Json passage = Passage(text, "en");
  const recipe::Candidate candidate = Answered("apt", "en", Json::array({passage}));
  EXPECT_EQ(candidate.output["answer"], text);
  ExpectQuotes(candidate, passage);
}

TEST(AnswerTest, AStepThatIsWrongIsRefused) {
  const std::string confidence = "[confidence]\nzh = { bias = 1.0 }\nen = { bias = 1.0 }\n";
  for (const std::string& wrong : std::vector<std::string>{
           "index = \"d\"\nabsent = { zh = \"没有\", en = \"no\" }\n",
           "index = \"d\"\nabsent = { zh = \"没有\" }\n" + confidence,
           "index = \"d\"\nabsent = { zh = \"没有\", en = \"no\" }\n[confidence]\nzh = { bias = 1.0 }\n",
           "index = \"d\"\nmost_sentences = 0\nabsent = { zh = \"没有\", en = \"no\" }\n" + confidence,
           "index = \"d\"\nabsent = { zh = \"没有\", en = \"no\" }\n" + confidence + "[confidence.fr]\nbias = 1.0\n"}) {
    EXPECT_THROW(Step(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace atelier::operators
