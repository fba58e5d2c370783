#include "text/unigram_corpus.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/thread_pool.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

// Suffixes of segments, compared by their first characters only: each ends at its segment's border at the latest.
class SuffixSorter {
 public:
  SuffixSorter(const UnigramCorpus& corpus, uint32_t longest) : text_(corpus.text.data()), longest_(longest) {}

  // Three-way radix quicksort (Bentley, Sedgewick 1997) from character `depth` on; at most `longest` levels deep.
  void Sort(uint32_t* begin, uint32_t* end, uint32_t depth) const {
    while (end - begin > 1 && depth < longest_) {
      if (end - begin < 16) return Insert(begin, end, depth);
      const uint32_t pivot = Median(At(begin[0], depth), At(begin[(end - begin) / 2], depth), At(end[-1], depth));
      uint32_t *less = begin, *at = begin, *greater = end;
      while (at < greater) {
        const uint32_t c = At(*at, depth);
        if (c < pivot) {
          std::swap(*less++, *at++);
        } else if (c > pivot) {
          std::swap(*at, *--greater);
        } else {
          ++at;
        }
      }
      if (pivot != 0) Sort(less, greater, depth + 1);
      // The larger side goes on here, so that calls nest no deeper than the logarithm.
      if (less - begin < end - greater) {
        Sort(begin, less, depth);
        begin = greater;
      } else {
        Sort(greater, end, depth);
        end = less;
      }
    }
  }

  // Characters that two suffixes have in common before a border.
  uint32_t Common(uint32_t a, uint32_t b) const {
    uint32_t n = 0;
    while (n < longest_ && text_[a + n] != 0 && text_[a + n] == text_[b + n]) ++n;
    return n;
  }

 private:
  uint32_t At(uint32_t suffix, uint32_t depth) const { return text_[suffix + depth]; }
  static uint32_t Median(uint32_t a, uint32_t b, uint32_t c) {
    return std::max(std::min(a, b), std::min(std::max(a, b), c));
  }
  bool Less(uint32_t a, uint32_t b, uint32_t depth) const {
    for (; depth < longest_; ++depth) {
      const uint32_t ca = At(a, depth), cb = At(b, depth);
      if (ca != cb) return ca < cb;
      if (ca == 0) return false;
    }
    return false;
  }
  void Insert(uint32_t* begin, uint32_t* end, uint32_t depth) const {
    for (uint32_t* i = begin + 1; i < end; ++i) {
      const uint32_t suffix = *i;
      uint32_t* j = i;
      for (; j > begin && Less(suffix, j[-1], depth); --j) *j = j[-1];
      *j = suffix;
    }
  }

  const uint32_t* text_;
  uint32_t longest_;
};

// The mark of a space stands for one.
char32_t AsSpace(char32_t c) { return c == 0x2581 ? U' ' : c; }

}  // namespace

UnigramCorpus MakeUnigramCorpus(const WordCounts& words, double coverage) {
  UnigramCorpus corpus;
  std::unordered_map<char32_t, uint64_t> counts;
  uint64_t total = 0, places = 0;
  for (const WordCounts::Word& word : words.words()) {
    if (word.count > std::numeric_limits<uint32_t>::max()) {
      throw Error(Code::kResourceExhausted, "tokenizer: a word occurs more than 4294967295 times",
                  "train on a part of the corpus");
    }
    const std::string_view bytes = words.Text(word);
    for (size_t at = 0; at < bytes.size();) {
      const DecodedChar d = DecodeChar(bytes.substr(at));
      counts[AsSpace(d.c)] += word.count;
      total += word.count;
      ++places;
      at += d.length;
    }
  }
  if (places + words.words().size() + places / UnigramCorpus::kLongest >= std::numeric_limits<uint32_t>::max()) {
    throw Error(Code::kResourceExhausted,
                "tokenizer: the corpus has more than 4294967295 characters of different words",
                "train on a part of it");
  }
  std::vector<std::pair<char32_t, uint64_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  corpus.characters.push_back(0);
  corpus.counts.push_back(0);
  std::unordered_map<char32_t, uint32_t> numbers;
  double covered = 0;
  for (const auto& [c, count] : sorted) {
    if (covered >= coverage * static_cast<double>(total)) break;
    covered += static_cast<double>(count);
    if (c == kReplacement || c == 0) continue;  // what was no text has no token
    numbers.emplace(c, static_cast<uint32_t>(corpus.characters.size()));
    corpus.characters.push_back(c);
    corpus.counts.push_back(count);
  }
  corpus.text.reserve(places + words.words().size());
  for (const WordCounts::Word& word : words.words()) {
    const std::string_view bytes = words.Text(word);
    auto begin = static_cast<uint32_t>(corpus.text.size());
    const auto end_segment = [&] {
      const auto size = static_cast<uint32_t>(corpus.text.size()) - begin;
      if (size == 0) return;
      corpus.text.push_back(0);
      corpus.segments.push_back({begin, size, static_cast<uint32_t>(word.count)});
      begin = static_cast<uint32_t>(corpus.text.size());
    };
    for (size_t at = 0; at < bytes.size();) {
      const DecodedChar d = DecodeChar(bytes.substr(at));
      at += d.length;
      const auto number = numbers.find(AsSpace(d.c));
      if (number == numbers.end() || corpus.text.size() - begin >= UnigramCorpus::kLongest) end_segment();
      if (number != numbers.end()) corpus.text.push_back(number->second);
    }
    end_segment();
  }
  return corpus;
}

