#include "data/augment/media_copy.h"

#include <xxhash.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::data {
namespace {

constexpr uint64_t kMostCopied = 256u << 20;

// Pictures and sound are large: whether a step changed one is seen by its hash, not by a copy.
uint64_t HashOf(const Picture& picture) {
  return XXH3_64bits_withSeed(picture.pixels.data(), picture.pixels.size(), picture.width);
}
uint64_t HashOf(const Sound& sound) {
  return XXH3_64bits_withSeed(sound.samples.data(), sound.samples.size() * sizeof(float), sound.samples.size());
}

std::string InQuotes(std::string_view text) { return Cat("\"", Escaped(text), "\""); }

}  // namespace

void MediaCopier::Load(const std::vector<LineField>& record) {
  loaded_ = false;
  std::string hash, path;
  for (const LineField& field : record) {
    if (!field.value.starts_with('"')) continue;
    if (field.key == "file") file_ = PlainText(field.value);
    if (field.key == "sha256") hash = PlainText(field.value);
    if (field.key == "path") path = PlainText(field.value);
  }
  if (hash.empty()) return;
  const std::string where = path.empty() ? objects_.Path(hash) : path;
  if (!FileExists(where)) {
    throw Error(Code::kNotFound, path.empty() ? Cat("the object ", hash, " is not in this studio")
                                              : Cat("there is no file ", Quote(path, 200), " any more"));
  }
  if (FileSize(where) > kMostCopied) {
    throw Error(Code::kResourceExhausted, Cat("a file of more than ", FormatBytes(kMostCopied)));
  }
  const std::string bytes = path.empty() ? objects_.Get(hash) : ReadFile(path, kMostCopied);
  if (!path.empty() && Sha256Hex(bytes) != hash) {
    throw Error(Code::kConflict, Cat(Quote(path, 200), " is no longer the file that was imported"));
  }
  if (options_.OnPictures()) picture_ = DecodePicture(bytes, options_.most_pixels);
  if (options_.OnSound()) sound_ = DecodeSound(bytes, options_.most_seconds);
  loaded_ = true;
}

template <typename Media, typename Operation>
bool MediaCopier::Apply(Media* media, Operation AugmentStep::*operation, const std::string& id, int copy,
                        std::vector<uint64_t>* changed) const {
  const uint64_t original = HashOf(*media);
  uint64_t before = original;
  for (size_t s = 0; s < options_.steps.size(); ++s) {
    const AugmentStep& step = options_.steps[s];
    if (step.*operation == nullptr) continue;
    // A stream of its own, as for text.
    Rng rng(options_.seed, Cat(id, " ", copy, " ", s, " file"));
    if (rng.Uniform() >= step.chance) continue;
    (step.*operation)->Apply(media, &rng);
    const uint64_t after = HashOf(*media);
    (*changed)[s] += after != before;
    before = after;
  }
  return before != original;
}

MediaCopier::Values MediaCopier::Copy(const std::string& id, int copy, std::vector<uint64_t>* changed) {
  Values values;
  if (!loaded_) return values;
  std::string bytes;
  if (options_.OnPictures()) {
    Picture picture = picture_;
    if (!Apply(&picture, &AugmentStep::picture, id, copy, changed)) return values;
    bytes = EncodePng(picture);
    format_ = "png";
    values = {{"width", Cat(picture.width)}, {"height", Cat(picture.height)}};
  } else {
    Sound sound = sound_;
    if (!Apply(&sound, &AugmentStep::sound, id, copy, changed)) return values;
    SoundFile file = EncodeSound(sound);
    bytes = std::move(file.bytes);
    format_ = file.format;
    values = {{"rate", Cat(sound.rate)},
              {"channels", Cat(sound.channels)},
              {"seconds", FormatFixed(static_cast<double>(sound.frames()) / sound.rate, 3)}};
  }
  values["format"] = InQuotes(format_);
  values["bytes"] = Cat(bytes.size());
  values["sha256"] = InQuotes(objects_.Put(bytes));
  values["path"] = "";
  return values;
}

std::string MediaCopier::FileName(int copy) const { return InQuotes(Cat(file_, "~", copy + 1, ".", format_)); }

}  // namespace atelier::data
