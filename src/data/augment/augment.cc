#include "data/augment/augment.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/augment/media_copy.h"
#include "data/field_stats.h"
#include "data/record_line.h"

namespace atelier::data {
namespace {

constexpr size_t kMostExamplesShown = 10;

class Augmenter {
 public:
  Augmenter(const Datasets& datasets, const std::string& ref, const AugmentOptions& options,
            const std::function<ProgressFn(std::string_view)>& progress, const store::Objects* objects)
      : reader_(datasets, ref), options_(options), progress_(progress), writer_(datasets, reader_.manifest().name) {
    const Manifest& m = reader_.manifest();
    if (!options.whole && m.records > 0 && m.splits.find(options.part) == m.splits.end()) {
      throw Error(Code::kInvalidInput, Cat(m.Reference(), " has no records in the part ", Quote(options.part)),
                  "split it first with `atelier data split`, or say whole = true; a changed copy of a test record in "
                  "the training data is a leak");
    }
    for (const AugmentStep& step : options.steps) {
      for (const std::string& field : step.fields) {
        if (Lacks(field)) {
          throw Error(Code::kInvalidInput, Cat(m.Reference(), " has no field '", field, "'"),
                      "`atelier data show` lists the fields");
        }
      }
    }
    for (const auto& [wanted, what, field] :
         {std::tuple(options.OnPictures(), "pictures", "width"), std::tuple(options.OnSound(), "sound", "rate")}) {
      if (!wanted) continue;
      if (objects == nullptr) throw Error(Code::kInternal, "copies of files need a place for objects");
      if (Lacks("sha256") || Lacks(field)) {
        throw Error(Code::kInvalidInput, Cat(m.Reference(), " holds no ", what),
                    Cat("such steps change what `atelier data import FOLDER --format ", what, "` made"));
      }
      copier_.emplace(options, *objects);
    }
    changed_.assign(options.steps.size(), 0);
  }

  AugmentOutcome Run() {
    Count();
    ForEachLine("writing", [&](std::string_view line) {
      lines_ += line;
      lines_ += '\n';
      ++count_;
      ++records_;
      if (Chosen() && HasReadableFile()) Copies();
      if (lines_.size() > (1u << 20)) Flush();
    });
    Flush();
    if (unreadable_ > 0 && unreadable_ == chosen_) {
      throw Error(Code::kInvalidInput, Cat("no file of ", reader_.manifest().Reference(), " could be read: ", why_));
    }
    AugmentOutcome outcome;
    Json& report = outcome.report;
    report["operation"] = "augment";
    report["records"] = records_;
    report["chosen"] = chosen_;
    report["copies"] = made_;
    report["unchanged"] = unchanged_;
    report["unreadable"] = unreadable_;
    for (size_t i = 0; i < options_.steps.size(); ++i) {
      report["steps"].push_back({{"use", options_.steps[i].use}, {"changed", changed_[i]}});
    }
    report["examples"] = std::move(examples_);
    const Manifest& m = reader_.manifest();
    Manifest draft;
    draft.tenant = m.tenant;
    draft.parents = {reader_.AsParent()};
    draft.sources = m.sources;
    draft.licence = m.licence;
    draft.consent = m.consent;
    draft.recipe = {"augment", options_.toml, ""};
    draft.fields = statistics_.Fields();
    draft.splits = statistics_.Splits();
    writer_.AddFile("augment.json", ToPrettyText(report) + "\n");
    outcome.manifest = writer_.Commit(std::move(draft));
    return outcome;
  }

 private:
  bool Lacks(const std::string& field) const {
    const Manifest& m = reader_.manifest();
    return m.records > 0 &&
           std::none_of(m.fields.begin(), m.fields.end(), [&](const FieldInfo& f) { return f.name == field; });
  }

  template <typename Fn>
  void ForEachLine(std::string_view stage, const Fn& fn) {
    const ProgressFn tell = progress_ ? progress_(stage) : ProgressFn(nullptr);
    uint64_t done = 0;
    reader_.ReadAll([&](std::string_view lines) {
      for (size_t at = 0; at < lines.size();) {
        const size_t end = lines.find('\n', at);
        const std::string_view line = lines.substr(at, end - at);
        if (!SplitLine(line, &fields_)) {
          throw Error(Code::kCorrupt, Cat(reader_.manifest().Reference(), ": not a record: ", Quote(line)));
        }
        fn(line);
        at = end + 1;
        if (tell && copier_) tell(done + at, reader_.manifest().bytes, "");  // a line may take a second
      }
      done += lines.size();
      if (tell) tell(done, reader_.manifest().bytes, "");
      return true;
    });
  }

