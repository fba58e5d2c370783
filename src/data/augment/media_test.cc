// Augmentation of pictures and sound, from files in a folder to files in objects/.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numbers>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/str.h"
#include "data/augment/augment.h"
#include "data/import/import.h"
#include "data/record_line.h"
#include "data/split/split.h"

namespace atelier::data {
namespace {

// A picture of which every pixel says where it was.
Picture Chart(uint32_t width, uint32_t height, uint8_t mark = 0) {
  Picture picture{width, height, 3, {}};
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      picture.pixels.insert(picture.pixels.end(), {static_cast<uint8_t>(x), static_cast<uint8_t>(y), mark});
    }
  }
  return picture;
}

Sound Tone(double loud = 0.5, int frames = 16'000, int channels = 1) {
  Sound sound{16'000, channels, {}, 16, false};
  for (int i = 0; i < frames; ++i) {
    for (int c = 0; c < channels; ++c) {
      sound.samples.push_back(static_cast<float>(loud * std::sin(2 * std::numbers::pi * 440 * i / 16'000)));
    }
  }
  return sound;
}

double Power(const std::vector<float>& samples) {
  double sum = 0;
  for (const float sample : samples) sum += double{sample} * sample;
  return sum / static_cast<double>(samples.size());
}

AugmentStep Step(const std::string& keys) {
  return std::move(ParseAugmentOptions("[[step]]\n" + keys, "a.toml", "").steps[0]);
}

class Media : public testing::Test {
 protected:
  Media() : folder_(testing::TempDir() + "media-" + NewUuid()), datasets_(folder_ + "/data"), objects_(folder_ + "/o") {
    MakeFolders(folder_);
  }
  ~Media() override { std::filesystem::remove_all(folder_); }

  void Put(const std::string& name, std::string_view bytes) {
    const std::string path = folder_ + "/in/" + name;
    MakeFolders(path.substr(0, path.rfind('/')));
    WriteFileAtomic(path, bytes);
  }
  Manifest ImportAs(const std::string& name, const std::string& format, bool by_path = false) {
    ImportRequest request;
    request.sources = {folder_ + "/in"};
    request.format = format;
    request.by_path = by_path;
    ImportHelpers helpers;
    helpers.objects = &objects_;
    return Import(datasets_, name, request, helpers);
  }
  AugmentOutcome Run(const std::string& name, const std::string& toml) {
    return AugmentDataset(datasets_, name, ParseAugmentOptions(toml, "a.toml", ""), nullptr, &objects_);
  }
  std::string ErrorOf(const std::string& name, const std::string& toml) {
    try {
      Run(name, toml);
    } catch (const Error& e) {
      return e.Line();
    }
    return "";
  }
  std::vector<Json> Records(const std::string& name) const {
    std::vector<Json> out;
    DatasetReader(datasets_, name).ReadAll([&](std::string_view lines) {
      for (const std::string& line : Split(lines.substr(0, lines.size() - 1), '\n')) {
        out.push_back(Json::parse(line));
        EXPECT_EQ(RecordId(line), out.back()["_id"]) << line;
      }
      return true;
    });
    return out;
  }
  std::vector<Json> Rejects(const std::string& name) const {
    std::vector<Json> out;
    DatasetReader(datasets_, name).ReadRejects([&](std::string_view lines) {
      for (const std::string& line : Split(lines.substr(0, lines.size() - 1), '\n')) out.push_back(Json::parse(line));
      return true;
    });
    return out;
  }

  std::string folder_;
  Datasets datasets_;
  store::Objects objects_;
};

TEST_F(Media, ACropIsAPartOfThePicture) {
  const AugmentStep crop = Step("use = \"crop\"\narea = [0.25, 0.5]\naspect = [0.5, 2]\nresize = false\n");
  std::set<std::pair<uint32_t, uint32_t>> corners;
  double least = 1, most = 0, narrow = 10, wide = 0;
  for (int i = 0; i < 400; ++i) {
    Rng rng(static_cast<uint64_t>(i));
    Picture part = Chart(200, 100);
    crop.picture->Apply(&part, &rng);
    const uint32_t x = part.pixels[0], y = part.pixels[1];
    corners.emplace(x, y);
    ASSERT_EQ(part.pixels.size(), part.stride() * part.height);
    for (uint32_t row = 0; row < part.height; ++row) {
      for (uint32_t column = 0; column < part.width; ++column) {
        ASSERT_EQ(part.pixels[row * part.stride() + column * 3], x + column);
        ASSERT_EQ(part.pixels[row * part.stride() + column * 3 + 1], y + row);
      }
    }
    const double share = part.width * part.height / 20'000.0, aspect = part.width / 2.0 / part.height;
    least = std::min(least, share), most = std::max(most, share);
    narrow = std::min(narrow, aspect), wide = std::max(wide, aspect);
  }
  EXPECT_GT(corners.size(), 300u);
  EXPECT_NEAR(least, 0.25, 0.01);
  EXPECT_NEAR(most, 0.5, 0.01);
  EXPECT_NEAR(narrow, 0.5, 0.03);
  EXPECT_NEAR(wide, 2, 0.1);
  Rng rng(1);
  Picture same = Chart(60, 40), tiny = Chart(1, 1);
  Step("use = \"crop\"\narea = [0.3, 0.3]\n").picture->Apply(&same, &rng);
  EXPECT_EQ(same.width, 60u);
  EXPECT_EQ(same.height, 40u);
  EXPECT_NE(same, Chart(60, 40));
  Step("use = \"crop\"\narea = [0.01, 0.01]\n").picture->Apply(&tiny, &rng);
  EXPECT_EQ(tiny, Chart(1, 1));
}

TEST_F(Media, FlipsComeByTheirChance) {
  const AugmentStep flip = Step("use = \"flip\"\nhorizontal = 0.5\nvertical = 0.1\n");
  int left_right = 0, top_bottom = 0;
  Rng rng(4);
  for (int i = 0; i < 2000; ++i) {
    Picture picture = Chart(4, 3);
    flip.picture->Apply(&picture, &rng);
    left_right += picture.pixels[0] == 3;
    top_bottom += picture.pixels[1] == 2;
  }
  EXPECT_NEAR(left_right, 1000, 90);
  EXPECT_NEAR(top_bottom, 200, 55);
}

TEST_F(Media, ColoursStayWithinTheirReach) {
  Rng rng(5);
  const AugmentStep brightness = Step("use = \"colour\"\nbrightness = 0.3\ncontrast = 0\nsaturation = 0\nhue = 0\n");
  int least = 255, most = 0;
  for (int i = 0; i < 1000; ++i) {
    Picture picture{1, 1, 3, {100, 100, 100}};
    brightness.picture->Apply(&picture, &rng);
    least = std::min<int>(least, picture.pixels[0]), most = std::max<int>(most, picture.pixels[0]);
  }
  EXPECT_NEAR(least, 70, 2);
  EXPECT_NEAR(most, 130, 2);
  Picture still = Chart(20, 20, 9);
  Step("use = \"colour\"\nbrightness = 0\ncontrast = 0\nsaturation = 0\nhue = 0\n").picture->Apply(&still, &rng);
  EXPECT_EQ(still, Chart(20, 20, 9));
}

TEST_F(Media, ShiftsKeepTheLength) {
  const Sound tone = Tone(0.5, 1000, 2);
  for (const bool wrap : {false, true}) {
    const AugmentStep shift =
        Step(Cat("use = \"shift\"\nseconds = 0.02\nfill = \"", wrap ? "wrap" : "silence", "\"\n"));
    std::set<int> seen;
    for (int i = 0; i < 300; ++i) {
      Rng rng(static_cast<uint64_t>(i));
      Sound sound{16'000, 2, {}, 16, false};
      for (int k = 1; k <= 1000; ++k) sound.samples.insert(sound.samples.end(), {k / 2000.f, -k / 2000.f});
      const std::vector<float> before = sound.samples;
      shift.sound->Apply(&sound, &rng);
      ASSERT_EQ(sound.samples.size(), before.size());
      // Frame 500 is too far from both ends to be lost: it says by how much.
      const int by =
          static_cast<int>(std::find(sound.samples.begin(), sound.samples.end(), 0.25f) - sound.samples.begin()) / 2 -
          499;
      seen.insert(by);
      ASSERT_LE(std::abs(by), 320);
      for (int k = 0; k < 1000; ++k) {
        const int from = k - by;
        const bool inside = from >= 0 && from < 1000;
        const float wanted = inside ? before[static_cast<size_t>(from) * 2]
                             : wrap ? before[static_cast<size_t>((from + 1000) % 1000) * 2]
                                    : 0.f;
        ASSERT_EQ(sound.samples[static_cast<size_t>(k) * 2], wanted) << k << " " << by;
        ASSERT_EQ(sound.samples[static_cast<size_t>(k) * 2 + 1], -wanted);
      }
    }
    EXPECT_GT(seen.size(), 150u);
    EXPECT_LT(*seen.begin(), -250);
    EXPECT_GT(*seen.rbegin(), 250);
  }
  // Longer than the sound.
  Rng rng(1);
  for (const char* fill : {"wrap", "silence"}) {
    Sound sound = tone;
    Step(Cat("use = \"shift\"\nseconds = 50\nfill = \"", fill, "\"\n")).sound->Apply(&sound, &rng);
    EXPECT_EQ(sound.samples.size(), tone.samples.size());
  }
  Sound empty{16'000, 1, {}, 16, false};
  Step("use = \"shift\"\n").sound->Apply(&empty, &rng);
}

TEST_F(Media, NoiseLiesAtItsDistance) {
  for (const double snr : {0.0, 10.0, 30.0}) {
    const AugmentStep noise = Step(Cat("use = \"white_noise\"\nsnr = [", snr, ", ", snr, "]\n"));
    for (const int channels : {1, 2}) {
      const Sound before = Tone(0.2, 48'000, channels);
      Sound after = before;
      Rng rng(8);
      noise.sound->Apply(&after, &rng);
      std::vector<float> added;
      for (size_t i = 0; i < after.samples.size(); ++i) added.push_back(after.samples[i] - before.samples[i]);
      EXPECT_NEAR(10 * std::log10(Power(before.samples) / Power(added)), snr, 0.1) << channels;
      // White: neighbours do not resemble each other.
      double product = 0;
      for (size_t i = 1; i < added.size(); ++i) product += double{added[i]} * added[i - 1];
      EXPECT_NEAR(product / static_cast<double>(added.size()) / Power(added), 0, 0.02);
    }
  }
  // Loud sound is turned down, not cut: what is left of the tone, and the noise around it, keep their ratio.
  Sound loud = Tone(1.0, 48'000);
  const Sound tone = loud;
  Rng rng(9);
  Step("use = \"white_noise\"\nsnr = [6, 6]\n").sound->Apply(&loud, &rng);
  double product = 0;
  float peak = 0;
  for (size_t i = 0; i < tone.samples.size(); ++i) {
    product += double{tone.samples[i]} * loud.samples[i];
    peak = std::max(peak, std::abs(loud.samples[i]));
  }
  EXPECT_NEAR(peak, 1, 1e-5);
  const double share = product / static_cast<double>(tone.samples.size()) / Power(tone.samples);
  EXPECT_LT(share, 0.8);
  std::vector<float> rest;
  for (size_t i = 0; i < tone.samples.size(); ++i) {
    rest.push_back(loud.samples[i] - static_cast<float>(share) * tone.samples[i]);
  }
  EXPECT_NEAR(10 * std::log10(share * share * Power(tone.samples) / Power(rest)), 6, 0.1);
  Sound silent = Tone(0, 100);
  Step("use = \"white_noise\"\n").sound->Apply(&silent, &rng);
  EXPECT_EQ(silent.samples, Tone(0, 100).samples);
}

TEST_F(Media, GainAndSpeed) {
  double least = 100, most = -100;
  const AugmentStep gain = Step("use = \"gain\"\ndecibels = 6\n");
  for (uint64_t i = 0; i < 400; ++i) {
    Rng rng(i);
    Sound sound = Tone(0.4, 400);
    gain.sound->Apply(&sound, &rng);
    const double decibels = 10 * std::log10(Power(sound.samples) / Power(Tone(0.4, 400).samples));
    least = std::min(least, decibels), most = std::max(most, decibels);
    Sound loud = Tone(0.9, 400);
    gain.sound->Apply(&loud, &rng);
    for (const float sample : loud.samples) ASSERT_LE(std::abs(sample), 1.00001f);
  }
  EXPECT_NEAR(least, -6, 0.1);
  EXPECT_NEAR(most, 6, 0.1);
  // The tone's pitch goes up as its length goes down: 440 periods stay 440.
  const AugmentStep speed = Step("use = \"speed\"\nmost = 0.2\n");
  std::set<size_t> lengths;
  for (uint64_t i = 0; i < 20; ++i) {
    Rng rng(i);
    Sound sound = Tone(0.5, 16'000, 2);
    speed.sound->Apply(&sound, &rng);
    lengths.insert(sound.frames());
    EXPECT_GE(sound.frames(), 13'330u);
    EXPECT_LE(sound.frames(), 20'001u);
    int rises = 0;
    for (size_t k = 2; k < sound.samples.size(); k += 2) rises += sound.samples[k - 2] <= 0 && sound.samples[k] > 0;
    EXPECT_NEAR(rises, 440, 2);
    EXPECT_NEAR(Power(sound.samples), 0.125, 0.002);
  }
  EXPECT_GT(lengths.size(), 15u);
}

TEST_F(Media, PicturesOfTheTrainSideGetCopies) {
  for (int i = 0; i < 40; ++i) {
    Put(Cat(i % 2 == 0 ? "猫" : "dog", "/图 ", i, ".png"), EncodePng(Chart(32, 24, static_cast<uint8_t>(i))));
  }
  Put("猫/broken.png", EncodePng(Chart(32, 24, 200)).substr(0, 60));
  std::string huge = EncodePng(Chart(32, 24, 201));
  huge.replace(16, 8, std::string("\0\0\x7F\xFF\0\0\x7F\xFF", 8));
  Put("猫/huge.png", huge);
  Put("dog/moving.gif", std::string("GIF89a\x10\0\x20\0", 10));
  ImportAs("p", "pictures");
  SplitOptions split;
  split.near = false;
  SplitDataset(datasets_, "p", split);
  std::map<std::string, Json> parents;
  for (const Json& record : Records("p")) parents[record["_id"]] = record;
  ASSERT_EQ(parents.size(), 43u);
  const std::string toml =
      "seed = 3\ncopies = 2\n[[step]]\nuse = \"crop\"\narea = [0.3, 0.8]\n[[step]]\nuse = \"flip\"\n"
      "[[step]]\nuse = \"colour\"\nchance = 0.5\n[[step]]\nuse = \"noise\"\nfields = \"label\"\nrate = 0.0\n";
  const AugmentOutcome outcome = Run("p", toml);
  const std::vector<Json> records = Records("p");
  size_t copies = 0, train = 0, kept = 0;
  std::set<std::string> names, hashes, refused;
  for (const Json& reject : Rejects("p")) {
    EXPECT_EQ(reject["stage"], "augment");
    EXPECT_GT(reject["line"], 0);
    EXPECT_FALSE(reject["reason"].get<std::string>().empty());
    refused.insert(reject["text"]);
  }
  for (const auto& [id, parent] : parents) {
    const std::string file = parent["file"];
    const bool good = file.find("图") != std::string::npos;
    train += parent["_split"] == "train" && good;
    EXPECT_EQ(refused.count(file) > 0, parent["_split"] == "train" && !good) << file;
  }
  EXPECT_FALSE(refused.empty());
  for (const Json& record : records) {
    EXPECT_TRUE(names.insert(record["file"]).second);
    if (record["_from"].is_array()) {
      EXPECT_EQ(record, parents.at(record["_id"]));
      ++kept;
      continue;
    }
    ++copies;
    const Json& parent = parents.at(record["_from"]);
    EXPECT_EQ(parent["_split"], "train");
    EXPECT_EQ(record["_split"], "train");
    EXPECT_EQ(record["label"], parent["label"]);
    EXPECT_TRUE(record["file"].get<std::string>().starts_with(parent["file"].get<std::string>() + "~"));
    EXPECT_EQ(record["format"], "png");
    const std::string bytes = objects_.Get(record["sha256"].get<std::string>());
    EXPECT_EQ(record["bytes"], bytes.size());
    const Picture picture = DecodePicture(bytes);
    EXPECT_EQ(picture.width, 32u);
    EXPECT_EQ(record["width"], 32);
    EXPECT_EQ(record["height"], 24);
    EXPECT_TRUE(hashes.insert(record["sha256"]).second);
  }
  EXPECT_EQ(kept, 43u);
  EXPECT_EQ(copies, 2 * train);
  EXPECT_EQ(outcome.report["copies"], copies);
  EXPECT_EQ(outcome.report["unreadable"], refused.size());
  EXPECT_EQ(outcome.manifest.rejects, refused.size());
  // The same again; another seed makes others; copies are not copied.
  Run("p@2", toml);
  EXPECT_EQ(Records("p"), records);
  EXPECT_EQ(Run("p", toml).report["chosen"], train + refused.size());
  Run("p@2", ReplaceAll(toml, "seed = 3", "seed = 4"));
  EXPECT_NE(Records("p"), records);
}

TEST_F(Media, SoundGetsFilesOfItsKind) {
  Put("你好.wav", EncodeSound(Tone(0.3)).bytes);
  Sound flac = Tone(0.2, 8000, 2);
  flac.compressed = true;
  Put("a/b.flac", EncodeSound(flac).bytes);
  Put("broken.flac", EncodeSound(flac).bytes.substr(0, 700));
  ImportAs("s", "sound");
  const AugmentOutcome outcome =
      Run("s", "whole = true\ncopies = 2\n[[step]]\nuse = \"shift\"\n[[step]]\nuse = \"white_noise\"\n");
  std::map<std::string, Json> records;
  for (const Json& record : Records("s")) records[record["file"]] = record;
  ASSERT_EQ(records.size(), 7u);
  EXPECT_EQ(outcome.report["unreadable"], 1);
  const Json& wav = records.at("你好.wav~2.wav");
  EXPECT_EQ(wav["format"], "wav");
  EXPECT_EQ(wav["seconds"], 1.0);
  const Json& other = records.at("a/b.flac~1.flac");
  EXPECT_EQ(other["label"], "a");
  EXPECT_EQ(other["channels"], 2);
  const Sound sound = DecodeSound(objects_.Get(other["sha256"].get<std::string>()));
  EXPECT_EQ(sound.frames(), 8000u);
  EXPECT_TRUE(sound.compressed);
}

TEST_F(Media, FilesByPath) {
  Put("a.png", EncodePng(Chart(9, 9, 1)));
  Put("b.png", EncodePng(Chart(9, 9, 2)));
  Put("c.png", EncodePng(Chart(9, 9, 3)));
  ImportAs("p", "pictures", true);
  Put("b.png", EncodePng(Chart(9, 9, 4)));
  std::filesystem::remove(folder_ + "/in/c.png");
  const std::string toml = "whole = true\n[[step]]\nuse = \"flip\"\nhorizontal = 1\n";
  Run("p", toml);
  const std::vector<Json> records = Records("p"), rejects = Rejects("p");
  ASSERT_EQ(records.size(), 4u);
  EXPECT_FALSE(records[1].contains("path"));
  EXPECT_TRUE(records[0].contains("path"));
  EXPECT_EQ(DecodePicture(objects_.Get(records[1]["sha256"].get<std::string>())).pixels[0], 8);
  ASSERT_EQ(rejects.size(), 2u);
  EXPECT_NE(rejects[0]["reason"].get<std::string>().find("no longer the file"), std::string::npos);
  EXPECT_NE(rejects[1]["reason"].get<std::string>().find("there is no file"), std::string::npos);
  // When nothing at all can be read, that is an error, and no version.
  std::filesystem::remove_all(folder_ + "/in");
  EXPECT_NE(ErrorOf("p@1", toml).find("no file of p@1 could be read: there is no file"), std::string::npos);
  EXPECT_EQ(datasets_.Versions("p").size(), 2u);
}

TEST_F(Media, WhatDidNotChangeIsNoCopy) {
  Put("a.png", EncodePng(Chart(9, 9)));
  ImportAs("p", "pictures");
  const AugmentOutcome outcome =
      Run("p", "whole = true\ncopies = 4\n[[step]]\nuse = \"flip\"\nhorizontal = 1\nchance = 0.5\n");
  EXPECT_EQ(outcome.report["copies"], 1);  // one mirror image is all there is
  EXPECT_EQ(outcome.report["unchanged"], 3);
  // A copy whose text alone changed keeps the file.
  Put("long label/a.png", EncodePng(Chart(9, 9, 7)));
  ImportAs("q", "pictures");
  Run("q",
      "whole = true\n[[step]]\nuse = \"flip\"\nhorizontal = 0\n[[step]]\nuse = \"noise\"\nfields = \"label\"\n"
      "rate = 1.0\nkinds = [\"repeat\"]\n");
  const std::vector<Json> records = Records("q");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[2]["label"], "lloonngg llaabbeell");
  EXPECT_EQ(records[2]["file"], records[1]["file"]);
  EXPECT_EQ(records[2]["sha256"], records[1]["sha256"]);
}

TEST_F(Media, ConfigurationsThatMakeNoSense) {
  Put("a.png", EncodePng(Chart(9, 9)));
  ImportAs("p", "pictures");
  const auto says = [&](const std::string& step, const std::string& what) {
    const std::string error = ErrorOf("p", "whole = true\n" + step);
    EXPECT_NE(error.find(what), std::string::npos) << step << error;
  };
  says("[[step]]\nuse = \"gain\"\n", "p@1 holds no sound");
  says("[[step]]\nuse = \"flip\"\n[[step]]\nuse = \"gain\"\n", "steps on both cannot stand together");
  says("[[step]]\nuse = \"flip\"\nfields = \"file\"\n", "flip changes the record's file");
  says("[[step]]\nuse = \"crop\"\narea = [0.5, 2]\n", "area");
  says("[[step]]\nuse = \"crop\"\narea = [0.9, 0.5]\n", "wants [least, most] within 0.01 and 1");
  says("[[step]]\nuse = \"crop\"\narea = 0.5\n", "area");
  says("[[step]]\nuse = \"colour\"\nhue = 0.7\n", "hue");
  says("[[step]]\nuse = \"shift\"\nfill = \"rap\"\n", "silence or wrap");
  says("[[step]]\nuse = \"flop\"\n", "white_noise");
  says("most_pixels = 80\n[[step]]\nuse = \"flip\"\n", "9 × 9 pixels; at most 80");
}

}  // namespace
}  // namespace atelier::data
