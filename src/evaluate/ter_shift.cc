// The search of ter.h: edit distance near the diagonal, and the shifts that bring it down.
#include <algorithm>
#include <array>
#include <cmath>

#include "evaluate/ter.h"

namespace atelier::evaluate {
namespace {

using WordIds = std::vector<uint32_t>;

constexpr int64_t kLongestPhrase = 10;
constexpr int64_t kFarthest = 50;
constexpr int64_t kBeam = 25;
constexpr int64_t kMostTried = 1000;
constexpr int32_t kUnreached = 1 << 30;

enum class Step : uint8_t { kKeep, kReplace, kDelete, kInsert };

// Edit distances of a text's beginnings (rows) to a reference's (columns), near the diagonal only. All texts of one
// search have one length, so that a row depends on nothing but the words before it: rows of the last text are kept as
// long as its words are.
class Distances {
 public:
  Distances(std::span<const uint32_t> reference, size_t length) : reference_(reference), rows_(length + 1) {
    const auto columns = static_cast<int64_t>(reference.size()) + 1;
    const double ratio = length == 0 ? 1 : static_cast<double>(reference.size()) / static_cast<double>(length);
    int64_t beam = kBeam;
    if (static_cast<double>(kBeam) < ratio / 2) {
      beam = static_cast<int64_t>(std::ceil(ratio / 2 + static_cast<double>(kBeam)));
    }
    size_t cells = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const auto diagonal = static_cast<int64_t>(std::floor(static_cast<double>(i) * ratio));
      Row& row = rows_[i];
      row.first = i == 0 ? 0 : std::min(columns, std::max<int64_t>(0, diagonal - beam));
      row.end = i == 0 || i == length ? columns : std::max(row.first, std::min(columns, diagonal + beam));
      row.cells = cells;
      cells += static_cast<size_t>(row.end - row.first);
    }
    cost_.assign(cells, 0);
    step_.assign(cells, Step::kInsert);
    for (int64_t j = 0; j < columns; ++j) cost_[static_cast<size_t>(j)] = static_cast<int32_t>(j);
  }

  int32_t To(const WordIds& text) {
    size_t same = 0;
    while (same < text_.size() && text_[same] == text[same]) ++same;
    text_ = text;
    for (size_t i = same + 1; i < rows_.size(); ++i) FillRow(i);
    return cost_.back();
  }

  // The steps of the last text, last to first.
  void Path(std::vector<Step>* path) const {
    path->clear();
    size_t i = rows_.size() - 1;
    int64_t j = rows_.back().end - 1;
    while (i > 0 || j > 0) {
      const Step step = step_[rows_[i].cells + static_cast<size_t>(j - rows_[i].first)];
      path->push_back(step);
      if (step != Step::kInsert) --i;
      if (step != Step::kDelete) --j;
    }
  }

 private:
  struct Row {
    int64_t first = 0, end = 0;  // columns
    size_t cells = 0;            // where they begin
  };

  void FillRow(size_t i) {
    const Row &row = rows_[i], &before = rows_[i - 1];
    int32_t* costs = cost_.data() + row.cells;
    const int32_t* above = cost_.data() + before.cells;
    Step* steps = step_.data() + row.cells;
    const auto over = [&](int64_t j) {
      return j < before.first || j >= before.end ? kUnreached : above[j - before.first];
    };
    const uint32_t word = text_[i - 1];
    int32_t left = kUnreached, corner = over(row.first - 1);
    for (int64_t j = row.first; j < row.end; ++j) {
      // In this order where costs are equal: a word kept or replaced, deleted, inserted.
      const int32_t up = over(j);
      const bool equal = j > 0 && word == reference_[static_cast<size_t>(j - 1)];
      int32_t cost = corner + (equal ? 0 : 1);
      Step step = equal ? Step::kKeep : Step::kReplace;
      if (up + 1 < cost) {
        cost = up + 1;
        step = Step::kDelete;
      }
      if (left + 1 < cost) {
        cost = left + 1;
        step = Step::kInsert;
      }
      *costs++ = left = cost;
      *steps++ = step;
      corner = up;
    }
  }

