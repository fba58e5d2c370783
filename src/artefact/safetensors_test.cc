#include "artefact/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

std::string File(const std::string& header, const std::string& data) {
  std::string out(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(out.data(), &length, 8);
  return out + header + data;
}

std::string Refusal(const std::string& bytes) {
  try {
    SafetensorsFile::Parse(bytes, "f");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Safetensors, ReadsWhatItWrites) {
  const std::string a(24, 'a'), b(3, 'b'), half(4, 'h');
  SafetensorsWriter writer;
  writer.SetMetadata("config", "[model]\n名 = \"诗\" 🙂");
  writer.Add("blk.0.w", ScalarType::kF32, {2, 3}, a);
  writer.Add("空", ScalarType::kBf16, {0, 7}, "");
  writer.Add("flags", ScalarType::kU8, {3}, b);
  writer.Add("scalar", ScalarType::kF32, {}, half);
  writer.Seal();
  const std::string bytes = writer.ToBytes();
  const auto file = SafetensorsFile::Parse(bytes, "f");
  EXPECT_EQ(file->metadata().at("config"), "[model]\n名 = \"诗\" 🙂");
  ASSERT_EQ(file->tensors().size(), 4u);
  EXPECT_EQ(file->Find("blk.0.w")->data, a);
  EXPECT_EQ(file->Find("blk.0.w")->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(file->Find("空")->type, ScalarType::kBf16);
  EXPECT_TRUE(file->Find("scalar")->shape.empty());
  EXPECT_EQ(file->Find("none"), nullptr);
  file->CheckSeal();
  EXPECT_TRUE(SafetensorsFile::Recognise(bytes));
  EXPECT_FALSE(SafetensorsFile::Recognise("GGUF\3\0\0\0\0\0\0\0"));
}

TEST(Safetensors, TheSealTellsAChangedByte) {
  const std::string a(24, 'a');
  SafetensorsWriter writer;
  writer.SetMetadata("step", "1");
  writer.Add("w", ScalarType::kF32, {6}, a);
  writer.Seal();
  std::string bytes = writer.ToBytes();
  bytes.back() ^= 1;
  EXPECT_THROW(SafetensorsFile::Parse(bytes, "f")->CheckSeal(), Error);
}

TEST(Safetensors, ReadsWhatThePeerWrites) {  // safetensors 0.7.0 for Python: {"b": bf16 [1], "a": f32 [1, 2]}
  const std::string bytes = File(
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[8,10]}}   )",
      std::string("\0\0\x80\x3f\0\0\0\x40\x80\x3f", 10));
  const auto file = SafetensorsFile::Parse(bytes, "f");
  float values[2];
  std::memcpy(values, file->Find("a")->data.data(), 8);
  EXPECT_EQ(values[0], 1);
  EXPECT_EQ(values[1], 2);
  EXPECT_EQ(file->Find("b")->data, "\x80\x3f");
}

TEST(Safetensors, RefusesWhatLies) {
  const std::string ok = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(Refusal(File(ok, std::string(8, 'x'))), "");
  const struct {
    std::string bytes, says;
  } cases[] = {
      {"", "too short"},
      {std::string(7, '\0'), "too short"},
      {std::string(8, '\xff'), "longer than the file"},
      {File("{}", "x"), "belong to none"},
      {File("[]", ""), "not an object"},
      {File(std::string("{}\0x", 4), ""), "NUL"},
      {File("{", ""), "header"},
      {File(ok, std::string(7, 'x')), "beyond the file"},
      {File(ok, std::string(9, 'x')), "belong to none"},
      {File(R"({"a":3})", ""), "wants dtype"},
      {File(R"({"a":{"dtype":"F32","shape":[2]}})", ""), "wants dtype"},
      {File(R"({"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}})", std::string(8, 'x')), "of the type"},
      {File(R"({"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}})", std::string(8, 'x')), "not text"},
      {File(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", std::string(8, 'x')), "no size"},
      {File(R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", std::string(8, 'x')), "no size"},
      {File(R"({"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}})", std::string(4, 'x')),
       "fit its shape"},
      {File(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", std::string(8, 'x')), "beyond the file"},
      {File(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", std::string(8, 'x')), "fit its shape"},
      {File(
           R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
           "xxx"),
       "overlaps"},
      {File(
           R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
           "xxx"),
       "gap"},
      {File(R"({"__metadata__":{"k":1}})", ""), "not text"},
      {File(R"({"__metadata__":[]})", ""), "not an object"},
      {File(R"({"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})", "x"), "no size"},
  };
  for (const auto& one : cases) {
    EXPECT_NE(Refusal(one.bytes).find(one.says), std::string::npos) << one.bytes << " gave " << Refusal(one.bytes);
  }
}

TEST(Safetensors, TheWriterRefusesBytesThatDoNotFit) {
  SafetensorsWriter writer;
  EXPECT_THROW(writer.Add("a", ScalarType::kF32, {2}, "1234567"), Error);
  writer.Add("a", ScalarType::kU8, {1}, "1");
  EXPECT_THROW(writer.Add("a", ScalarType::kU8, {1}, "1"), Error);
}

}  // namespace
}  // namespace atelier::artefact
