#include "text/segmenter.h"

#include <algorithm>

namespace atelier::text {
namespace {

constexpr size_t kStretch = 4096;          // units that are tagged together, at most
constexpr size_t kBreakAt = kStretch / 2;  // from here on the next mark ends a stretch

class ModelSegmenter : public Segmenter {
 public:
  ModelSegmenter(std::shared_ptr<const SegmenterModel> model, std::shared_ptr<const UserDictionary> dictionary)
      : model_(std::move(model)), dictionary_(std::move(dictionary)) {
    if (dictionary_ != nullptr && dictionary_->size() == 0) dictionary_ = nullptr;
  }

  void Segment(std::string_view text, std::vector<std::string_view>* words) const override {
    Session session;
    std::vector<TextUnit>& units = session.units;
    size_t at = 0;
    while (at < text.size() || !units.empty()) {
      if (units.size() < kStretch) at = CutUnits(text, at, kStretch - units.size(), &units);
      const bool all = at >= text.size();
      if (dictionary_ != nullptr) {
        session.matches.clear();
        dictionary_->Find(text, units, at, &session.matches);
        MarkCrossed(&session);
      }
      // Stretches between white space are tagged one by one; what may go on stays for the next round.
      size_t begin = 0;
      while (begin < units.size()) {
        const size_t end = StretchEnd(session, begin);
        if (end == units.size() && !all && begin > 0) break;
        Tag(text, session, begin, end, end < units.size() ? units[end].begin : at, words);
        begin = end;
      }
      units.erase(units.begin(), units.begin() + static_cast<ptrdiff_t>(begin));
    }
  }

 private:
  struct Session {
    std::vector<TextUnit> units;
    std::vector<UserDictionary::Match> matches;
    std::vector<uint8_t> crossed;  // [units], or empty: a dictionary word lies over the border before this unit
    std::vector<uint16_t> symbols;
    std::vector<int16_t> scores;
    std::vector<uint8_t> back;
    std::vector<uint8_t> tags;
    std::vector<int64_t> best;
    std::vector<const UserDictionary::Match*> taken;
  };

  static void MarkCrossed(Session* session) {
    session->crossed.assign(session->units.size(), 0);
    size_t reach = 0, match = 0;
    for (size_t i = 0; i < session->units.size(); ++i) {
      session->crossed[i] = reach > i;
      for (; match < session->matches.size() && session->matches[match].first == i; ++match) {
        reach = std::max<size_t>(reach, i + session->matches[match].count);
      }
    }
  }

  static bool Alone(UnitKind kind) {
    return kind == UnitKind::kSpace || kind == UnitKind::kEmoji || kind == UnitKind::kLink || kind == UnitKind::kOther;
  }

  // What is never joined is a stretch of its own, unless a word of the dictionary holds it.
  size_t StretchEnd(const Session& session, size_t begin) const {
    const std::vector<TextUnit>& units = session.units;
    const std::vector<uint8_t>& crossed = session.crossed;
    for (size_t i = begin + 1; i < units.size(); ++i) {
      const bool alone = Alone(units[i].kind) || Alone(units[i - 1].kind);
      const bool late = i - begin > kBreakAt && units[i - 1].kind == UnitKind::kMark;
      if ((alone || late) && (crossed.empty() || !crossed[i])) return i;
    }
    return units.size();
  }

  void Tag(std::string_view text, Session& session, size_t begin, size_t end, size_t bytes_end,
           std::vector<std::string_view>* words) const {
    const TextUnit* units = session.units.data() + begin;
    const size_t n = end - begin;
    if (n == 1) {
      words->push_back(text.substr(units[0].begin, bytes_end - units[0].begin));
      return;
    }
    session.symbols.assign(n + 4, kPadSymbol);
    for (size_t i = 0; i < n; ++i) session.symbols[i + 2] = model_->Symbol(units[i]);
    session.scores.resize((n + 4) * kTags);
    model_->Score(session.symbols.data(), n, session.scores.data());
    session.tags.resize(n);
    const auto first = std::lower_bound(session.matches.begin(), session.matches.end(), begin,
                                        [](const auto& match, size_t at) { return match.first < at; });
    if (first != session.matches.end() && first->first < end) {
      DecodeWithDictionary(session, begin, end);
    } else {
      Decode(session, n);
    }
    size_t word = 0;
    for (size_t i = 1; i <= n; ++i) {
      if (i < n && session.tags[i] != kTagB && session.tags[i] != kTagS) continue;
      const size_t from = units[word].begin, to = i < n ? units[i].begin : bytes_end;
      words->push_back(text.substr(from, to - from));
      word = i;
    }
  }

