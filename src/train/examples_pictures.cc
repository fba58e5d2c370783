#include "train/examples_pictures.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/media/geometry.h"
#include "data/media/idx.h"
#include "data/record_picture.h"

namespace atelier::train {
namespace {

constexpr uint64_t kMostBytes = uint64_t{4} << 30;

class Pictures : public Examples {
 public:
  Pictures(std::vector<uint8_t> pixels, int64_t height, int64_t width)
      : pixels_(std::move(pixels)), height_(height), width_(width) {}
  int64_t size() const override { return static_cast<int64_t>(pixels_.size()) / (height_ * width_); }
  int64_t Length(int64_t) const override { return 0; }
  std::string Describe(int64_t row) const override { return Cat("picture ", row + 1); }
  model::Batch Collate(std::span<const int64_t> rows, Rng) const override {
    const int64_t each = height_ * width_;
    model::Batch batch;
    batch.inputs = torch::empty({static_cast<int64_t>(rows.size()), height_, width_});
    float* out = batch.inputs.data_ptr<float>();
    for (const int64_t row : rows) {
      const uint8_t* from = pixels_.data() + row * each;
      for (int64_t i = 0; i < each; ++i) *out++ = static_cast<float>(from[i]) / 255.0f;
    }
    return batch;
  }

 private:
  std::vector<uint8_t> pixels_;  // [pictures, height, width]
  int64_t height_, width_;
};

// Collects pictures of one size.
class Collector {
 public:
  Collector(const DataSettings& data, model::DataShape* shape) : data_(data), shape_(*shape) {
    if (data_.height > 0) Hold(data_.height, data_.width, "data.height and data.width");
  }

  void Add(const data::Picture& picture, const std::string& where) {
    if (data_.height == 0) {
      Hold(picture.height, picture.width, where);
      Append(data::ToGrey(picture), where);
      return;
    }
    data::Picture grey;
    grey.width = picture.width;
    grey.height = picture.height;
    grey.channels = 1;
    grey.pixels = data::ToGrey(picture);
    if (grey.width != data_.width || grey.height != data_.height) {
      grey = data::Resize(grey, static_cast<uint32_t>(data_.width), static_cast<uint32_t>(data_.height));
    }
    Append(grey.pixels, where);
  }

  std::vector<uint8_t> pixels;

 private:
  void Hold(int64_t height, int64_t width, const std::string& where) {
    if (shape_.height == 0) {
      shape_.height = height;
      shape_.width = width;
    }
    if (shape_.height == height && shape_.width == width) return;
    throw Error(
        Code::kInvalidInput,
        Cat(where, ": a picture of ", height, " x ", width, " where others are ", shape_.height, " x ", shape_.width),
        "data.height and data.width bring all to one size");
  }
  void Append(const std::vector<uint8_t>& more, const std::string& where) {
    if (pixels.size() + more.size() > kMostBytes) {
      throw Error(Code::kResourceExhausted, Cat(where, ": more than ", FormatBytes(kMostBytes), " of pixels"),
                  "smaller pictures: data.height and data.width");
    }
    pixels.insert(pixels.end(), more.begin(), more.end());
  }

  const DataSettings& data_;
  model::DataShape& shape_;
};

}  // namespace

std::unique_ptr<Examples> PictureExamples(const Records& records, const DataSettings& data, model::DataShape* shape,
                                          ExamplesReport* report) {
  Collector collector(data, shape);
  if (records.IsIdx()) {
    const std::string bytes = ReadFile(records.name(), kMostBytes);
    const data::IdxArray array = data::ParseIdx(bytes, records.name());
    if (array.shape.size() != 3) {
      throw Error(Code::kInvalidInput,
                  Cat(records.name(), ": has ", array.shape.size(), " dimensions, pictures have 3"),
                  "labels lie in another file (idx1); pictures in one called idx3");
    }
    data::Picture picture;
    picture.height = array.shape[1];
    picture.width = array.shape[2];
    picture.channels = 1;
    for (size_t i = 0, each = picture.stride() * picture.height; i < array.shape[0]; ++i) {
      picture.pixels.assign(array.values.begin() + static_cast<int64_t>(i * each),
                            array.values.begin() + static_cast<int64_t>((i + 1) * each));
      collector.Add(picture, Cat(records.name(), ", picture ", i + 1));
      ++report->records;
    }
  } else {
    const data::PicturePlaces places{records.Folder(), records.Objects()};
    records.ForEach([&](int64_t index, const Json& fields) {
      const std::string where = records.Describe(index);
      collector.Add(data::ReadRecordPicture(fields, data.picture, places, where), where);
      ++report->records;
    });
  }
  if (collector.pixels.empty()) throw Error(Code::kInvalidInput, Cat(records.name(), ": there is no picture in it"));
  return std::make_unique<Pictures>(std::move(collector.pixels), shape->height, shape->width);
}

}  // namespace atelier::train
