#include "retrieve/bm25.h"

#include <algorithm>
#include <cmath>

namespace atelier::retrieve {
namespace {

constexpr uint32_t kWindow = 4096;  // chunks whose sums are held at once: 16 KiB

// One term's way through a segment.
struct Cursor {
  PostingsReader reader;
  float idf = 0;
  float bound = 0;   // of the whole list
  float window = 0;  // of the window at hand
  uint32_t at = 0;   // in the loaded block
  bool loaded = false, done = false;

  // Stands at the first posting of at least `chunk`; false when there is none.
  bool Seek(uint32_t chunk) {
    if (done) return false;
    if (!loaded || reader.chunks()[reader.size() - 1] < chunk) {
      if (!reader.Load(chunk)) {
        done = true;
        return false;
      }
      loaded = true;
      at = 0;
    }
    const uint32_t* chunks = reader.chunks();
    while (chunks[at] < chunk) ++at;
    return true;
  }
};

// Keeps the k best; the worst of them is in front.
class Best {
 public:
  Best(size_t k, std::vector<Scored>* list) : k_(k), list_(*list) {
    if (list_.size() >= k_ && k_ > 0) threshold_ = list_.front().score;
  }
  float threshold() const { return threshold_; }
  bool full() const { return list_.size() >= k_; }
  void Offer(const Scored& scored) {
    if (list_.size() < k_) {
      list_.push_back(scored);
      std::push_heap(list_.begin(), list_.end());
    } else if (scored < list_.front()) {
      std::pop_heap(list_.begin(), list_.end());
      list_.back() = scored;
      std::push_heap(list_.begin(), list_.end());
    } else {
      return;
    }
    if (full()) threshold_ = list_.front().score;
  }

