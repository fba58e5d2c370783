// Sorting what does not fit in memory: sorted runs in a temporary file, merged as they are read (Knuth, volume 3, 5.4).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "data/spool.h"

namespace atelier::data {

// Fixed-size entries, ordered by operator<, which must be total where the order among equals matters. With kRadix,
// E::key() is a 64-bit number that orders first and is spread evenly (a hash): sorting is then linear. Memory: at most
// `memory` bytes while adding, the same again while merging. For one thread.
template <typename E, bool kRadix = false>
class ExternalSorter {
  static_assert(std::is_trivially_copyable_v<E>);

 public:
  ExternalSorter(size_t memory, std::string folder)
      : most_(std::clamp<size_t>(memory / sizeof(E) / 2, 64, UINT32_MAX)), file_(std::move(folder)) {}

  void Add(const E& entry) {
    if (entries_.size() == entries_.capacity()) {
      if (entries_.size() == most_) {
        Spill();
      } else if (entries_.empty()) {
        entries_.reserve(std::min<size_t>(most_, 1024));
      } else {
        entries_.reserve(most_);  // addresses only: pages come when they are written
      }
    }
    entries_.push_back(entry);
    ++size_;
  }
  uint64_t size() const { return size_; }
  bool spilled() const { return !runs_.empty(); }

  // After the last Add, before ForEach.
  void Finish() {
    if (!runs_.empty() && !entries_.empty()) Spill();
    if (runs_.empty()) Sort();
    while (runs_.size() > kMostRuns) MergeFirst();
    if (!runs_.empty()) std::vector<E>().swap(entries_);
  }

  // fn(entry) for all of them, in ascending order; may be called again.
  template <typename Fn>
  void ForEach(const Fn& fn) const {
    Stream stream(*this);
    for (const E* entry; (entry = stream.Next()) != nullptr;) fn(*entry);
  }

 private:
  class Merge;

 public:
  // The same, pulled one by one. The pointer is valid until the next call.
  class Stream {
   public:
    explicit Stream(const ExternalSorter& sorter) : sorter_(sorter) {
      if (!sorter.runs_.empty()) merge_ = std::make_unique<Merge>(sorter, 0, sorter.runs_.size());
    }
    const E* Next() {
      if (merge_ != nullptr) return merge_->Next();
      return at_ < sorter_.entries_.size() ? &sorter_.entries_[at_++] : nullptr;
    }

   private:
    const ExternalSorter& sorter_;
    std::unique_ptr<Merge> merge_;
    size_t at_ = 0;
  };

 private:
  static constexpr size_t kMostRuns = 128;

  struct Run {
    uint64_t offset, count;  // bytes, entries
  };

  // A tournament over runs [begin, end): a heap of their heads.
  class Merge {
   public:
    Merge(const ExternalSorter& sorter, size_t begin, size_t end) : file_(sorter.file_) {
      const size_t each = std::max<size_t>(sorter.most_ / (end - begin), 16);
      for (size_t i = begin; i < end; ++i) {
        Head head{{}, 0, each, sorter.runs_[i]};
        if (head.Fill(file_)) heads_.push_back(std::move(head));
      }
      for (size_t i = 0; i < heads_.size(); ++i) heap_.push_back(i);
      std::make_heap(heap_.begin(), heap_.end(), After{this});
    }
    const E* Next() {
      if (pending_) {  // the entry that was handed out last is used up only now
        Head& head = heads_[heap_.back()];
        ++head.at;
        if (head.at < head.buffer.size() || head.Fill(file_)) {
          std::push_heap(heap_.begin(), heap_.end(), After{this});
        } else {
          heap_.pop_back();
        }
        pending_ = false;
      }
      if (heap_.empty()) return nullptr;
      std::pop_heap(heap_.begin(), heap_.end(), After{this});
      pending_ = true;
      const Head& head = heads_[heap_.back()];
      return &head.buffer[head.at];
    }

