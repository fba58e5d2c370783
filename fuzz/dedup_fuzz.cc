// The way of text into duplicates: any bytes fold as the whole function folds them, and lines that are no records are
// an Error.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "data/dedup/dedup.h"
#include "data/dedup/shingles.h"
#include "data/split/split.h"
#include "text/unicode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace atelier;
  const std::string text(reinterpret_cast<const char*>(bytes), size);

  data::FoldedText folded;
  data::Fold(text, &folded);
  std::string expected;  // the slow way, white space made one
  const std::string whole = text::FoldForComparison(text);
  for (size_t at = 0; at < whole.size();) {
    const text::DecodedChar d = text::DecodeChar(std::string_view(whole).substr(at));
    if (!text::IsSpace(d.c)) {
      expected.append(whole, at, d.length);
    } else if (!expected.empty() && expected.back() != ' ') {
      expected.push_back(' ');
    }
    at += d.length;
  }
  if (!expected.empty() && expected.back() == ' ') expected.pop_back();
  if (folded.text() != expected) std::abort();
  std::vector<uint32_t> shingles;
  data::AppendShingles(folded, {}, &shingles);
  if (data::Comparer().Jaccard(shingles, shingles) != (shingles.empty() ? 0 : 1)) std::abort();
  double when;
  data::ParseWhen(text, &when);
  std::string out;
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') data::AppendWithSplit(text, "train", &out);

  std::string lines = text;
  lines.append(64, '\0');
  data::DedupOptions options;
  options.memory = 1u << 20;
  options.survivor = data::Survivor::kNewest;
  options.newest_field = "d";
  try {
    data::Deduplicator dedup(options);
    if (size > 0) dedup.Add(std::string_view(lines).substr(0, size));
    dedup.Finish();
    dedup.duplicates().ForEach([&](const data::Duplicate& d) {
      if (d.record == d.kept || d.record >= dedup.stats().records) std::abort();
    });
  } catch (const Error&) {
  }
  return 0;
}
