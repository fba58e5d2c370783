#include "data/dedup/dedup_dataset.h"

#include "base/error.h"
#include "base/str.h"
#include "data/field_stats.h"

namespace atelier::data {
namespace {

std::string Percent(float similarity) { return FormatFixed(static_cast<double>(similarity), 3); }

std::string Reason(const Deduplicator& dedup, const Duplicate& d) {
  if (d.equal) return Cat("duplicate: the text of ", dedup.Id(d.kept), " is equal");
  std::string reason = Cat("near duplicate: similarity ", Percent(d.similarity), " to ", dedup.Id(d.kept));
  if (d.like != d.kept) reason += Cat(", ", Percent(d.like_similarity), " to ", dedup.Id(d.like), " of its cluster");
  return reason;
}

Json Report(const DedupOptions& o, const DedupStats& s) {
  Json out;
  out["operation"] = "dedup";
  out["records"] = s.records;
  out["kept"] = s.records - s.exact - s.near;
  out["exact"] = s.exact;
  out["near"] = s.near;
  out["without_text"] = s.without_text;
  out["clusters"] = s.clusters;
  out["largest_cluster"] = s.largest;
  out["survivor"] = o.survivor == Survivor::kNewest ? Cat("newest:", o.newest_field) : std::string(ToName(o.survivor));
  out["fields"] = o.fields;
  if (!o.exact) {
    out["threshold"] = o.threshold;
    out["similarity"] = "exact Jaccard of shingle sets";
    out["bands"] = s.bands;
    out["rows"] = s.rows;
    out["pairs_compared"] = s.candidates;
    out["pairs_similar"] = s.pairs;
    out["crowded_bands"] = s.large_buckets;
  }
  out["spilled"] = s.spilled;
  out["examples"] = Json::array();
  return out;
}

}  // namespace

std::string_view ToName(Survivor rule) {
  switch (rule) {
    case Survivor::kLongest: return "longest";
    case Survivor::kFirst: return "first";
    case Survivor::kNewest: return "newest";
  }
  return "";
}

void ReadSurvivor(std::string_view text, DedupOptions* options) {
  if (text == "longest") {
    options->survivor = Survivor::kLongest;
  } else if (text == "first") {
    options->survivor = Survivor::kFirst;
  } else if (text.starts_with("newest:") && text.size() > 7) {
    options->survivor = Survivor::kNewest;
    options->newest_field = text.substr(7);
  } else {
    throw Error(Code::kUsage, Cat("which record stays: ", Quote(text)), "longest, first or newest:FIELD");
  }
}

std::string ToToml(const DedupOptions& o) {
  std::string out = Cat("fields = ", ToText(Json(o.fields)), "\nexact = ", o.exact, "\n");
  if (!o.exact) {
    out += Cat("threshold = ", o.threshold, "\nrecall = ", o.recall, "\nshingle_chars = ", o.shingles.chars,
               "\nshingle_words = ", o.shingles.words, "\nseed = ", o.seed, "\n");
  }
  out += Cat(
      "keep = ",
      ToText(Json(o.survivor == Survivor::kNewest ? Cat("newest:", o.newest_field) : std::string(ToName(o.survivor)))),
      "\n");
  return out;
}

DedupOutcome DedupDataset(const Datasets& datasets, const std::string& ref, DedupOptions options,
                          const std::function<ProgressFn(std::string_view stage)>& progress) {
  const DatasetReader reader(datasets, ref);
  options.scratch = datasets.folder();
  const auto stage = [&](std::string_view name) { return progress ? progress(name) : ProgressFn(nullptr); };
  Deduplicator dedup(options);
  const uint64_t total = reader.manifest().bytes;
  {
    const ProgressFn tell = stage("reading");
    uint64_t done = 0;
    reader.ReadAll([&](std::string_view lines) {
      dedup.Add(lines);
      if (tell) tell(done += lines.size(), total, "");
      return true;
    });
  }
  dedup.Finish(stage("comparing"));

  DedupOutcome out;
  out.stats = dedup.stats();
  out.report = Report(options, out.stats);
  DatasetWriter writer(datasets, reader.manifest().name);
  FieldStatistics fields;
  ExternalSorter<Duplicate>::Stream stream(dedup.duplicates());
  const Duplicate* next = stream.Next();
  const ProgressFn tell = stage("writing");
  uint64_t record = 0, done = 0;
  reader.ReadAll([&](std::string_view lines) {
    // Stretches of lines that stay go on together.
    size_t begin = 0, kept = 0, at = 0;
    const auto flush = [&](size_t end) {
      const std::string_view stretch = lines.substr(begin, end - begin);
      if (kept > 0) {
        writer.Append(stretch, kept);
        fields.Add(stretch);
      }
      kept = 0;
    };
    while (at < lines.size()) {
      const size_t end = lines.find('\n', at) + 1;
      if (next != nullptr && next->record == record) {
        flush(at);
        const std::string reason = Reason(dedup, *next);
        const std::string_view line = lines.substr(at, end - at - 1);
        writer.Reject({.stage = "dedup", .line = record + 1, .reason = reason, .text = line});
        if (!next->equal && out.report["examples"].size() < 20) {
          out.report["examples"].push_back({{"removed", dedup.Id(next->record)},
                                            {"kept", dedup.Id(next->kept)},
                                            {"similarity", next->similarity},
                                            {"like", dedup.Id(next->like)},
                                            {"like_similarity", next->like_similarity}});
        }
        next = stream.Next();
        begin = end;
      } else {
        ++kept;
      }
      ++record;
      at = end;
    }
    flush(lines.size());
    if (tell) tell(done += lines.size(), total, "");
    return true;
  });
  Manifest draft;
  draft.tenant = reader.manifest().tenant;
  draft.parents = {reader.AsParent()};
  draft.sources = reader.manifest().sources;
  draft.licence = reader.manifest().licence;
  draft.consent = reader.manifest().consent;
  draft.recipe = {"dedup", ToToml(options), ""};
  draft.fields = fields.Fields();
  draft.splits = fields.Splits();
  writer.AddFile("dedup.json", ToPrettyText(out.report) + "\n");
  out.manifest = writer.Commit(std::move(draft));
  return out;
}

}  // namespace atelier::data
