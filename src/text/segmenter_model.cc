#include "text/segmenter_model.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::text {
namespace {

// docs/formats/segmenter.md. Little-endian, as every machine this runs on.
constexpr std::string_view kMagic{"ATLRSEG\n", 8};
constexpr uint32_t kVersion = 1;
constexpr size_t kMostCharacters = 0xFFFF - kFirstCharacter, kMostRows = 1u << 26;

class Writer {
 public:
  template <typename T>
  void Number(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  template <typename T>
  void Array(const std::vector<T>& values) {
    Number(static_cast<uint64_t>(values.size()));
    out_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  void Text(std::string_view text) {
    Number(static_cast<uint64_t>(text.size()));
    out_ += text;
  }
  std::string& out() { return out_; }

 private:
  std::string out_;
};

class Reader {
 public:
  Reader(std::string_view bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}
  [[noreturn]] void Fail(const std::string& what) const {
    throw Error(Code::kCorrupt, Cat(where_, ": ", what), "the file is damaged; pull the model again");
  }
  template <typename T>
  T Number() {
    T value;
    if (bytes_.size() < sizeof(T)) Fail("the file ends too early");
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  template <typename T>
  void Array(size_t most, std::vector<T>* values) {
    const auto count = Number<uint64_t>();
    if (count > most || count > bytes_.size() / sizeof(T)) Fail(Cat("an array says it has ", count, " members"));
    values->resize(count);
    if (count > 0) std::memcpy(values->data(), bytes_.data(), count * sizeof(T));
    bytes_.remove_prefix(count * sizeof(T));
  }
  std::string Text(size_t most) {
    const auto count = Number<uint64_t>();
    if (count > most || count > bytes_.size()) Fail(Cat("a text says it has ", count, " bytes"));
    std::string text(bytes_.substr(0, count));
    bytes_.remove_prefix(count);
    return text;
  }
  bool Done() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  std::string where_;
};

struct Same {
  uint32_t c, symbol;
};

int Largest(const TagRow& row) {
  int most = 0;
  for (const int16_t w : row) most = std::max(most, std::abs(static_cast<int>(w)));
  return most;
}

// The largest absolute sum that a place can get from one kind of row: no score can leave int16_t.
template <size_t N>
int64_t Largest(const std::vector<std::array<TagRow, N>>& rows) {
  int64_t sum = 0;
  for (size_t place = 0; place < N; ++place) {
    int most = 0;
    for (const auto& row : rows) most = std::max(most, Largest(row[place]));
    sum += most;
  }
  return sum;
}
int64_t Largest(const std::vector<TagRow>& rows) {
  int most = 0;
  for (const TagRow& row : rows) most = std::max(most, Largest(row));
  return most;
}

template <typename T>
bool Ascending(const std::vector<T>& keys) {
  return std::adjacent_find(keys.begin(), keys.end(), [](T a, T b) { return a >= b; }) == keys.end();
}

uint32_t Mix(uint64_t key) {
  const uint64_t mixed = key * 0x9E3779B97F4A7C15u;
  return static_cast<uint32_t>(mixed >> 32);
}
uint32_t Fingerprint(uint64_t key) { return static_cast<uint32_t>(key ^ (key >> 32) * 0x85EBCA6Bu); }

// Look-ups under way at once.
constexpr size_t kBlock = 64;

}  // namespace

bool SegmenterModel::Recognise(std::string_view bytes) { return bytes.starts_with(kMagic); }

std::string SegmenterModel::Serialise(const SegmenterWeights& w) {
  Writer writer;
  writer.out() += kMagic;
  writer.Number(kVersion);
  writer.Number(w.scale);
  writer.Text(w.description);
  writer.Array(w.characters);
  std::vector<Same> same;
  for (const auto& [c, symbol] : w.same) same.push_back({static_cast<uint32_t>(c), symbol});
  writer.Array(same);
  writer.Array(w.symbols);
  writer.Array(w.pair_keys);
  writer.Array(w.pairs);
  writer.Array(w.skip_keys);
  writer.Array(w.skips);
  writer.Array(w.triple_keys);
  writer.Array(w.triples);
  writer.Array(w.types);
  for (const auto& from : w.transitions) {
    for (const int16_t weight : from) writer.Number(weight);
  }
  writer.Number(Hash64(writer.out()));
  return std::move(writer.out());
}

std::shared_ptr<const SegmenterModel> SegmenterModel::Parse(std::string_view bytes, const std::string& where) {
  Reader reader(bytes, where);
  if (!Recognise(bytes)) reader.Fail("this is no segmenter");
  if (bytes.size() < kMagic.size() + 12) reader.Fail("the file ends too early");
  uint32_t version;
  std::memcpy(&version, bytes.data() + kMagic.size(), sizeof(version));
  if (version != kVersion) {
    throw Error(Code::kUnsupported, Cat(where, ": segmenter format ", version, "; this program reads ", kVersion),
                "pull the model again with this program");
  }
  uint64_t stored;
  std::memcpy(&stored, bytes.data() + bytes.size() - 8, 8);
  bytes.remove_suffix(8);
  if (Hash64(bytes) != stored) reader.Fail("the checksum does not fit");
  reader = Reader(bytes.substr(kMagic.size() + 4), where);

  SegmenterWeights w;
  w.scale = reader.Number<double>();
  if (!(w.scale > 0) || w.scale > 1e9) reader.Fail("the scale is out of range");
  w.description = reader.Text(1 << 16);
  reader.Array(kMostCharacters, &w.characters);
  std::vector<Same> same;
  reader.Array(0x110000, &same);
  reader.Array(kMostRows, &w.symbols);
  reader.Array(kMostRows, &w.pair_keys);
  reader.Array(kMostRows, &w.pairs);
  reader.Array(kMostRows, &w.skip_keys);
  reader.Array(kMostRows, &w.skips);
  reader.Array(kMostRows, &w.triple_keys);
  reader.Array(kMostRows, &w.triples);
  reader.Array(kMostRows, &w.types);
  for (auto& from : w.transitions) {
    for (int16_t& weight : from) weight = reader.Number<int16_t>();
  }
  if (!reader.Done()) reader.Fail("there are bytes after the end");

  if (w.types.empty()) w.types.resize(kTypeRows);  // none weighs anything
  const size_t symbols = kFirstCharacter + w.characters.size();
  for (const char32_t c : w.characters) {
    if (c >= 0x110000) reader.Fail("a character beyond Unicode");
  }
  for (const Same& s : same) {
    if (s.c >= 0x110000 || s.symbol >= symbols) reader.Fail("a character stands for one that is not there");
    w.same.emplace_back(s.c, static_cast<uint16_t>(s.symbol));
  }
  if (w.symbols.size() != symbols || w.pairs.size() != w.pair_keys.size() || w.skips.size() != w.skip_keys.size() ||
      w.triples.size() != w.triple_keys.size() || w.types.size() != kTypeRows) {
    reader.Fail("keys and rows do not fit together");
  }
  if (!Ascending(w.pair_keys) || !Ascending(w.skip_keys) || !Ascending(w.triple_keys)) {
    reader.Fail("keys are not in order");
  }
  const int64_t most = Largest(w.symbols) + Largest(w.pairs) + Largest(w.skips) + Largest(w.triples) + Largest(w.types);
  if (most > std::numeric_limits<int16_t>::max()) reader.Fail("weights could add up beyond their range");
  return std::make_shared<const SegmenterModel>(std::move(w));
}

SegmenterModel::SegmenterModel(SegmenterWeights weights) : weights_(std::move(weights)), basic_symbols_(0x10000, 0) {
  const SegmenterWeights& w = weights_;
  symbol_types_.resize(kFirstCharacter + w.characters.size());
  for (uint16_t symbol = 0; symbol < kFirstCharacter; ++symbol) symbol_types_[symbol] = TypeOfSymbol(symbol, 0);
  const auto set = [&](char32_t c, uint16_t symbol) {
    if (c < 0x10000) {
      basic_symbols_[c] = symbol;
    } else {
      other_symbols_.emplace_back(c, symbol);
    }
  };
  for (const auto& [c, symbol] : w.same) set(c, symbol);
  for (size_t i = 0; i < w.characters.size(); ++i) {
    const auto symbol = static_cast<uint16_t>(kFirstCharacter + i);
    set(w.characters[i], symbol);
    symbol_types_[symbol] = TypeOfSymbol(symbol, w.characters[i]);
  }
  std::stable_sort(other_symbols_.begin(), other_symbols_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto index = [](const auto& keys, std::vector<Slot>* slots) {
    size_t size = 16;
    while (size < keys.size() * 2) size *= 2;
    slots->resize(size);
    for (size_t i = 0; i < keys.size(); ++i) {
      size_t at = Mix(keys[i]) & (size - 1);
      while ((*slots)[at].index != kNone) at = (at + 1) & (size - 1);
      (*slots)[at] = {Fingerprint(keys[i]), static_cast<uint32_t>(i)};
    }
  };
  index(w.pair_keys, &pair_slots_);
  index(w.skip_keys, &skip_slots_);
  index(w.triple_keys, &triple_slots_);
}

int64_t SegmenterModel::parameters() const {
  const SegmenterWeights& w = weights_;
  return static_cast<int64_t>(kTags * (w.symbols.size() * 5 + w.pairs.size() * 4 + w.skips.size() +
                                       w.triples.size() * 3 + w.types.size() + kTags));
}

uint16_t KindSymbol(const TextUnit& unit) {
  switch (unit.kind) {
    case UnitKind::kHan: return kUnknownHan;
    case UnitKind::kMark: return kUnknownMark;
    case UnitKind::kNumber: return kFirstNumber + unit.shape;
    case UnitKind::kLatin: return kLatinSymbol + unit.shape;
    case UnitKind::kMixed: return kMixedSymbol;
    case UnitKind::kLink: return kLinkSymbol;
    case UnitKind::kSpace: return kSpaceSymbol;
    case UnitKind::kEmoji: return kEmojiSymbol;
    case UnitKind::kLetters: return kLettersSymbol;
    case UnitKind::kOther: break;
  }
  return kOtherSymbol;
}

uint8_t TypeOfSymbol(uint16_t symbol, char32_t c) {
  constexpr std::u32string_view kNumerals = U"〇零一二三四五六七八九十百千万亿两几", kTimes = U"年月日时分秒点号";
  if (symbol == kPadSymbol || symbol == kSpaceSymbol) return 0;
  if (symbol == kUnknownMark) return 3;
  if (symbol >= kFirstNumber && symbol < kLatinSymbol) return 4;
  if (symbol >= kLatinSymbol && symbol <= kLinkSymbol) return 5;
  if (symbol >= kEmojiSymbol && symbol < kFirstCharacter) return 7;
  if (symbol == kUnknownHan) return 1;
  if (kNumerals.find(c) != std::u32string_view::npos) return 2;
  if (kTimes.find(c) != std::u32string_view::npos) return 6;
  return c >= 0x3400 && (c < 0xFE00 || c > 0xFFFF) ? 1 : 3;
}

uint16_t SegmenterModel::Symbol(const TextUnit& unit) const {
  if (unit.kind == UnitKind::kHan || unit.kind == UnitKind::kMark) {
    if (unit.c < 0x10000) {
      if (const uint16_t symbol = basic_symbols_[unit.c]; symbol != 0) return symbol;
    } else {
      const auto found = std::lower_bound(other_symbols_.begin(), other_symbols_.end(), unit.c,
                                          [](const auto& entry, char32_t c) { return entry.first < c; });
      if (found != other_symbols_.end() && found->first == unit.c) return found->second;
    }
  }
  return KindSymbol(unit);
}

void SegmenterModel::Score(const uint16_t* symbols, size_t n, int16_t* scores) const {
  const SegmenterWeights& w = weights_;
  std::memset(scores, 0, (n + 4) * sizeof(TagRow));
  int16_t* row = scores + 2 * kTags;  // of place 0
  const auto add = [](int16_t* out, const int16_t* weights, auto count) {
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<int16_t>(out[i] + weights[i]);
  };
  using std::integral_constant;
  // Types: a window of five, three bits each.
  uint32_t window = 0;
  for (size_t i = 0; i < 4; ++i) window = window << 3 | symbol_types_[symbols[i]];
  for (size_t i = 0; i < n; ++i) {
    window = (window << 3 | symbol_types_[symbols[i + 4]]) & (kTypeRows - 1);
    add(row + i * kTags, w.types[window].data(), integral_constant<size_t, kTags>());
  }
  // Symbols at places -2 .. n+1: two pads on each side say where the text ends. A symbol's rows go to five places; the
  // pads' outer rows would fall outside, so they are added one by one.
  const int16_t* pad = w.symbols[kPadSymbol][0].data();
  if (n > 0) {
    add(row, pad + 4 * kTags, integral_constant<size_t, kTags>());  // place -2 seen from 0
    add(row, pad + 3 * kTags, integral_constant<size_t, kTags>());
    if (n > 1) add(row + kTags, pad + 4 * kTags, integral_constant<size_t, kTags>());
    int16_t* last = row + (n - 1) * kTags;
    add(last, pad, integral_constant<size_t, kTags>());  // place n+1 seen from n-1
    add(last, pad + kTags, integral_constant<size_t, kTags>());
    if (n > 1) add(last - kTags, pad, integral_constant<size_t, kTags>());
  }
  for (size_t i = 0; i < n; ++i) {
    add(row + (static_cast<ptrdiff_t>(i) - 2) * kTags, w.symbols[symbols[i + 2]][0].data(),
        integral_constant<size_t, 5 * kTags>());
  }
  // Pairs, skips and triples: look-ups in blocks, so that memory answers many at once. s[i] is place i - 1 here: pairs
  // with one pad on either side count, too.
  const uint16_t* s = symbols + 1;
  const size_t places = n + 1;  // pairs (s[i], s[i+1]) for i in [0, n]
  uint64_t keys[3][kBlock];
  uint32_t slots[3][kBlock], found[3][kBlock];
  const std::vector<Slot>* tables[3] = {&pair_slots_, &skip_slots_, &triple_slots_};
  for (size_t begin = 0; begin < places; begin += kBlock) {
    const size_t count = std::min(kBlock, places - begin);
    for (size_t i = 0; i < count; ++i) {
      const uint64_t a = s[begin + i], b = s[begin + i + 1], c = s[begin + i + 2];
      keys[0][i] = a << 16 | b;
      keys[1][i] = a << 16 | c;
      keys[2][i] = a << 32 | b << 16 | c;
      for (int k = 0; k < 3; ++k) {
        slots[k][i] = Mix(keys[k][i]) & static_cast<uint32_t>(tables[k]->size() - 1);
        __builtin_prefetch(tables[k]->data() + slots[k][i]);
      }
    }
    for (int k = 0; k < 3; ++k) {
      const Slot* table = tables[k]->data();
      const auto mask = static_cast<uint32_t>(tables[k]->size() - 1);
      for (size_t i = 0; i < count; ++i) {
        const uint32_t fingerprint = Fingerprint(keys[k][i]);
        uint32_t at = slots[k][i];
        while (table[at].index != kNone && table[at].key != fingerprint) at = (at + 1) & mask;
        const uint32_t index = found[k][i] = table[at].index;
        if (index == kNone) continue;
        if (k == 0) __builtin_prefetch(&w.pairs[index]);
        if (k == 1) __builtin_prefetch(&w.skips[index]);
        if (k == 2) __builtin_prefetch(&w.triples[index]), __builtin_prefetch(&w.triple_keys[index]);
      }
    }
    for (size_t i = 0; i < count; ++i) {
      // Place of a is begin + i - 1; rows go to a-1, a, b, b+1.
      int16_t* at = scores + (begin + i) * kTags;
      if (const uint32_t index = found[0][i]; index != kNone) {
        add(at, w.pairs[index][0].data(), integral_constant<size_t, 4 * kTags>());
      }
      if (begin + i == n) break;  // what follows is for places below n
      if (const uint32_t index = found[1][i]; index != kNone) {
        add(at + 2 * kTags, w.skips[index].data(), integral_constant<size_t, kTags>());
      }
      if (const uint32_t index = found[2][i]; index != kNone && w.triple_keys[index] == keys[2][i]) {
        add(at + kTags, w.triples[index][0].data(), integral_constant<size_t, 3 * kTags>());
      }
    }
  }
}

}  // namespace atelier::text
