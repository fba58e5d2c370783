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
