// Damaged and lying GGUF files: Open either throws Error or gives a file of which every look-up and every tensor byte
// can be used. Runs under the asan preset too, which is where reading outside the map would show.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "artefact/gguf.h"
#include "artefact/gguf_writer.h"
#include "artefact/memory_file.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

template <typename T>
std::string Le(T value) {
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}

std::string Str(std::string_view text) { return Le<uint64_t>(text.size()) + std::string(text); }

std::string ValidFile() {
  static const std::string f32(16 * 4, 'f'), q4(2 * 20, 'q'), q6(210, '6');
  GgufWriter writer;
  writer.Set("general.architecture", "llama");
  writer.Set("general.name", "最小的 🙂");
  writer.Set("llama.block_count", uint32_t{1});
  writer.Set("llama.eps", 1e-5f);
  writer.Set("big", uint64_t{1} << 40);
  writer.Set("negative", int64_t{-3});
  writer.Set("double", 0.25);
  writer.Set("flag", true);
  writer.Set("tokens", std::vector<std::string>{"a", "", "中"});
  writer.Set("scores", std::vector<float>{1, 2});
  writer.Set("types", std::vector<int32_t>{1, -1, 3});
  // [[1, 2], []]: nested arrays of uint8
  writer.SetRaw("nested", GgufType::kArray,
                Le<uint32_t>(9) + Le<uint64_t>(2) + Le<uint32_t>(0) + Le<uint64_t>(2) + "\1\2" + Le<uint32_t>(0) +
                    Le<uint64_t>(0));
  writer.AddTensor("a", TensorType::kF32, {4, 2, 2}, f32);
  writer.AddTensor("b", TensorType::kQ4_1, {32, 2}, q4);
  writer.AddTensor("c", TensorType::kQ6_K, {256}, q6);
  return writer.ToBytes();
}

uint64_t Hash(std::string_view text) { return std::hash<std::string_view>()(text); }

// Uses everything that the file offers.
void UseAll(const GgufFile& file) {
  uint64_t sum = 0;
  for (const std::string& key : file.Keys()) {
    sum += ToText(file.ToJson(key)).size() + file.Count(key);
    const auto attempt = [&](const auto& body) {
      try {
        body();
      } catch (const Error&) {
      }
    };
    attempt([&] { sum += file.String(key).size(); });
    attempt([&] { sum += static_cast<uint64_t>(file.Int(key)); });
    attempt([&] { sum += file.Float(key) > 0; });
    attempt([&] { sum += file.Bool(key); });
    attempt([&] {
      for (std::string_view text : file.Strings(key)) sum += Hash(text);
    });
    attempt([&] { sum += file.Ints(key).size(); });
    attempt([&] { sum += file.Floats(key).size(); });
    attempt([&] { sum += file.Bools(key).size(); });
  }
  std::set<std::string> names;
  for (const TensorInfo& tensor : file.tensors()) {
    EXPECT_TRUE(names.insert(tensor.name).second);
    EXPECT_EQ(file.Find(tensor.name), &tensor);
    EXPECT_GE(tensor.shape.size(), 1u);
    EXPECT_LE(tensor.shape.size(), 4u);
    EXPECT_GT(tensor.elements(), 0);
    int64_t rows = 1;
    for (size_t i = 1; i < tensor.shape.size(); ++i) rows *= tensor.shape[i];
    EXPECT_EQ(static_cast<int64_t>(tensor.bytes), RowBytes(tensor.type, tensor.shape[0]) * rows);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data) % std::min<uint64_t>(file.alignment(), 4096), 0u);
    for (uint64_t i = 0; i < tensor.bytes; ++i) sum += tensor.data[i];
  }
  volatile uint64_t keep = sum;
  (void)keep;
}

enum class Outcome { kOpened, kRefused };

