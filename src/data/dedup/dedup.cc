#include "data/dedup/dedup.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <exception>
#include <optional>

#include "base/error.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "data/dedup/record_text.h"

namespace atelier::data {
namespace {

struct [[gnu::packed]] ExactEntry {  // a record by its folded text
  uint64_t hash[2];
  uint32_t record;
  uint64_t key() const { return hash[0]; }
  bool SameText(const ExactEntry& o) const { return hash[0] == o.hash[0] && hash[1] == o.hash[1]; }
  bool operator<(const ExactEntry& o) const {
    if (hash[0] != o.hash[0]) return hash[0] < o.hash[0];
    if (hash[1] != o.hash[1]) return hash[1] < o.hash[1];
    return record < o.record;
  }
};

struct [[gnu::packed]] BandEntry {  // a record by one band of its signature
  uint64_t band;
  uint32_t record;
  uint64_t key() const { return band; }
  bool operator<(const BandEntry& o) const { return band != o.band ? band < o.band : record < o.record; }
};

struct [[gnu::packed]] PairEntry {  // why `record` is in its cluster
  uint32_t record, like;
  float similarity;
  uint64_t like_text;  // its hash: what is reported does not depend on the order of the records
  bool operator<(const PairEntry& o) const {
    if (record != o.record) return record < o.record;
    return similarity != o.similarity ? similarity > o.similarity : like_text < o.like_text;
  }
};

struct MemberEntry {  // a record of a cluster, the survivor first
  uint32_t root;
  uint64_t order, tie;
  uint32_t record, text;  // text: the record that stands for all with this folded text
  bool operator<(const MemberEntry& o) const {
    if (root != o.root) return root < o.root;
    if (order != o.order) return order < o.order;
    return tie != o.tie ? tie < o.tie : record < o.record;
  }
};

struct ByText {  // a duplicate on its way to the pairs of its text
  uint32_t text;
  Duplicate duplicate;
  bool operator<(const ByText& o) const {
    return text != o.text ? text < o.text : duplicate.record < o.duplicate.record;
  }
};

constexpr size_t kPadding = 64, kPieceBytes = 96 << 10;
constexpr size_t kGroups = 64, kGroupMembers = 4;  // what a text of a large bucket is held against

}  // namespace

struct Deduplicator::State {
  explicit State(DedupOptions o)
      : options(std::move(o)),
        facts(options.memory / 8, options.scratch),
        shingles(options.memory / 4, options.scratch),
        exact(options.memory / 8, options.scratch),
        bands(std::make_unique<Bands>(options.memory / 2, options.scratch)),
        pool(std::max(options.threads, 1)) {
    const Banding banding = ChooseBanding(options.threshold, options.recall);
    stats.bands = options.exact ? 0 : banding.bands;
    stats.rows = options.exact ? 0 : banding.rows;
    field_seen.assign(options.fields.size(), 0);
    blocks.resize(static_cast<size_t>(pool.size()));
    results.resize(blocks.size());
    for (size_t i = 0; i < blocks.size(); ++i) analysts.push_back(std::make_unique<Analyst>(options));
  }

  using Bands = ExternalSorter<BandEntry, true>;
  const DedupOptions options;
  DedupStats stats;
  std::vector<uint64_t> field_seen;

  Spool facts;     // RecordFacts by record
  Spool shingles;  // in the order of the records
  ExternalSorter<ExactEntry, true> exact;
  std::unique_ptr<Bands> bands;  // until they are read
  UnionFind clusters;
  Comparer comparer;
  std::vector<bool> stands;  // by record: the one whose text is compared for all equal ones
  std::unique_ptr<ExternalSorter<PairEntry>> pairs;
  std::unique_ptr<ExternalSorter<Duplicate>> duplicates;

  ThreadPool pool;
  std::vector<std::unique_ptr<Analyst>> analysts;
  std::vector<std::string> blocks;  // waiting, one per thread, padded
  std::vector<BlockFacts> results;
  size_t waiting = 0;

