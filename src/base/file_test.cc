#include "base/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier {
namespace {

// KiB that this process held at most since Forget(), pages of mapped files among them.
uint64_t Peak() {
  std::ifstream in("/proc/self/status");
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6));
  }
  return 0;
}
void Forget() { std::ofstream("/proc/self/clear_refs") << 5; }

struct FileTest : testing::Test {
  void SetUp() override { MakeFolders(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }
  const std::string folder = Cat(testing::TempDir(), "file_test_", ::getpid());
};

TEST_F(FileTest, PiecesAreTheWholeFile) {
  const std::string path = folder + "/茶.bin";
  for (const size_t size : {size_t{0}, size_t{1}, size_t{65535}, size_t{65536}, (size_t{3} << 20) + 5}) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
    WriteFileAtomic(path, bytes);
    std::string read;
    ReadPieces(path, [&](std::string_view piece) { read += piece; });
    EXPECT_EQ(read, bytes) << size;
    EXPECT_EQ(ReadFile(path), bytes) << size;
    EXPECT_EQ(Sha256HexOfFile(path), Sha256Hex(bytes)) << size;
  }
}

TEST_F(FileTest, HashingALargeFileHoldsNothing) {
  const std::string path = folder + "/large";
  WriteFileAtomic(path, std::string(size_t{64} << 20, 'x'));
  Forget();
  const uint64_t before = Peak();
  Sha256HexOfFile(path);
  ASSERT_GT(before, 0u);
  EXPECT_LT(Peak() - before, 8u << 10);
}

TEST_F(FileTest, WhatIsNoFileIsSaidInOneLine) {
  const auto code = [](const std::string& path) {
    try {
      ReadFile(path);
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
      EXPECT_NE(std::string(e.what()).find(path), std::string::npos);
      return e.code();
    }
    return Code::kInternal;
  };
  EXPECT_EQ(code(folder), Code::kInvalidInput);
  EXPECT_EQ(code(folder + "/none"), Code::kNotFound);
  WriteFileAtomic(folder + "/ten", "0123456789");
  EXPECT_EQ(ReadFile(folder + "/ten", 10), "0123456789");
  EXPECT_THROW(ReadFile(folder + "/ten", 9), Error);
}

}  // namespace
}  // namespace atelier