Outcome TryOpen(const std::string& bytes, std::string* why = nullptr) {
  const MemoryFile file(bytes);
  try {
    UseAll(*GgufFile::Open(file.path()));
    return Outcome::kOpened;
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == Code::kCorrupt || error.code() == Code::kUnsupported) << error.Line();
    if (error.code() == Code::kCorrupt) {
      EXPECT_NE(error.Line().find(" at byte "), std::string::npos) << error.Line();
    }
    EXPECT_TRUE(std::string(error.what()).starts_with(file.path())) << error.Line();
    if (why != nullptr) *why = error.Line();
    return Outcome::kRefused;
  }
}

TEST(GgufCorrupt, TheUndamagedFileOpens) { EXPECT_EQ(TryOpen(ValidFile()), Outcome::kOpened); }

TEST(GgufCorrupt, EveryTruncationIsRefused) {
  const std::string whole = ValidFile();
  // The last tensor's padding is not needed.
  size_t needed = whole.size();
  while (TryOpen(whole.substr(0, needed - 1)) == Outcome::kOpened) --needed;
  EXPECT_EQ((needed + 31) / 32 * 32, whole.size());
  for (size_t size = 0; size < needed; ++size) {
    EXPECT_EQ(TryOpen(whole.substr(0, size)), Outcome::kRefused) << "cut to " << size << " bytes";
  }
}

TEST(GgufCorrupt, EveryFlippedBitIsRefusedOrHarmless) {
  const std::string whole = ValidFile();
  const size_t header = whole.size() - 64 - 64 - 224;  // tensor data is free to be anything
  int refused = 0;
  for (size_t byte = 0; byte < header; ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
      refused += TryOpen(damaged) == Outcome::kRefused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(header) * 2);  // most of a header is lengths, counts and types
}

TEST(GgufCorrupt, RandomDamageOfManyBytes) {
  const std::string whole = ValidFile();
  Rng rng(11);
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = whole;
    const uint64_t edits = 1 + rng.Below(8);
    for (uint64_t i = 0; i < edits; ++i) {
      const size_t at = rng.Below(damaged.size());
      constexpr uint64_t kUgly[] = {0,
                                    1,
                                    0x7f,
                                    0xff,
                                    0x7fffffff,
                                    0xffffffff,
                                    0x7fffffffffffffff,
                                    0xffffffffffffffff,
                                    0x8000000000000000,
                                    0xfffffffffffffff8};
      const std::string value = Le(kUgly[rng.Below(std::size(kUgly))]);
      damaged.replace(at, std::min<size_t>(8, damaged.size() - at), value, 0, std::min<size_t>(8, damaged.size() - at));
    }
    TryOpen(damaged);
  }
}

// A file put together by hand, every number free to lie.
struct Lie {
  std::string magic = "GGUF";
  uint32_t version = 3;
  uint64_t tensors = 0, keys = 0;
  std::string metadata = {}, infos = {};
  size_t data = 4096;

  std::string Bytes() const {
    std::string out = magic + Le(version) + Le(tensors) + Le(keys) + metadata + infos;
    out.resize((out.size() + 31) / 32 * 32);
    return out + std::string(data, 'd');
  }
};

std::string Key(std::string_view key, uint32_t type, std::string_view value) {
  return Str(key) + Le(type) + std::string(value);
}

std::string Info(std::string_view name, std::vector<uint64_t> dims, uint32_t type, uint64_t offset) {
  std::string out = Str(name) + Le(static_cast<uint32_t>(dims.size()));
  for (const uint64_t dim : dims) out += Le(dim);
  return out + Le(type) + Le(offset);
}

void ExpectRefused(const Lie& lie, std::string_view says) {
  std::string why;
  EXPECT_EQ(TryOpen(lie.Bytes(), &why), Outcome::kRefused) << says;
  EXPECT_NE(why.find(says), std::string::npos) << why << "\n  should say: " << says;
}

constexpr uint64_t kHuge = 0xffffffffffffffff;

TEST(GgufCorrupt, HeadsThatLie) {
  ExpectRefused({.magic = "GGML"}, "magic");
  ExpectRefused({.version = 1}, "version 1");
  ExpectRefused({.version = 4}, "version 4");
  ExpectRefused({.version = 0x03000000}, "big-endian");
  ExpectRefused({.tensors = kHuge}, "more tensors");
  ExpectRefused({.tensors = 1000}, "more tensors");
  ExpectRefused({.keys = kHuge}, "more metadata keys");
  ExpectRefused({.keys = uint64_t{1} << 61}, "more metadata keys");
  EXPECT_EQ(TryOpen(Lie().Bytes()), Outcome::kOpened);  // nothing in it, and nothing wrong with it
}

