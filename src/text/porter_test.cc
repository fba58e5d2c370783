#include "text/porter.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace atelier::text {
namespace {

// The examples of the paper, each under the step that it illustrates, run through all steps.
TEST(PorterTest, ExamplesOfThePaper) {
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

// NLTK 3.10.4's, by tools/golden_labels.py: a word and its stem a line.
TEST(PorterTest, NltksVariant) {
  std::ifstream file(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/evaluate/porter.txt");
  size_t words = 0;
  for (std::string word, stem; file >> word >> stem; ++words) EXPECT_EQ(NltkPorterStem(word), stem) << word;
  EXPECT_GT(words, 1000u);
  EXPECT_EQ(NltkPorterStem(""), "");
  EXPECT_EQ(NltkPorterStem("by"), "by");
}

TEST(PorterTest, LongRunsAreNoTrouble) {
  const std::string ys(200000, 'y');
  EXPECT_EQ(NltkPorterStem(ys).size(), ys.size());
  EXPECT_EQ(NltkPorterStem(ys + "ing").substr(0, 4), "yyyy");
}

}  // namespace
}  // namespace atelier::text
