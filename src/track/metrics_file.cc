#include "track/metrics_file.h"

#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "track/append_file.h"

namespace atelier::track {
namespace {

constexpr int kMetricsFormat = 1;
constexpr size_t kMostLine = 16u << 20;
constexpr std::string_view kMedia = "media";

struct RowKindName {
  RowKind kind;
  std::string_view name;
};
constexpr RowKindName kRowKinds[] = {
    {RowKind::kRun, "run"},       {RowKind::kResume, "resume"}, {RowKind::kScalars, "scalars"},
    {RowKind::kText, "text"},     {RowKind::kImage, "image"},   {RowKind::kHistogram, "histogram"},
    {RowKind::kFinish, "finish"},
};

// JSON has no NaN and no infinities: they are texts.
Json Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return value;
}

// One object of a row, read with messages that name the key.
class Fields {
 public:
  Fields(const Json& object, const std::string& where) : object_(object), where_(where) {}

  double Double(const char* key) const { return ToDouble(At(key), key); }
  double ToDouble(const Json& value, std::string_view key) const {
    if (value.is_number()) return value.get<double>();
    if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (value == "Infinity") return std::numeric_limits<double>::infinity();
    if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
    Refuse(key, "is not a number");
  }
  double Finite(const char* key) const {
    const double value = Double(key);
    if (!std::isfinite(value)) Refuse(key, "is not finite");
    return value;
  }
  uint64_t Count(const char* key) const { return ToCount(At(key), key); }
  uint64_t ToCount(const Json& value, std::string_view key) const {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > std::numeric_limits<int64_t>::max()) {
      Refuse(key, "is not a whole number from 0");
    }
    return value.get<uint64_t>();
  }
  std::string String(const char* key) const {
    if (!At(key).is_string()) Refuse(key, "is not a text");
    return At(key).get<std::string>();
  }
  const Json& Object(const char* key) const {
    if (!At(key).is_object()) Refuse(key, "is not an object");
    return At(key);
  }
  const Json& Array(const char* key) const {
    if (!At(key).is_array()) Refuse(key, "is not an array");
    return At(key);
  }
  bool Has(const char* key) const { return object_.contains(key); }
  [[noreturn]] void Refuse(std::string_view key, std::string_view why) const {
    throw Error(Code::kCorrupt, Cat(where_, ": '", key, "' ", why));
  }

 private:
  const Json& At(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) Refuse(key, "is missing");
    return *found;
  }

  const Json& object_;
  const std::string& where_;
};

HistogramData ReadHistogram(const Fields& row) {
  HistogramData out;
  out.min = row.Finite("min");
  out.max = row.Finite("max");
  out.sum = row.Double("sum");
  out.sum_squares = row.Double("sum_squares");
  out.count = row.Count("count");
  out.not_finite = row.Count("not_finite");
  for (const Json& edge : row.Array("edges")) {
    out.edges.push_back(row.ToDouble(edge, "edges"));
    if (!std::isfinite(out.edges.back())) row.Refuse("edges", "are not finite");
    if (out.edges.size() > 1 && out.edges[out.edges.size() - 2] > out.edges.back()) row.Refuse("edges", "descend");
  }
  for (const Json& count : row.Array("counts")) out.counts.push_back(row.ToCount(count, "counts"));
  if (out.counts.empty() || out.edges.size() != out.counts.size() + 1) row.Refuse("edges", "do not fit 'counts'");
  return out;
}

class Metrics : public Sink {
 public:
  Metrics(std::string folder, AppendFile file) : folder_(std::move(folder)), file_(std::move(file)) {}

