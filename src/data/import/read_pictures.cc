// A folder of pictures: format and size from each file's head; the pixels are not decoded.
#include "data/import/media_folder.h"
#include "data/media/picture_head.h"

namespace atelier::data {

void ReadPictureFolder(const ReaderInput& input, ImportSink& sink) {
  ReadMediaFolder(input, sink, {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp"},
                  [](const std::string&, std::string_view bytes, LineBuilder& record) -> std::string {
                    const std::optional<PictureInfo> info = ReadPictureHead(bytes);
                    if (!info)
                      return "not a picture: the head is none of PNG, JPEG, GIF, WebP or BMP, or it is damaged";
                    record.Key("format");
                    record.Text(info->format);
                    record.Key("width");
                    record.Int(info->width);
                    record.Key("height");
                    record.Int(info->height);
                    return "";
                  });
}

}  // namespace atelier::data
