// The picture that a record stands for.
#pragma once

#include <string>

#include "base/json.h"
#include "data/media/picture.h"

namespace atelier::data {

struct PicturePlaces {
  std::string folder;   // where relative files begin: the folder of the records' own file
  std::string objects;  // a studio's folder objects, or ""
};

// By `sha256` an object of the studio, as an import of pictures writes it, else the file that `path` or the field
// `field` names. `where` is for messages. Throws kInvalidInput where the record names none, kNotFound, and what
// DecodePicture throws, with `where`.
Picture ReadRecordPicture(const Json& fields, const std::string& field, const PicturePlaces& places,
                          const std::string& where);

// Each pixel's luma (ITU-R BT.601), on black where it is transparent. [height, width]
std::vector<uint8_t> ToGrey(const Picture& picture);

}  // namespace atelier::data
