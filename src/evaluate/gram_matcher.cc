#include "evaluate/gram_matcher.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace atelier::evaluate {
namespace {

// The shift that leaves a slot's number: at least twice as many slots as keys.
int ShiftFor(size_t most) {
  const int bits = std::max(4, static_cast<int>(std::bit_width(most)) + 1);
  return 64 - bits;
}

// A turn that no slot has, in a table for `most` keys; returns the shift for them.
template <typename Slot>
int NextTurn(size_t most, std::vector<Slot>* slots, uint32_t* turn) {
  const int shift = ShiftFor(most);
  const size_t size = size_t{1} << (64 - shift);
  // Few slots stay few, so that they stay near; a long line's slots serve the next one, too.
  if (slots->size() < size || ++*turn == 0) {
    slots->assign(std::max(size, slots->size()), Slot());
    *turn = 1;
  }
  return shift;
}

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

}  // namespace

KeyTable::Set KeyTable::Begin(size_t most) {
  const int shift = NextTurn(most, &slots_, &turn_);
  return {slots_.data(), (size_t{1} << (64 - shift)) - 1, shift, turn_};
}

void SymbolTable::Reset(size_t most) {
  shift_ = NextTurn(most, &slots_, &turn_);
  size_ = 0;
}

uint32_t SymbolTable::Add(std::string_view word) {
  const char* data = word.data();
  const size_t n = word.size();
  uint64_t head = 0, tail = 0;
  if (n >= 8) {
    head = Load<uint64_t>(data);
    tail = Load<uint64_t>(data + n - 8);
  } else if (n >= 4) {
    head = Load<uint32_t>(data);
    tail = Load<uint32_t>(data + n - 4);
  } else if (n > 0) {
    head = static_cast<uint8_t>(data[0]) | static_cast<uint64_t>(static_cast<uint8_t>(data[n / 2])) << 8 |
           static_cast<uint64_t>(static_cast<uint8_t>(data[n - 1])) << 16;
  }
  uint64_t hash = (head ^ (tail * 0xd6e8feb86659fd93ull)) + n;
  for (size_t i = 8; i + 8 < n; i += 8) hash = (hash ^ (hash >> 29) ^ Load<uint64_t>(data + i)) * 0xbf58476d1ce4e5b9ull;
  hash = (hash ^ (hash >> 32)) * kGoldenSpread;
  const size_t mask = (size_t{1} << (64 - shift_)) - 1;
  for (size_t i = static_cast<size_t>(hash >> shift_);; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.turn != turn_) {
      slot = {head, tail, data, static_cast<uint32_t>(n), turn_, size_};
      return size_++;
    }
    if (slot.head == head && slot.tail == tail && slot.length == n && (n <= 16 || !std::memcmp(slot.data, data, n))) {
      return slot.number;
    }
  }
}

void GramMatcher::Match(Text hypothesis, std::span<const Text> references, size_t order, int64_t* matches) {
  // No symbol is either of these.
  constexpr uint32_t kEndGiven = 0xFFFFFFFEu, kEndWanted = 0xFFFFFFFFu;
  std::fill(matches, matches + order, 0);
  const bool several = references.size() > 1;
  given_text_.assign(hypothesis.begin(), hypothesis.end());
  given_text_.push_back(kEndGiven);
  wanted_text_.clear();
  reference_of_.clear();
  for (uint32_t r = 0; r < references.size(); ++r) {
    wanted_text_.insert(wanted_text_.end(), references[r].begin(), references[r].end());
    wanted_text_.push_back(kEndWanted);
    if (several) reference_of_.resize(wanted_text_.size(), r);
  }
  const auto givens = static_cast<uint32_t>(given_text_.size()), wanteds = static_cast<uint32_t>(wanted_text_.size());
  given_.resize(givens);
  wanted_.resize(wanteds);
  pairs_.resize(givens);
  grams_.resize(std::max<size_t>(grams_.size(), wanteds));
  taken_.assign(wanteds, 0);
  for (uint32_t at = 0; at < givens; ++at) given_[at] = {at, 0};
  for (uint32_t at = 0; at < wanteds; ++at) wanted_[at] = {at, 0};
  // The loops below are all of the time that a corpus takes: nothing in them goes through a member.
  Place *const given = given_.data(), *const wanted = wanted_.data();
  Pair* const pairs = pairs_.data();
  Gram* const grams = grams_.data();
  uint32_t* const taken = taken_.data();
  size_t given_left = givens, wanted_left = wanteds, pairs_left = 0;
  for (uint32_t n = 1; n <= order && given_left + pairs_left > 0; ++n) {
    const uint32_t *const given_ends = given_text_.data() + n - 1, *const wanted_ends = wanted_text_.data() + n - 1;
    int64_t matched = 0;
    size_t kept = 0;
    for (size_t i = 0; i < pairs_left; ++i) {
      const Pair pair = pairs[i];
      pairs[kept] = pair;
      const bool equal = given_ends[pair.at] == wanted_ends[pair.other];  // an end equals nothing
      kept += equal;
      if (!equal) continue;
      matched += taken[pair.other] != n;
      taken[pair.other] = n;
    }
    pairs_left = kept;

    KeyTable::Set set = table_.Begin(wanted_left);
    kept = 0;
    for (size_t i = 0; i < wanted_left; ++i) {
      const Place place = wanted[i];
      const uint32_t symbol = wanted_ends[place.at], before = set.size;
      if (symbol == kEndWanted) continue;
      const uint32_t number = set.Add(static_cast<uint64_t>(place.gram) << 32 | symbol);
      Gram& gram = grams[number];
      if (number == before) gram = {.first = place.at};
      ++gram.count;
      if (!several) {
        ++gram.most;
      } else {
        const uint32_t r = reference_of_[place.at];
        if (gram.last != r) gram.seen = 0;
        gram.last = r;
        gram.most = std::max(gram.most, ++gram.seen);
      }
      wanted[kept++] = {place.at, number};
    }
    wanted_left = kept;

    kept = 0;
    for (size_t i = 0; i < given_left; ++i) {
      const Place place = given[i];
      const uint32_t number = set.Find(static_cast<uint64_t>(place.gram) << 32 | given_ends[place.at]);
      if (number == ~0u) continue;
      Gram& gram = grams[number];
      if (gram.most > 0) {
        --gram.most;
        ++matched;
      }
      if (gram.count == 1) {
        pairs[pairs_left++] = {place.at, gram.first};
      } else {
        gram.shared = 1;
        given[kept++] = {place.at, number};
      }
    }
    given_left = kept;
    matches[n - 1] = matched;

    kept = 0;
    for (size_t i = 0; i < wanted_left; ++i) {
      wanted[kept] = wanted[i];
      kept += grams[wanted[i].gram].shared;
    }
    wanted_left = kept;
  }
}

}  // namespace atelier::evaluate
