// A folder of sound: rate, channels and length by libsndfile; the samples are not decoded.
#include <sndfile.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/str.h"
#include "data/import/media_folder.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

// libsndfile reads the bytes that were hashed, not the file once more.
struct Memory {
  std::string_view bytes;
  sf_count_t at = 0;
};

sf_count_t Length(void* user) { return static_cast<sf_count_t>(static_cast<Memory*>(user)->bytes.size()); }
sf_count_t Seek(sf_count_t offset, int whence, void* user) {
  auto* memory = static_cast<Memory*>(user);
  const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory->at : Length(user);
  memory->at = std::clamp<sf_count_t>(from + offset, 0, Length(user));
  return memory->at;
}
sf_count_t Read(void* to, sf_count_t count, void* user) {
  auto* memory = static_cast<Memory*>(user);
  const sf_count_t most = std::min(count, Length(user) - memory->at);
  if (most <= 0) return 0;
  std::memcpy(to, memory->bytes.data() + memory->at, static_cast<size_t>(most));
  memory->at += most;
  return most;
}
sf_count_t Write(const void*, sf_count_t, void*) { return 0; }
sf_count_t Tell(void* user) { return static_cast<Memory*>(user)->at; }

}  // namespace

void ReadSoundFolder(const ReaderInput& input, ImportSink& sink) {
  ReadMediaFolder(input, sink, {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au"},
                  [](const std::string&, std::string_view bytes, LineBuilder& record) -> std::string {
                    Memory memory{bytes};
                    SF_VIRTUAL_IO io{&Length, &Seek, &Read, &Write, &Tell};
                    SF_INFO info{};
                    SNDFILE* file = sf_open_virtual(&io, SFM_READ, &info, &memory);
                    if (file == nullptr) {
                      return Cat("not a sound file: ", text::ForTerminal(Trim(sf_strerror(nullptr)), 200));
                    }
                    sf_close(file);
                    if (info.samplerate <= 0 || info.channels <= 0 || info.frames <= 0)
                      return "a sound file without sound";
                    SF_FORMAT_INFO format{};
                    format.format = info.format & SF_FORMAT_TYPEMASK;
                    const bool known = sf_command(nullptr, SFC_GET_FORMAT_INFO, &format, sizeof(format)) == 0;
                    record.Key("format");
                    record.Text(known && format.extension != nullptr ? format.extension : "other");
                    record.Key("rate");
                    record.Int(info.samplerate);
                    record.Key("channels");
                    record.Int(info.channels);
                    record.Key("seconds");
                    record.Json(FormatFixed(static_cast<double>(info.frames) / info.samplerate, 3));
                    return "";
                  });
}

}  // namespace atelier::data
