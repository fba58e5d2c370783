// Labelled, tagged and masked texts, and pictures, out of files: what becomes of odd records, and what a batch holds.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/str.h"
#include "data/media/picture.h"
#include "train/class_counts.h"
#include "train/examples_labelled.h"
#include "train/examples_masked.h"
#include "train/examples_pictures.h"
#include "train/picture_grid.h"
#include "train/run_tokenizer.h"

namespace atelier::train {
namespace {

class Kinds : public testing::Test {
 protected:
  Kinds()
      : folder_(Cat(testing::TempDir(), "/kinds-", getpid(), "-",
                    testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    data_.sequence_length = 12;
  }
  ~Kinds() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, std::string_view bytes) {
    std::ofstream(Cat(folder_, "/", name), std::ios::binary) << bytes;
    return Cat(folder_, "/", name);
  }
  Records Lines(std::string_view lines) { return Records(Write("records.jsonl", lines), ""); }

  template <typename Fn>
  static std::string Refusal(const Fn& fn) {
    try {
      fn();
    } catch (const Error& error) {
      return error.Line();
    }
    return "";
  }

  static std::vector<int64_t> Values(const torch::Tensor& t) {
    const torch::Tensor flat = t.flatten().contiguous();
    return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
  }

  std::string folder_;
  DataSettings data_;
  std::unique_ptr<text::Tokenizer> tokenizer_ = text::MakeTokenizer(ByteTokenizer());
  std::vector<std::string> classes_;
  ExamplesReport report_;
};

TEST_F(Kinds, LabelsBecomeClassesInTheirOrder) {
  const Records records = Lines(
      "{\"text\":\"差评\",\"label\":10}\n{\"text\":\"🙂\",\"label\":9}\n{\"text\":\"\",\"label\":9}\n"
      "{\"text\":\"a text that is longer than the row\",\"label\":\"9\"}\n");
  const auto examples = LabelledExamples(records, data_, *tokenizer_, &classes_, &report_);
  EXPECT_EQ(classes_, (std::vector<std::string>{"9", "10"}));  // as numbers
  EXPECT_EQ(examples->size(), 3);
  EXPECT_EQ(report_.records, 4);
  EXPECT_EQ(report_.empty, 1);
  EXPECT_EQ(report_.truncated, 1);
  const model::Batch batch = examples->Collate(std::vector<int64_t>{2, 0, 1}, Rng(1));
  EXPECT_EQ(Values(batch.targets), (std::vector<int64_t>{0, 1, 0}));
  EXPECT_EQ(Values(batch.lengths), (std::vector<int64_t>{12, 8, 6}));
  const SpecialIds ids = FindSpecialIds(*tokenizer_);
  EXPECT_EQ(batch.inputs[0][0].item<int64_t>(), ids.begin);
  EXPECT_EQ(batch.inputs[0][11].item<int64_t>(), ids.end);
  EXPECT_EQ(batch.inputs[1][8].item<int64_t>(), ids.padding);
  EXPECT_EQ(examples->Describe(2), "record 4");

  data_.long_records = "drop";
  ExamplesReport dropping;
  EXPECT_EQ(LabelledExamples(records, data_, *tokenizer_, &classes_, &dropping)->size(), 2);
  EXPECT_EQ(dropping.dropped, 1);
  EXPECT_EQ(dropping.truncated, 0);
}

TEST_F(Kinds, CharactersAreCodePoints) {
  data_.characters = true;
  const auto examples =
      LabelledExamples(Lines("{\"text\":\"好a🙂\",\"label\":\"x\"}\n"), data_, *tokenizer_, &classes_, &report_);
  EXPECT_EQ(Values(examples->Collate(std::vector<int64_t>{0}, Rng(1)).inputs),
            (std::vector<int64_t>{0x597D, 'a', 0x1F642}));
}

TEST_F(Kinds, ALabelOutsideOfTheClassesIsNamed) {
  classes_ = {"negative", "positive"};
  const Records records = Lines("{\"text\":\"a\",\"label\":\"positive\"}\n{\"text\":\"b\",\"label\":\"neutral\"}\n");
  EXPECT_EQ(
      Refusal([&] { LabelledExamples(records, data_, *tokenizer_, &classes_, &report_); }),
      Cat(records.name(), ", record 2: the label 'neutral' is none of the 2 classes (they are negative, positive)"));
  classes_.clear();
  EXPECT_NE(Refusal([&] {
              LabelledExamples(Lines("{\"text\":\"a\"}\n"), data_, *tokenizer_, &classes_, &report_);
            }).find("record 1: no text in a field 'label'"),
            std::string::npos);
  EXPECT_NE(Refusal([&] {
              LabelledExamples(Lines("{\"text\":\"\",\"label\":\"a\"}\n"), data_, *tokenizer_, &classes_, &report_);
            }).find("no record has any text"),
            std::string::npos);
}

TEST_F(Kinds, WordsHaveTheirClasses) {
  data_.sequence_length = 14;
  const Records records = Lines("{\"text\":\"我 love  北京\",\"label\":\"O O B\"}\n{\"text\":\"x\",\"label\":\"B\"}\n");
  const auto examples = TaggedExamples(records, data_, *tokenizer_, &classes_, &report_);
  EXPECT_EQ(classes_, (std::vector<std::string>{"B", "O"}));
  EXPECT_EQ(report_.truncated, 1);
  const model::Batch batch = examples->Collate(std::vector<int64_t>{0, 1}, Rng(1));
  const int64_t no = model::kIgnored;
  // <s> E6 88 91 | _ l o v e | _ E5 8C 97 (E4 BA AC cut) </s>
  EXPECT_EQ(Values(batch.targets[0]), (std::vector<int64_t>{no, 1, no, no, 1, no, no, no, no, 0, no, no, no, no}));
  EXPECT_EQ(Values(batch.targets[1]), (std::vector<int64_t>{no, 0, no, no, no, no, no, no, no, no, no, no, no, no}));
  EXPECT_NE(Refusal([&] {
              TaggedExamples(Lines("{\"text\":\"a b\",\"label\":\"O\"}\n"), data_, *tokenizer_, &classes_, &report_);
            }).find("record 1: 2 words and 1 classes"),
            std::string::npos);
}

TEST_F(Kinds, MaskedRowsAreDrawnAnewAndStayWithinTheirText) {
  data_.packed = false;
  const auto examples =
      MaskedExamples(Lines("{\"text\":\"一二三\"}\n{\"text\":\"\"}\n{\"text\":\"abcdefghijklmnopq\"}\n"), data_,
                     *tokenizer_, &report_);
  EXPECT_EQ(examples->size(), 2);
  EXPECT_EQ(report_.empty, 1);
  EXPECT_EQ(report_.truncated, 1);
  const std::vector<int64_t> rows = {0, 1};
  const model::Batch a = examples->Collate(rows, Rng(1)), again = examples->Collate(rows, Rng(1)),
                     b = examples->Collate(rows, Rng(2));
  EXPECT_TRUE(a.inputs.equal(again.inputs));
  EXPECT_FALSE(a.targets.equal(b.targets));
  EXPECT_EQ(a.inputs.size(1), 12);
  EXPECT_EQ(a.targets[0].ne(model::kIgnored).sum().item<int64_t>(), 1);  // 15 % of 9
  EXPECT_EQ(a.targets[1].ne(model::kIgnored).sum().item<int64_t>(), 2);  // of 10
}

TEST_F(Kinds, PackedMaskedRowsLoseNothing) {
  data_.packed = true;
  data_.mask = 0.01;
  const auto examples =
      MaskedExamples(Lines("{\"text\":\"abcdefg\"}\n{\"text\":\"hijklmnopqrstuvwx\"}\n"), data_, *tokenizer_, &report_);
  std::string text;
  for (int64_t row = 0; row < examples->size(); ++row) {
    const model::Batch batch = examples->Collate(std::vector<int64_t>{row}, Rng(1));
    const std::vector<int64_t> ids =
        Values(torch::where(batch.targets.eq(model::kIgnored), batch.inputs, batch.targets));
    for (const int64_t id : ids) text += tokenizer_->Piece(static_cast<text::TokenId>(id));
  }
  EXPECT_EQ(text, "abcdefghijklmnopqrstuvwx");
  EXPECT_EQ(examples->size(), 3);
  EXPECT_EQ(examples->Describe(1), "record 2");
}

std::string Idx(uint8_t n, uint8_t height, uint8_t width, std::string_view values) {
  const char head[] = {
      0, 0, 8, 3, 0, 0, 0, static_cast<char>(n), 0, 0, 0, static_cast<char>(height), 0, 0, 0, static_cast<char>(width)};
  return Cat(std::string_view(head, sizeof(head)), values);
}

data::Picture Grey(uint32_t width, uint32_t height, uint8_t value) {
  data::Picture p;
  p.width = width;
  p.height = height;
  p.channels = 1;
  p.pixels.assign(size_t{width} * height, value);
  return p;
}

TEST_F(Kinds, PicturesOfAnIdxFile) {
  const Records records(Write("train-images-idx3-ubyte", Idx(2, 1, 3, std::string_view("\x00\x33\xff\xff\x00\x66", 6))),
                        "");
  model::DataShape shape;
  const auto examples = PictureExamples(records, data_, &shape, &report_);
  EXPECT_EQ(shape.height, 1);
  EXPECT_EQ(shape.width, 3);
  const model::Batch batch = examples->Collate(std::vector<int64_t>{1, 0}, Rng(1));
  EXPECT_TRUE(batch.inputs.allclose(torch::tensor({1.f, 0.f, 0.4f, 0.f, 0.2f, 1.f}).view({2, 1, 3})));
  EXPECT_EQ(report_.records, 2);
  // Held to another shape, as a validation is.
  shape.width = 4;
  EXPECT_NE(Refusal([&] {
              PictureExamples(records, data_, &shape, &report_);
            }).find("a picture of 1 x 3 where others are 1 x 4"),
            std::string::npos);
}

TEST_F(Kinds, HostileIdxFilesAreOneError) {
  model::DataShape shape;
  const auto refusal = [&](std::string_view bytes) {
    const Records records(Write("p.idx", bytes), "");
    return Refusal([&] { PictureExamples(records, data_, &shape, &report_); });
  };
  EXPECT_NE(refusal(Idx(2, 1, 3, "abc")).find("promises more values"), std::string::npos);
  EXPECT_NE(refusal(Idx(2, 1, 1, "abc")).find("promises 2 values, 3 follow"), std::string::npos);
  EXPECT_NE(refusal(std::string_view("\0\0\x08\1\0\0\0\1x", 9)).find("has 1 dimensions, pictures have 3"),
            std::string::npos);
  EXPECT_NE(refusal(std::string_view("\0\0\x0d\1\0\0\0\1xxxx", 12)).find("type 13"), std::string::npos);
  EXPECT_NE(refusal("\x1f\x8b\x08 packed").find("gunzip"), std::string::npos);
}

TEST_F(Kinds, PicturesOfRecords) {
  Write("白.png", data::EncodePng(Grey(2, 2, 255)));
  Write("wide.png", data::EncodePng(Grey(4, 2, 51)));
  data::Picture colour;
  colour.width = colour.height = 2;
  colour.channels = 4;
  for (int i = 0; i < 4; ++i)
    colour.pixels.insert(colour.pixels.end(), {255, 0, 0, static_cast<uint8_t>(i < 2 ? 255 : 0)});
  Write("red.png", data::EncodePng(colour));
  model::DataShape shape;
  const auto examples =
      PictureExamples(Lines("{\"file\":\"白.png\"}\n{\"file\":\"red.png\"}\n"), data_, &shape, &report_);
  const torch::Tensor red = examples->Collate(std::vector<int64_t>{1}, Rng(1)).inputs[0];
  EXPECT_TRUE(red.allclose(torch::tensor({76 / 255.f, 76 / 255.f, 0.f, 0.f}).view({2, 2}))) << red;

  const Records mixed = Lines("{\"file\":\"白.png\"}\n{\"file\":\"wide.png\"}\n");
  model::DataShape fresh;
  EXPECT_NE(Refusal([&] {
              PictureExamples(mixed, data_, &fresh, &report_);
            }).find("record 2: a picture of 2 x 4 where others are 2 x 2"),
            std::string::npos);
  data_.height = data_.width = 3;
  model::DataShape resized;
  EXPECT_EQ(
      PictureExamples(mixed, data_, &resized, &report_)->Collate(std::vector<int64_t>{0, 1}, Rng(1)).inputs.sizes(),
      (std::vector<int64_t>{2, 3, 3}));
  model::DataShape other;
  EXPECT_NE(
      Refusal([&] { PictureExamples(Lines("{\"file\":\"gone.png\"}\n"), data_, &other, &report_); }).find("record 1"),
      std::string::npos);
  EXPECT_NE(
      Refusal([&] { PictureExamples(Lines("{\"text\":\"no\"}\n"), data_, &other, &report_); }).find("names no picture"),
      std::string::npos);
}

TEST(ClassCounts, AreThoseOfAllBatchesTogether) {
  ClassCounts counts;
  std::map<std::string, double> values;
  counts.Report(&values);
  EXPECT_TRUE(values.empty());
  const auto labels = [](std::vector<int64_t> list) { return torch::tensor(list); };
  counts.Add(labels({0, 1, 2}), labels({0, 2, model::kIgnored}), 5);
  counts.Add(labels({0, 2}), labels({1, 2}), 5);
  counts.Report(&values);
  // scikit-learn 1.9: f1_score([0, 2, 1, 2], [0, 1, 0, 2], average="macro") = (2/3 + 0 + 2/3) / 3
  EXPECT_DOUBLE_EQ(values["accuracy"], 0.5);
  EXPECT_DOUBLE_EQ(values["macro_f1"], 4.0 / 9);
}

TEST(PictureGrid, LiesInRowsWithGapsBetween) {
  const torch::Tensor pictures = torch::stack({torch::zeros({2, 3}), torch::ones({2, 3}), torch::full({2, 3}, 2.0f)});
  const data::Picture grid = MakeGrid(pictures, 2);
  EXPECT_EQ(grid.width, 2 + 3 + 2 + 3 + 2u);
  EXPECT_EQ(grid.height, 2 + 2 + 2 + 2 + 2u);
  const auto at = [&](size_t x, size_t y) { return grid.pixels[y * grid.width + x]; };
  EXPECT_EQ(at(2, 2), 0);
  EXPECT_EQ(at(7, 3), 255);
  EXPECT_EQ(at(4, 7), 255);
  EXPECT_EQ(at(7, 7), at(0, 0));  // the free place
}

TEST(PictureGrid, WaysKeepTheirLengthAndTheirEnds) {
  const torch::Tensor z = DrawLatents(6, 50, 9);
  EXPECT_TRUE(z.equal(DrawLatents(6, 50, 9)));
  EXPECT_FALSE(z.equal(DrawLatents(6, 50, 10)));
  const torch::Tensor a = z.narrow(0, 0, 3), b = z.narrow(0, 3, 3);
  const torch::Tensor ways = Interpolate(a, b, 5).view({3, 5, 50});
  EXPECT_TRUE(ways.select(1, 0).allclose(a, 1e-4, 1e-5));
  EXPECT_TRUE(ways.select(1, 4).allclose(b, 1e-4, 1e-5));
  const torch::Tensor lengths = ways.norm(2, 2);
  EXPECT_GT(lengths.min().item<double>(), 0.97 * torch::cat({a, b}).norm(2, 1).min().item<double>());
  EXPECT_TRUE(Interpolate(a, a, 3).view({3, 3, 50}).select(1, 1).allclose(a));  // no angle, no 0/0
}

}  // namespace
}  // namespace atelier::train