   private:
    struct Head {
      std::vector<E> buffer;
      size_t at, each;
      Run left;
      bool Fill(const TemporaryFile& file) {
        const size_t count = static_cast<size_t>(std::min<uint64_t>(each, left.count));
        buffer.resize(count);
        at = 0;
        if (count == 0) return false;
        file.Read(left.offset, buffer.data(), count * sizeof(E));
        left.offset += count * sizeof(E);
        left.count -= count;
        return true;
      }
    };
    struct After {  // std:: heaps have the greatest first
      const Merge* merge;
      bool operator()(size_t a, size_t b) const {
        const Head &x = merge->heads_[a], &y = merge->heads_[b];
        if (y.buffer[y.at] < x.buffer[x.at]) return true;
        if (x.buffer[x.at] < y.buffer[y.at]) return false;
        return a > b;  // equals in the order in which they came
      }
    };
    const TemporaryFile& file_;
    std::vector<Head> heads_;
    std::vector<size_t> heap_;
    bool pending_ = false;
  };

  void Sort() {
    if constexpr (kRadix) {
      if (entries_.size() > 256) return RadixSort();
    }
    std::sort(entries_.begin(), entries_.end());
  }

  // Three passes over bits 31..63 of the key, then what is still equal there by comparison.
  void RadixSort() {
    constexpr int kBits = 11;
    const size_t n = entries_.size();
    const auto other = std::make_unique_for_overwrite<E[]>(n);
    E* from = entries_.data();
    E* to = other.get();
    std::vector<uint32_t> counts(3 << kBits);
    for (size_t i = 0; i < n; ++i) {
      const uint64_t key = from[i].key() >> 31;
      for (int pass = 0; pass < 3; ++pass) ++counts[(pass << kBits) + (key >> pass * kBits & ((1u << kBits) - 1))];
    }
    for (int pass = 0; pass < 3; ++pass) {
      uint32_t* at = counts.data() + (pass << kBits);
      for (uint32_t i = 0, sum = 0; i < 1u << kBits; ++i) sum += std::exchange(at[i], sum);
      for (size_t i = 0; i < n; ++i) {
        const uint32_t digit = from[i].key() >> (31 + pass * kBits) & ((1u << kBits) - 1);
        to[at[digit]++] = from[i];
      }
      std::swap(from, to);
    }
    std::copy(from, from + n, entries_.data());  // three passes end in the other one
    for (size_t i = 0; i < entries_.size();) {
      size_t end = i + 1;
      while (end < entries_.size() && entries_[end].key() >> 31 == entries_[i].key() >> 31) ++end;
      if (end > i + 1)
        std::sort(entries_.begin() + static_cast<int64_t>(i), entries_.begin() + static_cast<int64_t>(end));
      i = end;
    }
  }

  void Spill() {
    Sort();
    runs_.push_back({file_.size(), entries_.size()});
    file_.Append(entries_.data(), entries_.size() * sizeof(E));
    entries_.clear();
  }

  // Makes one run of the first ones, so that the last merge has buffers of a decent size.
  void MergeFirst() {
    Run merged{0, 0};
    {
      Merge merge(*this, 0, kMostRuns);
      entries_.clear();
      merged.offset = file_.size();
      for (const E* entry; (entry = merge.Next()) != nullptr; ++merged.count) {
        entries_.push_back(*entry);
        if (entries_.size() == most_) {
          file_.Append(entries_.data(), entries_.size() * sizeof(E));
          entries_.clear();
        }
      }
      file_.Append(entries_.data(), entries_.size() * sizeof(E));
      entries_.clear();
    }
    runs_.erase(runs_.begin(), runs_.begin() + kMostRuns);
    runs_.push_back(merged);
  }

  size_t most_;
  std::vector<E> entries_;
  uint64_t size_ = 0;
  std::vector<Run> runs_;
  TemporaryFile file_;
};

}  // namespace atelier::data
