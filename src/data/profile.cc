#include "data/profile.h"

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/str.h"
#include "data/record_line.h"

namespace atelier::data {
namespace {

constexpr size_t kMostProfiled = 200;
constexpr size_t kBins = 40;
constexpr size_t kCounters = 256;
constexpr size_t kMostHashes = 8'000'000;
constexpr size_t kMostValue = 200;  // bytes of a value that is counted

// Frequent values in bounded memory.
class TopValues {
 public:
  void Add(std::string_view value) {
    if (value.size() > kMostValue) return;
    if (const auto at = counters_.find(std::string(value)); at != counters_.end()) {
      ++at->second.count;
      return;
    }
    if (counters_.size() < kCounters) {
      counters_.emplace(value, Counter{1, 0});
      return;
    }
    // The smallest makes room. Looking for it is amortised: it is looked for anew when the floor was used up.
    auto smallest = counters_.begin();
    for (auto it = counters_.begin(); it != counters_.end(); ++it) {
      if (it->second.count < smallest->second.count) smallest = it;
      if (smallest->second.count <= floor_) break;
    }
    floor_ = smallest->second.count;
    const uint64_t count = smallest->second.count;
    counters_.erase(smallest);
    counters_.emplace(value, Counter{count + 1, count});
  }
  std::vector<std::pair<std::string, uint64_t>> Top(size_t most) const {
    std::vector<std::pair<std::string, uint64_t>> out;
    for (const auto& [value, counter] : counters_) {
      if (counter.count - counter.error > 1) out.emplace_back(value, counter.count - counter.error);
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    if (out.size() > most) out.resize(most);
    return out;
  }

 private:
  struct Counter {
    uint64_t count, error;
  };
  std::unordered_map<std::string, Counter> counters_;
  uint64_t floor_ = 0;
};

void AddTo(Histogram* histogram, double value) {
  if (histogram->counts.empty()) return;
  const double width = histogram->high - histogram->low;
  const double place = width > 0 ? (value - histogram->low) / width * static_cast<double>(histogram->counts.size()) : 0;
  const auto bin = std::clamp<int64_t>(static_cast<int64_t>(std::isfinite(place) ? place : 0), 0,
                                       static_cast<int64_t>(histogram->counts.size()) - 1);
  ++histogram->counts[static_cast<size_t>(bin)];
}

// How many records repeat another's content. Beyond kMostHashes only ids whose hash falls into a part are looked at,
// which keeps all equal ones together.
class Duplicates {
 public:
  void Add(std::string_view id) {
    const uint64_t hash = XXH3_64bits(id.data(), id.size());
    if ((hash & mask_) != 0) return;
    hashes_.push_back(hash);
    if (hashes_.size() < kMostHashes) return;
    mask_ = mask_ * 2 + 1;
    std::erase_if(hashes_, [&](uint64_t held) { return (held & mask_) != 0; });
  }
  uint64_t Count(bool* estimated) {
    std::sort(hashes_.begin(), hashes_.end());
    const auto distinct = static_cast<size_t>(std::unique(hashes_.begin(), hashes_.end()) - hashes_.begin());
    *estimated = mask_ != 0;
    return (hashes_.size() - distinct) * (mask_ + 1);
  }

 private:
  std::vector<uint64_t> hashes_;
  uint64_t mask_ = 0;
};

}  // namespace

Profile MakeProfile(const DatasetReader& reader, size_t samples, const ProgressFn& progress) {
  Profile profile;
  profile.manifest = reader.manifest();
  std::unordered_map<std::string, size_t> index;
  for (const FieldInfo& info : profile.manifest.fields) {
    if (profile.fields.size() == kMostProfiled) break;
    FieldProfile field;
    field.info = info;
    if (info.lengths) {
      const uint64_t range = info.lengths->max - info.lengths->min + 1;
      field.lengths = {static_cast<double>(info.lengths->min), static_cast<double>(info.lengths->max) + 1,
                       std::vector<uint64_t>(static_cast<size_t>(std::min<uint64_t>(kBins, range)))};
    }
    if (info.numbers) field.numbers = {info.numbers->min, info.numbers->max, std::vector<uint64_t>(kBins)};
    index.emplace(Escaped(info.name), profile.fields.size());
    profile.fields.push_back(std::move(field));
  }
  std::vector<TopValues> top(profile.fields.size());
  Duplicates duplicates;
  std::set<std::pair<uint64_t, std::string>> chosen;  // the smallest hashes of ids
  std::vector<LineField> fields;
  uint64_t read = 0;
  std::string key;
  reader.ReadAll([&](std::string_view lines) {
    for (size_t begin = 0; begin < lines.size();) {
      const size_t end = std::min(lines.find('\n', begin), lines.size());
      const std::string_view line = lines.substr(begin, end - begin);
      begin = end + 1;
      if (!SplitLine(line, &fields) || fields.empty()) {
        throw Error(Code::kCorrupt, Cat("not a record: ", Quote(line)));
      }
      for (const LineField& field : fields) {
        if (field.key == "_id") {
          duplicates.Add(field.value);
          const uint64_t hash = XXH3_64bits_withSeed(field.value.data(), field.value.size(), 1);
          if (samples > 0 && (chosen.size() < samples || hash < chosen.rbegin()->first)) {
            chosen.emplace(hash, line);
            if (chosen.size() > samples) chosen.erase(std::prev(chosen.end()));
          }
          continue;
        }
        if (field.key.starts_with('_')) continue;
        key.assign(field.key);
        const auto at = index.find(key);
        if (at == index.end()) continue;
        FieldProfile& held = profile.fields[at->second];
        top[at->second].Add(field.value);
        if (field.value.front() == '"') {
          AddTo(&held.lengths, static_cast<double>(CharactersOf(field.value.substr(1, field.value.size() - 2))));
        } else if (field.value.front() == '-' || (field.value.front() >= '0' && field.value.front() <= '9')) {
          double number = 0;
          std::from_chars(field.value.data(), field.value.data() + field.value.size(), number);
          AddTo(&held.numbers, number);
        }
      }
    }
    read += lines.size();
    if (progress) progress(read, profile.manifest.bytes, "");
    return true;
  });
  for (size_t i = 0; i < top.size(); ++i) {
    profile.fields[i].top = top[i].Top(10);
    for (auto& value : profile.fields[i].top) value.first = PlainText(value.first);
  }
  profile.duplicates = duplicates.Count(&profile.duplicates_estimated);
  for (const auto& [hash, line] : chosen) profile.samples.push_back(line);
  reader.ReadRejects([&](std::string_view lines) {
    for (size_t begin = 0; begin < lines.size() && profile.rejects.size() < 10;) {
      const size_t end = std::min(lines.find('\n', begin), lines.size());
      profile.rejects.emplace_back(lines.substr(begin, end - begin));
      begin = end + 1;
    }
    return profile.rejects.size() < 10;
  });
  return profile;
}

}  // namespace atelier::data
