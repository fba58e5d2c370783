// A ranker's file: only Error may leave the parser, what is read is written back as it was and scores every text with a
// finite number. Bytes that do not begin as a file are taken for a body, which gets the head and the hash that it
// needs.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "artefact/ranker_file.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "rank/local_ranker.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;  // NOLINT: a fuzz target
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string text(bytes);
  if (!artefact::IsRankerFile(bytes))
    text = Cat(R"({"format":"atelier.ranker","version":1,"sha256":")", Sha256Hex(bytes), "\"}\n", bytes);
  try {
    artefact::RankerFile file = artefact::ParseRankerFile(text, "fuzz");
    const std::string again = artefact::RankerFileText(file);
    if (artefact::RankerFileText(artefact::ParseRankerFile(again, "fuzz")) != again) std::abort();
    file.encoder.clear();
    std::vector<artefact::RankOption> options = {{"好咖啡，128元！", {}}, {"\xff", {}}};
    const auto ranker = rank::MakeRanker(file, {}, nullptr);
    for (const std::string& name : ranker->wants()) {
      for (artefact::RankOption& option : options) option.features[name] = 1e12;
    }
    for (const double score : ranker->Score("咖啡", options)) {
      if (!std::isfinite(score)) std::abort();
    }
  } catch (const Error&) {
  }
  return 0;
}
