#include "data/merge/merge.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/str.h"
#include "data/dedup/dedup.h"
#include "data/dedup/fold.h"
#include "data/external_sort.h"
#include "data/field_stats.h"
#include "data/record_line.h"

namespace atelier::data {
namespace {

constexpr size_t kMostExamples = 50;

struct ByKey {
  uint64_t hash[2];
  uint32_t record;
  uint64_t key() const { return hash[0]; }
  bool operator<(const ByKey& o) const {
    if (hash[0] != o.hash[0]) return hash[0] < o.hash[0];
    return hash[1] != o.hash[1] ? hash[1] < o.hash[1] : record < o.record;
  }
};

struct Shared {  // a record whose key others have too; `first` is the first of them
  uint32_t record, first;
  bool operator<(const Shared& o) const { return record < o.record; }
};

struct Kept {  // its line, in the spool
  uint32_t first, record, source, size;
  uint64_t offset;
  bool operator<(const Kept& o) const { return first != o.first ? first < o.first : record < o.record; }
};

struct GroupMember {
  uint32_t source = 0;
  std::string line;
  std::vector<LineField> fields;
};

bool IsEmpty(std::string_view value) { return value == "null" || value == "\"\"" || value.empty(); }

std::string_view Named(const GroupMember& member, std::string_view key) {
  for (const LineField& field : member.fields) {
    if (field.key == key) return field.value;
  }
  return {};
}

class Merger {
 public:
  Merger(const Datasets& datasets, std::string name, const std::vector<std::string>& refs, const MergeOptions& options,
         const std::function<ProgressFn(std::string_view)>& progress)
      : datasets_(datasets),
        name_(std::move(name)),
        options_(options),
        progress_(progress),
        by_key_(options.memory / 2, datasets.folder()),
        shared_(options.memory / 8, datasets.folder()),
        lines_(options.memory / 4, datasets.folder()),
        kept_(options.memory / 8, datasets.folder()) {
    if (refs.size() < 2) throw Error(Code::kUsage, "a merge needs two datasets or more");
    if (options.key.empty()) throw Error(Code::kUsage, "a merge needs a key", "--key FIELD");
    CheckDatasetName(name_);
    for (const std::string& ref : refs) readers_.push_back(std::make_unique<DatasetReader>(datasets, ref));
    for (const std::string& key : options.key) keys_.push_back(Escaped(key));
    for (const auto& [field, rule] : options.fields) rules_[Escaped(field)] = rule;
    for (const auto& reader : readers_) {
      first_source_.push_back(static_cast<int>(sources_.size()));
      for (const SourceInfo& source : reader->manifest().sources) sources_.push_back(source);
      total_ += reader->manifest().bytes;
    }
    key_seen_.assign(keys_.size(), 0);
  }

  MergeOutcome Run() {
    ReadKeys();
    KeepShared();
    return Write();
  }

 private:
  // fn(record, source, line without '\n') over all sources.
  template <typename Fn>
  void ForEachLine(std::string_view stage, const Fn& fn) {
    const ProgressFn tell = progress_ ? progress_(stage) : ProgressFn(nullptr);
    uint64_t done = 0;
    uint32_t record = 0;
    for (uint32_t source = 0; source < readers_.size(); ++source) {
      readers_[source]->ReadAll([&](std::string_view lines) {
        for (size_t at = 0; at < lines.size();) {
          const size_t end = lines.find('\n', at);
          fn(record++, source, lines.substr(at, end - at));
          at = end + 1;
        }
        if (tell) tell(done += lines.size(), total_, "");
        return true;
      });
    }
  }

  void Cut(std::string_view line, uint32_t source, std::vector<LineField>* fields) const {
    if (!SplitLine(line, fields)) {
      throw Error(Code::kCorrupt, Cat(readers_[source]->manifest().Reference(), ": not a record: ", Quote(line)));
    }
  }

