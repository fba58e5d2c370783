#include "data/diff.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/str.h"
#include "data/record_line.h"

namespace atelier::data {
namespace {

using Hash = std::array<uint64_t, 2>;

struct Entry {
  Hash key, id;
  auto operator<=>(const Entry&) const = default;
};

Hash HashOf(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

// Reads keys and ids off lines.
class Keys {
 public:
  explicit Keys(const std::string& key) : key_(Escaped(key)) {}
  // Throws kCorrupt for a line without an id.
  Entry Of(std::string_view line, bool* has_key) {
    constexpr std::string_view kStart = "{\"_id\":\"";
    if (!line.starts_with(kStart) || line.size() < kStart.size() + 33) {
      throw Error(Code::kCorrupt, Cat("a record without its id: ", Quote(line)), "import the data again");
    }
    Entry entry;
    entry.id = HashOf(line.substr(kStart.size(), 32));
    entry.key = entry.id;
    *has_key = true;
    if (!key_.empty()) {
      *has_key = false;
      SplitLine(line, &fields_);
      for (const LineField& field : fields_) {
        if (field.key == key_) {
          entry.key = HashOf(field.value);
          *has_key = true;
        }
      }
    }
    return entry;
  }

 private:
  std::string key_;
  std::vector<LineField> fields_;
};

template <typename Fn>
void EachLine(const DatasetReader& reader, const Fn& fn) {
  reader.ReadAll([&](std::string_view lines) {
    for (size_t begin = 0; begin < lines.size();) {
      const size_t end = std::min(lines.find('\n', begin), lines.size());
      fn(lines.substr(begin, end - begin));
      begin = end + 1;
    }
    return true;
  });
}

// Which entries to show: the smallest hashes, so that the choice does not depend on the order.
class Chosen {
 public:
  explicit Chosen(size_t most) : most_(most) {}
  void Offer(const Entry& before, const Entry& after) {
    if (most_ == 0) return;
    if (set_.size() == most_ && !(std::tie(before, after) < std::tie(set_.rbegin()->first, set_.rbegin()->second)))
      return;
    set_.emplace(before, after);
    if (set_.size() > most_) set_.erase(std::prev(set_.end()));
  }
  const std::set<std::pair<Entry, Entry>>& get() const { return set_; }

 private:
  size_t most_;
  std::set<std::pair<Entry, Entry>> set_;
};

bool Near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)}); }

std::vector<FieldDiff> DiffFields(const Manifest& before, const Manifest& after) {
  std::vector<FieldDiff> out;
  const auto find = [](const Manifest& manifest, const std::string& name) -> const FieldInfo* {
    for (const FieldInfo& field : manifest.fields) {
      if (field.name == name) return &field;
    }
    return nullptr;
  };
  for (const FieldInfo& old : before.fields) {
    const FieldInfo* now = find(after, old.name);
    if (now == nullptr) {
      out.push_back({old.name, "removed", old, {}});
      continue;
    }
    const auto kinds = [](const FieldInfo& field) {
      std::set<std::string> names;
      for (const auto& [type, count] : field.types) names.insert(type);
      return names;
    };
    const bool numbers =
        old.numbers.has_value() == now->numbers.has_value() &&
        (!old.numbers || (Near(old.numbers->min, now->numbers->min) && Near(old.numbers->max, now->numbers->max) &&
                          Near(old.numbers->mean, now->numbers->mean)));
    const bool lengths =
        old.lengths.has_value() == now->lengths.has_value() &&
        (!old.lengths || (old.lengths->min == now->lengths->min && old.lengths->max == now->lengths->max &&
                          Near(old.lengths->mean, now->lengths->mean)));
    if (kinds(old) != kinds(*now)) {
      out.push_back({old.name, "types", old, *now});
    } else if (!numbers || !lengths || old.types != now->types || old.empty != now->empty ||
               old.distinct != now->distinct) {
      out.push_back({old.name, "statistics", old, *now});
    }
  }
  for (const FieldInfo& now : after.fields) {
    if (find(before, now.name) == nullptr) out.push_back({now.name, "added", {}, now});
  }
  return out;
}

std::vector<std::string> ChangedFields(std::string_view before, std::string_view after) {
  std::vector<LineField> a, b;
  SplitLine(before, &a);
  SplitLine(after, &b);
  std::map<std::string_view, std::string_view> old;
  for (const LineField& field : a) old[field.key] = field.value;
  std::vector<std::string> out;
  for (const LineField& field : b) {
    const auto at = old.find(field.key);
    const bool differs = at == old.end() || at->second != field.value;
    if (at != old.end()) old.erase(at);
    if (differs && !field.key.starts_with('_')) out.push_back(PlainText(Cat("\"", field.key, "\"")));
  }
  for (const auto& [key, value] : old) {
    if (!key.starts_with('_')) out.push_back(PlainText(Cat("\"", key, "\"")));
  }
  return out;
}

}  // namespace