  void RunBlocks();
  void Keep(const BlockFacts& block);
  RecordFacts FactsOf(uint32_t record) const;
  void Load(uint32_t record, std::vector<uint32_t>* list) const;  // its shingles

  void JoinEqual();
  void JoinNear(const ProgressFn& progress);
  void Bucket(const std::vector<uint32_t>& records);
  struct Text {  // one of a bucket
    uint64_t hash;
    uint32_t record;
    std::vector<uint32_t> shingles;  // empty until they are needed
  };
  void LargeBucket(std::vector<Text>* texts);
  bool Compare(Text* a, Text* b);
  void Decide();
};

Deduplicator::Deduplicator(DedupOptions options) {
  if (!(options.threshold >= 0.3 && options.threshold <= 1)) {
    throw Error(Code::kUsage, Cat("threshold ", options.threshold, " is not in 0.3..1"));
  }
  if (!(options.recall >= 0.5 && options.recall <= 0.999)) {
    throw Error(Code::kUsage, Cat("recall ", options.recall, " is not in 0.5..0.999"));
  }
  for (const int width : {options.shingles.chars, options.shingles.words}) {
    if (width < 1 || width > 16) throw Error(Code::kUsage, Cat("shingles of ", width, " units are not in 1..16"));
  }
  if (options.survivor == Survivor::kNewest && options.newest_field.empty()) {
    throw Error(Code::kUsage, "the newest record by which field?", "newest:FIELD");
  }
  state_ = std::make_unique<State>(std::move(options));
}
Deduplicator::~Deduplicator() = default;

void Deduplicator::Add(std::string_view lines) {
  State& s = *state_;
  if (s.blocks.size() == 1) {  // in pieces whose results stay in the cache until they are stored
    for (size_t at = 0; at < lines.size();) {
      const size_t end = lines.find('\n', std::min(at + kPieceBytes, lines.size() - 1));
      const std::string_view piece = lines.substr(at, end == std::string_view::npos ? end : end + 1 - at);
      s.analysts[0]->Analyse(piece, s.stats.records, &s.results[0]);
      s.Keep(s.results[0]);
      at += piece.size();
    }
    return;
  }
  std::string& block = s.blocks[s.waiting];
  block.assign(lines);
  block.append(kPadding, '\0');
  if (++s.waiting == s.blocks.size()) s.RunBlocks();
}

void Deduplicator::State::RunBlocks() {
  std::vector<std::exception_ptr> failures(waiting);
  pool.Run([&](int thread) {
    const auto i = static_cast<size_t>(thread);
    if (i >= waiting) return;
    try {
      const std::string_view block(blocks[i]);
      analysts[i]->Analyse(block.substr(0, block.size() - kPadding), stats.records, &results[i]);
    } catch (...) {
      failures[i] = std::current_exception();
    }
  });
  for (size_t i = 0; i < waiting; ++i) {
    if (failures[i]) std::rethrow_exception(failures[i]);
    Keep(results[i]);
  }
  waiting = 0;
}

void Deduplicator::State::Keep(const BlockFacts& block) {
  const uint64_t base = shingles.Append(block.shingles.data(), block.shingles.size() * sizeof(uint32_t));
  const uint64_t* keys = block.keys.data();
  if (stats.records + block.records.size() > UnionFind::kMostRecords) {
    throw Error(Code::kUnsupported, "more than 2,147,483,647 records", "split the dataset before");
  }
  for (RecordFacts record : block.records) {
    const auto number = static_cast<uint32_t>(stats.records++);
    record.shingles = base + record.shingles * sizeof(uint32_t);
    facts.Append(&record, sizeof(record));
    if (record.has_text) {
      exact.Add({{record.hash[0], record.hash[1]}, number});
    } else {
      ++stats.without_text;
    }
    if (record.shingle_count == 0) continue;
    for (int band = 0; band < stats.bands; ++band) bands->Add({*keys++, number});
  }
  for (size_t i = 0; i < field_seen.size(); ++i) field_seen[i] += block.field_seen[i];
}

RecordFacts Deduplicator::State::FactsOf(uint32_t record) const {
  std::string scratch;
  const std::string_view bytes = facts.View(uint64_t{record} * sizeof(RecordFacts), sizeof(RecordFacts), &scratch);
  RecordFacts out;
  std::memcpy(&out, bytes.data(), sizeof(out));
  return out;
}

void Deduplicator::State::Load(uint32_t record, std::vector<uint32_t>* list) const {
  const RecordFacts of = FactsOf(record);
  std::string scratch;
  const std::string_view bytes = shingles.View(of.shingles, of.shingle_count * sizeof(uint32_t), &scratch);
  list->resize(of.shingle_count);
  if (!bytes.empty()) std::memcpy(list->data(), bytes.data(), bytes.size());
}

// Every group of equal texts becomes one set, for which its first record stands.
void Deduplicator::State::JoinEqual() {
  exact.Finish();
  std::optional<ExactEntry> first;
  exact.ForEach([&](const ExactEntry& entry) {
    if (first && first->SameText(entry)) {
      clusters.Union(first->record, entry.record);
    } else {
      first = entry;
      stands[entry.record] = true;
    }
  });
}

bool Deduplicator::State::Compare(Text* a, Text* b) {
  for (Text* text : {a, b}) {
    if (text->shingles.empty()) Load(text->record, &text->shingles);
  }
  ++stats.candidates;
  const double similarity = comparer.Jaccard(a->shingles, b->shingles);
  if (similarity < options.threshold) return false;
  ++stats.pairs;
  clusters.Union(a->record, b->record);
  pairs->Add({a->record, b->record, static_cast<float>(similarity), b->hash});
  pairs->Add({b->record, a->record, static_cast<float>(similarity), a->hash});
  return true;
}

// The texts that share a band. Whom a text meets must not depend on where it stands in the files, so they come in the
// order of their hashes.
void Deduplicator::State::Bucket(const std::vector<uint32_t>& records) {
  if (records.size() < 2) return;
  bool together = true;  // most buckets hold pairs that a band before them has joined
  for (uint32_t record : records) together = together && clusters.Find(record) == clusters.Find(records[0]);
  if (together) return;
  std::vector<Text> texts;
  texts.reserve(records.size());
  for (uint32_t record : records) texts.push_back({FactsOf(record).hash[0], record, {}});
  std::sort(texts.begin(), texts.end(), [](const Text& a, const Text& b) { return a.hash < b.hash; });
  if (texts.size() > kWholeBucket) return LargeBucket(&texts);
  for (size_t i = 1; i < texts.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (clusters.Find(texts[j].record) != clusters.Find(texts[i].record)) Compare(&texts[j], &texts[i]);
    }
  }
}