  void ReadKeys() {
    uint64_t records = 0;
    for (const auto& reader : readers_) records += reader->manifest().records;
    if (records > UnionFind::kMostRecords) throw Error(Code::kUnsupported, "more than 2,147,483,647 records");
    std::vector<LineField> fields;
    FoldedText folded;
    ForEachLine("reading keys", [&](uint32_t record, uint32_t source, std::string_view line) {
      Cut(line, source, &fields);
      std::string key;
      bool empty = false;
      for (size_t i = 0; i < keys_.size(); ++i) {
        std::string_view value;
        for (const LineField& field : fields) {
          if (field.key == keys_[i]) value = field.value;
        }
        key_seen_[i] += !value.empty();
        std::string text = IsEmpty(value) ? "" : std::string(Trim(PlainText(value)));
        if (options_.fold_key) {
          Fold(text, &folded);
          text = folded.text();
        }
        empty = empty || text.empty();
        key += Cat(text.size(), ":", text);  // no two keys of several fields look alike
      }
      ++records_;
      if (empty) {
        ++without_key_;
        return;
      }
      const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
      by_key_.Add({{hash.high64, hash.low64}, record});
    });
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (records_ > 0 && key_seen_[i] == 0) {
        throw Error(Code::kInvalidInput, Cat("no record has the key field '", options_.key[i], "'"),
                    "`atelier data show` lists the fields");
      }
    }
    by_key_.Finish();
    std::optional<ByKey> first;
    bool alone = true;
    by_key_.ForEach([&](const ByKey& entry) {
      if (first && first->hash[0] == entry.hash[0] && first->hash[1] == entry.hash[1]) {
        if (alone) shared_.Add({first->record, first->record});
        alone = false;
        shared_.Add({entry.record, first->record});
      } else {
        first = entry;
        alone = true;
        ++keys_found_;
      }
    });
    shared_.Finish();
  }

  void KeepShared() {
    ExternalSorter<Shared>::Stream stream(shared_);
    const Shared* next = stream.Next();
    if (next == nullptr) return kept_.Finish();
    ForEachLine("gathering", [&](uint32_t record, uint32_t source, std::string_view line) {
      if (next == nullptr || next->record != record) return;
      kept_.Add({next->first, record, source, static_cast<uint32_t>(line.size()), lines_.Append(line)});
      next = stream.Next();
    });
    kept_.Finish();
  }

  // The fields of one record as a line of the new dataset.
  void Emit(const std::vector<LineField>& fields, uint32_t source, std::string_view from) {
    out_.Begin();
    for (const LineField& field : fields) {
      if (field.key.starts_with('_')) continue;
      out_.Key(field.key);
      out_.Json(field.value);
    }
    // "_from":[source, line], the source numbered as in the new manifest.
    int64_t index = 0, number = 0;
    if (from.size() > 2) {
      const std::vector<std::string> parts = Split(from.substr(1, from.size() - 2), ',');
      index = ParseInt(parts[0]).value_or(0);
      if (parts.size() > 1) number = ParseInt(parts[1]).value_or(0);
    }
    out_.End(first_source_[source] + static_cast<int>(index), static_cast<uint64_t>(number));
    if (out_.lines().size() > (1u << 20)) Flush();
  }

  void Flush() {
    writer_->Append(out_.lines(), out_.records());
    statistics_.Add(out_.lines());
    out_.Clear();
  }

  std::string KeyText(const GroupMember& member) const {
    std::vector<std::string> parts;
    for (const std::string& key : keys_) parts.push_back(PlainText(Named(member, key)));
    return Join(parts, ", ");
  }

  std::string Where(const GroupMember& member) const { return readers_[member.source]->manifest().Reference(); }

  static double WhenOf(const GroupMember& member, const std::string& by) {
    double when;
    const std::string text = PlainText(Named(member, Escaped(by)));
    return ParseWhen(Trim(text), &when) ? when : -std::numeric_limits<double>::infinity();
  }

  // Of the members that have a value, the one whose value stays.
  size_t Choose(const std::vector<GroupMember>& members, const std::vector<size_t>& having, std::string_view field,
                const ConflictRule& rule) const {
    size_t best = having[0];
    if (rule.kind == ConflictRule::kNewest) {
      for (size_t i : having) {
        if (WhenOf(members[i], rule.by) > WhenOf(members[best], rule.by)) best = i;
      }
    } else if (rule.kind == ConflictRule::kLongest) {
      for (size_t i : having) {
        if (CharactersOf(Named(members[i], field)) > CharactersOf(Named(members[best], field))) best = i;
      }
    }
    return best;
  }

