// labels: are the labels fit to learn from?
//
//   text = "text", label = "label"
//   conflicts = "report"     texts that stand with more than one label: counted; "drop" them all; or "majority" keeps
//                            the records with the text's most frequent label and drops the others (all where two labels
//                            are equally frequent)
//   unlabelled = "report"    records without a label: counted, or "drop"
//
// Texts are equal when they are, byte for byte: normalise first. Conflicts are found by a table of 64-bit hashes, 16
// bytes per different text and label, at most 32 million of them (512 MiB); beyond that the run ends with an error. The
// findings say how often each label occurs and the ratio of the most frequent to the rarest.
#include <xxhash.h>

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "data/clean/fit.h"

namespace atelier::data::clean {
namespace {

constexpr size_t kMostLabels = 10'000;
constexpr size_t kMostPairs = 32u << 20;

uint64_t HashOf(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

struct Pair {
  uint64_t text;
  uint32_t label;  // index into the labels' names
  uint32_t count;
};

struct Pairs : Observations {
  Counts labels;
  std::vector<std::pair<uint64_t, std::string>> seen;  // text's hash and label
  uint64_t unlabelled = 0;
};

class Labels : public Operation {
 public:
  explicit Labels(Table* table) {
    text_ = table->StringOr("text", "text");
    label_ = table->StringOr("label", "label");
    const std::string conflicts = table->StringOr("conflicts", "report");
    if (conflicts != "report" && conflicts != "drop" && conflicts != "majority") {
      table->Refuse("conflicts", "is not report, drop or majority");
    }
    conflicts_ = conflicts[0];
    const std::string unlabelled = table->StringOr("unlabelled", "report");
    if (unlabelled != "report" && unlabelled != "drop") table->Refuse("unlabelled", "is not report or drop");
    drop_unlabelled_ = unlabelled == "drop";
  }

  std::string_view Apply(Row* row, Worker*) const override {
    size_t hint = 0;
    const std::string_view label = CategoryOf(row->Find(label_, &hint));
    if (label.empty()) return drop_unlabelled_ ? "no label" : "";
    const Field* text = row->Find(text_, &hint);
    if (conflicts_ == 'r' || text == nullptr) return "";
    const auto at = Find(HashOf(text->text));
    if (at == conflicted_.end()) return "";
    if (conflicts_ == 'd') return "the same text stands with another label";
    const auto name = names_.find(label);
    return name != names_.end() && at->label == name->second ? ""
                                                             : "the same text stands more often with another label";
  }

  bool fits() const override { return true; }
  std::unique_ptr<Observations> NewObservations() const override { return std::make_unique<Pairs>(); }

  void Observe(Row* row, Worker*, Observations* to) const override {
    auto* pairs = static_cast<Pairs*>(to);
    size_t hint = 0;
    const std::string_view label = CategoryOf(row->Find(label_, &hint));
    if (label.empty()) {
      ++pairs->unlabelled;
      return;
    }
    ++pairs->labels[std::string(label)];
    if (const Field* text = row->Find(text_, &hint); text != nullptr) {
      pairs->seen.emplace_back(HashOf(text->text), label);
    }
  }

  void Absorb(const Observations& from) override {
    const auto& pairs = static_cast<const Pairs&>(from);
    unlabelled_ += pairs.unlabelled;
    Merge(pairs.labels, &labels_, "labels", label_);
    if (labels_.size() > kMostLabels) {
      throw Error(Code::kInvalidInput, Cat("labels: '", label_, "' has more than ", kMostLabels, " different values"),
                  "is it the label?");
    }
    for (const auto& [hash, label] : pairs.seen) {
      const auto [name, added] = names_.emplace(label, static_cast<uint32_t>(names_.size()));
      Add(hash, name->second);
    }
  }

  // Keeps of the pairs only the texts with several labels, each with its most frequent one (kNone where two tie).
  void FinishFit() override {
    std::vector<Pair> pairs;
    pairs.swap(slots_);
    std::erase_if(pairs, [](const Pair& pair) { return pair.count == 0; });
    std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
      return std::tuple(a.text, b.count, a.label) < std::tuple(b.text, a.count, b.label);
    });
    conflicted_.clear();
    conflicted_records_ = 0;
    for (size_t i = 0; i < pairs.size();) {
      size_t end = i;
      uint64_t records = 0;
      while (end < pairs.size() && pairs[end].text == pairs[i].text) records += pairs[end++].count;
      if (end - i > 1) {
        const bool tie = pairs[i].count == pairs[i + 1].count;
        conflicted_.push_back({pairs[i].text, tie ? kNone : pairs[i].label, pairs[i].count});
        conflicted_records_ += records;
      }
      i = end;
    }
    conflicted_.shrink_to_fit();
  }

  // Labels are not carried to new data: what they conflict with is in these data. Only the counts are told.
  Json Findings() const override {
    Json counts = Json::object();
    uint64_t most = 0, least = ~uint64_t{0};
    for (const auto& [label, count] : labels_) {
      counts[label] = count;
      most = std::max(most, count);
      least = std::min(least, count);
    }
    return {{"labels", std::move(counts)},
            {"imbalance", labels_.empty() ? 0.0 : static_cast<double>(most) / static_cast<double>(least)},
            {"unlabelled", unlabelled_},
            {"conflicting_texts", conflicted_.size()},
            {"conflicting_records", conflicted_records_}};
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  std::vector<Pair>::const_iterator Find(uint64_t hash) const {
    const auto at = std::lower_bound(conflicted_.begin(), conflicted_.end(), hash,
                                     [](const Pair& pair, uint64_t wanted) { return pair.text < wanted; });
    return at != conflicted_.end() && at->text == hash ? at : conflicted_.end();
  }

  void Add(uint64_t text, uint32_t label) {
    if (slots_.empty()) slots_.assign(1024, Pair{});
    if (used_ * 4 >= slots_.size() * 3) {
      if (slots_.size() >= kMostPairs) {
        throw Error(Code::kResourceExhausted, "labels: more different texts than the table holds",
                    "remove duplicates first, or check a part");
      }
      std::vector<Pair> old(slots_.size() * 2, Pair{});
      old.swap(slots_);
      for (const Pair& pair : old) {
        if (pair.count > 0) *Place(pair.text, pair.label) = pair;
      }
    }
    Pair* place = Place(text, label);
    if (place->count == 0) {
      *place = {text, label, 0};
      ++used_;
    }
    if (place->count != ~uint32_t{0}) ++place->count;
  }

  Pair* Place(uint64_t text, uint32_t label) {
    size_t at = (text ^ label * 0x9E3779B97F4A7C15) >> 20 & (slots_.size() - 1);
    while (slots_[at].count > 0 && (slots_[at].text != text || slots_[at].label != label)) {
      at = (at + 1) & (slots_.size() - 1);
    }
    return &slots_[at];
  }

  std::string text_, label_;
  char conflicts_;
  bool drop_unlabelled_;
  Counts labels_;
  std::map<std::string, uint32_t, std::less<>> names_;
  std::vector<Pair> slots_, conflicted_;
  size_t used_ = 0;
  uint64_t unlabelled_ = 0, conflicted_records_ = 0;
};

}  // namespace

std::unique_ptr<Operation> MakeLabels(Table* table) { return std::make_unique<Labels>(table); }

}  // namespace atelier::data::clean
