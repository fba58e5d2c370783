#include "data/split/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "data/dedup/dedup_dataset.h"
#include "data/field_stats.h"
#include "data/record_line.h"

namespace atelier::data {
namespace {

constexpr size_t kMostParts = 8, kMostStrata = 100'000;
constexpr uint8_t kNowhere = 0xff;

struct Facts {                              // of a record, as the split needs it
  uint64_t id = 0, group = 0, stratum = 0;  // hashes; group 0: none
  double time = -std::numeric_limits<double>::infinity();
  uint8_t before = kNowhere;  // its part in the older version
};

struct ByHash {
  uint64_t hash;
  uint32_t record;
  uint8_t part;
  uint64_t key() const { return hash; }
  bool operator<(const ByHash& o) const { return hash != o.hash ? hash < o.hash : record < o.record; }
};

struct Before {
  uint32_t record;
  uint8_t part;
  bool operator<(const Before& o) const { return record < o.record; }
};

struct Member {  // of a component, those with the smallest key first
  uint32_t root, record;
  Facts facts;
  bool operator<(const Member& o) const {
    if (root != o.root) return root < o.root;
    const bool a = facts.group == 0, b = o.facts.group == 0;
    if (a != b) return b;
    if (facts.group != o.facts.group) return facts.group < o.facts.group;
    return facts.id != o.facts.id ? facts.id < o.facts.id : record < o.record;
  }
};

struct Component {
  double order;      // time, or 0
  uint64_t stratum;  // of its key's record; 0 where there are none
  double place;      // the key's hash with the seed, [0, 1)
  uint32_t root, size;
  uint8_t before;  // the first of its records' parts
  bool operator<(const Component& o) const {
    if (order != o.order) return order < o.order;
    if (stratum != o.stratum) return stratum < o.stratum;
    return place != o.place ? place < o.place : root < o.root;
  }
};

uint64_t KeyHash(std::string_view text) { return std::max<uint64_t>(Hash64(text), 1); }

class Splitter {
 public:
  Splitter(const Datasets& datasets, const std::string& ref, SplitOptions options,
           const std::function<ProgressFn(std::string_view)>& progress)
      : datasets_(datasets), reader_(datasets, ref), options_(std::move(options)), progress_(progress) {
    Check();
    options_.similar.scratch = datasets.folder();
    group_key_ = Escaped(options_.group);
    stratify_key_ = Escaped(options_.stratify);
    time_key_ = Escaped(options_.time);
  }

  SplitOutcome Run() {
    const size_t memory = options_.similar.memory;
    const std::string& scratch = options_.similar.scratch;
    Spool facts(memory / 8, scratch);
    ExternalSorter<ByHash, true> groups(memory / 8, scratch), ids(memory / 8, scratch);
    FindOlder();
    DedupOptions similar = options_.similar;
    similar.memory = memory / 2;
    Deduplicator near(similar);
    ReadRecords(&facts, &groups, &ids, &near);
    if (records_ > UnionFind::kMostRecords) throw Error(Code::kUnsupported, "more than 2,147,483,647 records");
    UnionFind own;
    UnionFind* together = &own;
    if (options_.near) {
      near.Finish(Stage("comparing"));
      together = near.clusters();
      near_records_ = near.stats().exact + near.stats().near;
    } else {
      own.Grow(records_);
    }
    groups.Finish();
    std::optional<ByHash> first;
    groups.ForEach([&](const ByHash& entry) {
      if (first && first->hash == entry.hash) {
        together->Union(first->record, entry.record);
      } else {
        first = entry;
        ++groups_;
      }
    });
    ExternalSorter<Before> before(memory / 8, scratch);
    JoinOlder(&ids, &before);
    ExternalSorter<Member> members(memory / 4, scratch);
    CollectMembers(facts, before, together, &members);
    ExternalSorter<Component> components(memory / 4, scratch);
    MakeComponents(members, &components);
    Place(components);
    return Write(together);
  }

 private:
  ProgressFn Stage(std::string_view name) const { return progress_ ? progress_(name) : ProgressFn(nullptr); }

  void Check() const {
    double sum = 0;
    if (options_.parts.empty() || options_.parts.size() > kMostParts)
      throw Error(Code::kUsage, "a split has 1 to 8 parts");
    for (const auto& [name, share] : options_.parts) {
      if (!(share >= 0 && share <= 1)) throw Error(Code::kUsage, Cat(name, " ", share, ": a share is between 0 and 1"));
      sum += share;
    }
    if (std::abs(sum - 1) > 1e-6) {
      throw Error(Code::kUsage, Cat("the shares add up to ", sum, " instead of 1"),
                  "for example --train 0.8 --valid 0.1 --test 0.1");
    }
    if (!options_.time.empty() && !options_.stratify.empty()) {
      throw Error(Code::kUsage, "a split is stratified or by time, not both");
    }
  }

