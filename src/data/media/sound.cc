#include "data/media/sound.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

constexpr int kMostChannels = 64;
constexpr sf_count_t kFramesAtOnce = 1 << 14;  // frames at a time

// A file for libsndfile that lies in memory: bytes to read, or a buffer to write, whose room is reserved since no
// exception may pass through C.
struct Memory {
  std::string_view input = {};
  std::string* output = nullptr;
  sf_count_t at = 0;

  std::string_view bytes() const { return output != nullptr ? std::string_view(*output) : input; }

  static sf_count_t Length(void* user) { return static_cast<sf_count_t>(static_cast<Memory*>(user)->bytes().size()); }
  static sf_count_t Seek(sf_count_t offset, int whence, void* user) {
    auto* self = static_cast<Memory*>(user);
    const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? self->at : Length(user);
    self->at = std::clamp<sf_count_t>(from + offset, 0, Length(user));
    return self->at;
  }
  static sf_count_t Read(void* to, sf_count_t count, void* user) {
    auto* self = static_cast<Memory*>(user);
    const sf_count_t most = std::min(count, Length(user) - self->at);
    if (most <= 0) return 0;
    std::memcpy(to, self->bytes().data() + self->at, static_cast<size_t>(most));
    self->at += most;
    return most;
  }
  static sf_count_t Write(const void* from, sf_count_t count, void* user) {
    auto* self = static_cast<Memory*>(user);
    if (self->output == nullptr || count <= 0) return 0;
    const size_t end = static_cast<size_t>(self->at + count);
    if (end > self->output->capacity()) return 0;
    if (end > self->output->size()) self->output->resize(end);
    std::memcpy(self->output->data() + self->at, from, static_cast<size_t>(count));
    self->at += count;
    return count;
  }
  static sf_count_t Tell(void* user) { return static_cast<Memory*>(user)->at; }

  static SF_VIRTUAL_IO Calls() { return {&Length, &Seek, &Read, &Write, &Tell}; }
};

using File = std::unique_ptr<SNDFILE, int (*)(SNDFILE*)>;

File Open(Memory* memory, SF_INFO* info) {
  SF_VIRTUAL_IO io = Memory::Calls();
  File file(sf_open_virtual(&io, SFM_READ, info, memory), &sf_close);
  if (file == nullptr) {
    throw Error(Code::kInvalidInput, Cat("not a sound file: ", text::ForTerminal(Trim(sf_strerror(nullptr)), 200)));
  }
  if (info->samplerate <= 0 || info->channels <= 0 || info->frames <= 0) {
    throw Error(Code::kInvalidInput, "a sound file without sound");
  }
  return file;
}

// Whether the samples were stored with more than 16 bits, or as fractions.
bool IsDeep(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_24:
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_FLOAT:
    case SF_FORMAT_DOUBLE:
    case SF_FORMAT_ALAC_20:
    case SF_FORMAT_ALAC_24:
    case SF_FORMAT_ALAC_32: return true;
    default: return false;
  }
}

bool IsCompressed(int format) {
  switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_FLAC:
    case SF_FORMAT_OGG:
    case SF_FORMAT_MPEG: return true;
    default: return false;
  }
}

}  // namespace

SoundInfo ReadSoundHead(std::string_view bytes) {
  Memory memory{bytes};
  SF_INFO info{};
  Open(&memory, &info);
  SF_FORMAT_INFO format{};
  format.format = info.format & SF_FORMAT_TYPEMASK;
  const bool known = sf_command(nullptr, SFC_GET_FORMAT_INFO, &format, sizeof(format)) == 0;
  return {known && format.extension != nullptr ? format.extension : "other", info.samplerate, info.channels,
          info.frames};
}

Sound DecodeSound(std::string_view bytes, double most_seconds) {
  Memory memory{bytes};
  SF_INFO info{};
  const File file = Open(&memory, &info);
  Sound sound;
  sound.rate = info.samplerate;
  sound.channels = info.channels;
  sound.bits = IsDeep(info.format) ? 24 : 16;
  sound.compressed = IsCompressed(info.format);
  if (info.channels > kMostChannels) {
    throw Error(Code::kUnsupported, Cat("sound of ", info.channels, " channels; at most ", kMostChannels, " are read"));
  }
  const double seconds = static_cast<double>(info.frames) / info.samplerate;
  if (seconds > most_seconds || info.frames > static_cast<sf_count_t>(kMostSamples) / info.channels) {
    throw Error(Code::kResourceExhausted,
                Cat("sound of ", FormatFixed(seconds, 0), " s and ", info.channels, " channels; at most ",
                    FormatFixed(most_seconds, 0), " s and ", kMostSamples, " samples are decoded"));
  }
  // The head may say what it likes: memory is taken as samples come.
  const auto channels = static_cast<size_t>(info.channels);
  std::vector<float> block(static_cast<size_t>(kFramesAtOnce) * channels);
  for (sf_count_t left = info.frames; left > 0;) {
    const sf_count_t got = sf_readf_float(file.get(), block.data(), std::min(kFramesAtOnce, left));
    if (got <= 0) throw Error(Code::kInvalidInput, "a broken sound file: it is damaged or cut short");
    for (size_t i = 0; i < static_cast<size_t>(got) * channels; ++i) {
      if (!std::isfinite(block[i])) throw Error(Code::kInvalidInput, "a sound file with samples that are no numbers");
    }
    sound.samples.insert(sound.samples.end(), block.begin(), block.begin() + got * info.channels);
    left -= got;
  }
  return sound;
}

SoundFile EncodeSound(const Sound& sound) {
  SF_INFO info{};
  info.samplerate = sound.rate;
  info.channels = sound.channels;
  const int depth = sound.bits == 24 ? SF_FORMAT_PCM_24 : SF_FORMAT_PCM_16;
  info.format = SF_FORMAT_FLAC | depth;
  const bool flac = sound.compressed && sound.channels <= 8 && sound.rate <= 655'350 && sf_format_check(&info) != 0;
  if (!flac) info.format = SF_FORMAT_WAV | depth;
  std::string bytes;
  Memory memory{{}, &bytes};
  // FLAC stores what does not compress as it is, with some bytes a block of 4096 frames.
  bytes.reserve((1u << 16) + sound.samples.size() * 3 + sound.samples.size() / 16);
  SF_VIRTUAL_IO io = Memory::Calls();
  File file(sf_open_virtual(&io, SFM_WRITE, &info, &memory), &sf_close);
  bool written = file != nullptr;
  // Rounded here: libsndfile reads 16 bits by 32768 and writes them by 32767.
  const double scale = sound.bits == 24 ? 0x1.0p23 : 0x1.0p15;
  std::vector<int> block;
  for (size_t at = 0; written && at < sound.samples.size(); at += block.size()) {
    const size_t frames =
        std::min(static_cast<size_t>(kFramesAtOnce), sound.frames() - at / static_cast<size_t>(info.channels));
    block.resize(frames * static_cast<size_t>(info.channels));
    for (size_t i = 0; i < block.size(); ++i) {
      const double value = std::clamp(std::nearbyint(double{sound.samples[at + i]} * scale), -scale, scale - 1);
      block[i] = static_cast<int>(value) * (sound.bits == 24 ? 1 << 8 : 1 << 16);
    }
    written =
        sf_writef_int(file.get(), block.data(), static_cast<sf_count_t>(frames)) == static_cast<sf_count_t>(frames);
  }
  written = written && sf_close(file.release()) == 0;
  if (!written) throw Error(Code::kInternal, "libsndfile could not write a sound file");
  return {flac ? "flac" : "wav", std::move(bytes)};
}

}  // namespace atelier::data
