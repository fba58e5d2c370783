// Folders of pictures and sound have the same shape: files below the folder, the first sub-folder is the label.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/import/import.h"

namespace atelier::data {

// Calls `describe` with each file whose name ends in one of `extensions`, in the order of their paths. It writes its
// own keys into the record, and returns "" or why the file is not taken. The record gets "file", "label", these keys,
// "bytes", "sha256", and with by_path "path"; else the bytes are kept as an object of that hash.
using DescribeFn = std::function<std::string(const std::string& path, std::string_view bytes, LineBuilder& record)>;
void ReadMediaFolder(const ReaderInput& input, ImportSink& sink, const std::vector<std::string>& extensions,
                     const DescribeFn& describe);

}  // namespace atelier::data