  void MergeGroup(const std::vector<GroupMember>& members) {
    std::vector<std::string_view> names;  // few fields: a linear search
    for (const GroupMember& member : members) {
      for (const LineField& field : member.fields) {
        if (!field.key.starts_with('_') && std::find(names.begin(), names.end(), field.key) == names.end()) {
          names.push_back(field.key);
        }
      }
    }
    std::vector<LineField> fields;
    std::vector<std::string> lists;  // the values of kList
    lists.reserve(names.size());
    bool keep_all = false;
    for (std::string_view name : names) {
      std::vector<size_t> having;
      bool differ = false;
      for (size_t i = 0; i < members.size(); ++i) {
        const std::string_view value = Named(members[i], name);
        if (IsEmpty(value)) continue;
        if (!having.empty() && PlainText(value) != PlainText(Named(members[having[0]], name))) differ = true;
        having.push_back(i);
      }
      std::string_view chosen = "null";
      if (having.empty()) {
        for (size_t i = members.size(); i-- > 0;) {
          if (const std::string_view value = Named(members[i], name); !value.empty()) chosen = value;
        }
      } else {
        chosen = Named(members[having[0]], name);
      }
      const bool is_key = std::find(keys_.begin(), keys_.end(), name) != keys_.end();
      if (differ && !is_key) {
        const auto found = rules_.find(std::string(name));
        const ConflictRule& rule = found != rules_.end() ? found->second : options_.rule;
        const size_t winner = Choose(members, having, name, rule);
        if (rule.kind == ConflictRule::kError) {
          size_t other = having[0];
          while (PlainText(Named(members[other], name)) == PlainText(Named(members[having[0]], name))) ++other;
          throw Error(Code::kConflict,
                      Cat("key ", Quote(KeyText(members[0])), ", field ", Quote(name), ": ",
                          Quote(PlainText(Named(members[having[0]], name))), " in ", Where(members[having[0]]), ", ",
                          Quote(PlainText(Named(members[other], name))), " in ", Where(members[other])),
                      "declare how to settle it: --on-conflict, or [fields] in the configuration");
        }
        chosen = Named(members[winner], name);
        if (rule.kind == ConflictRule::kList) {
          std::vector<std::string> seen;
          for (size_t i : having) {
            const std::string value(Named(members[i], name));
            if (std::find(seen.begin(), seen.end(), value) == seen.end()) seen.push_back(value);
          }
          chosen = lists.emplace_back(Cat("[", Join(seen, ","), "]"));
        }
        keep_all = keep_all || rule.kind == ConflictRule::kKeepBoth;
        Note(members, having, name, rule, winner);
      }
      fields.push_back({name, chosen});
    }
    if (keep_all) {
      kept_apart_ += members.size();
      for (const GroupMember& member : members) Emit(member.fields, member.source, Named(member, "_from"));
      return;
    }
    ++merged_;
    Emit(fields, members[0].source, Named(members[0], "_from"));
  }

  void Note(const std::vector<GroupMember>& members, const std::vector<size_t>& having, std::string_view name,
            const ConflictRule& rule, size_t winner) {
    ++conflicts_[std::string(name)];
    if (examples_.size() >= kMostExamples) return;
    Json values = Json::array();
    for (size_t i : having) {
      Json value = {{"from", Where(members[i])}, {"value", PlainText(Named(members[i], name)).substr(0, 200)}};
      if (rule.kind != ConflictRule::kList && rule.kind != ConflictRule::kKeepBoth) value["kept"] = i == winner;
      values.push_back(std::move(value));
    }
    examples_.push_back({{"key", KeyText(members[0])}, {"field", std::string(name)}, {"values", std::move(values)}});
  }

  MergeOutcome Write() {
    writer_ = std::make_unique<DatasetWriter>(datasets_, name_);
    ExternalSorter<Shared>::Stream shared(shared_);
    ExternalSorter<Kept>::Stream kept(kept_);
    const Shared* next = shared.Next();
    const Kept* line_of = kept.Next();
    std::vector<LineField> fields;
    std::string scratch;
    ForEachLine("writing", [&](uint32_t record, uint32_t source, std::string_view line) {
      if (next == nullptr || next->record != record) {
        Cut(line, source, &fields);
        std::string_view from;
        for (const LineField& field : fields) {
          if (field.key == "_from") from = field.value;
        }
        return Emit(fields, source, from);
      }
      const bool first = next->first == record;
      next = shared.Next();
      if (!first) return;
      std::vector<GroupMember> members;
      for (; line_of != nullptr && line_of->first == record; line_of = kept.Next()) {
        GroupMember& member = members.emplace_back();
        member.source = line_of->source;
        member.line = lines_.View(line_of->offset, line_of->size, &scratch);
      }
      for (GroupMember& member : members) Cut(member.line, member.source, &member.fields);  // now that no line moves
      MergeGroup(members);
    });
    Flush();
    MergeOutcome outcome;
    Json& report = outcome.report;
    report["operation"] = "merge";
    for (const auto& reader : readers_) {
      report["sources"].push_back(
          {{"dataset", reader->manifest().Reference()}, {"records", reader->manifest().records}});
    }
    report["records"] = records_;
    report["keys"] = keys_found_;
    report["without_key"] = without_key_;
    report["merged"] = merged_;
    report["kept_apart"] = kept_apart_;
    report["conflicts"] = Json::object();
    for (const auto& [field, count] : conflicts_) report["conflicts"][PlainText(Cat("\"", field, "\""))] = count;
    report["examples"] = std::move(examples_);
    Manifest draft;
    draft.tenant = readers_[0]->manifest().tenant;
    std::vector<std::string> licences, consents;
    for (const auto& reader : readers_) {
      const Manifest& m = reader->manifest();
      draft.parents.push_back(reader->AsParent());
      if (std::find(licences.begin(), licences.end(), m.licence) == licences.end()) licences.push_back(m.licence);
      if (std::find(consents.begin(), consents.end(), m.consent) == consents.end()) consents.push_back(m.consent);
    }
    std::erase(licences, "");
    std::erase(consents, "");
    draft.licence = Join(licences, "; ");
    draft.consent = Join(consents, "; ");
    draft.sources = sources_;
    draft.recipe = {"merge", ToToml(options_), ""};
    draft.fields = statistics_.Fields();
    writer_->AddFile("merge.json", ToPrettyText(report) + "\n");
    outcome.manifest = writer_->Commit(std::move(draft));
    return outcome;
  }