  uint8_t PartOf(std::string_view name) const {
    for (size_t i = 0; i < options_.parts.size(); ++i) {
      if (options_.parts[i].first == name) return static_cast<uint8_t>(i);
    }
    return kNowhere;
  }

  // The newest version, up to the one that is split, that was split by the same settings.
  void FindOlder() {
    if (options_.fresh) return;
    const std::string toml = ToToml(options_);
    const std::vector<int> versions = datasets_.Versions(reader_.manifest().name);
    for (auto it = versions.rbegin(); it != versions.rend(); ++it) {
      if (*it > reader_.manifest().version) continue;
      const Manifest manifest = datasets_.Load(DatasetRef{reader_.manifest().name, *it});
      if (manifest.recipe.operation == "split" && manifest.recipe.toml == toml) {
        older_ = manifest;
        return;
      }
    }
  }

  void ReadRecords(Spool* facts, ExternalSorter<ByHash, true>* groups, ExternalSorter<ByHash, true>* ids,
                   Deduplicator* near) {
    const ProgressFn tell = Stage("reading");
    uint64_t done = 0;
    std::vector<LineField> fields;
    reader_.ReadAll([&](std::string_view lines) {
      if (options_.near) near->Add(lines);
      for (size_t at = 0; at < lines.size();) {
        const size_t end = lines.find('\n', at);
        const auto number = static_cast<uint32_t>(records_++);
        if (!SplitLine(lines.substr(at, end - at), &fields)) {
          throw Error(Code::kCorrupt, Cat(reader_.manifest().Reference(), ": record ", records_, " is not a record"));
        }
        at = end + 1;
        Facts one;
        for (const LineField& field : fields) {
          if (field.key == "_id") one.id = KeyHash(field.value);
          if (!options_.group.empty() && field.key == group_key_) {
            const std::string value = PlainText(field.value);
            if (!value.empty() && field.value != "null") one.group = KeyHash(value);
          }
          if (!options_.stratify.empty() && field.key == stratify_key_) {
            one.stratum = KeyHash(PlainText(field.value));
            ++with_stratum_;
          }
          if (!options_.time.empty() && field.key == time_key_) {
            const std::string value = PlainText(field.value);
            const std::string_view trimmed = Trim(value);
            if (!trimmed.empty() && field.value != "null") {
              if (!ParseWhen(trimmed, &one.time)) {
                throw Error(Code::kInvalidInput,
                            Cat("record ", records_, ": ", options_.time, ": ", Quote(trimmed),
                                " is neither a number nor a date"),
                            "dates are written 2024-05-01 or 2024-05-01T12:30:00Z");
              }
              ++with_time_;
            }
          }
        }
        facts->Append(&one, sizeof(one));
        if (one.group != 0) groups->Add({one.group, number, 0});
        if (older_) ids->Add({one.id, number, 0});
      }
      if (tell) tell(done += lines.size(), reader_.manifest().bytes, "");
      return true;
    });
    const auto require = [&](const std::string& field, uint64_t count) {
      if (field.empty() || count > 0 || records_ == 0) return;
      throw Error(Code::kInvalidInput, Cat("no record has the field '", field, "'"),
                  "`atelier data show` lists the fields");
    };
    require(options_.group, groups->size());
    require(options_.stratify, with_stratum_);
    require(options_.time, with_time_);
  }

  void JoinOlder(ExternalSorter<ByHash, true>* ids, ExternalSorter<Before>* before) {
    ids->Finish();
    if (older_) {
      ExternalSorter<ByHash, true> old(options_.similar.memory / 8, options_.similar.scratch);
      const DatasetReader reader(datasets_, older_->Reference());
      reader.ReadAll([&](std::string_view lines) {
        for (size_t at = 0; at < lines.size();) {
          const size_t end = lines.find('\n', at);
          const std::string_view line = lines.substr(at, end - at);
          const uint8_t part = PartOf(PlainText(FindValue(line, "_split")));
          if (part != kNowhere) old.Add({KeyHash(FindValue(line, "_id")), part, part});
          at = end + 1;
        }
        return true;
      });
      old.Finish();
      ExternalSorter<ByHash, true>::Stream stream(old);
      const ByHash* other = stream.Next();
      ids->ForEach([&](const ByHash& entry) {
        while (other != nullptr && other->hash < entry.hash) other = stream.Next();
        if (other != nullptr && other->hash == entry.hash) before->Add({entry.record, other->part});
      });
    }
    before->Finish();
  }

