// Parts of an index: whatever the bytes, opening throws Error or gives a segment of which everything can be used.
// Checksums are not compared, so that the fuzzer reaches what lies behind them.
#include <cstdint>

#include "base/error.h"
#include "retrieve/bm25.h"
#include "retrieve/filter.h"
#include "retrieve/segment.h"

using atelier::Error;
using namespace atelier::retrieve;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto segment =
        Segment::FromBytes(std::string(reinterpret_cast<const char*>(data), size), "fuzz", /*verify=*/false);
    uint64_t sum = 0;
    for (uint32_t d = 0; d < segment->documents(); ++d) {
      sum += segment->document_id(d).size() + segment->document_hash(d).size();
      try {
        sum += segment->document(d).text.size();
      } catch (const Error&) {
      }
    }
    for (uint32_t c = 0; c < segment->chunks(); ++c) {
      const ChunkRow row = segment->chunk(c);
      sum += segment->headings(row).size() + segment->anchor(row).size();
    }
    const Condition condition = ParseCondition("lang=zh|en");
    const Allowed allowed = AllowedChunks(*segment, {&condition, 1}, {});
    const Bm25 bm25({segment}, {});
    const std::vector<std::string> terms = {"word", "软件", "more", "text"};
    for (const Scored& scored : bm25.Search(terms, 5)) {
      if (scored.chunk >= segment->chunks()) __builtin_trap();
    }
    bm25.Exhaustive(terms, 5);
    if (segment->chunks() > 0) sum += allowed.size();
    volatile uint64_t keep = sum;
    (void)keep;
  } catch (const Error&) {
  }
  return 0;
}