 private:
  size_t k_;
  std::vector<Scored>& list_;
  float threshold_ = -1;
};

}  // namespace

Bm25::Bm25(std::vector<std::shared_ptr<const Segment>> segments, const Bm25Options& options)
    : segments_(std::move(segments)), options_(options) {
  uint64_t length = 0;
  for (const auto& segment : segments_) {
    chunks_ += segment->chunks();
    length += segment->total_length();
  }
  if (chunks_ > 0) average_ = std::max(1.0, static_cast<double>(length) / static_cast<double>(chunks_));
  for (const auto& segment : segments_) {
    const double own =
        segment->chunks() == 0
            ? 1
            : std::max(1.0, static_cast<double>(segment->total_length()) / static_cast<double>(segment->chunks()));
    // With the average c times as great, K shrinks to no less than K / c, and tf / (tf + K / c) <= c * tf / (tf + K).
    slack_.push_back(static_cast<float>(std::max(1.0, average_ / own)) * 1.000001F);
    std::vector<float> terms(segment->chunks());
    for (uint32_t i = 0; i < segment->chunks(); ++i) terms[i] = LengthTerm(options_, segment->lengths(i), average_);
    length_terms_.push_back(std::move(terms));
  }
}

double Bm25::Idf(std::string_view term) const {
  uint64_t count = 0;
  for (const auto& segment : segments_) count += segment->Postings(term).count();
  if (count == 0) return 0;
  const auto all = static_cast<double>(chunks_), has = static_cast<double>(std::min<uint64_t>(count, chunks_));
  return std::log(1 + (all - has + 0.5) / (has + 0.5));
}

double Bm25::MostIdf() const { return std::log(1 + (static_cast<double>(chunks_) + 0.5) / 0.5); }

std::vector<Scored> Bm25::Search(std::span<const std::string> terms, size_t k, std::span<const Allowed> allowed) const {
  std::vector<Scored> best;
  if (k == 0) return best;
  std::vector<float> idf;
  for (const std::string& term : terms) idf.push_back(static_cast<float>(Idf(term)));
  static const Allowed kAll;
  for (uint32_t i = 0; i < segments_.size(); ++i) {
    SearchSegment(i, terms, idf, k, allowed.empty() ? kAll : allowed[i], &best);
  }
  std::sort(best.begin(), best.end());
  return best;
}

void Bm25::SearchSegment(uint32_t number, std::span<const std::string> terms, std::span<const float> idf, size_t k,
                         const Allowed& allowed, std::vector<Scored>* list) const {
  const Segment& segment = *segments_[number];
  const std::vector<float>& length_term = length_terms_[number];
  std::vector<Cursor> cursors;
  for (size_t i = 0; i < terms.size(); ++i) {
    if (idf[i] <= 0) continue;
    Cursor cursor;
    cursor.reader = segment.Postings(terms[i]);
    if (cursor.reader.count() == 0) continue;
    cursor.idf = idf[i];
    cursors.push_back(std::move(cursor));
  }
  if (cursors.empty()) return;
  Best best(k, list);
  std::vector<float> sums(kWindow);
  std::vector<uint64_t> touched(kWindow / 64);
  std::vector<uint32_t> candidates;
  std::vector<Cursor*> order;
  for (Cursor& cursor : cursors) order.push_back(&cursor);
  const uint32_t all = segment.chunks();
  for (uint32_t from = 0; from < all; from += std::min(kWindow, all - from)) {
    const uint32_t to = from + std::min(kWindow, all - from);
    for (Cursor* cursor : order) {
      cursor->window = cursor->done ? 0 : cursor->idf * cursor->reader.ImpactIn(from, to) * slack_[number];
    }
    std::sort(order.begin(), order.end(), [](const Cursor* a, const Cursor* b) { return a->window < b->window; });
    // The first terms, which together cannot reach the threshold, find nothing by themselves.
    size_t first = 0;
    float rest = 0;  // what they may add
    while (first < order.size() && best.full() && rest + order[first]->window <= best.threshold()) {
      rest += order[first++]->window;
    }
    if (first == order.size()) continue;
    std::fill(touched.begin(), touched.end(), 0);
    for (size_t i = first; i < order.size(); ++i) {
      Cursor& cursor = *order[i];
      if (!cursor.Seek(from)) continue;
      while (true) {
        const uint32_t* chunks = cursor.reader.chunks();
        const uint32_t* counts = cursor.reader.counts();
        uint32_t at = cursor.at;
        const uint32_t size = cursor.reader.size();
        for (; at < size && chunks[at] < to; ++at) {
          const uint32_t chunk = chunks[at], slot = chunk - from;
          const float score = cursor.idf * Impact(counts[at], length_term[chunk]);
          const uint64_t bit = uint64_t{1} << (slot & 63);
          sums[slot] = (touched[slot >> 6] & bit) != 0 ? sums[slot] + score : score;
          touched[slot >> 6] |= bit;
        }
        cursor.at = at;
        if (at < size) break;
        if (!cursor.reader.Load(chunks[size - 1] + 1)) {
          cursor.done = true;
          break;
        }
        cursor.at = 0;
      }
    }
    candidates.clear();
    const float slack = rest * 1.00001F;
    for (uint32_t word = 0; word < kWindow / 64; ++word) {
      for (uint64_t bits = touched[word]; bits != 0; bits &= bits - 1) {
        const uint32_t slot = word * 64 + static_cast<uint32_t>(__builtin_ctzll(bits));
        if (best.full() && sums[slot] + slack < best.threshold()) continue;
        if (IsAllowed(allowed, from + slot)) candidates.push_back(slot);
      }
    }
    // The other terms, the strongest first: each drops candidates that can no longer get there.
    for (size_t i = first; i-- > 0 && !candidates.empty();) {
      Cursor& cursor = *order[i];
      rest -= cursor.window;
      size_t kept = 0;
      for (const uint32_t slot : candidates) {
        const uint32_t chunk = from + slot;
        if (cursor.Seek(chunk) && cursor.reader.chunks()[cursor.at] == chunk) {
          sums[slot] += cursor.idf * Impact(cursor.reader.counts()[cursor.at], length_term[chunk]);
        }
        if (!best.full() || (sums[slot] + std::max(rest, 0.0F)) * 1.00001F >= best.threshold())
          candidates[kept++] = slot;
      }
      candidates.resize(kept);
    }
    for (const uint32_t slot : candidates) best.Offer({number, from + slot, sums[slot]});
  }
}

std::vector<Scored> Bm25::Exhaustive(std::span<const std::string> terms, size_t k,
                                     std::span<const Allowed> allowed) const {
  std::vector<Scored> all;
  for (uint32_t number = 0; number < segments_.size(); ++number) {
    std::vector<double> sums(segments_[number]->chunks(), 0);
    std::vector<bool> touched(sums.size());
    for (const std::string& term : terms) {
      const double idf = Idf(term);
      PostingsReader reader = segments_[number]->Postings(term);
      for (uint32_t next = 0; reader.Load(next); next = reader.chunks()[reader.size() - 1] + 1) {
        for (uint32_t i = 0; i < reader.size(); ++i) {
          const uint32_t chunk = reader.chunks()[i];
          if (chunk < next) continue;
          const double length = segments_[number]->lengths(chunk), tf = reader.counts()[i];
          sums[chunk] += idf * tf / (tf + options_.k1 * (1 - options_.b + options_.b * length / average_));
          touched[chunk] = true;
        }
      }
    }
    for (uint32_t chunk = 0; chunk < sums.size(); ++chunk) {
      if (touched[chunk] && (allowed.empty() || IsAllowed(allowed[number], chunk))) {
        all.push_back({number, chunk, static_cast<float>(sums[chunk])});
      }
    }
  }
  std::sort(all.begin(), all.end());
  if (all.size() > k) all.resize(k);
  return all;
}

}  // namespace atelier::retrieve
