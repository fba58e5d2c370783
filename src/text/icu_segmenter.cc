#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "base/str.h"
#include "text/segmenter.h"

namespace atelier::text {
namespace {

// Texts are cut into slices of about this many units: ICU's positions are 32 bits, and memory stays bounded.
constexpr size_t kSlice = 8192;

struct BreakCloser {
  void operator()(UBreakIterator* breaks) const { ubrk_close(breaks); }
};
using Breaks = std::unique_ptr<UBreakIterator, BreakCloser>;

class IcuSegmenter : public Segmenter {
 public:
  explicit IcuSegmenter(std::shared_ptr<const UserDictionary> dictionary) : dictionary_(std::move(dictionary)) {
    Take();  // where ICU's data are missing, say so now
  }

  void Segment(std::string_view text, std::vector<std::string_view>* words) const override {
    const Breaks breaks = Take();
    std::vector<TextUnit> units;
    std::vector<UserDictionary::Match> matches;
    std::vector<uint8_t> border;
    for (size_t at = 0; at < text.size();) {
      units.clear();
      size_t end = CutUnits(text, at, kSlice, &units);
      if (end < text.size()) {  // rather end where words end anyway
        size_t keep = units.size();
        while (keep > kSlice / 2 && units[keep - 1].kind == UnitKind::kHan) --keep;
        if (keep > kSlice / 2 && keep < units.size()) {
          end = units[keep].begin;
          units.resize(keep);
        }
      }
      Slice(text, at, end, breaks.get(), units, &matches, &border, words);
      at = end;
    }
  }

 private:
  Breaks Take() const {
    UErrorCode status = U_ZERO_ERROR;
    {
      // Opening an iterator reads the rules; cloning one does not.
      static std::mutex mutex;
      static UBreakIterator* first = nullptr;
      std::lock_guard lock(mutex);
      if (first == nullptr) first = ubrk_open(UBRK_WORD, "zh", nullptr, 0, &status);
      if (U_SUCCESS(status) && first != nullptr) {
        Breaks copy(ubrk_clone(first, &status));
        if (U_SUCCESS(status) && copy) return copy;
      }
    }
    throw Error(Code::kUnavailable, Cat("ICU has no word breaks for Chinese: ", u_errorName(status)),
                "install ICU's data (libicu)");
  }

  void Slice(std::string_view text, size_t begin, size_t end, UBreakIterator* breaks,
             const std::vector<TextUnit>& units, std::vector<UserDictionary::Match>* matches,
             std::vector<uint8_t>* border, std::vector<std::string_view>* words) const {
    // border[i]: a word begins at byte begin + i.
    border->assign(end - begin + 1, 0);
    UErrorCode status = U_ZERO_ERROR;
    UText* source = utext_openUTF8(nullptr, text.data() + begin, static_cast<int64_t>(end - begin), &status);
    ubrk_setUText(breaks, source, &status);
    if (U_SUCCESS(status)) {
      for (int32_t at = ubrk_first(breaks); at != UBRK_DONE; at = ubrk_next(breaks)) (*border)[at] = 1;
    }
    utext_close(source);
    if (U_FAILURE(status)) throw Error(Code::kInternal, Cat("ICU's word breaks failed: ", u_errorName(status)));
    // Units stay whole, and only Han and other scripts are joined.
    for (size_t i = 0; i < units.size(); ++i) {
      const size_t from = units[i].begin - begin, to = (i + 1 < units.size() ? units[i + 1].begin : end) - begin;
      if (units[i].kind == UnitKind::kLetters) continue;
      std::fill(border->begin() + static_cast<ptrdiff_t>(from) + 1, border->begin() + static_cast<ptrdiff_t>(to), 0);
      if (units[i].kind != UnitKind::kHan) (*border)[from] = (*border)[to] = 1;
    }
    if (dictionary_ != nullptr && dictionary_->size() > 0) Force(text, begin, end, units, matches, border);
    (*border)[0] = (*border)[end - begin] = 1;
    size_t word = begin;
    for (size_t at = begin + 1; at <= end; ++at) {
      if (!(*border)[at - begin]) continue;
      words->push_back(text.substr(word, at - word));
      word = at;
    }
  }

  // The dictionary's words that do not overlap, best sum of weights (2 * units - 1 times each), become words.
  void Force(std::string_view text, size_t begin, size_t end, const std::vector<TextUnit>& units,
             std::vector<UserDictionary::Match>* matches, std::vector<uint8_t>* border) const {
    matches->clear();
    dictionary_->Find(text, units, end, matches);
    if (matches->empty()) return;
    std::vector<double> best(units.size() + 1, 0);
    std::vector<const UserDictionary::Match*> taken(units.size() + 1, nullptr);
    size_t match = 0;
    for (size_t i = 0; i < units.size(); ++i) {
      if (best[i] > best[i + 1]) {
        best[i + 1] = best[i];
        taken[i + 1] = nullptr;
      }
      for (; match < matches->size() && (*matches)[match].first == i; ++match) {
        const auto& m = (*matches)[match];
        const double score = best[i] + m.weight * (2.0 * m.count - 1);
        if (score > best[i + m.count]) {
          best[i + m.count] = score;
          taken[i + m.count] = &m;
        }
      }
    }
    for (size_t i = units.size(); i > 0;) {
      const UserDictionary::Match* m = taken[i];
      if (m == nullptr) {
        --i;
        continue;
      }
      const size_t from = units[m->first].begin - begin;
      const size_t to = (i < units.size() ? units[i].begin : end) - begin;
      std::fill(border->begin() + static_cast<ptrdiff_t>(from), border->begin() + static_cast<ptrdiff_t>(to), 0);
      (*border)[from] = (*border)[to] = 1;
      i = m->first;
    }
  }

  std::shared_ptr<const UserDictionary> dictionary_;
};

}  // namespace

std::unique_ptr<Segmenter> MakeIcuSegmenter(std::shared_ptr<const UserDictionary> dictionary) {
  return std::make_unique<IcuSegmenter>(std::move(dictionary));
}

}  // namespace atelier::text