  void Scalars(double time, int64_t step, const std::vector<std::pair<std::string, double>>& values) override {
    Json object = Json::object();
    for (const auto& [name, value] : values) object[name] = Number(value);
    Row(time, step, RowKind::kScalars, {{"values", std::move(object)}});
  }
  void Text(double time, int64_t step, const std::string& name, const std::string& text) override {
    Row(time, step, RowKind::kText, {{"name", name}, {"text", text}});
  }
  void Image(double time, int64_t step, const std::string& name, const PngImage& image) override {
    // Named by what is in it: a row that a crash took leaves no picture that another row could take for its own.
    const std::string file = Cat(kMedia, "/", Sha256Hex(image.png).substr(0, 32), ".png");
    MakeFolders(Cat(folder_, "/", kMedia));
    if (const std::string path = Cat(folder_, "/", file); !FileExists(path)) WriteFileAtomic(path, image.png);
    Row(time, step, RowKind::kImage,
        {{"name", name}, {"file", file}, {"width", image.width}, {"height", image.height}});
  }
  void Histogram(double time, int64_t step, const std::string& name, const HistogramData& h) override {
    Row(time, step, RowKind::kHistogram,
        {{"name", name},
         {"min", h.min},
         {"max", h.max},
         {"count", h.count},
         {"not_finite", h.not_finite},
         {"sum", Number(h.sum)},
         {"sum_squares", Number(h.sum_squares)},
         {"edges", h.edges},
         {"counts", h.counts}});
  }
  void Finish(double time, int64_t step, const std::string& status, const Json& summary) override {
    Row(time, step, RowKind::kFinish, {{"status", status}, {"summary", summary}});
  }
  void Resume(double time, int64_t step, Json changed) { Row(time, step, RowKind::kResume, std::move(changed)); }

 private:
  void Row(double time, int64_t step, RowKind kind, Json rest) {
    Json row = {{"step", step}, {"time", time}};
    for (const RowKindName& known : kRowKinds) {
      if (known.kind == kind) row["kind"] = known.name;
    }
    row.update(rest);
    file_.Append(ToText(row) + "\n");
  }

  std::string folder_;
  AppendFile file_;
};

std::string HeaderLine(const TrackedRun& run, double time) {
  return ToText(Json{{"format", kMetricsFormat},
                     {"kind", "run"},
                     {"step", 0},
                     {"time", time},
                     {"config", run.config},
                     {"versions", run.versions}}) +
         "\n";
}

}  // namespace

MetricRow ParseMetricRow(std::string_view line, const std::string& where) {
  if (line.size() > kMostLine) throw Error(Code::kCorrupt, Cat(where, ": a row of more than ", FormatBytes(kMostLine)));
  Json object;
  try {
    object = ParseJson(line, where);
  } catch (const Error& error) {
    throw Error(Code::kCorrupt, error.what());
  }
  if (!object.is_object()) throw Error(Code::kCorrupt, where + ": not an object");
  const Fields fields(object, where);
  const std::string kind = fields.String("kind");
  MetricRow row;
  bool known = false;
  for (const RowKindName& one : kRowKinds) {
    if (one.name != kind) continue;
    row.kind = one.kind;
    known = true;
  }
  if (!known) {
    throw Error(Code::kUnsupported,
                Cat(where, ": a row of the kind ", Quote(kind), ", which this Atelier does not know"),
                "read it with the version that wrote it");
  }
  row.time = fields.Finite("time");
  row.step = static_cast<int64_t>(fields.Count("step"));
  switch (row.kind) {
    case RowKind::kRun:
      if (const uint64_t format = fields.Count("format"); format != kMetricsFormat) {
        throw Error(Code::kUnsupported, Cat(where, ": format ", format, "; this Atelier reads ", kMetricsFormat));
      }
      row.config = fields.Object("config");
      row.versions = fields.Object("versions");
      break;
    case RowKind::kResume:
      if (fields.Has("config")) row.config = fields.Object("config");
      if (fields.Has("versions")) row.versions = fields.Object("versions");
      break;
    case RowKind::kScalars:
      for (const auto& [name, value] : fields.Object("values").items()) {
        row.values.emplace_back(name, fields.ToDouble(value, name));
      }
      break;
    case RowKind::kText:
      row.name = fields.String("name");
      row.text = fields.String("text");
      break;
    case RowKind::kImage:
      row.name = fields.String("name");
      row.file = fields.String("file");
      for (const auto& [key, out] : {std::pair("width", &row.width), {"height", &row.height}}) {
        const uint64_t value = fields.Count(key);
        if (value == 0 || value > std::numeric_limits<int32_t>::max())
          fields.Refuse(key, "is not the size of a picture");
        *out = static_cast<uint32_t>(value);
      }
      break;
    case RowKind::kHistogram:
      row.name = fields.String("name");
      row.histogram = ReadHistogram(fields);
      break;
    case RowKind::kFinish:
      row.status = fields.String("status");
      row.summary = fields.Object("summary");
      break;
  }
  return row;
}

