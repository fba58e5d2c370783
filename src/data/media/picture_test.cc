#include "data/media/picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/media/colour.h"
#include "data/media/geometry.h"
#include "data/media/orientation.h"

namespace atelier::data {
namespace {

using namespace std::string_literals;

std::string FromBase64(const std::string& text) {
  static const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    held = held << 6 | static_cast<uint32_t>(letters.find(c));
    if ((bits += 6) >= 8) bytes.push_back(static_cast<char>(held >> (bits -= 8)));
  }
  return bytes;
}

Picture FromJson(const Json& json) {
  Picture picture{json["width"], json["height"], json["channels"], {}};
  const std::string hex = json["pixels"];
  for (size_t i = 0; i < hex.size(); i += 2) {
    picture.pixels.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return picture;
}

// The largest difference of a value; -1 for another shape.
int Difference(const Picture& a, const Picture& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels || a.pixels.size() != b.pixels.size()) {
    return -1;
  }
  int most = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
  return most;
}

// What Pillow made of the same files: tools/golden_media.py.
class PicturePixels : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    golden_ =
        new Json(ParseJson(ReadFile(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/media/media.json"), "media.json"));
  }
  static void TearDownTestSuite() { delete golden_; }
  static std::string File(const std::string& name) {
    for (const char* list : {"files", "unsupported"}) {
      for (const Json& one : (*golden_)[list]) {
        if (one["name"] == name) return FromBase64(one["bytes"]);
      }
    }
    ADD_FAILURE() << name;
    return "";
  }
  static const Json* golden_;
};
const Json* PicturePixels::golden_ = nullptr;

Code CodeOf(const std::string& bytes, uint64_t most = kMostPixels) {
  try {
    DecodePicture(bytes, most);
  } catch (const Error& e) {
    EXPECT_EQ(e.Line().find('\n'), std::string::npos);
    return e.code();
  }
  return Code::kInternal;
}

TEST_F(PicturePixels, AreDecodedAsPillowDoes) {
  ASSERT_GE((*golden_)["files"].size(), 25u);
  for (const Json& one : (*golden_)["files"]) {
    const Picture picture = DecodePicture(FromBase64(one["bytes"]));
    const int difference = Difference(picture, FromJson(one));
    EXPECT_GE(difference, 0) << one["name"] << " " << picture.width << "x" << picture.height << "x" << picture.channels;
    EXPECT_LE(difference, one["tolerance"].get<int>()) << one["name"];
  }
}

TEST_F(PicturePixels, SurviveEncoding) {
  for (const Json& one : (*golden_)["files"]) {
    const Picture picture = FromJson(one);
    EXPECT_EQ(DecodePicture(EncodePng(picture)), picture) << one["name"];
    EXPECT_EQ(EncodePng(picture), EncodePng(picture));
  }
}

TEST_F(PicturePixels, WhatIsNotReadIsSaid) {
  for (const Json& one : (*golden_)["unsupported"]) {
    EXPECT_EQ(CodeOf(FromBase64(one["bytes"])), Code::kUnsupported) << one["name"];
  }
  for (const std::string& bytes : {""s, "hello"s, "\x89PNG\r\n\x1A\n"s}) {
    EXPECT_EQ(CodeOf(bytes), Code::kInvalidInput);
  }
}

// Limits hold before memory is taken: these heads promise terabytes.
TEST_F(PicturePixels, HugeHeadsCostNothing) {
  std::string png = File("rgb.png");
  png.replace(16, 8, "\0\x0F\x42\x40\0\x0F\x42\x40"s);
  EXPECT_EQ(CodeOf(png), Code::kResourceExhausted);
  std::string jpeg = File("usual.jpg");
  const size_t frame = jpeg.find("\xFF\xC0");
  jpeg.replace(frame + 5, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_EQ(CodeOf(jpeg), Code::kResourceExhausted);
  const std::string webp = "RIFF\x12\0\0\0WEBPVP8L\x05\0\0\0\x2F\xFF\xFF\xFF\x0F\0\0\0\0\0"s;
  EXPECT_EQ(CodeOf(webp), Code::kResourceExhausted);
  EXPECT_EQ(CodeOf(File("rgb.png"), 23 * 17 - 1), Code::kResourceExhausted);
  EXPECT_EQ(CodeOf(File("usual.jpg"), 23 * 17 - 1), Code::kResourceExhausted);
  EXPECT_EQ(CodeOf(File("lossy.webp"), 23 * 17 - 1), Code::kResourceExhausted);
  EXPECT_EQ(DecodePicture(File("rgb.png"), 23 * 17).width, 23u);
}

// Every cut and many changed bytes: an Error or a picture, never anything else.
TEST_F(PicturePixels, DamageIsAnError) {
  for (const char* name : {"rgb.png", "palette_transparent.png", "usual.jpg", "progressive.jpg", "lossy.webp",
                           "lossless_alpha.webp", "turned_6.jpg", "turned_3.png"}) {
    const std::string whole = File(name);
    for (size_t cut = 0; cut < whole.size(); cut += 3) {
      try {
        const Picture picture = DecodePicture(whole.substr(0, cut));
        // What ends behind the last pixel is whole: PNG's end, JPEG's end mark.
        EXPECT_GT(cut + 20, whole.size()) << name;
      } catch (const Error&) {
      }
    }
    Rng rng(3, name);
    for (int i = 0; i < 2000; ++i) {
      std::string bytes = whole;
      for (int changes = 0; changes < 3; ++changes) bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Below(256));
      try {
        const Picture picture = DecodePicture(bytes, 1u << 20);
        ASSERT_EQ(picture.pixels.size(), picture.stride() * picture.height);
      } catch (const Error& e) {
        ASSERT_EQ(e.Line().find('\n'), std::string::npos);
      }
    }
  }
}

TEST_F(PicturePixels, OrientationIsFoundInAnyOrder) {
  const std::string tiff =
      "MM\0\x2A\0\0\0\x08\0\x02\x01\x0F\0\x02\0\0\0\x02\0\0\0\0\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"s;
  const std::string jpeg = "\xFF\xD8\xFF\xE0\0\x04zz\xFF\xE1"s + static_cast<char>(0) +
                           static_cast<char>(8 + tiff.size()) + "Exif\0\0"s + tiff;
  EXPECT_EQ(ReadOrientation(jpeg), 6);
  for (size_t cut = 0; cut < jpeg.size(); ++cut) ReadOrientation(jpeg.substr(0, cut));
  EXPECT_EQ(ReadOrientation("\xFF\xD8\xFF\xD9"), 1);
}

TEST_F(PicturePixels, AreResizedAsPillowDoes) {
  ASSERT_GE((*golden_)["resize"].size(), 48u);
  for (const Json& one : (*golden_)["resize"]) {
    const std::string name = one["channels"] == 1   ? "grey.png"
                             : one["channels"] == 2 ? "grey_alpha.png"
                             : one["channels"] == 3 ? "rgb.png"
                                                    : "rgba.png";
    const Picture picture = DecodePicture(File(name));
    const Json& box = one["box"];
    const uint32_t x = box[0], y = box[1], right = box[2], bottom = box[3];
    const Picture part = Crop(picture, x, y, right - x, bottom - y);
    EXPECT_EQ(Difference(Resize(part, one["width"], one["height"]), FromJson(one)), 0)
        << name << " " << box << " " << one["width"] << "x" << one["height"];
  }
}

TEST_F(PicturePixels, HaveOtherColoursAsPillowSays) {
  ASSERT_GE((*golden_)["colour"].size(), 34u);
  for (const Json& one : (*golden_)["colour"]) {
    Picture picture = DecodePicture(File(one["channels"] == 1   ? "grey.png"
                                         : one["channels"] == 4 ? "rgba.png"
                                                                : "rgb.png"));
    const std::string name = one["name"];
    const double by = one["by"];
    if (name == "brightness") ChangeBrightness(&picture, by);
    if (name == "contrast") ChangeContrast(&picture, by);
    if (name == "saturation") ChangeSaturation(&picture, by);
    if (name == "hue") TurnHue(&picture, by);
    const int difference = Difference(picture, FromJson(one));
    EXPECT_GE(difference, 0);
    EXPECT_LE(difference, 1) << name << " " << by;  // Pillow truncates
  }
  Picture red{1, 1, 3, {255, 0, 0}};
  TurnHue(&red, 1.0 / 3);
  EXPECT_EQ(red.pixels, (std::vector<uint8_t>{0, 255, 0}));
}

TEST_F(PicturePixels, Mirrors) {
  const Picture picture{3, 2, 1, {1, 2, 3, 4, 5, 6}};
  Picture one = picture;
  FlipHorizontal(&one);
  EXPECT_EQ(one.pixels, (std::vector<uint8_t>{3, 2, 1, 6, 5, 4}));
  FlipVertical(&one);
  EXPECT_EQ(one.pixels, (std::vector<uint8_t>{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(Upright(picture, 3), one);
  EXPECT_EQ(Upright(picture, 6).pixels, (std::vector<uint8_t>{4, 1, 5, 2, 6, 3}));
}

}  // namespace
}  // namespace atelier::data
