#include "data/media/sound.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"

namespace atelier::data {
namespace {

using namespace std::string_literals;

Sound Tone(int bits, bool compressed, int channels = 2, int frames = 5000) {
  Sound sound{16000, channels, {}, bits, compressed};
  const double scale = bits == 24 ? 0x1.0p23 : 0x1.0p15;
  for (int i = 0; i < frames * channels; ++i) {
    sound.samples.push_back(static_cast<float>(std::round(0.7 * scale * std::sin(0.03 * i)) / scale));
  }
  sound.samples[0] = -1;
  sound.samples[1] = static_cast<float>((scale - 1) / scale);
  return sound;
}

Code CodeOf(const std::string& bytes, double most_seconds = kMostSeconds) {
  try {
    DecodeSound(bytes, most_seconds);
  } catch (const Error& e) {
    EXPECT_EQ(e.Line().find('\n'), std::string::npos);
    return e.code();
  }
  return Code::kInternal;
}

TEST(Sound, ComesBackAsTheSameNumbers) {
  for (const int bits : {16, 24}) {
    for (const bool compressed : {false, true}) {
      const Sound sound = Tone(bits, compressed);
      const SoundFile file = EncodeSound(sound);
      EXPECT_EQ(file.format, compressed ? "flac" : "wav");
      const Sound again = DecodeSound(file.bytes);
      EXPECT_EQ(again.samples, sound.samples) << bits << file.format;
      EXPECT_EQ(again.rate, 16000);
      EXPECT_EQ(again.channels, 2);
      EXPECT_EQ(again.bits, bits);
      EXPECT_EQ(again.compressed, compressed);
      EXPECT_EQ(EncodeSound(again).bytes, file.bytes);
      const SoundInfo info = ReadSoundHead(file.bytes);
      EXPECT_EQ(info.format, file.format);
      EXPECT_EQ(info.frames, 5000);
    }
  }
  // More channels than FLAC has; noise, which does not compress.
  EXPECT_EQ(EncodeSound(Tone(16, true, 9, 100)).format, "wav");
  Sound noise = Tone(24, true, 1, 50'000);
  Rng rng(1);
  for (float& sample : noise.samples) sample = static_cast<float>(rng.Uniform() * 2 - 1);
  EXPECT_EQ(DecodeSound(EncodeSound(noise).bytes).frames(), 50'000u);
}

TEST(Sound, BeyondFullScaleIsCut) {
  Sound sound = Tone(16, false, 1, 10);
  sound.samples = {2.0f, -3.0f, 0.5f};
  EXPECT_EQ(DecodeSound(EncodeSound(sound).bytes).samples, (std::vector<float>{32767.0f / 32768, -1.0f, 0.5f}));
}

TEST(Sound, LimitsAndDamage) {
  for (const bool compressed : {false, true}) {
    const std::string bytes = EncodeSound(Tone(16, compressed)).bytes;
    EXPECT_EQ(CodeOf(bytes, 0.3), Code::kResourceExhausted);
    for (size_t cut = 0; cut < bytes.size(); cut += 37) {
      try {
        const Sound sound = DecodeSound(bytes.substr(0, cut));
        // libsndfile takes a cut WAV as a shorter one; FLAC's head says how long it is.
        EXPECT_FALSE(compressed) << cut;
      } catch (const Error&) {
      }
    }
    Rng rng(5);
    for (int i = 0; i < 3000; ++i) {
      std::string changed = bytes;
      for (int k = 0; k < 3; ++k) changed[rng.Below(k == 0 ? 60 : bytes.size())] = static_cast<char>(rng.Below(256));
      try {
        DecodeSound(changed);
      } catch (const Error& e) {
        ASSERT_EQ(e.Line().find('\n'), std::string::npos);
      }
    }
  }
  EXPECT_EQ(CodeOf("hello"), Code::kInvalidInput);
  EXPECT_EQ(CodeOf(""), Code::kInvalidInput);
  // A head that promises 2^36 - 1 frames, as FLAC can.
  std::string flac = EncodeSound(Tone(16, true)).bytes;
  ASSERT_TRUE(flac.starts_with("fLaC"));
  flac[21] = static_cast<char>(flac[21] | 0x0F);
  flac.replace(22, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_EQ(CodeOf(flac), Code::kResourceExhausted);
}

}  // namespace
}  // namespace atelier::data
