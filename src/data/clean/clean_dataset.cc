#include "data/clean/clean_dataset.h"

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/clean/report_page.h"
#include "data/field_stats.h"

namespace atelier::data::clean {
namespace {

class DatasetSink : public BlockSink {
 public:
  explicit DatasetSink(DatasetWriter* writer) : writer_(writer) {}
  void Append(std::string_view lines, size_t records) override {
    writer_->Append(lines, records);
    statistics_.Add(lines);
  }
  void Reject(const Rejected& rejected) override {
    Rejection rejection;
    rejection.stage = rejected.stage == "read" ? std::string_view("read") : rejected.stage;
    rejection.line = rejected.record;
    rejection.reason = rejected.reason;
    rejection.text = rejected.line;
    writer_->Reject(rejection);
  }
  const FieldStatistics& statistics() const { return statistics_; }

 private:
  DatasetWriter* writer_;
  FieldStatistics statistics_;
};

// What --fitted names: a file, or a version that was cleaned.
Json LoadFitted(const Datasets& datasets, const std::string& from) {
  std::string path = from;
  if (!FileExists(path)) path = datasets.Path(from) + "/fitted.json";
  if (!FileExists(path)) {
    throw Error(Code::kNotFound, Cat(from, ": nothing was fitted there"),
                "name a version that `data clean` made with operations that fit, or its fitted.json");
  }
  return ParseJson(ReadFile(path, 256u << 20), path);
}

}  // namespace

CleanedDataset CleanDataset(const Datasets& datasets, const CleanRequest& request) {
  Cleaner cleaner = Cleaner::Parse(request.toml, request.toml_file);
  if (!request.fitted.empty()) cleaner.Restore(LoadFitted(datasets, request.fitted));
  const DatasetReader reader(datasets, request.dataset);
  const Manifest& from = reader.manifest();
  DatasetWriter writer(datasets, request.into.empty() ? from.name : request.into);
  DatasetSink sink(&writer);
  CleanOptions options;
  options.threads = request.threads;
  options.progress = [&](uint64_t bytes, size_t pass, size_t passes) {
    if (!request.progress) return;
    const std::string note = passes > 1 ? Cat("pass ", pass, " of ", passes) : "";
    request.progress(bytes + (pass - 1) * from.bytes, passes * from.bytes, note);
  };
  CleanedDataset cleaned;
  cleaned.report = cleaner.Run([&](const auto& use) { reader.ReadAll(use); }, &sink, options);
  writer.AddFile("clean.json", ToPrettyText(cleaned.report.ToJson()) + "\n");
  writer.AddFile("clean.html", ReportPage(cleaned.report, from.Reference(), request.language));
  const Json fitted = cleaner.Fitted();
  bool any = false;
  for (const Json& one : fitted) any |= !one["fitted"].is_null();
  if (any) writer.AddFile("fitted.json", ToPrettyText(fitted) + "\n");
  Manifest draft;
  draft.parents = {reader.AsParent()};
  draft.sources = from.sources;
  draft.licence = from.licence;
  draft.consent = from.consent;
  draft.recipe.operation = "clean";
  draft.recipe.toml = request.toml;
  draft.fields = sink.statistics().Fields();
  draft.splits = sink.statistics().Splits();
  cleaned.manifest = writer.Commit(std::move(draft));
  return cleaned;
}

}  // namespace atelier::data::clean
