#include "retrieve/analysis.h"

#include <gtest/gtest.h>

namespace atelier::retrieve {
namespace {

std::vector<std::string> Terms(std::string_view text, const Analyzer& analyzer = Analyzer()) {
  std::vector<Term> terms;
  analyzer.Analyze(text, &terms);
  std::vector<std::string> out;
  for (const Term& term : terms) {
    EXPECT_LT(term.begin, term.end);
    EXPECT_LE(term.end, text.size());
    out.push_back(term.text);
  }
  return out;
}

using Strings = std::vector<std::string>;

// The examples of Porter's paper, each under the step that it illustrates, run through all steps.
TEST(PorterTest, ThePapersExamples) {
  const std::vector<std::pair<const char*, const char*>> examples = {{"caresses", "caress"},
                                                                     {"ponies", "poni"},
                                                                     {"cats", "cat"},
                                                                     {"feed", "feed"},
                                                                     {"agreed", "agre"},
                                                                     {"plastered", "plaster"},
                                                                     {"bled", "bled"},
                                                                     {"motoring", "motor"},
                                                                     {"sing", "sing"},
                                                                     {"conflated", "conflat"},
                                                                     {"troubled", "troubl"},
                                                                     {"sized", "size"},
                                                                     {"hopping", "hop"},
                                                                     {"tanned", "tan"},
                                                                     {"falling", "fall"},
                                                                     {"hissing", "hiss"},
                                                                     {"fizzed", "fizz"},
                                                                     {"failing", "fail"},
                                                                     {"filing", "file"},
                                                                     {"happy", "happi"},
                                                                     {"sky", "sky"},
                                                                     {"relational", "relat"},
                                                                     {"conditional", "condit"},
                                                                     {"rational", "ration"},
                                                                     {"valenci", "valenc"},
                                                                     {"digitizer", "digit"},
                                                                     {"conformabli", "conform"},
                                                                     {"radicalli", "radic"},
                                                                     {"differentli", "differ"},
                                                                     {"vileli", "vile"},
                                                                     {"analogousli", "analog"},
                                                                     {"vietnamization", "vietnam"},
                                                                     {"predication", "predic"},
                                                                     {"operator", "oper"},
                                                                     {"feudalism", "feudal"},
                                                                     {"decisiveness", "decis"},
                                                                     {"hopefulness", "hope"},
                                                                     {"callousness", "callous"},
                                                                     {"formaliti", "formal"},
                                                                     {"sensitiviti", "sensit"},
                                                                     {"sensibiliti", "sensibl"},
                                                                     {"triplicate", "triplic"},
                                                                     {"formative", "form"},
                                                                     {"formalize", "formal"},
                                                                     {"electriciti", "electr"},
                                                                     {"electrical", "electr"},
                                                                     {"hopeful", "hope"},
                                                                     {"goodness", "good"},
                                                                     {"revival", "reviv"},
                                                                     {"allowance", "allow"},
                                                                     {"inference", "infer"},
                                                                     {"airliner", "airlin"},
                                                                     {"gyroscopic", "gyroscop"},
                                                                     {"adjustable", "adjust"},
                                                                     {"defensible", "defens"},
                                                                     {"irritant", "irrit"},
                                                                     {"replacement", "replac"},
                                                                     {"adjustment", "adjust"},
                                                                     {"dependent", "depend"},
                                                                     {"adoption", "adopt"},
                                                                     {"homologou", "homolog"},
                                                                     {"communism", "commun"},
                                                                     {"activate", "activ"},
                                                                     {"angulariti", "angular"},
                                                                     {"homologous", "homolog"},
                                                                     {"effective", "effect"},
                                                                     {"bowdlerize", "bowdler"},
                                                                     {"probate", "probat"},
                                                                     {"rate", "rate"},
                                                                     {"cease", "ceas"},
                                                                     {"controll", "control"},
                                                                     {"roll", "roll"}};
  for (const auto& [word, stem] : examples) EXPECT_EQ(PorterStem(word), stem) << word;
  for (const char* other : {"", "a", "is", "naïve", "x86", "B"}) EXPECT_EQ(PorterStem(other), other);
}

TEST(AnalysisTest, WordsCompoundsAndFolding) {
  EXPECT_EQ(Terms("Installing packages"), (Strings{"instal", "packag"}));
  EXPECT_EQ(Terms("edit /etc/apt/sources.list now"),
            (Strings{"edit", "etc", "apt", "sourc", "list", "etc/apt/sources.list", "now"}));
  EXPECT_EQ(Terms("ＡＰＴ－ＧＥＴ Straße"), (Strings{"apt", "get", "strass"}));
  EXPECT_EQ(Terms("end. Start"), (Strings{"end", "start"}));
  EXPECT_EQ(Terms("💡 \xff…"), Strings{});
}

TEST(AnalysisTest, PairsOfHan) {
  EXPECT_EQ(Terms("软件包"), (Strings{"软件", "件包"}));
  EXPECT_EQ(Terms("包"), (Strings{"包"}));
  EXPECT_EQ(Terms("用apt安装"), (Strings{"用", "apt", "安装"}));
  EXPECT_EQ(Terms("カメラ 한국어"), (Strings{"カメ", "メラ", "한국", "국어"}));
}

TEST(AnalysisTest, WordsOfASegmenter) {
  const WordsFn words = [](std::string_view run, std::vector<std::string_view>* out) {  // three characters each
    for (size_t at = 0; at < run.size(); at += 9) out->push_back(run.substr(at, 9));
  };
  AnalysisOptions both;
  both.words = true;
  EXPECT_EQ(Terms("软件包管理", Analyzer(both, words)), (Strings{"软件", "件包", "包管", "管理", "软件包"}));
  both.pairs = false;
  EXPECT_EQ(Terms("软件包管理", Analyzer(both, words)), (Strings{"软件包", "管理"}));
}

TEST(AnalysisTest, QuestionsLoseWhatMakesThemQuestions) {
  const Analyzer analyzer;
  EXPECT_EQ(analyzer.Query("How do I install the kernel?"), (Strings{"instal", "kernel"}));
  EXPECT_EQ(analyzer.Query("怎么安装内核？怎么"), (Strings{"安装", "装内", "内核"}));
  EXPECT_EQ(analyzer.Query("是什么意思"), (Strings{"是什", "什么", "么意", "意思"}));
  EXPECT_EQ(analyzer.Query("who is it"), (Strings{"who", "is", "it"}));  // nothing else is left
  EXPECT_EQ(analyzer.Query("apt apt APT"), (Strings{"apt"}));
}

}  // namespace
}  // namespace atelier::retrieve