  void CollectMembers(const Spool& facts, const ExternalSorter<Before>& before, UnionFind* together,
                      ExternalSorter<Member>* members) {
    ExternalSorter<Before>::Stream stream(before);
    const Before* next = stream.Next();
    std::string scratch;
    before_.assign(options_.parts.size(), 0);
    for (uint32_t record = 0; record < records_; ++record) {
      Member member{together->Find(record), record, {}};
      std::memcpy(&member.facts, facts.View(uint64_t{record} * sizeof(Facts), sizeof(Facts), &scratch).data(),
                  sizeof(Facts));
      if (next != nullptr && next->record == record) {
        member.facts.before = next->part;
        ++before_[next->part];
        next = stream.Next();
      }
      members->Add(member);
    }
    members->Finish();
  }

  void MakeComponents(const ExternalSorter<Member>& members, ExternalSorter<Component>* components) {
    std::optional<Component> one;
    std::array<uint32_t, kMostParts> old{};
    const auto end = [&] {
      if (!one) return;
      for (uint8_t part = 0; part < options_.parts.size() && one->before == kNowhere; ++part) {
        if (old[part] > 0) one->before = part;
      }
      for (uint8_t part = 0; part < options_.parts.size(); ++part) {
        if (part != one->before) moved_ += old[part];
      }
      components->Add(*one);
      largest_ = std::max<uint64_t>(largest_, one->size);
    };
    members.ForEach([&](const Member& member) {
      if (!one || one->root != member.root) {
        end();
        old.fill(0);
        const uint64_t key[2] = {options_.seed, member.facts.group != 0 ? member.facts.group : member.facts.id};
        const uint64_t hash = Hash64({reinterpret_cast<const char*>(key), sizeof(key)});
        one = Component{0, member.facts.stratum, static_cast<double>(hash >> 11) * 0x1.0p-53, member.root, 0, kNowhere};
        if (!options_.time.empty()) one->order = member.facts.time;
      }
      ++one->size;
      if (!options_.time.empty()) one->order = std::max(one->order, member.facts.time);
      if (member.facts.before != kNowhere) ++old[member.facts.before];
    });
    end();
    components->Finish();
  }

  void Place(const ExternalSorter<Component>& components) {
    part_of_.assign(records_, kNowhere);
    counts_.assign(options_.parts.size(), 0);
    const auto put = [&](const Component& component, uint8_t part) {
      part_of_[component.root] = part;
      counts_[part] += component.size;
    };
    const auto at = [&](double place) {  // the part whose share holds `place`
      double sum = 0;
      uint8_t part = 0, last = 0;
      for (; part < options_.parts.size(); ++part) {
        if (options_.parts[part].second > 0) last = part;
        sum += options_.parts[part].second;
        if (place < sum) return part;
      }
      return last;
    };
    components_ = components.size();
    if (!options_.stratify.empty()) {
      struct Stratum {
        std::array<double, kMostParts> have{};
        double total = 0;
      };
      std::unordered_map<uint64_t, Stratum> strata;
      components.ForEach([&](const Component& component) {
        Stratum& stratum = strata[component.stratum];
        if (strata.size() > kMostStrata) {
          throw Error(Code::kInvalidInput, Cat(options_.stratify, " has more than ", kMostStrata, " values"),
                      "stratify by a field with few values, such as a label");
        }
        stratum.total += component.size;
        if (component.before != kNowhere) stratum.have[component.before] += component.size;
      });
      strata_ = strata.size();
      components.ForEach([&](const Component& component) {
        if (component.before != kNowhere) return put(component, component.before);
        Stratum& stratum = strata[component.stratum];
        uint8_t best = 0;
        double behind = -std::numeric_limits<double>::infinity();
        for (uint8_t part = 0; part < options_.parts.size(); ++part) {
          const double share = options_.parts[part].second, lack = share * stratum.total - stratum.have[part];
          if (share > 0 && lack > behind + 1e-9) behind = lack, best = part;
        }
        stratum.have[best] += component.size;
        put(component, best);
      });
    } else if (!options_.time.empty()) {
      double sum = 0;
      components.ForEach([&](const Component& component) {
        const uint8_t part = at((sum + component.size / 2.0) / static_cast<double>(records_));
        sum += component.size;
        put(component, component.before != kNowhere ? component.before : part);
      });
    } else {
      components.ForEach([&](const Component& component) {
        put(component, component.before != kNowhere ? component.before : at(component.place));
      });
    }
  }

