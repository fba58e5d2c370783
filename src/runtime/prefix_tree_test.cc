// The tree of cached prompts against a plain list of them: what it finds, what it forgets, and what it never mixes up.
#include "runtime/prefix_tree.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/rng.h"

namespace atelier::runtime {
namespace {

constexpr int64_t kPage = KvShape::kPageTokens;

class PrefixTrees : public testing::Test {
 protected:
  // A sequence whose every page says which tokens it stands for.
  Sequence Compute(const std::vector<int32_t>& tokens, Sequence from = {}) {
    const auto known = static_cast<size_t>(from.length());
    from.Reserve(&pool_, static_cast<int64_t>(tokens.size() - known));
    from.Advance(static_cast<int64_t>(tokens.size() - known));
    for (size_t i = known; i < tokens.size(); ++i) Cell(from, i) = tokens[i];
    return from;
  }
  int32_t& Cell(const Sequence& sequence, size_t i) {
    return reinterpret_cast<int32_t*>(sequence.page(i / kPage).get())[i % kPage];
  }
  void ExpectHolds(const Sequence& sequence, std::span<const int32_t> tokens, int64_t length) {
    ASSERT_EQ(sequence.length(), length);
    for (size_t i = 0; i < static_cast<size_t>(length); ++i) ASSERT_EQ(Cell(sequence, i), tokens[i]) << i;
  }
  static std::vector<int32_t> Count(int32_t from, size_t n) {
    std::vector<int32_t> tokens(n);
    for (size_t i = 0; i < n; ++i) tokens[i] = from + static_cast<int32_t>(i);
    return tokens;
  }

  PagePool pool_{{.layers = 1, .kv_heads = 1, .head_dim = 16}, 1 << 20};
};

TEST_F(PrefixTrees, FindsTheLongestBeginning) {
  PrefixTree tree(100);
  EXPECT_EQ(tree.Start(Count(0, 5), 0).length(), 0);
  const auto first = Count(0, 70);
  tree.Keep(first, 0, Compute(first));
  EXPECT_EQ(tree.pages(), 3u);
  ExpectHolds(tree.Start(Count(0, 200), 0), first, 70);
  ExpectHolds(tree.Start(Count(0, 64), 0), first, 64);
  ExpectHolds(tree.Start(Count(0, 33), 0), first, 33);
  auto other = first;
  other[40] = 7;  // parts in the second page
  ExpectHolds(tree.Start(other, 0), first, 40);
  other[0] = 9;
  EXPECT_EQ(tree.Start(other, 0).length(), 0);
  EXPECT_EQ(tree.Start({}, 0).length(), 0);
}

TEST_F(PrefixTrees, ALongerOneTakesThePlaceOfItsBeginning) {
  PrefixTree tree(100);
  const auto shorter = Count(0, 40), longer = Count(0, 60);
  tree.Keep(shorter, 0, Compute(shorter));
  tree.Keep(longer, 0, Compute(longer, tree.Start(longer, 0)));
  EXPECT_EQ(tree.pages(), 2u);
  ExpectHolds(tree.Start(longer, 0), longer, 60);
  tree.Keep(shorter, 0, Compute(shorter));  // and the beginning of a known one brings nothing
  EXPECT_EQ(tree.pages(), 2u);
  ExpectHolds(tree.Start(longer, 0), longer, 60);
}

TEST_F(PrefixTrees, WritingAfterAStartLeavesTheTreeAlone) {
  PrefixTree tree(100);
  const auto tokens = Count(0, 40);
  tree.Keep(tokens, 0, Compute(tokens));
  auto fork = tokens;
  fork.resize(35);
  fork.push_back(1000);
  const Sequence written = Compute(fork, tree.Start(std::span(fork).first(35), 0));
  ExpectHolds(written, fork, 36);
  ExpectHolds(tree.Start(tokens, 0), tokens, 40);
}

TEST_F(PrefixTrees, ForgetsWhatWasUsedLeastRecently) {
  PrefixTree tree(4);
  const auto a = Count(0, 64), b = Count(1000, 64), c = Count(2000, 32);
  tree.Keep(a, 0, Compute(a));
  tree.Keep(b, 0, Compute(b));
  tree.Start(a, 0);
  tree.Keep(c, 0, Compute(c));  // b's second page goes
  EXPECT_EQ(tree.pages(), 4u);
  EXPECT_EQ(tree.Start(a, 0).length(), 64);
  EXPECT_EQ(tree.Start(b, 0).length(), 32);
  EXPECT_EQ(tree.Start(c, 0).length(), 32);
  const auto giant = Count(5000, 400);  // longer than the tree: its beginning stays, and nothing breaks
  tree.Keep(giant, 0, Compute(giant));
  EXPECT_EQ(tree.pages(), 4u);
  EXPECT_EQ(tree.Start(giant, 0).length(), 4 * kPage);
  int dropped = 0;
  while (tree.DropOldest()) ++dropped;
  EXPECT_EQ(dropped, 4);
  EXPECT_EQ(pool_.free_pages(), PagePool({.layers = 1, .kv_heads = 1, .head_dim = 16}, 1 << 20).free_pages());
  PrefixTree none(0);
  none.Keep(a, 0, Compute(a));
  EXPECT_EQ(none.Start(a, 0).length(), 0);
}

TEST_F(PrefixTrees, AgreesWithAPlainList) {
  Rng rng(7);
  PrefixTree tree(1000);
  std::vector<std::vector<int32_t>> kept_by[3];  // by adapter: what one computed is nothing to another
  for (int round = 0; round < 400; ++round) {
    const uint64_t adapter = rng.Below(3);
    std::vector<std::vector<int32_t>>& kept = kept_by[adapter];
    std::vector<int32_t> tokens(1 + rng.Below(100));
    for (int32_t& token : tokens) token = static_cast<int32_t>(rng.Below(40) == 0);  // long common beginnings
    size_t want = 0;
    for (const auto& one : kept) {
      size_t same = 0;
      while (same < std::min(one.size(), tokens.size()) && one[same] == tokens[same]) ++same;
      want = std::max(want, same);
    }
    Sequence start = tree.Start(tokens, adapter);
    ExpectHolds(start, tokens, static_cast<int64_t>(want));
    const Sequence whole = Compute(tokens, std::move(start));
    ExpectHolds(whole, tokens, static_cast<int64_t>(tokens.size()));
    tree.Keep(tokens, adapter, whole);
    kept.push_back(tokens);
  }
}

}  // namespace
}  // namespace atelier::runtime
