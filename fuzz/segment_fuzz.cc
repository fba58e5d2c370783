// Models of the segmenter, user dictionaries and marked corpora. The first byte chooses; a model is also tried with the
// checksum that fits it. Only Error may come out; what a segmenter gives joins to its text.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "text/segmenter.h"
#include "text/segmenter_trainer.h"

namespace {

using namespace atelier::text;  // NOLINT: a fuzz target

void MustJoin(const Segmenter& segmenter, std::string_view text) {
  std::vector<std::string_view> words;
  segmenter.Segment(text, &words);
  size_t at = 0;
  for (const std::string_view word : words) {
    if (word.empty() || word.data() != text.data() + at) std::abort();
    at += word.size();
  }
  if (at != text.size()) std::abort();
}

void TryModel(std::string_view bytes) {
  try {
    const auto model = SegmenterModel::Parse(bytes, "fuzz");
    if (SegmenterModel::Parse(SegmenterModel::Serialise(model->weights()), "again") == nullptr) std::abort();
    MustJoin(*MakeModelSegmenter(model), "南京市长江大桥，研究生命 iPhone15 卖5,999元👍🏽。");
    MustJoin(*MakeModelSegmenter(model), bytes);
  } catch (const atelier::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 0) {
    TryModel(bytes);
    std::string sealed(bytes);
    const uint64_t hash = atelier::Hash64(sealed);
    sealed.append(reinterpret_cast<const char*>(&hash), sizeof(hash));
    TryModel(sealed);
  } else if (data[0] % 3 == 1) {
    const size_t cut = std::min(bytes.find('\x1F'), bytes.size());
    const std::string_view text = bytes.substr(std::min(cut + 1, bytes.size()));
    try {
      const auto words = std::make_shared<UserDictionary>(UserDictionary::Parse(bytes.substr(0, cut), "fuzz"));
      MustJoin(*MakeIcuSegmenter(words), text);
    } catch (const atelier::Error&) {
    }
  } else {
    try {
      for (const MarkedLine& line : ReadMarked(bytes, "fuzz")) {
        for (const std::string_view word : line.words) {
          if (word.empty()) std::abort();
        }
      }
    } catch (const atelier::Error&) {
    }
  }
  return 0;
}
