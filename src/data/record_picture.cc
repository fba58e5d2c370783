#include "data/record_picture.h"

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "store/objects.h"

namespace atelier::data {
namespace {

constexpr uint64_t kMostPicture = 1u << 30;

std::string Text(const Json& fields, const std::string& field) {
  const auto it = fields.find(field);
  return it != fields.end() && it->is_string() ? it->get<std::string>() : "";
}

std::string ReadBytes(const Json& fields, const std::string& field, const PicturePlaces& places) {
  const std::string hash = Text(fields, "sha256");
  std::string path = Text(fields, "path");
  if (!hash.empty() && path.empty() && !places.objects.empty()) return store::Objects(places.objects).Get(hash);
  if (path.empty()) path = Text(fields, field);
  if (path.empty()) {
    throw Error(Code::kInvalidInput, Cat("names no picture in a field ", Quote(field)),
                "data.picture says which field holds the file's name");
  }
  return ReadFile(path.starts_with('/') || places.folder.empty() ? path : Cat(places.folder, "/", path), kMostPicture);
}

}  // namespace

Picture ReadRecordPicture(const Json& fields, const std::string& field, const PicturePlaces& places,
                          const std::string& where) {
  try {
    return DecodePicture(ReadBytes(fields, field, places));
  } catch (const Error& error) {
    throw error.Within(where);
  }
}

std::vector<uint8_t> ToGrey(const Picture& picture) {
  const size_t count = size_t{picture.width} * picture.height;
  std::vector<uint8_t> grey(count);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* p = picture.pixels.data() + i * static_cast<size_t>(picture.channels);
    const double luma = picture.channels >= 3 ? 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2] : p[0];
    const double alpha = picture.has_alpha() ? p[picture.channels - 1] / 255.0 : 1;
    grey[i] = static_cast<uint8_t>(luma * alpha + 0.5);
  }
  return grey;
}

}  // namespace atelier::data