  // Viterbi. What may follow: after B and M come M and E, after E and S come B and S.
  void Decode(Session& session, size_t n) const {
    const auto& t = model_->weights().transitions;
    const int16_t* row = session.scores.data() + 2 * kTags;
    session.back.resize(n);
    constexpr int32_t kNever = -(1 << 29);
    int32_t b = row[kTagB], m = kNever, e = kNever, s = row[kTagS];
    const int32_t bm = t[kTagB][kTagM], mm = t[kTagM][kTagM], be = t[kTagB][kTagE], me = t[kTagM][kTagE];
    const int32_t eb = t[kTagE][kTagB], sb = t[kTagS][kTagB], es = t[kTagE][kTagS], ss = t[kTagS][kTagS];
    for (size_t i = 1; i < n; ++i) {
      row += kTags;
      const int32_t b1 = e + eb, b2 = s + sb, m1 = b + bm, m2 = m + mm, e1 = b + be, e2 = m + me, s1 = e + es,
                    s2 = s + ss;
      // A bit per tag: which of its two predecessors was better.
      session.back[i] = static_cast<uint8_t>((b2 > b1) | (m2 > m1) << 1 | (e2 > e1) << 2 | (s2 > s1) << 3);
      b = std::max(b1, b2) + row[kTagB];
      m = std::max(m1, m2) + row[kTagM];
      e = std::max(e1, e2) + row[kTagE];
      s = std::max(s1, s2) + row[kTagS];
    }
    uint8_t tag = e > s ? kTagE : kTagS;
    for (size_t i = n; i-- > 0;) {
      session.tags[i] = tag;
      const bool second = session.back[i] >> tag & 1;
      tag = tag == kTagB || tag == kTagS ? (second ? kTagS : kTagE) : (second ? kTagM : kTagB);
    }
  }

  // The same with the dictionary's words as further ways: from the border before a word to the border after it.
  void DecodeWithDictionary(Session& session, size_t begin, size_t end) const {
    const size_t n = end - begin;
    const auto& t = model_->weights().transitions;
    const int16_t* rows = session.scores.data() + 2 * kTags;
    constexpr int64_t kNever = -(int64_t{1} << 60);
    std::vector<int64_t>& best = session.best;
    best.assign(n * kTags, kNever);
    session.back.assign(n * kTags, 0);
    session.taken.assign(n * kTags, nullptr);
    const auto from = [&](size_t i, WordTag tag, WordTag* before) {  // best way to `tag` at i, without i's own score
      if (i == 0) return tag == kTagB || tag == kTagS ? int64_t{0} : kNever;
      const bool opens = tag == kTagB || tag == kTagS;
      const WordTag first = opens ? kTagE : kTagB, second = opens ? kTagS : kTagM;
      const int64_t one = best[(i - 1) * kTags + first] + t[first][tag];
      const int64_t two = best[(i - 1) * kTags + second] + t[second][tag];
      *before = two > one ? second : first;
      return std::max(one, two);
    };
    auto match = std::lower_bound(session.matches.begin(), session.matches.end(), begin,
                                  [](const auto& m, size_t at) { return m.first < at; });
    for (size_t i = 0; i < n; ++i) {
      for (const WordTag tag : {kTagB, kTagM, kTagE, kTagS}) {
        WordTag before = kTagS;
        const int64_t score = from(i, tag, &before) + rows[i * kTags + tag];
        if (score > best[i * kTags + tag]) {
          best[i * kTags + tag] = score;
          session.back[i * kTags + tag] = before;
          session.taken[i * kTags + tag] = nullptr;
        }
      }
      for (; match != session.matches.end() && match->first == begin + i; ++match) {
        const size_t count = match->count;
        if (i + count > n) continue;
        WordTag before = kTagS;
        // Longer words first, then more of them: 2 * count - 1.
        int64_t score =
            static_cast<int64_t>(match->weight * model_->weights().scale * static_cast<double>(2 * count - 1));
        const WordTag first = count == 1 ? kTagS : kTagB, last = count == 1 ? kTagS : kTagE;
        score += from(i, first, &before) + rows[i * kTags + first];
        for (size_t k = 1; k < count; ++k) {
          const WordTag tag = k + 1 == count ? kTagE : kTagM, previous = k == 1 ? kTagB : kTagM;
          score += t[previous][tag] + rows[(i + k) * kTags + tag];
        }
        const size_t at = (i + count - 1) * kTags + last;
        if (score <= best[at]) continue;
        best[at] = score;
        session.back[at] = before;
        session.taken[at] = &*match;
      }
    }
    uint8_t tag = best[(n - 1) * kTags + kTagE] > best[(n - 1) * kTags + kTagS] ? kTagE : kTagS;
    for (size_t i = n; i-- > 0;) {
      const UserDictionary::Match* word = session.taken[i * kTags + tag];
      const uint8_t before = session.back[i * kTags + tag];
      session.tags[i] = tag;
      if (word != nullptr) {
        for (size_t k = 1; k < word->count; ++k) session.tags[i - k] = k + 1 == word->count ? kTagB : kTagM;
        i -= word->count - 1;
      }
      tag = before;
    }
  }

  std::shared_ptr<const SegmenterModel> model_;
  std::shared_ptr<const UserDictionary> dictionary_;
};

}  // namespace

std::unique_ptr<Segmenter> MakeModelSegmenter(std::shared_ptr<const SegmenterModel> model,
                                              std::shared_ptr<const UserDictionary> dictionary) {
  return std::make_unique<ModelSegmenter>(std::move(model), std::move(dictionary));
}

}  // namespace atelier::text