DiffReport Diff(const DatasetReader& before, const DatasetReader& after, const DiffOptions& options) {
  DiffReport report;
  report.fields = DiffFields(before.manifest(), after.manifest());
  const DatasetReader* sides[2] = {&before, &after};
  if (!options.key.empty()) {
    std::vector<std::string> names;
    for (const DatasetReader* side : sides) {
      for (const FieldInfo& field : side->manifest().fields) names.push_back(field.name);
    }
    if (std::find(names.begin(), names.end(), options.key) == names.end()) {
      const std::string near = Nearest(options.key, names);
      throw Error(Code::kNotFound, Cat("neither version has a field ", Quote(options.key)),
                  near.empty() ? "" : Cat("did you mean '", near, "'?"));
    }
  }
  const uint64_t records = before.manifest().records + after.manifest().records;
  const uint64_t passes = 1 + records * sizeof(Entry) / std::max<uint64_t>(options.memory, 1u << 20);
  const uint64_t total = (before.manifest().bytes + after.manifest().bytes) * passes;
  uint64_t read = 0;
  Chosen added(options.samples), removed(options.samples), changed(options.samples);
  for (uint64_t pass = 0; pass < passes; ++pass) {
    std::vector<Entry> entries[2];
    for (int side = 0; side < 2; ++side) {
      Keys keys(options.key);
      entries[side].reserve(sides[side]->manifest().records / passes * 9 / 8 + 1024);
      EachLine(*sides[side], [&](std::string_view line) {
        bool has_key = false;
        const Entry entry = keys.Of(line, &has_key);
        if (pass == 0 && !has_key) ++report.without_key[side];
        if (entry.key[1] % passes == pass) entries[side].push_back(entry);
        read += line.size() + 1;
        if (options.progress && (read & 0xFFF) < 64) options.progress(read, total, "");
      });
      std::sort(entries[side].begin(), entries[side].end());
    }
    // Group by key. Within one, equal contents are the same record; what is left over on both sides changed.
    size_t i = 0, j = 0;
    const auto &a = entries[0], &b = entries[1];
    while (i < a.size() || j < b.size()) {
      const Hash key = i == a.size() ? b[j].key : j == b.size() ? a[i].key : std::min(a[i].key, b[j].key);
      std::vector<Entry> gone, come;
      size_t count[2] = {};
      while ((i < a.size() && a[i].key == key) || (j < b.size() && b[j].key == key)) {
        const bool left = i < a.size() && a[i].key == key, right = j < b.size() && b[j].key == key;
        if (left && right && a[i].id == b[j].id) {
          ++report.same, ++i, ++j, ++count[0], ++count[1];
        } else if (left && (!right || a[i].id < b[j].id)) {
          gone.push_back(a[i++]), ++count[0];
        } else {
          come.push_back(b[j++]), ++count[1];
        }
      }
      for (int side = 0; side < 2; ++side) report.repeated_keys[side] += count[side] > 1 ? count[side] - 1 : 0;
      const size_t pairs = options.key.empty() ? 0 : std::min(gone.size(), come.size());
      report.changed += pairs;
      report.removed += gone.size() - pairs;
      report.added += come.size() - pairs;
      for (size_t k = 0; k < pairs; ++k) changed.Offer(gone[k], come[k]);
      for (size_t k = pairs; k < gone.size(); ++k) removed.Offer(gone[k], {});
      for (size_t k = pairs; k < come.size(); ++k) added.Offer({}, come[k]);
    }
  }
  // The lines of those to show.
  std::map<Entry, std::string> wanted[2];
  for (const auto& [gone, come] : removed.get()) wanted[0][gone];
  for (const auto& [gone, come] : added.get()) wanted[1][come];
  for (const auto& [gone, come] : changed.get()) wanted[0][gone], wanted[1][come];
  for (int side = 0; side < 2; ++side) {
    size_t left = wanted[side].size();
    if (left == 0) continue;
    Keys keys(options.key);
    sides[side]->ReadAll([&](std::string_view lines) {
      for (size_t begin = 0; begin < lines.size() && left > 0;) {
        const size_t end = std::min(lines.find('\n', begin), lines.size());
        const std::string_view line = lines.substr(begin, end - begin);
        begin = end + 1;
        bool has_key = false;
        const auto at = wanted[side].find(keys.Of(line, &has_key));
        if (at != wanted[side].end() && at->second.empty()) {
          at->second = std::string(line);
          --left;
        }
      }
      return left > 0;
    });
  }
  for (const auto& [gone, come] : removed.get()) report.removed_samples.push_back({wanted[0][gone], "", {}});
  for (const auto& [gone, come] : added.get()) report.added_samples.push_back({"", wanted[1][come], {}});
  for (const auto& [gone, come] : changed.get()) {
    const std::string &old = wanted[0][gone], &now = wanted[1][come];
    report.changed_samples.push_back({old, now, ChangedFields(old, now)});
  }
  return report;
}

}  // namespace atelier::data
