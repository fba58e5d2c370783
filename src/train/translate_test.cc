// From a configuration to translations: a run is trained, and its model file used without its data.
#include "train/translate.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/str.h"
#include "model/model_file.h"
#include "train/run.h"
#include "train/trainer.h"

namespace atelier::train {
namespace {

class Silent : public Listener {
 public:
  void Stepped(const StepReport& report) override { loss = report.values.at("loss"); }
  void Validated(const ValidationReport&) override {}
  void Sample(int64_t) override {}
  void Saved(int64_t, const std::string&) override {}
  double loss = 0;
};

// Texts of a few letters and what they become: each letter's Chinese figure, in the reverse order.
std::string Figure(char c) { return std::vector<std::string>{"一", "二", "三", "四"}[static_cast<size_t>(c - 'a')]; }
std::string Target(const std::string& source) {
  std::string out;
  for (size_t i = source.size(); i-- > 0;) out += Figure(source[i]);
  return out;
}
std::string Letters(int count, Rng* rng) {
  std::string out;
  for (int i = 0; i < count; ++i) out += static_cast<char>('a' + rng->Below(4));
  return out;
}

struct Trained {
  std::string folder;
  Run run;
};

Trained TrainOn(const std::string& name, const std::string& model, const std::string& more) {
  at::set_num_threads(1);
  Trained out;
  out.folder = testing::TempDir() + "/translate_" + name;
  std::filesystem::remove_all(out.folder);
  MakeFolders(out.folder);
  Rng rng(4);
  std::string lines;
  for (int i = 0; i < 400; ++i) {
    const std::string source = Letters(1 + i % 3, &rng);
    lines += ToText(Json{{"source", source}, {"target", Target(source)}}) + "\n";
  }
  WriteFileAtomic(Cat(out.folder, "/train.jsonl"), lines);
  const std::string config =
      Cat("[train]\nbatch = 32\n", more, "[optimiser]\nrate = 0.01\n[data]\ntrain = \"", out.folder,
          "/train.jsonl\"\nsequence_length = 8\nsource_length = 12\n[tokenizer]\ntype = \"bpe\"\nvocabulary = 270\n",
          "[source_tokenizer]\ntype = \"bytes\"\n[model]\n", model);
  out.run = PrepareRun({.config = config, .file = "test.toml", .folder = out.folder});
  Silent silent;
  const auto one = Alone();
  Trainer trainer(out.run.settings, *out.run.model, *out.run.train, nullptr, out.folder, out.run.about, silent, *one);
  trainer.Run(std::atomic<bool>{false});
  return out;
}

class Translating : public testing::TestWithParam<const char*> {};

TEST_P(Translating, WorksFromTheModelFileAlone) {
  const std::string name = Cat(std::string_view(GetParam()).find("transformer") < 30 ? "transformer" : "seq2seq");
  Trained trained = TrainOn(name, GetParam(), "steps = 1500\n");
  EXPECT_NE(trained.run.shape.vocabulary, trained.run.shape.source_vocabulary);
  Rename(Cat(trained.folder, "/last.safetensors"), Cat(trained.folder, ".safetensors"));
  std::filesystem::remove_all(trained.folder);
  const model::OpenedModel opened = model::OpenModel(Cat(trained.folder, ".safetensors"));
  auto* translator = dynamic_cast<model::Translator*>(opened.model.get());
  ASSERT_NE(translator, nullptr);
  const TranslatorView view{*translator, *opened.source_tokenizer, *opened.tokenizer, trained.run.settings.data};
  std::vector<std::string> sources = {"abc", "d", "", "ca", std::string(50, 'b'), "中文🙂\xff"};
  const std::vector<Translated> got = Translate(view, sources, {});
  ASSERT_EQ(got.size(), sources.size());
  int right = 0;
  for (const size_t i : {0, 1, 3}) right += got[i].hypotheses.at(0).text == Target(sources[i]);
  EXPECT_EQ(right, 3) << got[0].hypotheses[0].text << " " << got[1].hypotheses[0].text << " "
                      << got[3].hypotheses[0].text;
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].truncated, i >= 4) << i;  // a byte that is no character reads as three
    ASSERT_FALSE(got[i].hypotheses.empty()) << i;
    EXPECT_LE(got[i].hypotheses.size(), 4u);
    for (size_t k = 1; k < got[i].hypotheses.size(); ++k) {
      EXPECT_GE(got[i].hypotheses[k - 1].score, got[i].hypotheses[k].score);
    }
    const Translation& best = got[i].hypotheses[0];
    EXPECT_EQ(best.attention.size(0), static_cast<int64_t>(best.tokens.size()));
    EXPECT_EQ(best.attention.size(1), static_cast<int64_t>(got[i].source_tokens.size()));
  }
  EXPECT_EQ(got[2].source_tokens, (std::vector<std::string>{"</s>"}));
  // Alone or among others, the same.
  const std::vector<Translated> alone = Translate(view, std::span(sources).first(1), {});
  EXPECT_EQ(alone[0].hypotheses[0].text, got[0].hypotheses[0].text);
  EXPECT_NEAR(alone[0].hypotheses[0].score, got[0].hypotheses[0].score, 1e-4);
  // Samples are of the run's own pairs.
  const std::vector<PairSample> samples = SamplePairs(view, *trained.run.train, 3);
  ASSERT_EQ(samples.size(), 3u);
  for (const PairSample& sample : samples) EXPECT_EQ(sample.reference, Target(sample.source));
}

INSTANTIATE_TEST_SUITE_P(Architectures, Translating,
                         testing::Values("architecture = \"seq2seq\"\nembedding = 32\nwidth = 64\n",
                                         "architecture = \"transformer\"\nwidth = 32\nheads = 2\ndropout = 0.0\n"));

TEST(PrepareRun, RefusesASourceTokenizerWhereThereIsNoSource) {
  try {
    PrepareRun({.config = "[train]\nsteps = 1\n[data]\ntrain = \"x\"\n[source_tokenizer]\ntype = \"bytes\"\n[model]\n"
                          "architecture = \"lstm\"\n",
                .file = "test.toml",
                .folder = testing::TempDir()});
    FAIL() << "a source tokenizer passed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("source_tokenizer"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace atelier::train
