#include "data/media/picture.h"

#include <png.h>
#include <turbojpeg.h>
#include <webp/decode.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/str.h"
#include "data/media/geometry.h"
#include "data/media/orientation.h"
#include "data/media/picture_head.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

[[noreturn]] void Broken(std::string_view format, std::string_view why) {
  throw Error(Code::kInvalidInput, Cat("a broken ", format, ": ", text::ForTerminal(Trim(why), 120)));
}

// libpng leaves by longjmp. Everything that lives across that stands here, outside the function that calls setjmp.
struct PngReading {
  std::string_view bytes;
  size_t at = 0;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::vector<png_bytep> rows;
  Picture picture;
  uint64_t most_pixels = 0;
  bool too_large = false;
  char why[128] = "";

  ~PngReading() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void PngFails(png_structp png, png_const_charp message) {
  auto* reading = static_cast<PngReading*>(png_get_error_ptr(png));
  std::snprintf(reading->why, sizeof(reading->why), "%s", message);
  longjmp(png_jmpbuf(png), 1);
}

void PngIgnores(png_structp, png_const_charp) {}

void PngReads(png_structp png, png_bytep to, size_t count) {
  auto* reading = static_cast<PngReading*>(png_get_io_ptr(png));
  if (count > reading->bytes.size() - reading->at) png_error(png, "the file ends too early");
  std::memcpy(to, reading->bytes.data() + reading->at, count);
  reading->at += count;
}

// False after an error, which `why` tells. No object with a destructor may be made here.
bool ReadPng(PngReading* r) {
  if (setjmp(png_jmpbuf(r->png)) != 0) return false;
  png_set_read_fn(r->png, r, &PngReads);
  png_set_user_limits(r->png, 1'000'000, 1'000'000);
  png_set_chunk_malloc_max(r->png, 8u << 20);
  png_set_chunk_cache_max(r->png, 64);
  png_read_info(r->png, r->info);
  r->picture.width = png_get_image_width(r->png, r->info);
  r->picture.height = png_get_image_height(r->png, r->info);
  r->too_large = uint64_t{r->picture.width} * r->picture.height > r->most_pixels;
  if (r->too_large) return false;
  png_set_scale_16(r->png);
  png_set_expand(r->png);  // palettes, fewer bits, a transparent colour
  png_set_interlace_handling(r->png);
  png_read_update_info(r->png, r->info);
  r->picture.channels = png_get_channels(r->png, r->info);
  if (png_get_rowbytes(r->png, r->info) != r->picture.stride()) png_error(r->png, "rows of an unknown layout");
  r->picture.pixels.resize(r->picture.stride() * r->picture.height);
  r->rows.resize(r->picture.height);
  for (uint32_t y = 0; y < r->picture.height; ++y) r->rows[y] = r->picture.pixels.data() + y * r->picture.stride();
  png_read_image(r->png, r->rows.data());
  return true;
}

[[noreturn]] void TooLarge(uint64_t width, uint64_t height, uint64_t most) {
  throw Error(Code::kResourceExhausted,
              Cat("a picture of ", width, " × ", height, " pixels; at most ", most, " pixels are decoded"));
}

Picture DecodePng(std::string_view bytes, uint64_t most_pixels) {
  PngReading reading;
  reading.bytes = bytes;
  reading.most_pixels = most_pixels;
  reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, &PngFails, &PngIgnores);
  if (reading.png != nullptr) reading.info = png_create_info_struct(reading.png);
  if (reading.info == nullptr) throw Error(Code::kResourceExhausted, "no memory for libpng");
  if (!ReadPng(&reading)) {
    if (reading.too_large) TooLarge(reading.picture.width, reading.picture.height, most_pixels);
    Broken("PNG", reading.why);
  }
  return std::move(reading.picture);
}

