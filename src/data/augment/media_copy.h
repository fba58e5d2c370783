// The file of a record, decoded once, and changed copies of it as objects of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/augment/augment.h"
#include "data/record_line.h"
#include "store/objects.h"

namespace atelier::data {

class MediaCopier {
 public:
  // REQUIRES: steps on pictures or steps on sound; `options` and `objects` outlive it.
  MediaCopier(const AugmentOptions& options, const store::Objects& objects) : options_(options), objects_(objects) {}

  // The file of a record: at its "path" where it has one (imported by path), else the object "sha256". A record without
  // "sha256" has no file, and Copy nothing to do. Throws Error for what is missing, other than it was, or broken.
  void Load(const std::vector<LineField>& record);

  // What a copy has in place of the record's values: keys as they stand in the line, values as JSON, "" for a field
  // that it does not have. Empty where no step changed anything. `changed` counts by step.
  using Values = std::map<std::string, std::string, std::less<>>;
  Values Copy(const std::string& id, int copy, std::vector<uint64_t>* changed);

  // What the file of the last Copy is called, as JSON: the parent's name with the copy's number, from 1.
  std::string FileName(int copy) const;

 private:
  // Applies the steps to `media` and says whether they changed it.
  template <typename Media, typename Operation>
  bool Apply(Media* media, Operation AugmentStep::*operation, const std::string& id, int copy,
             std::vector<uint64_t>* changed) const;

  const AugmentOptions& options_;
  const store::Objects& objects_;
  bool loaded_ = false;
  std::string file_;  // its name in the record
  Picture picture_;
  Sound sound_;
  std::string format_;  // of the last copy
};

}  // namespace atelier::data
