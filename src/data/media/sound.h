// Sound as samples: read by libsndfile from bytes that anybody may have made, written without loss.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::data {

struct SoundInfo {
  std::string format;  // libsndfile's extension: "wav", "flac", "oga" ...; "other"
  int rate = 0;        // frames a second
  int channels = 0;
  int64_t frames = 0;  // as the head says
};
// What the head says; the samples are not decoded. Throws kInvalidInput for other bytes and for sound without frames.
SoundInfo ReadSoundHead(std::string_view bytes);

// Frames of `channels` samples each, full scale at -1 and 1.
struct Sound {
  int rate = 0;
  int channels = 0;
  std::vector<float> samples;  // [frames, channels]
  int bits = 16;               // 16 or 24: what keeps all of the file's precision, 16 for compressed files with losses
  bool compressed = false;     // the file was FLAC, Ogg, MP3 and the like

  size_t frames() const { return channels > 0 ? samples.size() / static_cast<size_t>(channels) : 0; }
};

inline constexpr double kMostSeconds = 600;
inline constexpr uint64_t kMostSamples = 1u << 26;  // of all channels; 256 MiB

// Throws kInvalidInput for what is broken or cut short, kUnsupported for more than 64 channels, kResourceExhausted,
// before memory is taken, for more than `most_seconds` or kMostSamples.
Sound DecodeSound(std::string_view bytes, double most_seconds = kMostSeconds);

// A file of sound.bits: FLAC where the sound came compressed and FLAC can hold it, else WAV. Samples beyond full scale
// are cut. Those that DecodeSound gave, and nobody changed, come back as the same numbers.
struct SoundFile {
  std::string format;  // "flac" or "wav"
  std::string bytes;
};
SoundFile EncodeSound(const Sound& sound);

}  // namespace atelier::data