void Deduplicator::State::LargeBucket(std::vector<Text>* texts) {
  ++stats.large_buckets;
  std::deque<std::vector<Text>> groups;  // the latest in front
  for (Text& text : *texts) {
    bool placed = false;
    for (std::vector<Text>& group : groups) {
      bool in = clusters.Find(group[0].record) == clusters.Find(text.record);
      for (size_t i = 0; i < group.size() && !in; ++i) in = Compare(&group[i], &text);
      if (!in || placed) continue;
      placed = true;
      if (group.size() < kGroupMembers) group.push_back(text);
    }
    if (!placed) groups.push_front({text});
    if (groups.size() > kGroups) groups.pop_back();
    std::vector<uint32_t>().swap(text.shingles);
  }
}

void Deduplicator::State::JoinNear(const ProgressFn& progress) {
  pairs = std::make_unique<ExternalSorter<PairEntry>>(options.memory / 8, options.scratch);
  bands->Finish();
  stats.spilled = stats.spilled || bands->spilled();
  std::vector<uint32_t> bucket;
  uint64_t band = 0, done = 0;
  bands->ForEach([&](const BandEntry& entry) {
    if (entry.band != band) {
      Bucket(bucket);
      bucket.clear();
      band = entry.band;
    }
    if (stands[entry.record]) bucket.push_back(entry.record);
    if (progress && (++done & 0xfffff) == 0) progress(done, bands->size(), "comparing");
  });
  Bucket(bucket);
  bands.reset();
  pairs->Finish();
}