  // Whether the current record is of the side that is augmented, and no copy itself.
  bool Chosen() const {
    std::string_view split, from;
    for (const LineField& field : fields_) {
      if (field.key == "_split") split = field.value;
      if (field.key == "_from") from = field.value;
    }
    return (options_.whole || PlainText(split) == options_.part) && !from.starts_with('"');
  }

  static bool Names(const AugmentStep& step, std::string_view escaped) {
    return std::any_of(step.fields.begin(), step.fields.end(),
                       [&](const std::string& f) { return Escaped(f) == escaped; });
  }

  void Count() {
    std::vector<AugmentOperation*> counting;
    for (const AugmentStep& step : options_.steps) {
      if (step.operation != nullptr && step.operation->counts()) counting.push_back(step.operation.get());
    }
    if (counting.empty()) return;
    ForEachLine("counting", [&](std::string_view) {
      if (!Chosen()) return;
      for (const AugmentStep& step : options_.steps) {
        if (step.operation == nullptr || !step.operation->counts()) continue;
        for (const LineField& field : fields_) {
          if (field.value.starts_with('"') && Names(step, field.key)) step.operation->Count(PlainText(field.value));
        }
      }
    });
    for (AugmentOperation* operation : counting) operation->EndCounting();
  }

  // Loads the current record's file, where steps want it. Counts the record as chosen.
  bool HasReadableFile() {
    ++chosen_;
    if (!copier_) return true;
    std::string why;
    try {
      copier_->Load(fields_);
      return true;
    } catch (const Error& e) {
      why = e.Line();
    }
    if (++unreadable_ == 1) why_ = why;
    Rejection rejection;
    rejection.stage = "augment";
    rejection.reason = why;
    std::string file;
    for (const LineField& field : fields_) {
      if (field.key == "file") file = PlainText(field.value);
      if (field.key != "_from" || !field.value.starts_with('[')) continue;
      // [source,line]
      const char* end = field.value.data() + field.value.size();
      const auto [comma, fault] = std::from_chars(field.value.data() + 1, end, rejection.source);
      if (fault == std::errc() && comma < end) std::from_chars(comma + 1, end, rejection.line);
    }
    rejection.text = file;
    writer_.Reject(rejection);
    return false;
  }

  void Copies() {
    std::string id, split;
    for (const LineField& field : fields_) {
      if (field.key == "_id") id = PlainText(field.value);
      if (field.key == "_split") split = field.value;
    }
    std::vector<std::string> ids = {id};
    for (int copy = 0; copy < options_.copies; ++copy) {
      std::vector<std::string> values(fields_.size());
      MediaCopier::Values media;
      if (copier_) media = copier_->Copy(id, copy, &changed_);
      for (size_t i = 0; i < fields_.size(); ++i) {
        values[i] = fields_[i].value;
        if (const auto other = media.find(fields_[i].key); other != media.end()) {
          values[i] = other->second;
          continue;
        }
        for (size_t s = 0; s < options_.steps.size(); ++s) {
          const AugmentStep& step = options_.steps[s];
          if (step.operation == nullptr || !values[i].starts_with('"') || !Names(step, fields_[i].key)) continue;
          // A stream of its own: no step, field or copy shifts what another draws.
          Rng rng(options_.seed, Cat(id, " ", copy, " ", s, " ", fields_[i].key));
          if (rng.Uniform() >= step.chance) continue;
          const std::string text = PlainText(values[i]);
          std::string changed = step.operation->Apply(text, &rng);
          if (changed == text) continue;
          ++changed_[s];
          values[i] = Cat("\"", Escaped(changed), "\"");
        }
      }
      std::string content = Body(values);
      std::string own = IdOf(content);
      if (std::find(ids.begin(), ids.end(), own) != ids.end()) {
        ++unchanged_;
        continue;
      }
      ids.push_back(own);
      if (!media.empty()) {  // a file of another content has another name
        for (size_t i = 0; i < fields_.size(); ++i) {
          if (fields_[i].key == "file") values[i] = copier_->FileName(copy);
        }
        content = Body(values);
        own = IdOf(content);
      }
      lines_ += Cat("{\"_id\":\"", own, "\"", content);
      lines_ += Cat(",\"_from\":\"", id, "\"");
      if (!split.empty()) lines_ += Cat(",\"_split\":", split);
      lines_ += "}\n";
      ++count_;
      ++made_;
      for (size_t i = 0; i < fields_.size() && examples_.size() < kMostExamplesShown; ++i) {
        if (values[i] != fields_[i].value && fields_[i].key[0] != '_' && media.count(fields_[i].key) == 0) {
          examples_.push_back({{"field", PlainText(Cat("\"", fields_[i].key, "\""))},
                               {"text", PlainText(fields_[i].value).substr(0, 400)},
                               {"copy", PlainText(values[i]).substr(0, 400)}});
        }
      }
    }
  }

