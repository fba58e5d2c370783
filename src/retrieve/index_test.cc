#include "retrieve/index.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/rng.h"
#include "base/str.h"
#include "retrieve/index_writer.h"

namespace atelier::retrieve {
namespace {

// A unit vector drawn from the hash of each word, summed: texts that share words are near.
class WordEmbedder : public artefact::Embedder {
 public:
  explicit WordEmbedder(std::string hash = "h1") { info_.name = "words", info_.hash = std::move(hash); }
  const artefact::ModelInfo& info() const override { return info_; }
  int dims() const override { return 64; }
  int64_t context() const override { return 512; }
  int64_t CountTokens(std::string_view text, Role) const override { return EstimateTokens(text); }
  std::vector<float> Embed(const std::vector<std::string>& texts, Role, std::vector<bool>*) override {
    std::vector<float> out;
    for (const std::string& text : texts) {
      std::vector<double> sum(64, 1e-6);
      std::vector<Term> terms;
      Analyzer().Analyze(text, &terms);
      for (const Term& term : terms) {
        Rng rng(1, term.text);
        for (double& x : sum) x += rng.Uniform() - 0.5;
      }
      double norm = 0;
      for (const double x : sum) norm += x * x;
      for (const double x : sum) out.push_back(static_cast<float>(x / std::sqrt(norm)));
    }
    ++calls;
    return out;
  }
  int calls = 0;