std::vector<UnigramPiece> UnigramCandidates(const UnigramCorpus& corpus, uint32_t longest, size_t most, int threads) {
  // Suffixes by their first character, then each such group sorted by itself.
  std::vector<uint32_t> group(corpus.characters.size() + 1), suffixes, weights(corpus.text.size());
  for (const uint32_t c : corpus.text) ++group[c];
  group[0] = 0;
  uint32_t sum = 0;
  for (uint32_t& size : group) sum += std::exchange(size, sum);
  suffixes.resize(sum);
  for (const UnigramSegment& segment : corpus.segments) {
    for (uint32_t i = segment.begin; i < segment.begin + segment.size; ++i) {
      suffixes[group[corpus.text[i]]++] = i;
      weights[i] = segment.count;
    }
  }
  // Now group[c] is the end of c's group.
  const SuffixSorter sorter(corpus, longest);
  std::atomic<uint32_t> next{1};
  ThreadPool pool(threads);
  pool.Run([&](int) {
    for (uint32_t c; (c = next.fetch_add(1)) < corpus.characters.size();) {
      sorter.Sort(suffixes.data() + group[c - 1], suffixes.data() + group[c], 1);
    }
  });

  // Intervals of the suffix array with a common prefix (Abouelhoda et al. 2004), each when its last suffix has passed.
  struct Open {
    uint32_t size;    // characters in common
    uint64_t weight;  // of the suffixes that have it
  };
  std::vector<UnigramPiece> pieces;
  std::vector<Open> open;
  const auto better = [](const UnigramPiece& a, const UnigramPiece& b) { return a.score > b.score; };
  const auto keep = [&](uint32_t suffix, uint32_t size, uint64_t weight) {
    pieces.push_back({suffix, size, static_cast<double>(weight) * size});
    if (pieces.size() < 4 * most + 65536) return;
    std::nth_element(pieces.begin(), pieces.begin() + static_cast<int64_t>(2 * most), pieces.end(), better);
    // Those that are equal to the last one stay, so that their order does not matter.
    const double least = pieces[2 * most].score;
    std::erase_if(pieces, [&](const UnigramPiece& piece) { return piece.score < least; });
  };
  for (size_t i = 0; i < suffixes.size(); ++i) {
    const uint32_t suffix = suffixes[i];
    const uint32_t common = i + 1 < suffixes.size() ? sorter.Common(suffix, suffixes[i + 1]) : 0;
    // A word that stands nowhere within another, as a whole.
    uint32_t whole = 0;
    while (whole < longest && corpus.text[suffix + whole] != 0) ++whole;
    const bool first = suffix == 0 || corpus.text[suffix - 1] == 0;
    const uint32_t before = open.empty() ? 0 : open.back().size;
    if (first && corpus.text[suffix + whole] == 0 && whole > std::max(before, common) && whole >= 2 &&
        weights[suffix] >= 2) {
      keep(suffix, whole, weights[suffix]);
    }
    uint64_t weight = weights[suffix];
    while (!open.empty() && open.back().size > common) {
      open.back().weight += weight;
      weight = open.back().weight;
      if (open.back().size >= 2 && weight >= 2) keep(suffix, open.back().size, weight);
      open.pop_back();
    }
    if (!open.empty() && open.back().size == common) {
      open.back().weight += weight;
    } else if (common > 0) {
      open.push_back({common, weight});
    }
  }
  const auto before = [&](const UnigramPiece& a, const UnigramPiece& b) {
    const uint32_t* text = corpus.text.data();
    return std::lexicographical_compare(text + a.begin, text + a.begin + a.size, text + b.begin,
                                        text + b.begin + b.size);
  };
  if (pieces.size() > most) {
    const auto order = [&](const UnigramPiece& a, const UnigramPiece& b) {
      return a.score != b.score ? a.score > b.score : before(a, b);
    };
    std::nth_element(pieces.begin(), pieces.begin() + static_cast<int64_t>(most), pieces.end(), order);
    pieces.resize(most);
  }
  // Every character, wherever it stands.
  std::vector<uint32_t> place(corpus.characters.size(), std::numeric_limits<uint32_t>::max());
  for (size_t i = corpus.text.size(); i-- > 0;) place[corpus.text[i]] = static_cast<uint32_t>(i);
  for (size_t c = 1; c < place.size(); ++c) pieces.push_back({place[c], 1, static_cast<double>(corpus.counts[c])});
  std::sort(pieces.begin(), pieces.end(), before);
  return pieces;
}

}  // namespace atelier::text