  const Datasets& datasets_;
  const std::string name_;
  const MergeOptions& options_;
  const std::function<ProgressFn(std::string_view)>& progress_;
  std::vector<std::unique_ptr<DatasetReader>> readers_;
  std::vector<int> first_source_;  // by dataset: where its sources begin in `sources_`
  std::vector<SourceInfo> sources_;
  std::vector<std::string> keys_;              // escaped
  std::map<std::string, ConflictRule> rules_;  // by escaped field
  std::vector<uint64_t> key_seen_;
  ExternalSorter<ByKey, true> by_key_;
  ExternalSorter<Shared> shared_;
  Spool lines_;
  ExternalSorter<Kept> kept_;
  std::unique_ptr<DatasetWriter> writer_;
  LineBuilder out_;
  FieldStatistics statistics_;
  uint64_t total_ = 0, records_ = 0, keys_found_ = 0, without_key_ = 0, merged_ = 0, kept_apart_ = 0;
  std::map<std::string, uint64_t> conflicts_;
  Json examples_ = Json::array();
};

std::string ToName(const ConflictRule& rule) {
  switch (rule.kind) {
    case ConflictRule::kFirst: return "first";
    case ConflictRule::kNewest: return Cat("newest:", rule.by);
    case ConflictRule::kLongest: return "longest";
    case ConflictRule::kError: return "error";
    case ConflictRule::kKeepBoth: return "keep-both";
    case ConflictRule::kList: return "list";
  }
  return "";
}

}  // namespace

ConflictRule ReadConflictRule(std::string_view text, bool of_field) {
  if (text == "first") return {ConflictRule::kFirst};
  if (text == "longest") return {ConflictRule::kLongest};
  if (text == "error") return {ConflictRule::kError};
  if (text == "keep-both" && !of_field) return {ConflictRule::kKeepBoth};
  if (text == "list" && of_field) return {ConflictRule::kList};
  if (text.starts_with("newest:") && text.size() > 7) return {ConflictRule::kNewest, std::string(text.substr(7))};
  throw Error(
      Code::kUsage, Cat("conflict rule ", Quote(text)),
      of_field ? "first, newest:FIELD, longest, error or list" : "first, newest:FIELD, longest, error or keep-both");
}

MergeOptions ReadMergeOptions(Table table) {
  MergeOptions options;
  options.key = table.StringOrStrings("key");
  options.fold_key = table.BoolOr("fold_key", false);
  const auto read = [](const Table& at, std::string_view key, const std::string& text, bool of_field) {
    try {
      return ReadConflictRule(text, of_field);
    } catch (const Error& e) {
      at.Refuse(key, e.what(), e.hint());
    }
  };
  options.rule = read(table, "on_conflict", table.StringOr("on_conflict", "first"), false);
  if (std::optional<Table> fields = table.SubOr("fields")) {
    for (const std::string& name : fields->Keys())
      options.fields[name] = read(*fields, name, fields->String(name), true);
    fields->Done();
  }
  table.Done();
  return options;
}

std::string ToToml(const MergeOptions& o) {
  std::string out = Cat("key = ", ToText(Json(o.key)), "\nfold_key = ", o.fold_key,
                        "\non_conflict = ", ToText(Json(ToName(o.rule))), "\n");
  if (!o.fields.empty()) out += "[fields]\n";
  for (const auto& [field, rule] : o.fields) out += Cat(ToText(Json(field)), " = ", ToText(Json(ToName(rule))), "\n");
  return out;
}

MergeOutcome MergeDatasets(const Datasets& datasets, const std::string& name, const std::vector<std::string>& refs,
                           const MergeOptions& options,
                           const std::function<ProgressFn(std::string_view stage)>& progress) {
  return Merger(datasets, name, refs, options, progress).Run();
}

}  // namespace atelier::data