Picture DecodeJpeg(std::string_view bytes, uint64_t most_pixels) {
  const std::unique_ptr<void, int (*)(tjhandle)> jpeg(tjInitDecompress(), &tjDestroy);
  if (jpeg == nullptr) throw Error(Code::kResourceExhausted, "no memory for libjpeg");
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0, height = 0, sampling = 0, colours = 0;
  if (tjDecompressHeader3(jpeg.get(), data, bytes.size(), &width, &height, &sampling, &colours) != 0 || width <= 0 ||
      height <= 0) {
    Broken("JPEG", tjGetErrorStr2(jpeg.get()));
  }
  if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
    throw Error(Code::kUnsupported, "a JPEG in CMYK, as for printing", "convert it to RGB");
  }
  if (static_cast<uint64_t>(width) * static_cast<uint64_t>(height) > most_pixels) {
    TooLarge(static_cast<uint64_t>(width), static_cast<uint64_t>(height), most_pixels);
  }
  Picture picture{static_cast<uint32_t>(width), static_cast<uint32_t>(height), colours == TJCS_GRAY ? 1 : 3, {}};
  picture.pixels.resize(picture.stride() * picture.height);
  // The limit on scans is against progressive files of a few bytes that cost minutes.
  if (tjDecompress2(jpeg.get(), data, bytes.size(), picture.pixels.data(), width, 0, height,
                    picture.channels == 1 ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0) {
    // Cameras leave bytes between segments, which harm nothing; a file that was cut short is grey below.
    const std::string_view why = tjGetErrorStr2(jpeg.get());
    if (tjGetErrorCode(jpeg.get()) != TJERR_WARNING || why.find("extraneous bytes") == std::string_view::npos) {
      Broken("JPEG", why);
    }
  }
  return picture;
}

Picture DecodeWebp(std::string_view bytes, uint64_t most_pixels) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, bytes.size(), &features) != VP8_STATUS_OK || features.width <= 0 || features.height <= 0) {
    Broken("WebP", "its head cannot be read");
  }
  if (features.has_animation != 0) {
    throw Error(Code::kUnsupported, "an animated WebP", "take single pictures out of it");
  }
  const auto width = static_cast<uint32_t>(features.width), height = static_cast<uint32_t>(features.height);
  if (uint64_t{width} * height > most_pixels) TooLarge(width, height, most_pixels);
  Picture picture{width, height, features.has_alpha != 0 ? 4 : 3, {}};
  picture.pixels.resize(picture.stride() * height);
  const auto decode = picture.channels == 4 ? &WebPDecodeRGBAInto : &WebPDecodeRGBInto;
  if (decode(data, bytes.size(), picture.pixels.data(), picture.pixels.size(), static_cast<int>(picture.stride())) ==
      nullptr) {
    Broken("WebP", "its pixels are damaged or cut short");
  }
  return picture;
}

}  // namespace

Picture DecodePicture(std::string_view bytes, uint64_t most_pixels) {
  const std::optional<PictureInfo> head = ReadPictureHead(bytes);
  if (!head) {
    throw Error(Code::kInvalidInput, "not a picture, or its head is damaged");
  }
  if (uint64_t{head->width} * head->height > most_pixels) TooLarge(head->width, head->height, most_pixels);
  Picture picture;
  if (head->format == "png") {
    picture = DecodePng(bytes, most_pixels);
  } else if (head->format == "jpeg") {
    picture = DecodeJpeg(bytes, most_pixels);
  } else if (head->format == "webp") {
    picture = DecodeWebp(bytes, most_pixels);
  } else {
    throw Error(Code::kUnsupported, Cat("pictures of the format ", head->format, " are not decoded"),
                "convert them to PNG");
  }
  return Upright(std::move(picture), ReadOrientation(bytes));
}

std::string EncodePng(const Picture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = picture.width;
  image.height = picture.height;
  image.format = picture.channels == 1   ? PNG_FORMAT_GRAY
                 : picture.channels == 2 ? PNG_FORMAT_GA
                 : picture.channels == 3 ? PNG_FORMAT_RGB
                                         : PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.pixels.data(), 0, nullptr) == 0) {
    throw Error(Code::kInternal, Cat("libpng could not write a picture: ", image.message));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace atelier::data
