#include "artefact/ranker_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "artefact/model_file.h"
#include "artefact/registry.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

RankerFile Sample() {
  RankerFile ranker{.loss = "listwise", .l2 = 0.01, .temperature = 0.1 + 0.2};
  ranker.features = {{"length", 12.5, 1.0 / 3, -0.7}, {"像不像", 0, 1e-6, 1e-300}};
  ranker.encoder = "e5-small";
  ranker.encoder_sha256 = "abc";
  ranker.encoder_l2 = 3;
  ranker.text_weights = {0.1, -0.2, 1.0 / 7};
  ranker.product_weights = {0, 1, 2};
  ranker.trained = {{"choices", 1200}, {"held_out", {{"pairs", 7}}}};
  return ranker;
}

// With a body of one's own, and the hash that belongs to it.
std::string WithBody(const std::string& body, const std::string& version = "1") {
  return Cat(R"({"format":"atelier.ranker","version":)", version, R"(,"sha256":")", Sha256Hex(body), "\"}\n", body);
}

TEST(RankerFile, ComesBackBitForBit) {
  const RankerFile before = Sample(), after = ParseRankerFile(RankerFileText(before), "r");
  EXPECT_EQ(after.loss, "listwise");
  EXPECT_EQ(after.temperature, before.temperature);
  ASSERT_EQ(after.features.size(), 2u);
  EXPECT_EQ(after.features[0].deviation, 1.0 / 3);
  EXPECT_EQ(after.features[1].name, "像不像");
  EXPECT_EQ(after.features[1].weight, 1e-300);
  EXPECT_EQ(after.encoder_sha256, "abc");
  EXPECT_EQ(after.text_weights, before.text_weights);
  EXPECT_EQ(after.product_weights, before.product_weights);
  EXPECT_EQ(RankerFileText(after), RankerFileText(before));
  RankerFile plain = Sample();
  plain.encoder.clear();
  EXPECT_EQ(ParseRankerFile(RankerFileText(plain), "r").encoder, "");
}

TEST(RankerFile, RefusesEveryByteThatIsAnother) {
  const std::string whole = RankerFileText(Sample());
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_THROW(ParseRankerFile(damaged, "r"), Error) << i;
    EXPECT_THROW(ParseRankerFile(std::string_view(whole).substr(0, i), "r"), Error) << i;
  }
  EXPECT_THROW(ParseRankerFile(whole + "\n", "r"), Error);
}

TEST(RankerFile, RefusesWhatLies) {
  const std::string good = RankerFileText(Sample());
  const std::string body = good.substr(good.find('\n') + 1);
  EXPECT_NO_THROW(ParseRankerFile(WithBody(body), "r"));
  const std::vector<std::array<std::string, 3>> lies = {
      {"\"listwise\"", "\"hinge\"", "no loss is named"},
      {"\"listwise\"", "3", "loss is no text"},
      {"\"temperature\":0.30000000000000004", "\"temperature\":0", "temperature"},
      {"\"temperature\":0.30000000000000004", "\"temperature\":-1", "temperature"},
      {"\"deviation\":1e-06", "\"deviation\":0", "deviation"},
      {"\"deviation\":1e-06", "\"deviation\":1e-300", "deviation"},
      {"\"mean\":12.5", "\"mean\":1e300", "mean"},
      {"\"mean\":12.5", "\"mean\":1e999", "line 2"},
      {"\"mean\":12.5", "\"mean\":\"12\"", "mean"},
      {"\"weight\":-0.7", "\"weight\":null", "weight"},
      {"\"weight\":-0.7", "\"weight\":-0.7,\"more\":1", "more than"},
      {"\"像不像\"", "\"length\"", "one name"},
      {"\"像不像\"", "\"\"", "no name"},
      {"[0.0,1.0,2.0]", "[0.0,1.0]", "differ in length"},
      {"[0.0,1.0,2.0]", "[0.0,1.0,\"2\"]", "product"},
      {"[0.0,1.0,2.0]", "[0.0,1.0,1e13]", "product"},
      {"\"e5-small\"", "\"\"", "no name"},
      {"\"trained\":{\"choices\"", "\"trained\":[],\"t\":{\"choices\"", "trained is no object"},
      {"\"l2\":0.01", "\"l2\":-1", "l2"},
      {"\"l2\":0.01,", "", "l2 is missing"},
      {"\"l2\":0.01,", "\"l2\":0.01,\"new\":1,", "more than"},
  };
  for (const auto& [from, to, says] : lies) {
    ASSERT_NE(body.find(from), std::string::npos) << from << body;
    try {
      ParseRankerFile(WithBody(ReplaceAll(body, from, to)), "r.ranker");
      FAIL() << to;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kCorrupt) << to;
      EXPECT_TRUE(std::string_view(e.what()).starts_with("r.ranker: ")) << e.what();
      EXPECT_NE(std::string_view(e.what()).find(says), std::string_view::npos) << e.what();
    }
  }
  try {
    ParseRankerFile(WithBody(body, "2"), "r");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kUnsupported);
  }
  for (const char* nothing : {"", "{}", "{\"format\":\"atelier.ranker\",", "GGUF"})
    EXPECT_THROW(ParseRankerFile(nothing, "r"), Error);
  EXPECT_THROW(
      ParseRankerFile(
          WithBody(R"({"loss":"pairwise","l2":0,"temperature":1,"features":[],"encoder":null,"trained":{}})"), "r"),
      Error);
}

TEST(RankerFile, IsAModelLikeTheOthers) {
  const std::string path = Cat(::testing::TempDir(), "/", ::getpid(), "_Clicks.ranker");
  WriteFileAtomic(path, RankerFileText(Sample()));
  EXPECT_EQ(EndingOf(path), ".ranker");
  const Manifest m = DescribeFile(path);
  EXPECT_EQ(m.architecture, "ranker");
  EXPECT_EQ(m.parameters, 8);
  EXPECT_EQ(m.config["encoder"], "e5-small");
  EXPECT_EQ(m.config["features"], Json({"length", "像不像"}));
  Registry registry(nullptr, path + ".home");
  ModelEntry entry = registry.Resolve(path);
  EXPECT_TRUE(entry.name.ends_with("_clicks")) << entry.name;
  entry.manifest.sha256 = Sha256Hex(ReadFile(path));
  EXPECT_TRUE(registry.Verify(entry).sound);
  WriteFileAtomic(path, ReplaceAll(ReadFile(path), "0.01", "0.02"));
  EXPECT_THROW(DescribeFile(path), Error);
  RemoveFile(path);
}

}  // namespace
}  // namespace atelier::artefact