TEST(GgufCorrupt, MetadataThatLies) {
  const auto one = [](const std::string& metadata) { return Lie{.keys = 1, .metadata = metadata}; };
  EXPECT_EQ(TryOpen(one(Key("k", 4, Le<uint32_t>(1))).Bytes()), Outcome::kOpened);
  ExpectRefused(one(Le(kHuge) + "k"), "runs past the end");
  ExpectRefused(one(Str("") + Le<uint32_t>(0) + "x"), "key is empty");
  ExpectRefused(one(Key("k\xff", 0, "x")), "not UTF-8");
  ExpectRefused(one(Key("k\xc0\x80", 0, "x")), "not UTF-8");
  ExpectRefused(one(Key(std::string_view("k\0k", 3), 0, "x")), "not UTF-8");
  ExpectRefused(one(Key("k", 13, "xxxxxxxx")), "value type 13");
  ExpectRefused(one(Key("k", 7, "\2")), "neither true nor false");
  ExpectRefused(one(Key("k", 8, Le(kHuge))), "runs past the end");
  ExpectRefused(one(Key("k", 8, Le(kHuge - 7))), "runs past the end");
  ExpectRefused(one(Key("k", 9, Le<uint32_t>(4) + Le(kHuge))), "than the file can hold");
  ExpectRefused(one(Key("k", 9, Le<uint32_t>(4) + Le(uint64_t{1} << 62))), "than the file can hold");
  ExpectRefused(one(Key("k", 9, Le<uint32_t>(8) + Le(uint64_t{100000}))), "than the file can hold");
  ExpectRefused(one(Key("k", 9, Le<uint32_t>(99) + Le<uint64_t>(1))), "element type 99");
  std::string deep;
  for (int i = 0; i < 50; ++i) deep += Le<uint32_t>(9) + Le<uint64_t>(1);
  ExpectRefused(one(Key("k", 9, deep)), "nests deeper");
  ExpectRefused({.keys = 2, .metadata = Key("k", 0, "x") + Key("k", 0, "y")}, "stands twice");
  for (const uint32_t alignment : {0u, 1u, 4u, 24u, 0x80000000u}) {
    ExpectRefused(one(Key("general.alignment", 4, Le(alignment))), "power of two");
  }
  ExpectRefused(one(Key("general.alignment", 10, Le<uint64_t>(32))), "not of type uint32");
}