 private:
  artefact::ModelInfo info_;
};

class IndexTest : public testing::Test {
 protected:
  void SetUp() override { folder_ = testing::TempDir() + "index-" + NewUuid(); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static Document Doc(const std::string& id, const std::string& text, Json fields = Json::object()) {
    Document document;
    document.id = id;
    document.fields = std::move(fields);
    ReadText(text, TextKind::kPlain, &document);
    return document;
  }
  IndexWriter Writer(std::shared_ptr<artefact::Embedder> embedder = nullptr, uint64_t most = 64u << 20) {
    WriterOptions options;
    options.embedder = std::move(embedder);
    options.most_segment_text = most;
    return IndexWriter(folder_, "test", {}, std::move(options));
  }
  std::vector<std::string> Find(const std::string& query, std::vector<std::string> filter = {}) const {
    SearchOptions options;
    options.k = 50;
    options.mode = Mode::kBm25;
    for (const std::string& condition : filter) options.filter.push_back(ParseCondition(condition));
    std::vector<std::string> ids;
    for (const Hit& hit : Index::Open(folder_)->Search(query, {}, options)) ids.push_back(hit.document);
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  std::string folder_;
};
using Ids = std::vector<std::string>;

TEST_F(IndexTest, AddReplaceDeleteAcrossCommits) {
  {
    IndexWriter writer = Writer();
    EXPECT_EQ(writer.Add(Doc("a", "red apples")), IndexWriter::Added::kNew);
    EXPECT_EQ(writer.Add(Doc("b", "green apples")), IndexWriter::Added::kNew);
    writer.Commit();
  }
  EXPECT_EQ(Find("apples"), (Ids{"a", "b"}));
  {
    IndexWriter writer = Writer();
    EXPECT_EQ(writer.Add(Doc("a", "red apples")), IndexWriter::Added::kUnchanged);
    EXPECT_EQ(writer.Add(Doc("b", "green pears")), IndexWriter::Added::kReplaced);
    EXPECT_EQ(writer.Add(Doc("c", "yellow pears")), IndexWriter::Added::kNew);
    EXPECT_EQ(writer.Add(Doc("c", "brown pears")), IndexWriter::Added::kReplaced);  // within one commit as well
    writer.Commit();
  }
  EXPECT_EQ(Find("apples"), (Ids{"a"}));
  EXPECT_EQ(Find("pears"), (Ids{"b", "c"}));
  EXPECT_EQ(Find("yellow"), Ids{});
  {
    IndexWriter writer = Writer();
    EXPECT_TRUE(writer.Delete("b"));
    EXPECT_FALSE(writer.Delete("b"));
    EXPECT_FALSE(writer.Delete("nobody"));
    EXPECT_EQ(writer.Commit().documents(), 2U);
  }
  EXPECT_EQ(Find("pears"), (Ids{"c"}));
  EXPECT_EQ(Index::Open(folder_)->FindDocument("b"), nullptr);
  EXPECT_EQ(Index::Open(folder_)->FindDocument("c")->text, "brown pears");
}

TEST_F(IndexTest, WithoutCommitNothingChanges) {
  { Writer().Commit(); }
  {
    IndexWriter writer = Writer(nullptr, 1);  // every document is a segment at once
    writer.Add(Doc("a", "apples"));
  }
  EXPECT_EQ(Find("apples"), Ids{});
  size_t left = 0;
  for (const std::string& name : ListFolder(folder_)) left += name.starts_with("segment-");
  EXPECT_EQ(left, 1U);
  { Writer().Commit(); }  // the next writer sweeps
  for (const std::string& name : ListFolder(folder_)) EXPECT_FALSE(name.starts_with("segment-")) << name;
}

TEST_F(IndexTest, DeletedDocumentsAreRebuiltAwayAndSegmentsMerged) {
  auto embedder = std::make_shared<WordEmbedder>();
  for (int i = 0; i < 12; ++i) {
    IndexWriter writer = Writer(embedder);
    for (int d = 0; d < 10; ++d) writer.Add(Doc(Cat("d", i * 10 + d), Cat("word", i * 10 + d, " common text")));
    const IndexManifest manifest = writer.Commit();
    EXPECT_LE(manifest.segments.size(), 9U);
  }
  const int calls = embedder->calls;
  IndexWriter writer = Writer(embedder);
  for (int i = 0; i < 60; ++i) writer.Delete(Cat("d", i * 2));
  const IndexManifest manifest = writer.Commit();
  EXPECT_EQ(manifest.documents(), 60U);
  for (const SegmentEntry& entry : manifest.segments) {
    EXPECT_LE(static_cast<double>(entry.deleted.size()), 0.2 * entry.documents);
  }
  EXPECT_EQ(embedder->calls, calls) << "a merge takes the vectors that are there";
  EXPECT_EQ(Find("word31"), (Ids{"d31"}));
  EXPECT_EQ(Find("word30"), Ids{});
  // The vectors still belong to their chunks.
  SearchOptions options;
  options.k = 1;
  options.mode = Mode::kDense;
  const auto index = Index::Open(folder_);
  for (const int i : {1, 31, 77, 119}) {
    const std::vector<float> query =
        embedder->Embed({Cat("word", i, " common text")}, artefact::Embedder::Role::kQuery, nullptr);
    const std::vector<Hit> hits = index->Search("", query, options);
    ASSERT_EQ(hits.size(), 1U);
    EXPECT_EQ(hits[0].document, Cat("d", i));
    EXPECT_NEAR(hits[0].cosine, 1, 1e-5);
  }
}

TEST_F(IndexTest, Filters) {
  IndexWriter writer = Writer();
  writer.Add(Doc("a", "apples", {{"team", "sales"}, {"year", 2020}}));
  writer.Add(Doc("b", "apples", {{"team", "service"}, {"year", 2022.5}, {"open", true}}));
  writer.Add(Doc("c", "apples", {{"team", "a|b"}, {"year", "no year"}}));
  writer.Add(Doc("d", "苹果 apples 很好吃的苹果"));
  writer.Commit();
  EXPECT_EQ(Find("apples", {"team=sales"}), (Ids{"a"}));
  EXPECT_EQ(Find("apples", {"team=sales|service"}), (Ids{"a", "b"}));
  EXPECT_EQ(Find("apples", {"team==a|b"}), (Ids{"c"}));
  EXPECT_EQ(Find("apples", {"year=2021..2023"}), (Ids{"b"}));
  EXPECT_EQ(Find("apples", {"year=..2022.5"}), (Ids{"a", "b"}));
  EXPECT_EQ(Find("apples", {"year=..2022"}), (Ids{"a"}));
  EXPECT_EQ(Find("apples", {"year=2021..", "open=true"}), (Ids{"b"}));
  EXPECT_EQ(Find("apples", {"lang=zh"}), (Ids{"d"}));
  EXPECT_EQ(Find("apples", {"id=a|d"}), (Ids{"a", "d"}));
  EXPECT_EQ(Find("apples", {"nobody=1"}), Ids{});
  EXPECT_EQ(Find("apples", {"team=sales", "year=2022.."}), Ids{});
  for (const char* wrong : {"", "team", "=x", "year=5..2"}) EXPECT_THROW(ParseCondition(wrong), Error) << wrong;
}

TEST_F(IndexTest, FusionIsTheSumOfReciprocalRanks) {
  auto embedder = std::make_shared<WordEmbedder>();
  IndexWriter writer = Writer(embedder);
  for (int i = 0; i < 30; ++i) writer.Add(Doc(Cat("d", i), Cat("apples ", i % 3 == 0 ? "pears " : "", "word", i)));
  writer.Commit();
  const auto index = Index::Open(folder_);
  SearchOptions options;
  options.k = 20;
  options.fusion = {.k = 7, .bm25 = 0.5, .dense = 3, .depth = 20};
  const std::vector<float> query = embedder->Embed({"pears word4"}, artefact::Embedder::Role::kQuery, nullptr);
  const std::vector<Hit> hits = index->Search("pears word4", query, options);
  ASSERT_GT(hits.size(), 10U);
  for (size_t i = 0; i < hits.size(); ++i) {
    double score = 0;
    if (hits[i].bm25_rank > 0) score += 0.5 / (7 + hits[i].bm25_rank);
    if (hits[i].dense_rank > 0) score += 3.0 / (7 + hits[i].dense_rank);
    EXPECT_DOUBLE_EQ(hits[i].score, score);
    EXPECT_LE(hits[i].dense_rank, 20);
    if (i > 0) {
      EXPECT_LE(hits[i].score, hits[i - 1].score);
    }
  }
  options.mode = Mode::kDense;
  EXPECT_THROW(index->Search("x", {}, options), Error);
  EXPECT_THROW(index->Search("x", std::vector<float>(3), options), Error);
  options.mode = Mode::kHybrid;
  EXPECT_EQ(index->Search("pears", {}, options).size(), 10U);  // BM25 alone
}

TEST_F(IndexTest, CitationsPointIntoTheText) {
  IndexWriter writer = Writer();
  writer.Add(Doc("d", "第一段讲苹果。\n\n第二段😀讲 Übergröße 的梨子。\n\n1.1. Heading\n\nThe third about plums."));
  writer.Commit();
  const auto index = Index::Open(folder_);
  SearchOptions options;
  for (const char* query : {"苹果", "übergröße", "plum"}) {
    const std::vector<Hit> hits = index->Search(query, {}, options);
    ASSERT_EQ(hits.size(), 1U) << query;
    const std::unique_ptr<Document> document = index->FindDocument(hits[0].document);
    EXPECT_EQ(document->text.substr(hits[0].begin, hits[0].end - hits[0].begin), hits[0].text);
    ASSERT_FALSE(hits[0].highlights.empty()) << query;
    const auto [begin, end] = hits[0].highlights[0];
    EXPECT_TRUE(Analyzer().Query(hits[0].text.substr(begin, end - begin)) == Analyzer().Query(query));
  }
}

TEST_F(IndexTest, UglyDocumentsAndQueries) {
  auto embedder = std::make_shared<WordEmbedder>();
  IndexWriter writer = Writer(embedder);
  writer.Add(Doc("empty", ""));
  writer.Add(Doc("space", " \n \n"));
  writer.Add(Doc("emoji", "👩‍👩‍👧‍👦🇨🇳"));
  writer.Add(Doc("rtl", "שלום עולם، مرحبا بالعالم"));
  writer.Add(Doc("huge", std::string(300'000, 'z') + " needle"));
  writer.Add(Doc("broken", "\xff\xfe\x80 apple\xc3"));
  EXPECT_THROW(writer.Add(Doc("", "no id")), Error);
  writer.Commit();
  EXPECT_EQ(Find("needle"), (Ids{"huge"}));
  EXPECT_EQ(Find("مرحبا"), (Ids{"rtl"}));
  EXPECT_EQ(Find("apple"), (Ids{"broken"}));
  for (const std::string& query :
       {std::string(), std::string("   "), std::string("👩"), std::string("\xff\xff"), std::string(100'000, 'q')}) {
    EXPECT_EQ(Find(query), Ids{});
  }
}

TEST_F(IndexTest, OtherWeightsAreRefused) {
  {
    IndexWriter writer = Writer(std::make_shared<WordEmbedder>("h1"));
    writer.Add(Doc("a", "apples"));
    writer.Commit();
  }
  EXPECT_THROW(Writer(std::make_shared<WordEmbedder>("h2")), Error);
  EXPECT_THROW(Writer(nullptr), Error);
}

TEST_F(IndexTest, KilledAtAnyMomentItIsTheOldOneOrTheNew) {
  {
    IndexWriter writer = Writer();
    writer.Add(Doc("old", "apples"));
    writer.Commit();
  }
  Rng rng(5);
  int fresh = 0, stale = 0;
  for (int round = 0; round < 40; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      IndexWriter writer = Writer(nullptr, 1000);
      for (int i = 0; i < 300; ++i) writer.Add(Doc(Cat("n", i), Cat("pears of round ", round, " and ", i)));
      writer.Commit();
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(rng.Below(60'000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    const auto index = Index::Open(folder_);  // opens, whatever happened
    ASSERT_NE(index->FindDocument("old"), nullptr);
    SearchOptions options;
    options.k = 1000;
    options.texts = false;
    const size_t now = index->Search("pears", {}, options).size();
    ASSERT_TRUE(now == 0 || now == 300) << now;
    std::set<std::string> rounds;  // all of one round
    for (const Hit& hit : index->Search("pears", {}, {.k = 1000}))
      rounds.insert(hit.text.substr(0, hit.text.find(" and")));
    ASSERT_LE(rounds.size(), 1U);
    (now == 300 && rounds.contains(Cat("pears of round ", round)) ? fresh : stale) += 1;
  }
  EXPECT_GT(stale, 0) << "no child was killed before it was done";
}

TEST_F(IndexTest, DamageIsNamed) {
  {
    IndexWriter writer = Writer();
    writer.Add(Doc("a", "apples"));
    writer.Commit();
  }
  const std::string manifest = ReadFile(folder_ + "/index.json");
  std::string segment;
  for (const std::string& name : ListFolder(folder_)) {
    if (name.starts_with("segment-")) segment = folder_ + "/" + name;
  }
  const std::string bytes = ReadFile(segment);
  const auto code = [&] {
    try {
      Index::Open(folder_);
    } catch (const Error& e) {
      return e.code();
    }
    return Code::kInternal;
  };
  for (const std::string wrong : {"", "{", "[]", "{\"format\":1}", "{\"format\":\"x\"}"}) {
    WriteFileAtomic(folder_ + "/index.json", wrong);
    EXPECT_EQ(code(), Code::kCorrupt) << wrong;
  }
  WriteFileAtomic(folder_ + "/index.json", ReplaceAll(manifest, "\"format\": 1", "\"format\": 2"));
  EXPECT_EQ(code(), Code::kUnsupported);
  WriteFileAtomic(folder_ + "/index.json", ReplaceAll(manifest, "segment-", "../segment-"));
  EXPECT_EQ(code(), Code::kCorrupt);
  WriteFileAtomic(folder_ + "/index.json", manifest);
  std::string damaged = bytes;
  damaged[damaged.size() / 2] ^= 1;
  WriteFileAtomic(segment, damaged);
  EXPECT_TRUE(damaged[damaged.size() / 2] == bytes[bytes.size() / 2] || code() == Code::kCorrupt);
  WriteFileAtomic(segment, bytes.substr(0, bytes.size() - 64));
  EXPECT_EQ(code(), Code::kCorrupt);
  RemoveFile(segment);
  EXPECT_EQ(code(), Code::kCorrupt);
  RemoveFile(folder_ + "/index.json");
  EXPECT_EQ(code(), Code::kNotFound);
}

TEST(DenseTest, TheGraphFindsWhatIsNearAndHonoursFilters) {
  // Vectors around 300 centres, as sentences lie around topics.
  constexpr int kDims = 48, kCount = 24'000;
  Rng rng(4);
  std::vector<std::vector<double>> centres(300, std::vector<double>(kDims));
  for (auto& centre : centres) {
    for (double& x : centre) x = rng.Uniform() - 0.5;
  }
  const auto draw = [&](const std::vector<double>& centre, float* out) {
    double norm = 0;
    std::vector<double> v(kDims);
    for (int i = 0; i < kDims; ++i) {
      v[static_cast<size_t>(i)] = centre[static_cast<size_t>(i)] + 0.5 * (rng.Uniform() - 0.5);
      norm += v[static_cast<size_t>(i)] * v[static_cast<size_t>(i)];
    }
    for (int i = 0; i < kDims; ++i) out[i] = static_cast<float>(v[static_cast<size_t>(i)] / std::sqrt(norm));
  };
  std::vector<Document> documents(kCount);
  std::vector<SegmentInput> inputs;
  for (int i = 0; i < kCount; ++i) {
    documents[static_cast<size_t>(i)].id = Cat(i);
    documents[static_cast<size_t>(i)].text = "t";
    SegmentInput input{&documents[static_cast<size_t>(i)], {{0, 1, 0, 1, "", ""}}, std::vector<float>(kDims)};
    draw(centres[static_cast<size_t>(i) % 300], input.vectors.data());
    inputs.push_back(std::move(input));
  }
  const auto segment = Segment::FromBytes(BuildSegment(inputs, Analyzer(), {}, kDims), "dense");
  const std::string path = testing::TempDir() + "graph-" + NewUuid();
  Dense::BuildGraph(*segment, path, nullptr);
  const Dense dense(segment, path);
  ASSERT_TRUE(dense.has_graph());
  Allowed half((kCount + 63) / 64), few((kCount + 63) / 64);
  for (uint64_t& word : half) word = rng.Next();
  for (size_t i = 0; i < few.size(); i += 4) few[i] = rng.Next() & rng.Next() & rng.Next();
  for (const Allowed& allowed : {Allowed(), half, few}) {
    size_t found = 0, wanted = 0;
    for (int q = 0; q < 100; ++q) {
      std::vector<float> query(kDims);
      draw(centres[rng.Below(300)], query.data());
      const auto near = dense.Search(query.data(), 10, allowed, 0), exact = dense.Exact(query.data(), 10, allowed, 0);
      ASSERT_EQ(near.size(), 10U);
      std::set<uint32_t> right;
      for (const Scored& scored : exact) right.insert(scored.chunk);
      for (const Scored& scored : near) {
        ASSERT_TRUE(IsAllowed(allowed, scored.chunk));
        found += right.contains(scored.chunk);
      }
      wanted += 10;
    }
    EXPECT_GE(static_cast<double>(found), 0.95 * static_cast<double>(wanted));
  }
  // The same bytes for the same vectors.
  const std::string again = path + "-again";
  Dense::BuildGraph(*segment, again, nullptr);
  EXPECT_EQ(ReadFile(path), ReadFile(again));
  RemoveFile(path);
  RemoveFile(again);
}

}  // namespace
}  // namespace atelier::retrieve
