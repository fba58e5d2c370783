#include "data/media/idx.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace atelier::data {
namespace {

std::string Head(int type, std::vector<uint32_t> shape) {
  std::string out = {0, 0, static_cast<char>(type), static_cast<char>(shape.size())};
  for (const uint32_t size : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
  }
  return out;
}

std::string Refusal(const std::string& bytes) {
  try {
    ParseIdx(bytes, "digits.idx");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Idx, ReadsPicturesAndLabels) {
  const std::string bytes = Head(8, {2, 1, 3}) + std::string("\x00\x7f\xff\x01\x02\x03", 6);
  const IdxArray array = ParseIdx(bytes, "a");
  EXPECT_EQ(array.shape, (std::vector<uint32_t>{2, 1, 3}));
  ASSERT_EQ(array.values.size(), 6u);
  EXPECT_EQ(static_cast<uint8_t>(array.values[2]), 255);
  EXPECT_EQ(ParseIdx(Head(8, {3}) + "\1\2\3", "labels").shape, (std::vector<uint32_t>{3}));
}

TEST(Idx, RefusesWhatLies) {
  EXPECT_EQ(Refusal(""), "digits.idx: is no IDX file");
  EXPECT_EQ(Refusal("{\"file\": 1}"), "digits.idx: is no IDX file");
  EXPECT_EQ(Refusal(std::string("\x1f\x8b\x08\x00", 4)), "digits.idx: is packed by gzip");
  EXPECT_EQ(Refusal(Head(13, {1}) + "1234"), "digits.idx: an IDX file of type 13 with 1 dimensions");
  EXPECT_EQ(Refusal(Head(8, {1, 1, 1, 1, 1}) + "1"), "digits.idx: an IDX file of type 8 with 5 dimensions");
  EXPECT_EQ(Refusal(Head(8, {2, 2, 2}).substr(0, 9)), "digits.idx: ends within its head");
  EXPECT_EQ(Refusal(Head(8, {2, 0, 2}) + "1234"), "digits.idx: dimension 2 is 0");
  EXPECT_EQ(Refusal(Head(8, {2, 2}) + "123"), "digits.idx: its head promises more values than the 3 that follow");
  EXPECT_EQ(Refusal(Head(8, {2, 1}) + "123"), "digits.idx: its head promises 2 values, 3 follow");
  // Sizes whose product is 0 modulo 2^64.
  EXPECT_EQ(Refusal(Head(8, {0x80000000u, 0x80000000u, 4}) + "1"),
            "digits.idx: its head promises more values than the 1 that follow");
}

}  // namespace
}  // namespace atelier::data
