// Bytes as a picture: decoding, turning upright, every change that augmentation makes, and encoding. Whatever is
// decoded has the pixels that its size says, and comes back from its PNG as it was.
#include <cstdlib>

#include "base/config.h"
#include "base/error.h"
#include "data/augment/operation.h"
#include "data/media/geometry.h"
#include "data/media/orientation.h"
#include "data/media/picture.h"

using namespace atelier;
using namespace atelier::data;

namespace {

void Check(const Picture& picture) {
  if (picture.width == 0 || picture.height == 0 || picture.channels < 1 || picture.channels > 4) std::abort();
  if (picture.pixels.size() != picture.stride() * picture.height) std::abort();
}

std::vector<std::unique_ptr<PictureOperation>> Operations() {
  std::vector<std::unique_ptr<PictureOperation>> list;
  Table crop = Table::Parse("area = [0.01, 1]\naspect = [0.1, 10]\n", "crop");
  Table flip = Table::Parse("vertical = 0.5\n", "flip");
  Table colour = Table::Parse("brightness = 1\ncontrast = 1\nsaturation = 1\nhue = 0.5\n", "colour");
  list.push_back(MakeCrop(&crop));
  list.push_back(MakeFlip(&flip));
  list.push_back(MakeColour(&colour));
  return list;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::unique_ptr<PictureOperation>> operations = Operations();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const int orientation = ReadOrientation(bytes);
  if (orientation < 1 || orientation > 8) std::abort();
  try {
    Picture picture = DecodePicture(bytes, 1u << 16);
    Check(picture);
    if (DecodePicture(EncodePng(picture)) != picture) std::abort();
    Rng rng(size);
    for (const auto& operation : operations) {
      operation->Apply(&picture, &rng);
      Check(picture);
    }
    Check(Resize(picture, 1 + static_cast<uint32_t>(rng.Below(40)), 1 + static_cast<uint32_t>(rng.Below(40))));
  } catch (const Error& e) {
    if (e.code() == Code::kInternal || e.Line().find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
