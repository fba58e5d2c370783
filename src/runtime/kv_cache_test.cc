#include "runtime/kv_cache.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "kernel/select.h"
#include "runtime/golden_model.h"

namespace atelier::runtime {
namespace {

constexpr KvShape kShape{2, 1, 16, true};

// A page's bytes as one float per layer and part, enough to tell pages apart.
void Mark(Sequence* sequence, size_t page, float value) {
  for (int64_t layer = 0; layer < 2; ++layer) {
    std::memcpy(sequence->keys(kShape, page, layer, 0), &value, 4);
    std::memcpy(sequence->values(kShape, page, layer, 0), &value, 4);
  }
}
float Marked(const Sequence& sequence, size_t page) {
  float value;
  std::memcpy(&value, sequence.values(kShape, page, 1, 0), 4);
  return value;
}

TEST(PagePool, ABusyMinuteIsNotPaidForEver) {
  const KvShape shape{.layers = 8, .kv_heads = 8, .head_dim = 64};  // a page is 512 KiB or so
  PagePool pool(shape, size_t{1} << 30);
  const auto idle = static_cast<int64_t>((size_t{64} << 20) / shape.page_bytes());
  std::vector<std::shared_ptr<uint8_t>> pages;
  for (int64_t i = 0; i < idle + 50; ++i) pages.push_back(pool.Take());
  const int64_t all = pool.free_pages() + idle + 50;
  EXPECT_EQ(pool.made(), idle + 50);
  pages.clear();
  EXPECT_EQ(pool.made(), idle);
  EXPECT_EQ(pool.free_pages(), all);
  for (int64_t i = 0; i < idle; ++i) pages.push_back(pool.Take());
  EXPECT_EQ(pool.made(), idle) << "those that were kept come first";
}

TEST(KvCache, AForkSharesPagesUntilItWrites) {
  PagePool pool(kShape, 10 * kShape.page_bytes());
  EXPECT_EQ(pool.free_pages(), 10);
  Sequence a;
  a.Reserve(&pool, 40);
  a.Advance(40);
  Mark(&a, 0, 1);
  Mark(&a, 1, 2);
  EXPECT_EQ(pool.free_pages(), 8);
  Sequence b = a, c = a;
  EXPECT_EQ(pool.free_pages(), 8);
  b.Reserve(&pool, 1);
  EXPECT_EQ(pool.free_pages(), 7);  // a copy of the second page
  EXPECT_EQ(Marked(b, 1), 2);
  Mark(&b, 1, 3);
  EXPECT_EQ(Marked(a, 1), 2);
  EXPECT_EQ(Marked(c, 1), 2);
  EXPECT_EQ(a.keys(kShape, 0, 0, 0), b.keys(kShape, 0, 0, 0));
  EXPECT_NE(a.keys(kShape, 1, 0, 0), b.keys(kShape, 1, 0, 0));
  a.Reserve(&pool, 1);
  c.Reserve(&pool, 1);  // nobody shares with it any more
  EXPECT_EQ(pool.free_pages(), 6);
  b = Sequence();
  c = Sequence();
  EXPECT_EQ(pool.free_pages(), 8);
  a.Truncate(32);
  EXPECT_EQ(a.length(), 32);
  EXPECT_EQ(a.pages(), 1u);
  EXPECT_EQ(pool.free_pages(), 9);
  a.Truncate(50);  // longer than it is: nothing
  EXPECT_EQ(a.length(), 32);
  a.Truncate(0);
  EXPECT_EQ(pool.free_pages(), 10);
}

TEST(KvCache, PagesReservedButNotWrittenAreNotSharedWithForks) {
  PagePool pool(kShape, 6 * kShape.page_bytes());
  Sequence a;
  a.Reserve(&pool, 32);
  a.Advance(32);
  a.Reserve(&pool, 64);  // not advanced: a pass that failed elsewhere
  Sequence b = a;
  a.Reserve(&pool, 1);
  b.Reserve(&pool, 1);
  EXPECT_NE(a.keys(kShape, 1, 0, 0), b.keys(kShape, 1, 0, 0));
}

TEST(KvCache, AFullPoolSaysSoAndLosesNothing) {
  PagePool pool(kShape, 3 * kShape.page_bytes() + 5);
  Sequence a, b;
  a.Reserve(&pool, 64);
  a.Advance(64);
  Mark(&a, 1, 7);
  for (int i = 0; i < 3; ++i) {
    try {
      b.Reserve(&pool, 100);
      FAIL() << "four pages of three";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kResourceExhausted);
      EXPECT_NE(std::string_view(error.what()).find("cache of"), std::string_view::npos) << error.what();
    }
    EXPECT_EQ(b.length(), 0);
  }
  EXPECT_EQ(Marked(a, 1), 7);
  a.Truncate(32);
  b.Reserve(&pool, 33);  // what it got before and the one that came free
  EXPECT_EQ(b.pages(), 2u);
  EXPECT_EQ(pool.free_pages(), 0);
}

class KvDecoders : public testing::TestWithParam<const kernel::Table*> {};
INSTANTIATE_TEST_SUITE_P(Isa, KvDecoders, testing::ValuesIn(kernel::AvailableTables()),
                         [](const auto& tested) { return std::string(tested.param->name); });

std::vector<float> LastLogits(Decoder* decoder, Sequence* sequence, const std::vector<int32_t>& tokens) {
  std::vector<float> out;
  const Chunk chunk{sequence, tokens, tokens.size() - 1};
  decoder->Forward({&chunk, 1},
                   [&](size_t, size_t, float* logits) { out.assign(logits, logits + decoder->spec().vocab); });
  return out;
}

TEST_P(KvDecoders, WhatARecycledPageHeldDoesNotLeak) {
  for (const auto& bytes : {GoldenBytes("gemma3"), Quantised(GoldenBytes("llama"), artefact::TensorType::kQ8_0)}) {
    const auto decoder = MakeDecoder(bytes, *GetParam());
    const std::vector<int32_t> tokens = {5, 99, 17, 200, 31, 64, 8};
    Sequence clean;
    const std::vector<float> want = LastLogits(decoder.get(), &clean, tokens);
    const KvShape shape = decoder->pages()->shape();
    {
      Sequence dirty;
      dirty.Reserve(decoder->pages(), 200);
      for (size_t page = 0; page < dirty.pages(); ++page)
        std::memset(dirty.keys(shape, page, 0, 0), 0xff, shape.page_bytes());  // NaN
    }
    Sequence again;
    const std::vector<float> got = LastLogits(decoder.get(), &again, tokens);
    EXPECT_EQ(std::memcmp(got.data(), want.data(), want.size() * 4), 0);
  }
}

TEST(KvDecoder, AFullPoolFailsAPassAndChangesNothing) {
  const std::string bytes = GoldenBytes("llama");
  const auto roomy = MakeDecoder(bytes, kernel::BestTable());
  const size_t page = roomy->pages()->shape().page_bytes();
  const auto decoder = MakeDecoder(bytes, kernel::BestTable(), 2, 3 * page);
  Sequence a, b, reference;
  std::vector<int32_t> tokens(40, 9);
  LastLogits(decoder.get(), &a, tokens);
  LastLogits(roomy.get(), &reference, tokens);
  const std::vector<int32_t> more = {1, 2, 3}, many(90, 4);
  const Chunk chunks[] = {{&a, more, 3}, {&b, many, 90}};
  try {
    decoder->Forward(chunks, nullptr);
    FAIL() << "five pages of three";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kResourceExhausted);
  }
  EXPECT_EQ(a.length(), 40);
  EXPECT_EQ(b.length(), 0);
  EXPECT_EQ(LastLogits(decoder.get(), &a, more), LastLogits(roomy.get(), &reference, more));
}

}  // namespace
}  // namespace atelier::runtime