bool ReadMetrics(const std::string& path, const std::function<void(const MetricRow&, std::string_view)>& fn) {
  std::string rest;
  uint64_t number = 0;
  const auto take = [&](std::string_view line) {
    ++number;
    const MetricRow row = ParseMetricRow(line, Cat(path, ":", number));
    if ((number == 1) != (row.kind == RowKind::kRun)) {
      throw Error(Code::kCorrupt, Cat(path, ":", number, number == 1 ? ": no header" : ": a second header"));
    }
    fn(row, line);
  };
  ReadPieces(path, [&](std::string_view piece) {
    for (size_t end; (end = piece.find('\n')) != std::string_view::npos; piece.remove_prefix(end + 1)) {
      if (rest.empty()) {
        take(piece.substr(0, end));
      } else {
        rest += piece.substr(0, end);
        take(rest);
        rest.clear();
      }
    }
    rest += piece;
    if (rest.size() > kMostLine) {
      throw Error(Code::kCorrupt, Cat(path, ":", number + 1, ": a row of more than ", FormatBytes(kMostLine)));
    }
  });
  if (number == 0) throw Error(Code::kCorrupt, Cat(path, ": no header"), "begin the run anew");
  return !rest.empty();
}

std::unique_ptr<Sink> OpenMetrics(const TrackedRun& run, double time, std::optional<int64_t> resume) {
  const std::string path = Cat(run.folder, "/", kMetricsFile);
  if (!resume && FileExists(path)) {
    throw Error(Code::kConflict, Cat(path, ": a run is tracked here already"), "resume it, or name another folder");
  }
  if (!resume || !FileExists(path)) {
    auto sink = std::make_unique<Metrics>(run.folder, AppendFile::Create(path, HeaderLine(run, time)));
    if (resume) sink->Resume(time, *resume, Json::object());
    return sink;
  }
  std::set<std::string> shown, superseded;
  Json changed = Json::object();
  AppendFile file = AppendFile::Rewrite(path, [&](AppendFile* anew) {
    std::string block;  // many rows a write
    const auto flush = [&] {
      anew->Append(block);
      block.clear();
    };
    ReadMetrics(path, [&](const MetricRow& row, std::string_view line) {
      if (row.kind == RowKind::kRun) {
        if (row.config != run.config) changed["config"] = run.config;
        if (row.versions != run.versions) changed["versions"] = run.versions;
      }
      const bool keep = row.kind == RowKind::kRun || (row.step <= *resume && row.kind != RowKind::kFinish);
      if (row.kind == RowKind::kImage) (keep ? shown : superseded).insert(row.file);
      if (!keep) return;
      block += line;
      block += '\n';
      if (block.size() >= (1u << 20)) flush();
    });
    flush();
  });
  for (const std::string& name : superseded) {
    if (!shown.contains(name) && name.starts_with(Cat(kMedia, "/"))) RemoveFile(JoinInside(run.folder, name));
  }
  auto sink = std::make_unique<Metrics>(run.folder, std::move(file));
  sink->Resume(time, *resume, std::move(changed));
  return sink;
}

}  // namespace atelier::track