  SplitOutcome Write(UnionFind* together) {
    DatasetWriter writer(datasets_, reader_.manifest().name);
    FieldStatistics fields;
    const ProgressFn tell = Stage("writing");
    uint64_t done = 0;
    uint32_t record = 0;
    std::string out;
    reader_.ReadAll([&](std::string_view lines) {
      out.clear();
      size_t count = 0;
      for (size_t at = 0; at < lines.size(); ++count) {
        const size_t end = lines.find('\n', at);
        AppendWithSplit(lines.substr(at, end - at), options_.parts[part_of_[together->Find(record++)]].first, &out);
        at = end + 1;
      }
      writer.Append(out, count);
      fields.Add(out);
      if (tell) tell(done += lines.size(), reader_.manifest().bytes, "");
      return true;
    });
    SplitOutcome outcome;
    Json& report = outcome.report;
    report["operation"] = "split";
    report["records"] = records_;
    for (size_t i = 0; i < options_.parts.size(); ++i) report["parts"][options_.parts[i].first] = counts_[i];
    report["components"] = components_;
    report["largest_component"] = largest_;
    report["near_duplicates"] = near_records_;
    if (!options_.group.empty()) report["groups"] = groups_;
    if (!options_.stratify.empty()) report["strata"] = strata_;
    if (!options_.time.empty()) report["without_time"] = records_ - with_time_;
    report["older"] = older_ ? Json(older_->Reference()) : Json();
    uint64_t stayed = 0;
    for (uint64_t count : before_) stayed += count;
    report["known_before"] = stayed;
    report["moved"] = moved_;
    Manifest draft;
    draft.tenant = reader_.manifest().tenant;
    draft.parents = {reader_.AsParent()};
    if (older_ && older_->version != reader_.manifest().version) {
      draft.parents.push_back({older_->name, older_->version, older_->content_hash});
    }
    draft.sources = reader_.manifest().sources;
    draft.licence = reader_.manifest().licence;
    draft.consent = reader_.manifest().consent;
    draft.recipe = {"split", ToToml(options_), ""};
    draft.fields = fields.Fields();
    for (size_t i = 0; i < options_.parts.size(); ++i) {
      if (counts_[i] > 0) draft.splits[options_.parts[i].first] = counts_[i];
    }
    writer.AddFile("split.json", ToPrettyText(report) + "\n");
    outcome.manifest = writer.Commit(std::move(draft));
    return outcome;
  }

  const Datasets& datasets_;
  const DatasetReader reader_;
  SplitOptions options_;
  const std::function<ProgressFn(std::string_view)>& progress_;
  std::string group_key_, stratify_key_, time_key_;
  std::optional<Manifest> older_;
  uint64_t records_ = 0, groups_ = 0, strata_ = 0, components_ = 0, largest_ = 0, near_records_ = 0, moved_ = 0;
  uint64_t with_stratum_ = 0, with_time_ = 0;
  std::vector<uint64_t> counts_, before_;  // by part
  std::vector<uint8_t> part_of_;           // by root
};

}  // namespace

std::string ToToml(const SplitOptions& o) {
  std::string out;
  for (const auto& [name, share] : o.parts) out += Cat(name, " = ", FormatFixed(share, 6), "\n");
  for (const auto& [key, field] : {std::pair("stratify", &o.stratify), {"group", &o.group}, {"time", &o.time}}) {
    if (!field->empty()) out += Cat(key, " = ", ToText(Json(*field)), "\n");
  }
  out += Cat("seed = ", o.seed, "\n");
  if (o.near) {
    out += Cat("near = ", o.similar.exact ? "\"equal\"" : FormatFixed(o.similar.threshold, 6),
               "\nnear_fields = ", ToText(Json(o.similar.fields)), "\n");
  }
  return out;
}

void AppendWithSplit(std::string_view line, std::string_view part, std::string* out) {
  if (line.find("\"_split\":") == std::string_view::npos) {
    out->append(line.substr(0, line.size() - 1));
    if (line.size() > 2) out->push_back(',');
  } else {
    std::vector<LineField> fields;
    SplitLine(line, &fields);
    out->push_back('{');
    for (const LineField& field : fields) {
      if (field.key == "_split") continue;
      *out += Cat("\"", field.key, "\":", field.value, ",");
    }
  }
  *out += Cat("\"_split\":\"", Escaped(part), "\"}\n");
}

SplitOutcome SplitDataset(const Datasets& datasets, const std::string& ref, SplitOptions options,
                          const std::function<ProgressFn(std::string_view stage)>& progress) {
  return Splitter(datasets, ref, std::move(options), progress).Run();
}

}  // namespace atelier::data
