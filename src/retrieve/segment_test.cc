#include "retrieve/segment.h"

#include <gtest/gtest.h>
#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"
#include "retrieve/bm25.h"
#include "text/porter.h"

namespace atelier::retrieve {
namespace {

Document Plain(std::string id, std::string_view text) {
  Document document;
  document.id = std::move(id);
  ReadText(text, TextKind::kPlain, &document);
  return document;
}

std::shared_ptr<const Segment> Build(const std::vector<Document>& documents, const Bm25Options& bm25 = {}) {
  std::vector<SegmentInput> inputs;
  for (const Document& document : documents) inputs.push_back({&document, ChunkDocument(document), {}});
  return Segment::FromBytes(BuildSegment(inputs, Analyzer(), bm25, 0), "test");
}

// Texts of words drawn with very unequal odds, some with Chinese in between.
std::vector<Document> Drawn(size_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<Document> documents;
  for (size_t i = 0; i < count; ++i) {
    std::string text;
    const size_t words = 1 + rng.Below(60);
    for (size_t w = 0; w < words; ++w) {
      const double u = rng.Uniform();
      const auto word = static_cast<int>(2000 * u * u * u);
      text += Cat("w", word, word % 7 == 0 ? " 软件包" : " ");
    }
    documents.push_back(Plain(Cat("d", i), text));
  }
  return documents;
}

TEST(SegmentTest, GivesBackWhatWasPutIn) {
  Document document = Plain("ü/文.md", "第一段。第二句！\n\nSecond paragraph 😀 here.");
  document.fields = {{"year", 2024}, {"team", "销售"}, {"open", true}};
  const auto segment = Build({document, Plain("empty", "")});
  ASSERT_EQ(segment->documents(), 2U);
  const Document back = segment->document(0);
  EXPECT_EQ(back.text, document.text);
  EXPECT_EQ(back.id, document.id);
  EXPECT_EQ(back.fields, document.fields);
  ASSERT_EQ(back.blocks.size(), document.blocks.size());
  EXPECT_EQ(back.blocks[1].begin, document.blocks[1].begin);
  EXPECT_EQ(segment->document_text(1), "");
  EXPECT_EQ(segment->first_chunk(1), segment->chunks());  // nothing in it to find
}

TEST(SegmentTest, PostingsComeBackInBlocksAndRest) {
  Rng rng(7);
  for (const uint32_t count : {0U, 1U, 127U, 128U, 129U, 256U, 1000U}) {
    std::vector<Posting> postings;
    std::vector<float> impacts;
    uint32_t chunk = 0;
    for (uint32_t i = 0; i < count; ++i) {
      chunk += 1 + static_cast<uint32_t>(rng.Below(i % 200 == 0 ? 5'000'000 : 9));
      postings.push_back({chunk, 1 + static_cast<uint32_t>(rng.Below(i % 50 == 0 ? 70000 : 3))});
      impacts.push_back(static_cast<float>(rng.Uniform()));
    }
    std::string bytes;
    EncodePostings(postings, impacts, &bytes);
    bytes.shrink_to_fit();
    PostingsReader reader(bytes, count, chunk + 1, 1);
    size_t at = 0;
    for (uint32_t next = 0; reader.Load(next); next = reader.chunks()[reader.size() - 1] + 1) {
      for (uint32_t i = 0; i < reader.size(); ++i, ++at) {
        ASSERT_LT(at, postings.size());
        EXPECT_EQ(reader.chunks()[i], postings[at].chunk);
        EXPECT_EQ(reader.counts()[i], postings[at].count);
      }
    }
    EXPECT_EQ(at, postings.size()) << count;
  }
}

TEST(Bm25Test, TheFormulaByHand) {
  // Three chunks; "apple" is in two of them.
  const auto segment =
      Build({Plain("a", "apple apple pear"), Plain("b", "apple plum plum plum plum"), Plain("c", "pear")});
  const Bm25 bm25({segment}, {});
  const std::vector<std::string> terms = {text::PorterStem("apple")};
  const std::vector<Scored> found = bm25.Search(terms, 10);
  ASSERT_EQ(found.size(), 2U);
  const double idf = std::log(1 + (3 - 2 + 0.5) / (2 + 0.5)), average = 9.0 / 3;
  EXPECT_EQ(found[0].chunk, 0U);
  EXPECT_NEAR(found[0].score, idf * 2 / (2 + 1.2 * (0.25 + 0.75 * 3 / average)), 1e-6);
  EXPECT_NEAR(found[1].score, idf * 1 / (1 + 1.2 * (0.25 + 0.75 * 5 / average)), 1e-6);
}

TEST(Bm25Test, SkippingFindsWhatScoringEverythingFinds) {
  // Two segments of unlike lengths, so that the stored bounds belong to other averages.
  std::vector<Document> longer = Drawn(9000, 1), shorter;
  for (const Document& document : Drawn(3000, 2)) shorter.push_back(Plain(document.id, document.text.substr(0, 40)));
  const Bm25 bm25({Build(longer), Build(shorter)}, {});
  Rng rng(3);
  const Analyzer analyzer;
  for (int round = 0; round < 200; ++round) {
    std::string query;
    const size_t words = 1 + rng.Below(12);
    for (size_t i = 0; i < words; ++i) {
      const double u = rng.Uniform();
      query += Cat(i % 5 == 4 ? " 软件包 " : " w", static_cast<int>(2100 * u * u * u));
    }
    std::vector<Allowed> allowed;
    if (round % 3 == 0) {
      for (const size_t chunks : {bm25.segments()[0]->chunks(), bm25.segments()[1]->chunks()}) {
        allowed.emplace_back((chunks + 63) / 64);
        for (uint64_t& word : allowed.back()) word = rng.Next() & rng.Next();
      }
    }
    const std::vector<std::string> terms = analyzer.Query(query);
    const size_t k = 1 + rng.Below(30);
    const std::vector<Scored> fast = bm25.Search(terms, k, allowed), slow = bm25.Exhaustive(terms, k, allowed);
    ASSERT_EQ(fast.size(), slow.size()) << query;
    for (size_t i = 0; i < fast.size(); ++i) ASSERT_NEAR(fast[i].score, slow[i].score, 1e-4) << query << " at " << i;
  }
}

TEST(SegmentTest, EveryDamagedByteIsSeen) {
  const auto documents = std::vector<Document>{Plain("a", "Some words. 一些字。"), Plain("b", "More words.")};
  std::vector<SegmentInput> inputs;
  for (const Document& document : documents) inputs.push_back({&document, ChunkDocument(document), {}});
  const std::string bytes = BuildSegment(inputs, Analyzer(), {}, 0);
  // Padding between sections belongs to no checksum and to nothing that is read.
  size_t seen = 0, quiet = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x41);
    try {
      const auto segment = Segment::FromBytes(damaged, "damaged");
      for (uint32_t d = 0; d < segment->documents(); ++d) EXPECT_EQ(segment->document_text(d), documents[d].text);
      EXPECT_EQ(bytes[i], '\0') << "byte " << i << " was changed and nobody saw it";
      ++quiet;
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == Code::kCorrupt || e.code() == Code::kUnsupported) << e.what();
      ++seen;
    }
  }
  EXPECT_GT(seen, quiet);
  for (size_t size = 0; size < bytes.size(); size += 13) {
    EXPECT_THROW(Segment::FromBytes(bytes.substr(0, size), "short"), Error) << size;
  }
}

}  // namespace
}  // namespace atelier::retrieve
