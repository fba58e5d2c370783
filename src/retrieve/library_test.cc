#include "retrieve/library.h"

#include <atomic>
#include <cmath>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/str.h"
#include "retrieve/index_writer.h"

namespace atelier::retrieve {
namespace {

// "cat" and 猫 on one axis, "dog" and 狗 on another: near in meaning across languages.
class AxisEmbedder : public artefact::Embedder {
 public:
  explicit AxisEmbedder(std::string hash) { info_.name = "axes", info_.hash = std::move(hash); }
  const artefact::ModelInfo& info() const override { return info_; }
  int dims() const override { return 3; }
  int64_t context() const override { return 512; }
  int64_t CountTokens(std::string_view text, Role) const override { return EstimateTokens(text); }
  std::vector<float> Embed(const std::vector<std::string>& texts, Role role, std::vector<bool>*) override {
    if (role == Role::kQuery) ++queries;
    std::vector<float> out;
    for (const std::string& text : texts) {
      const auto has = [&](std::string_view a, std::string_view b) {
        return text.find(a) != std::string::npos || text.find(b) != std::string::npos ? 1.0 : 0.0;
      };
      const double v[3] = {has("cat", "猫"), has("dog", "狗"), 0.1};
      const double norm = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
      for (const double x : v) out.push_back(static_cast<float>(x / norm));
    }
    return out;
  }
  std::atomic<int> queries = 0;

 private:
  artefact::ModelInfo info_;
};

class LibraryTest : public testing::Test {
 protected:
  void SetUp() override { studio_ = testing::TempDir() + "library-" + NewUuid(); }
  void TearDown() override { std::filesystem::remove_all(studio_); }

  void Write(const std::string& name, const std::vector<std::pair<std::string, std::string>>& texts,
             bool vectors = true) {
    WriterOptions options;
    if (vectors) options.embedder = std::make_shared<AxisEmbedder>("h1");
    IndexWriter writer(IndexFolder(studio_, name), name, {}, std::move(options));
    for (const auto& [id, text] : texts) {
      Document document;
      document.id = id;
      ReadText(text, TextKind::kMarkdown, &document);
      writer.Add(std::move(document));
    }
    writer.Commit();
  }
  Library Open() {
    return Library(
        studio_,
        [this](const std::string& name) {
          EXPECT_EQ(name, "axes");
          ++loads_;
          return embedder_;
        },
        nullptr);
  }
  static std::vector<std::string> Ids(Library& library, artefact::SearchRequest request) {
    std::vector<std::string> ids;
    for (const artefact::Passage& passage : library.Search(request)) ids.push_back(passage.document);
    return ids;
  }
  static Code CodeOf(const std::function<void()>& what) {
    try {
      what();
    } catch (const Error& e) {
      return e.code();
    }
    return Code::kInternal;
  }