void Deduplicator::State::Decide() {
  // The members of clusters, each cluster together and its survivor first.
  ExternalSorter<MemberEntry> members(options.memory / 4, options.scratch);
  std::optional<ExactEntry> first;
  exact.ForEach([&](const ExactEntry& entry) {
    if (!first || !first->SameText(entry)) first = entry;
    if (clusters.Count(entry.record) < 2) return;
    const RecordFacts of = FactsOf(entry.record);
    uint64_t tie = 0;
    if (options.survivor != Survivor::kFirst) std::memcpy(&tie, of.id, sizeof(tie)), tie = __builtin_bswap64(tie);
    members.Add({clusters.Find(entry.record), of.order, tie, entry.record, first->record});
  });
  members.Finish();

  ExternalSorter<ByText> by_text(options.memory / 8, options.scratch);
  std::optional<MemberEntry> survivor;
  std::vector<uint32_t> kept, own;
  uint32_t own_text = ~0u;
  uint64_t size = 0;
  members.ForEach([&](const MemberEntry& member) {
    if (!survivor || survivor->root != member.root) {
      survivor = member;
      kept.clear();
      own_text = ~0u;
      size = 1;
      ++stats.clusters;
      stats.largest = std::max(stats.largest, size);
      return;
    }
    stats.largest = std::max(stats.largest, ++size);
    Duplicate duplicate{};
    duplicate.record = member.record;
    duplicate.kept = duplicate.like = survivor->record;
    duplicate.equal = member.text == survivor->text;
    duplicate.similarity = duplicate.like_similarity = 1;
    if (!duplicate.equal) {
      if (kept.empty()) Load(survivor->text, &kept);
      if (own_text != member.text) Load(own_text = member.text, &own);
      duplicate.similarity = static_cast<float>(comparer.Jaccard(own, kept));
    }
    ++(duplicate.equal ? stats.exact : stats.near);
    by_text.Add({member.text, duplicate});
  });
  by_text.Finish();

  // What brought each one in: the nearest pair of its text.
  duplicates = std::make_unique<ExternalSorter<Duplicate>>(options.memory / 8, options.scratch);
  std::optional<ExternalSorter<PairEntry>::Stream> stream;
  if (pairs) stream.emplace(*pairs);
  const PairEntry* pair = stream ? stream->Next() : nullptr;
  by_text.ForEach([&](const ByText& entry) {
    Duplicate duplicate = entry.duplicate;
    while (pair != nullptr && pair->record < entry.text) pair = stream->Next();
    if (!duplicate.equal && pair != nullptr && pair->record == entry.text) {
      duplicate.like = pair->like;
      duplicate.like_similarity = pair->similarity;
    }
    duplicates->Add(duplicate);
  });
  duplicates->Finish();
  pairs.reset();
}

void Deduplicator::Finish(const ProgressFn& progress) {
  State& s = *state_;
  if (s.waiting > 0) s.RunBlocks();
  for (size_t i = 0; i < s.field_seen.size(); ++i) {
    if (s.stats.records > 0 && s.field_seen[i] == 0) {
      throw Error(Code::kInvalidInput, Cat("no record has the field '", s.options.fields[i], "'"),
                  "`atelier data show` lists the fields");
    }
  }
  s.stats.spilled = s.facts.spilled() || s.shingles.spilled() || s.exact.spilled();
  s.clusters.Grow(s.stats.records);
  s.stands.assign(s.stats.records, false);
  s.JoinEqual();
  if (!s.options.exact) s.JoinNear(progress);
  s.Decide();
}

const DedupStats& Deduplicator::stats() const { return state_->stats; }
const ExternalSorter<Duplicate>& Deduplicator::duplicates() const { return *state_->duplicates; }
UnionFind* Deduplicator::clusters() { return &state_->clusters; }

std::string Deduplicator::Id(uint32_t record) const {
  const RecordFacts of = state_->FactsOf(record);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (uint8_t byte : of.id) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

}  // namespace atelier::data