  // The fields with their values behind a comma each; those without a value are left out.
  std::string Body(const std::vector<std::string>& values) const {
    std::string body;
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].key.starts_with('_') || values[i].empty()) continue;
      body += Cat(",\"", fields_[i].key, "\":", values[i]);
    }
    return body;
  }
  static std::string IdOf(const std::string& body) {
    return RecordId(Cat("{", body.empty() ? body : body.substr(1), "}"));
  }

  void Flush() {
    writer_.Append(lines_, count_);
    statistics_.Add(lines_);
    lines_.clear();
    count_ = 0;
  }

  const DatasetReader reader_;
  const AugmentOptions& options_;
  const std::function<ProgressFn(std::string_view)>& progress_;
  DatasetWriter writer_;
  FieldStatistics statistics_;
  std::optional<MediaCopier> copier_;  // where steps are on files
  std::vector<LineField> fields_;      // of the current record
  std::string lines_;
  size_t count_ = 0;
  uint64_t records_ = 0, chosen_ = 0, made_ = 0, unchanged_ = 0, unreadable_ = 0;
  std::string why_;                // of the first file that could not be read
  std::vector<uint64_t> changed_;  // by step
  Json examples_ = Json::array();
};

}  // namespace

bool AugmentOptions::OnPictures() const {
  return std::any_of(steps.begin(), steps.end(), [](const AugmentStep& step) { return step.picture != nullptr; });
}

bool AugmentOptions::OnSound() const {
  return std::any_of(steps.begin(), steps.end(), [](const AugmentStep& step) { return step.sound != nullptr; });
}

AugmentOptions ParseAugmentOptions(std::string_view toml, const std::string& file, const std::string& folder) {
  Table table = Table::Parse(toml, file);
  AugmentOptions options;
  options.toml = toml;
  options.seed = static_cast<uint64_t>(table.IntOr("seed", 1, 0));
  options.copies = static_cast<int>(table.IntOr("copies", 1, 1, 100));
  options.part = table.StringOr("part", "train");
  options.whole = table.BoolOr("whole", false);
  options.most_pixels =
      static_cast<uint64_t>(table.IntOr("most_pixels", static_cast<int64_t>(kMostPixels), 1, 1 << 27));
  options.most_seconds = table.DoubleOr("most_seconds", kMostSeconds, 0, 1e6);
  for (Table& step : table.Tables("step")) {
    AugmentStep one;
    one.use = step.String("use");
    const auto entry = std::find_if(AllAugmentations().begin(), AllAugmentations().end(),
                                    [&](const AugmentEntry& e) { return e.name == one.use; });
    if (entry == AllAugmentations().end()) {
      std::vector<std::string> names;
      for (const AugmentEntry& known : AllAugmentations()) names.emplace_back(known.name);
      step.Refuse("use", Cat("nothing is called ", Quote(one.use)), Join(names, ", "));
    }
    if (const auto* text = std::get_if<MakeText>(&entry->make)) {
      one.fields = step.StringOrStrings("fields");
      if (one.fields.empty()) step.Refuse("fields", "names none");
      one.operation = (*text)(&step, folder);
    } else {
      if (step.Has("fields")) step.Refuse("fields", Cat(one.use, " changes the record's file, not its fields"));
      if (const auto* picture = std::get_if<MakePicture>(&entry->make)) one.picture = (*picture)(&step);
      if (const auto* sound = std::get_if<MakeSound>(&entry->make)) one.sound = (*sound)(&step);
    }
    one.chance = step.DoubleOr("chance", 1, 0, 1);
    step.Done();
    options.steps.push_back(std::move(one));
    if (options.OnPictures() && options.OnSound()) {
      step.Refuse("use", "a file is a picture or sound: steps on both cannot stand together",
                  "make one configuration for each");
    }
  }
  table.Done();
  return options;
}

AugmentOptions ReadAugmentOptions(const std::string& path) {
  const size_t slash = path.rfind('/');
  return ParseAugmentOptions(ReadFile(path, 4u << 20), path, slash == std::string::npos ? "" : path.substr(0, slash));
}

AugmentOutcome AugmentDataset(const Datasets& datasets, const std::string& ref, const AugmentOptions& options,
                              const std::function<ProgressFn(std::string_view stage)>& progress,
                              const store::Objects* objects) {
  return Augmenter(datasets, ref, options, progress, objects).Run();
}

}  // namespace atelier::data
