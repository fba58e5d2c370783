// The records that a run reads: a version of a dataset, or a file.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"

namespace atelier::train {

class Records {
 public:
  // `said` is NAME[@VERSION][:SPLIT], looked for below `datasets` (a studio's folder data; "" where there is none), or
  // a file: .jsonl, .csv, or any other as one text per line, under the field "text". Throws kNotFound.
  // `exact_fields` of a file keep their white space, and may be lists and objects; kAllFields: all, of whatever type.
  static constexpr char kAllFields[] = "*";
  Records(std::string said, std::string datasets, std::vector<std::string> exact_fields = {});

  // All records in their order, `index` from 0. Throws kInvalidInput, kCorrupt.
  void ForEach(const std::function<void(int64_t index, const Json& fields)>& fn) const;
  // "reviews@2:train, record 12", for messages.
  std::string Describe(int64_t index) const;
  const std::string& name() const { return said_; }
  // Where relative names of files in the records begin: a file's own folder, "" for a dataset.
  std::string Folder() const;
  // The studio's folder objects, "" where there is no studio.
  std::string Objects() const;
  // Whether it is a file of pictures without records (data/media/idx.h).
  bool IsIdx() const;

 private:
  std::string said_, datasets_, dataset_folder_, split_;
  std::vector<std::string> exact_fields_;
};

// A field's text. Throws kInvalidInput that names the record and the fields it has.
std::string TextField(const Json& fields, const std::string& field, const std::string& where);

}  // namespace atelier::train
