#include "data/spool.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "data/external_sort.h"

namespace atelier::data {
namespace {

TEST(Spool, GivesBackWhatWasAppendedInMemoryAndOnDisk) {
  for (const size_t memory : {size_t{1} << 16, size_t{64} << 20}) {
    Spool spool(memory, testing::TempDir());
    Rng rng(1);
    std::vector<std::pair<uint64_t, std::string>> pieces;
    for (int i = 0; i < 3000; ++i) {
      // Some are larger than the small spool's memory.
      std::string piece(i % 500 == 7 ? 100'000 : rng.Below(200), static_cast<char>('a' + i % 26));
      const uint64_t at = spool.Append(piece);
      pieces.emplace_back(at, std::move(piece));
    }
    EXPECT_EQ(spool.spilled(), memory == size_t{1} << 16);
    std::string scratch;
    uint64_t size = 0;
    for (const auto& [at, piece] : pieces) {
      ASSERT_EQ(at, size);
      ASSERT_EQ(spool.View(at, piece.size(), &scratch), piece);
      size += piece.size();
    }
    EXPECT_EQ(spool.size(), size);
  }
}

TEST(Spool, AFolderThatCannotBeWrittenIsAClearError) {
  Spool spool(0, "/nonexistent/folder");
  try {
    spool.Append(std::string(1 << 20, 'x'));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("/nonexistent/folder"), std::string::npos);
  }
}

struct Entry {
  uint64_t hash;
  uint32_t number;
  uint64_t key() const { return hash; }
  bool operator<(const Entry& o) const { return hash != o.hash ? hash < o.hash : number < o.number; }
  bool operator==(const Entry& o) const { return hash == o.hash && number == o.number; }
};

template <bool kRadix>
void SortsLikeStdSort(size_t memory, size_t count, uint64_t distinct) {
  Rng rng(count);
  ExternalSorter<Entry, kRadix> sorter(memory, testing::TempDir());
  std::vector<Entry> expected;
  for (size_t i = 0; i < count; ++i) {
    // Few distinct keys make long runs of equal ones; low bits only, a worst case for sorting by the high ones.
    const Entry entry{distinct == 0 ? rng.Next() : rng.Below(distinct), static_cast<uint32_t>(rng.Next())};
    sorter.Add(entry);
    expected.push_back(entry);
  }
  sorter.Finish();
  std::sort(expected.begin(), expected.end());
  for (int turn = 0; turn < 2; ++turn) {
    std::vector<Entry> got;
    sorter.ForEach([&](const Entry& entry) { got.push_back(entry); });
    ASSERT_TRUE(got == expected) << memory << " bytes, " << count << " entries, " << distinct << " keys";
  }
  EXPECT_EQ(sorter.spilled(), count > std::max<size_t>(memory / sizeof(Entry) / 2, 64));
}

TEST(ExternalSorter, SortsInMemoryAndOnDisk) {
  for (const size_t memory : {size_t{1024}, size_t{40'000}, size_t{64} << 20}) {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{64}, size_t{65}, size_t{300}, size_t{20'000}}) {
      for (const uint64_t distinct : {uint64_t{0}, uint64_t{3}, uint64_t{1000}}) {
        SortsLikeStdSort<false>(memory, count, distinct);
        SortsLikeStdSort<true>(memory, count, distinct);
      }
    }
  }
}

}  // namespace
}  // namespace atelier::data
