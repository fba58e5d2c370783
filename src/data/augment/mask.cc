#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.h"
#include "base/str.h"
#include "data/augment/operation.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

constexpr size_t kMostWords = 500'000, kMostPairs = 8'000'000;

// Noising as smoothing (Xie et al. 2017, "Data noising as smoothing in neural network language models"). "blank"
// replaces a word with `mask` with probability `rate`. "backoff" is their bigram Kneser-Ney noising: the word w after
// v is replaced with probability rate * N1+(v,.) / c(v) (a word with many followers says little about the next), by a
// word drawn in proportion to N1+(.,w), the number of words that it follows. As there, both w and its successor's
// context change with it; unlike there, counts stop growing at 500,000 words and 8,000,000 pairs.
class Mask : public AugmentOperation {
 public:
  explicit Mask(Table* table) : rate_(table->DoubleOr("rate", 0.15, 0, 1)) {
    const std::string with = table->StringOr("with", "blank");
    if (with != "blank" && with != "backoff") table->Refuse("with", Quote(with), "blank or backoff");
    backoff_ = with == "backoff";
    mask_ = table->StringOr("mask", "_");
  }

  bool counts() const override { return backoff_; }

  void Count(std::string_view text) override {
    uint64_t before = kStart;
    for (const Token& token : CutWords(text)) {
      if (!token.word) continue;
      Entry* entry = Find(token.text);
      const uint64_t word = Hash64(token.text);
      Context& context = contexts_[before];
      ++context.count;
      const uint64_t pair[2] = {before, word};
      if (pairs_.size() < kMostPairs && pairs_.insert(Hash64({reinterpret_cast<const char*>(pair), 16})).second) {
        ++context.followers;
        if (entry != nullptr) ++entry->follows;
      }
      before = word;
    }
  }

  void EndCounting() override {
    pairs_ = {};
    sums_.clear();
    double sum = 0;
    for (const auto& [word, entry] : by_word_) order_.push_back(&word);
    std::sort(order_.begin(), order_.end(), [](const std::string* a, const std::string* b) { return *a < *b; });
    for (const std::string* word : order_) sums_.push_back(sum += static_cast<double>(by_word_.at(*word).follows));
  }

  std::string Apply(const std::string& text, Rng* rng) const override {
    std::string out;
    uint64_t before = kStart;
    for (const Token& token : CutWords(text)) {
      if (!token.word) {
        out += token.text;
        continue;
      }
      double chance = rate_;
      if (backoff_) {
        const auto found = contexts_.find(before);
        chance =
            found == contexts_.end() ? rate_ : rate_ * found->second.followers / std::max(found->second.count, 1.0);
      }
      const bool strikes = rng->Uniform() < chance;
      if (!strikes) {
        out += token.text;
      } else {
        out += backoff_ ? Draw(rng) : mask_;
      }
      before = Hash64(token.text);
    }
    return out;
  }

 private:
  static constexpr uint64_t kStart = 1;
  struct Context {
    double count = 0, followers = 0;
  };
  struct Entry {
    uint64_t follows = 0;
  };

  Entry* Find(std::string_view word) {
    const auto found = by_word_.find(std::string(word));
    if (found != by_word_.end()) return &found->second;
    return by_word_.size() < kMostWords ? &by_word_[std::string(word)] : nullptr;
  }
  const std::string& Draw(Rng* rng) const {
    if (order_.empty()) return mask_;
    const double at = rng->Uniform() * sums_.back();
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), at);
    return *order_[std::min<size_t>(static_cast<size_t>(found - sums_.begin()), order_.size() - 1)];
  }

  double rate_;
  bool backoff_ = false;
  std::string mask_;
  std::unordered_map<uint64_t, Context> contexts_;
  std::unordered_map<std::string, Entry> by_word_;
  std::unordered_set<uint64_t> pairs_;
  std::vector<const std::string*> order_;  // the words, sorted; sums_ are running sums of what they follow
  std::vector<double> sums_;
};

}  // namespace

std::unique_ptr<AugmentOperation> MakeMask(Table* table, const std::string&) { return std::make_unique<Mask>(table); }

}  // namespace atelier::data