TEST(GgufCorrupt, TensorsThatLie) {
  const auto one = [](const std::string& info) { return Lie{.tensors = 1, .infos = info}; };
  const auto two = [](const std::string& infos) { return Lie{.tensors = 2, .infos = infos}; };
  EXPECT_EQ(TryOpen(two(Info("a", {8}, 0, 0) + Info("b", {8}, 0, 32)).Bytes()), Outcome::kOpened);
  ExpectRefused(one(Info("", {8}, 0, 0)), "name is empty");
  ExpectRefused(one(Info("\xed\xa0\x80", {8}, 0, 0)), "not UTF-8");
  ExpectRefused(one(Info(std::string(65536, 'n'), {8}, 0, 0)), "longer than");
  ExpectRefused(one(Info("a", {}, 0, 0)), "0 dimensions");
  ExpectRefused(one(Info("a", {1, 1, 1, 1, 1}, 0, 0)), "5 dimensions");
  ExpectRefused(one(Info("a", {8, 0}, 0, 0)), "empty dimension");
  ExpectRefused(one(Info("a", {kHuge}, 0, 0)), "63 bits");
  ExpectRefused(one(Info("a", {uint64_t{1} << 32, uint64_t{1} << 32}, 0, 0)), "63 bits");
  ExpectRefused(one(Info("a", {uint64_t{1} << 31, uint64_t{1} << 31}, 0, 0)), "larger than the file");
  ExpectRefused(one(Info("a", {uint64_t{1} << 62}, 2, 0)), "larger than the file");
  ExpectRefused(one(Info("a", {33}, 8, 0)), "multiple of Q8_0's block");
  ExpectRefused(one(Info("a", {128}, 12, 0)), "multiple of Q4_K's block");
  ExpectRefused(one(Info("a", {32}, 4, 0)), "type 4");
  ExpectRefused(one(Info("a", {32}, 0xffffffff, 0)), "which this build does not know");
  ExpectRefused(one(Info("a", {8}, 0, 16)), "not a multiple of 32");
  ExpectRefused(one(Info("a", {8}, 0, 4096)), "past the end");
  ExpectRefused(one(Info("a", {1032}, 0, 0)), "past the end");
  ExpectRefused(one(Info("a", {8}, 0, kHuge - 31)), "past the end");
  ExpectRefused(two(Info("a", {8}, 0, 0) + Info("a", {8}, 0, 32)), "stands twice");
  ExpectRefused(two(Info("a", {16}, 0, 0) + Info("b", {8}, 0, 32)), "overlap");
  ExpectRefused(two(Info("a", {8}, 0, 32) + Info("b", {16}, 0, 0)), "overlap");
  ExpectRefused(two(Info("a", {8}, 0, 0) + Info("b", {8}, 0, 0)), "overlap");
}

TEST(GgufCorrupt, AKnownTypeThatWeDoNotComputeWithIsListedAndRefusedByName) {
  const MemoryFile bytes(Lie{.tensors = 1, .infos = Info("blk.0.odd", {256}, 10, 0)}.Bytes());
  const auto file = GgufFile::Open(bytes.path());
  ASSERT_NE(file->Find("blk.0.odd"), nullptr);
  EXPECT_EQ(file->Find("blk.0.odd")->bytes, 84u);
  for (int i = 0; i < 2; ++i) {
    try {
      i == 0 ? (void)file->Require("blk.0.odd") : file->RequireSupportedTypes();
      FAIL() << "an unsupported type was handed out";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUnsupported);
      EXPECT_NE(error.Line().find("blk.0.odd"), std::string::npos);
      EXPECT_NE(error.Line().find("Q2_K"), std::string::npos);
    }
  }
}

TEST(GgufCorrupt, AValueIsAskedForAsWhatItIs) {
  const MemoryFile bytes(ValidFile());
  const auto file = GgufFile::Open(bytes.path());
  EXPECT_EQ(file->Int("negative"), -3);
  EXPECT_EQ(file->Int("big"), int64_t{1} << 40);
  EXPECT_EQ(file->Float("double"), 0.25);
  EXPECT_EQ(ToText(file->ToJson("nested")), "[[1,2],[]]");
  EXPECT_EQ(ToText(file->ToJson("tokens", 2)), R"({"array":"string","count":3})");
  EXPECT_EQ(ToText(file->ToJson("general.name", 16, 4)), "\"最…\"");
  for (const char* key : {"negative", "tokens", "flag"}) EXPECT_THROW(file->Float(key), Error) << key;
  for (const char* key : {"double", "tokens", "flag", "general.name"}) EXPECT_THROW(file->Int(key), Error) << key;
  EXPECT_THROW(file->Int("big", 0, 1000), Error);
  EXPECT_THROW(file->Ints("scores"), Error);
  EXPECT_THROW(file->Floats("types"), Error);
  EXPECT_THROW(file->Strings("types"), Error);
  EXPECT_THROW(file->Ints("nested"), Error);
}

TEST(GgufCorrupt, FilesThatAreNoFiles) {
  EXPECT_THROW(GgufFile::Open("/nowhere/x.gguf"), Error);
  EXPECT_THROW(GgufFile::Open("/"), Error);
  EXPECT_THROW(GgufFile::Open("/dev/null"), Error);
  EXPECT_EQ(TryOpen(""), Outcome::kRefused);
}

}  // namespace
}  // namespace atelier::artefact
