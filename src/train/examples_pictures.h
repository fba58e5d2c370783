// Pictures as values in [0, 1].
#pragma once

#include <memory>
#include <string>

#include "train/examples.h"

namespace atelier::train {

// Of an IDX file (data/media/idx.h: [pictures, height, width]), or of records that name pictures
// (data/record_picture.h) in the field data.picture. All become grey and of one size: data.height and data.width, or
// without them the first one's, which all others then must have. Sets height and width of `shape` where they are 0,
// else holds the pictures to them. Inputs [batch, height, width] f32; a byte each in memory.
std::unique_ptr<Examples> PictureExamples(const Records& records, const DataSettings& data, model::DataShape* shape,
                                          ExamplesReport* report);

}  // namespace atelier::train
