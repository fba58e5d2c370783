// A folder of sound: rate, channels and length by libsndfile; the samples are not decoded.
#include "base/error.h"
#include "base/str.h"
#include "data/import/media_folder.h"
#include "data/media/sound.h"

namespace atelier::data {

void ReadSoundFolder(const ReaderInput& input, ImportSink& sink) {
  ReadMediaFolder(input, sink, {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au"},
                  [](const std::string&, std::string_view bytes, LineBuilder& record) -> std::string {
                    SoundInfo info;
                    try {
                      info = ReadSoundHead(bytes);
                    } catch (const Error& e) {
                      return e.what();
                    }
                    record.Key("format");
                    record.Text(info.format);
                    record.Key("rate");
                    record.Int(info.rate);
                    record.Key("channels");
                    record.Int(info.channels);
                    record.Key("seconds");
                    record.Json(FormatFixed(static_cast<double>(info.frames) / info.rate, 3));
                    return "";
                  });
}

}  // namespace atelier::data