  std::span<const uint32_t> reference_;
  std::vector<Row> rows_;
  std::vector<int32_t> cost_;
  std::vector<Step> step_;
  WordIds text_;
};

// `words` with `length` of them from `start` put before what was at `target`, counted in the words as they are, or, for
// a target within the phrase or right behind it, so far behind the phrase.
void Shift(const WordIds& words, int64_t start, int64_t length, int64_t target, WordIds* out) {
  const auto size = static_cast<int64_t>(words.size());
  out->clear();
  const auto copy = [&](int64_t from, int64_t to) {
    from = std::min(from, size);
    to = std::min(to, size);
    if (from < to) out->insert(out->end(), words.begin() + from, words.begin() + to);
  };
  if (target < start) {
    copy(0, target);
    copy(start, start + length);
    copy(target, start);
    copy(start + length, size);
    return;
  }
  const int64_t until = target > start + length ? target : length + target;
  copy(0, start);
  copy(start + length, until);
  copy(start, start + length);
  copy(until, size);
}

class Search {
 public:
  Search(WordIds text, std::span<const uint32_t> reference)
      : text_(std::move(text)), reference_(reference), distances_(reference, text_.size()) {}

  int64_t Edits() {
    int64_t shifts = 0;
    while (BestShift() && tried_ < kMostTried) {
      text_ = best_;
      ++shifts;
    }
    return shifts + distances_.To(text_);
  }

 private:
  // Where the words of the reference stand in the text, and which words of both are wrong.
  void Align() {
    distances_.Path(&path_);
    place_.clear();
    wrong_text_.assign(1, 0);
    wrong_reference_.assign(1, 0);
    int64_t at = -1;
    for (auto step = path_.rbegin(); step != path_.rend(); ++step) {
      const int wrong = *step == Step::kKeep ? 0 : 1;
      if (*step != Step::kInsert) {
        ++at;
        wrong_text_.push_back(wrong_text_.back() + wrong);
      }
      if (*step != Step::kDelete) {
        place_.push_back(at);
        wrong_reference_.push_back(wrong_reference_.back() + wrong);
      }
    }
  }

  // Puts the best shift's words into best_; true where it brings the distance down.
  bool BestShift() {
    const int32_t before = distances_.To(text_);
    Align();
    found_ = false;
    const auto texts = static_cast<int64_t>(text_.size()), references = static_cast<int64_t>(reference_.size());
    for (int64_t start = 0; start < texts; ++start) {
      const int64_t end = std::min(references, start + kFarthest + 1);
      for (int64_t from = std::max<int64_t>(0, start - kFarthest); from < end; ++from) {
        for (int64_t length = 1;
             length <= kLongestPhrase && start + length <= texts && from + length <= references &&
             text_[static_cast<size_t>(start + length - 1)] == reference_[static_cast<size_t>(from + length - 1)];
             ++length) {
          TryPhrase(before, start, from, length);
          if (tried_ >= kMostTried) return found_ && gain_ > 0;
        }
      }
    }
    return found_ && gain_ > 0;
  }

  // All places for the phrase of `length` words at `start`, which the reference has at `from`.
  void TryPhrase(int32_t before, int64_t start, int64_t from, int64_t length) {
    const auto sum = [](const std::vector<int64_t>& sums, int64_t at, int64_t count) {
      return sums[static_cast<size_t>(at + count)] - sums[static_cast<size_t>(at)];
    };
    if (sum(wrong_text_, start, length) == 0 || sum(wrong_reference_, from, length) == 0) return;
    const int64_t here = place_[static_cast<size_t>(from)];
    if (start <= here && here < start + length) return;
    int64_t last = -1;
    for (int64_t offset = -1; offset < length; ++offset) {
      const int64_t target = from + offset < 0 ? 0 : place_[static_cast<size_t>(from + offset)] + 1;
      if (target == last) continue;
      last = target;
      Shift(text_, start, length, target, &shifted_);
      const int64_t gain = before - distances_.To(shifted_);
      ++tried_;
      // The greatest gain, then the longest phrase, the earliest, the earliest target.
      const std::array<int64_t, 4> rank = {gain, length, -start, -target};
      if (found_ && rank <= rank_) continue;
      found_ = true;
      rank_ = rank;
      gain_ = gain;
      best_ = shifted_;
    }
  }

  WordIds text_;
  std::span<const uint32_t> reference_;
  Distances distances_;
  std::vector<Step> path_;
  std::vector<int64_t> place_;                         // by word of the reference: the last word of the text up to it
  std::vector<int64_t> wrong_text_, wrong_reference_;  // how many before each word
  WordIds shifted_, best_;
  std::array<int64_t, 4> rank_{};
  int64_t gain_ = 0, tried_ = 0;
  bool found_ = false;
};

}  // namespace

int64_t EditsWithShifts(std::vector<uint32_t> text, std::span<const uint32_t> reference) {
  if (reference.empty()) return static_cast<int64_t>(text.size());
  if (text.empty()) return static_cast<int64_t>(reference.size());
  return Search(std::move(text), reference).Edits();
}

}  // namespace atelier::evaluate