  std::string studio_;
  std::shared_ptr<AxisEmbedder> embedder_ = std::make_shared<AxisEmbedder>("h1");
  int loads_ = 0;
};
using Texts = std::vector<std::string>;

TEST_F(LibraryTest, FindsByWordsAndByMeaningWithWhereItStands) {
  Write("pets", {{"en", "# Cats\n\nA cat 😀 sleeps."}, {"zh", "# 狗\n\n一只狗在叫。"}});
  Library library = Open();
  const auto passages = library.Search({.index = "pets", .query = "cat", .k = 1});
  ASSERT_EQ(passages.size(), 1U);
  EXPECT_EQ(passages[0].document, "en");
  EXPECT_EQ(passages[0].text, "A cat 😀 sleeps.");
  EXPECT_EQ(passages[0].headings, Texts{"Cats"});
  EXPECT_EQ(passages[0].title, "Cats");
  EXPECT_EQ(passages[0].end_char - passages[0].begin_char, 15U);
  EXPECT_EQ(passages[0].end - passages[0].begin, 18U);
  EXPECT_GT(passages[0].bm25, 0);
  EXPECT_NEAR(passages[0].cosine, 1, 1e-6);
  EXPECT_EQ(Ids(library, {.index = "pets", .query = "dog", .k = 1}), Texts{"zh"}) << "no word of it is there";
  EXPECT_EQ(Ids(library, {.index = "pets", .query = "dog", .mode = "bm25"}), Texts{});
  EXPECT_EQ(Ids(library, {.index = "pets", .query = "cat", .filter = {"lang=zh"}}), Texts{"zh"});
  const int before = embedder_->queries;
  Ids(library, {.index = "pets", .query = "cat", .mode = "bm25"});
  EXPECT_EQ(embedder_->queries, before) << "words need no vector";
}

TEST_F(LibraryTest, OpensAnewWhatWasWrittenSinceAndLoadsAModelOnce) {
  Write("a", {{"1", "cat"}});
  Write("b", {{"2", "dog"}});
  Library library = Open();
  EXPECT_EQ(Ids(library, {.index = "a", .query = "cat"}), Texts{"1"});
  EXPECT_EQ(Ids(library, {.index = "b", .query = "dog"}), Texts{"2"});
  Write("a", {{"1", "nothing now"}, {"3", "cat"}});
  EXPECT_EQ(Ids(library, {.index = "a", .query = "cat", .k = 1}), Texts{"3"});
  EXPECT_EQ(loads_, 1);
  RemoveIndex(IndexFolder(studio_, "a"));
  EXPECT_EQ(CodeOf([&] { Ids(library, {.index = "a", .query = "cat"}); }), Code::kNotFound);
}

TEST_F(LibraryTest, AnEmptyIndexAndOneWithoutVectors) {
  Write("empty", {});
  Write("words", {{"1", "a cat"}}, false);
  Library library = Open();
  EXPECT_EQ(Ids(library, {.index = "empty", .query = "cat"}), Texts{});
  EXPECT_EQ(Ids(library, {.index = "words", .query = "cat"}), Texts{"1"});
  EXPECT_EQ(CodeOf([&] { Ids(library, {.index = "words", .query = "cat", .mode = "dense"}); }), Code::kInvalidInput);
  const auto matches = library.Compare("words", "a cat sleeps", {"cat", ""});
  ASSERT_EQ(matches.size(), 2U);
  EXPECT_EQ(matches[0].cosine, 0);
  EXPECT_GT(matches[0].coverage, 0);
  EXPECT_EQ(matches[1].coverage, 0);
  EXPECT_TRUE(library.Compare("empty", "cat", {}).empty());
}

TEST_F(LibraryTest, ComparesByRarityAndMeaning) {
  std::vector<std::pair<std::string, std::string>> texts = {{"x", "cat common"}};
  for (int i = 0; i < 20; ++i) texts.emplace_back(Cat("d", i), "common");
  Write("pets", texts);
  Library library = Open();
  const auto matches = library.Compare("pets", "cat common", {"cat", "common", "common cat cat", "狗", "猫"});
  EXPECT_GT(matches[0].coverage, 2 * matches[1].coverage) << "a rare word weighs more";
  EXPECT_NEAR(matches[2].coverage, 1, 1e-9) << "each term once";
  EXPECT_NEAR(matches[0].coverage + matches[1].coverage, 1, 1e-9);
  EXPECT_EQ(matches[4].coverage, 0);
  EXPECT_GT(matches[4].cosine, 0.99);
  EXPECT_LT(matches[3].cosine, 0.5);
}

TEST_F(LibraryTest, OtherWeightsAndWrongRequestsAreRefused) {
  Write("pets", {{"1", "cat"}});
  Library library = Open();
  EXPECT_EQ(CodeOf([&] { Ids(library, {.index = "nobody", .query = "x"}); }), Code::kNotFound);
  EXPECT_EQ(CodeOf([&] { Ids(library, {.index = "../pets", .query = "x"}); }), Code::kUsage);
  EXPECT_EQ(CodeOf([&] { Ids(library, {.index = "pets", .query = "x", .mode = "near"}); }), Code::kUsage);
  EXPECT_EQ(CodeOf([&] { Ids(library, {.index = "pets", .query = "x", .filter = {"lang"}}); }), Code::kUsage);
  embedder_ = std::make_shared<AxisEmbedder>("h2");
  Library other = Open();
  EXPECT_EQ(CodeOf([&] { Ids(other, {.index = "pets", .query = "cat"}); }), Code::kConflict);
  EXPECT_EQ(CodeOf([&] { Ids(other, {.index = "pets", .query = "cat"}); }), Code::kConflict) << "again";
  embedder_ = std::make_shared<AxisEmbedder>("h1");  // the right ones were pulled
  EXPECT_EQ(Ids(other, {.index = "pets", .query = "cat"}), Texts{"1"});
}

TEST_F(LibraryTest, ManyThreadsSearchWhileItIsWritten) {
  Write("pets", {{"1", "cat"}});
  Library library = Open();
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0, asked = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        try {
          wrong += Ids(library, {.index = "pets", .query = "cat", .k = 1}).size() != 1;
        } catch (const Error&) {
          ++wrong;
        }
        ++asked;
      }
    });
  }
  for (int i = 0; i < 20; ++i) Write("pets", {{"1", Cat("cat ", i)}, {Cat("n", i), "dog"}});
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(asked, 0);
}

}  // namespace
}  // namespace atelier::retrieve
