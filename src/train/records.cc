#include "train/records.h"

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/dataset.h"
#include "data/media/idx.h"
#include "data/records.h"

namespace atelier::train {
Records::Records(std::string said, std::string datasets, std::vector<std::string> exact_fields)
    : said_(std::move(said)), datasets_(datasets), exact_fields_(std::move(exact_fields)) {
  if (FileExists(said_)) return;
  const size_t colon = said_.rfind(':');
  const std::string ref = said_.substr(0, colon);
  if (colon != std::string::npos) split_ = said_.substr(colon + 1);
  if (datasets.empty()) {
    throw Error(Code::kNotFound,
                Cat("there is no file ", Quote(said_), ", and no studio here whose dataset it could be"),
                "name a file, or run this in a studio");
  }
  dataset_folder_ = data::Datasets(datasets).Path(ref);
  const data::Manifest manifest = data::DatasetReader(dataset_folder_).manifest();
  if (!split_.empty() && !manifest.splits.contains(split_)) {
    std::vector<std::string> names;
    for (const auto& [name, count] : manifest.splits) names.push_back(name);
    throw Error(Code::kNotFound, Cat("dataset ", ref, " has no split ", Quote(split_)),
                names.empty() ? Cat("make some: atelier data split ", ref) : Cat("it has ", Join(names, ", ")));
  }
}

void Records::ForEach(const std::function<void(int64_t, const Json&)>& fn) const {
  int64_t index = 0;
  if (dataset_folder_.empty()) {
    if (said_.ends_with(".jsonl") || said_.ends_with(".ndjson") || said_.ends_with(".csv")) {
      data::ImportOptions options;
      options.most_bytes = uint64_t{4} << 30;
      options.most_records = 100'000'000;
      options.exact_fields = exact_fields_;
      options.exact = exact_fields_ == std::vector<std::string>{kAllFields};
      options.skip_structured = !exact_fields_.empty();
      for (const data::Record& record : data::ReadRecords(said_, options).records) fn(index++, record.fields);
      return;
    }
    const std::string text = ReadFile(said_, uint64_t{4} << 30);
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      fn(index++, Json{{"text", text.substr(at, end - at)}});
      at = end + 1;
    }
    return;
  }
  const data::DatasetReader reader(dataset_folder_);
  reader.ReadAll([&](std::string_view lines) {
    for (size_t at = 0; at < lines.size();) {
      const size_t end = lines.find('\n', at);
      const Json record = ParseJson(lines.substr(at, end - at), said_);
      at = end + 1;
      if (!split_.empty() && record.value("_split", "") != split_) continue;
      fn(index++, record);
    }
    return true;
  });
}

std::string Records::Describe(int64_t index) const { return Cat(said_, ", record ", index + 1); }

std::string Records::Folder() const {
  return dataset_folder_.empty() ? std::filesystem::path(said_).parent_path().string() : "";
}

std::string Records::Objects() const {
  if (datasets_.empty()) return "";
  return (std::filesystem::path(datasets_).lexically_normal().parent_path() / "objects").string();
}

bool Records::IsIdx() const {
  if (!dataset_folder_.empty() || said_.ends_with(".jsonl") || said_.ends_with(".csv")) return false;
  std::ifstream file(said_, std::ios::binary);
  char head[4] = {};
  file.read(head, sizeof(head));
  const std::string_view bytes(head, static_cast<size_t>(file.gcount()));
  return data::IsIdx(bytes) || bytes.starts_with("\x1f\x8b") || bytes.starts_with(std::string_view("\0\0", 2));
}

std::string TextField(const Json& fields, const std::string& field, const std::string& where) {
  const auto it = fields.find(field);
  if (it != fields.end() && it->is_string()) return it->get<std::string>();
  if (it != fields.end() && (it->is_number() || it->is_boolean())) return it->dump();
  std::vector<std::string> names;
  for (const auto& [name, value] : fields.items()) names.push_back(name);
  throw Error(Code::kInvalidInput, Cat(where, ": no text in a field ", Quote(field)),
              Cat("it has ", Join(names, ", ")));
}

}  // namespace atelier::train
