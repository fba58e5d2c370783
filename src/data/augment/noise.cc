#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/augment/operation.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

// The keys around each letter of a QWERTY keyboard.
constexpr std::string_view kNeighbours[26] = {
    "qwsz", "vghn", "xdfv", "serfcx", "wsdr", "drtgvc", "ftyhbv", "gyujnb", "ujko", "huikmn", "jiolm", "kop",  "njk",
    "bhjm", "iklp", "ol",   "wa",     "edft", "awedxz", "rfgy",   "yhji",   "cfgb", "qase",   "zsdc",  "tghu", "asx"};

enum NoiseKind { kDrop, kRepeat, kSwap, kKeyboard, kPinyin };

class Noise : public AugmentOperation {
 public:
  Noise(Table* table, const std::string& folder) : rate_(table->DoubleOr("rate", 0.03, 0, 1)) {
    const std::string pinyin = table->StringOr("pinyin", "");
    if (!pinyin.empty()) ReadPinyin(BesideConfig(folder, pinyin));
    std::vector<std::string> kinds = table->StringsOr("kinds", {"drop", "repeat", "swap", "keyboard"});
    if (!table->Has("kinds") && !pinyin.empty()) kinds.emplace_back("pinyin");
    static const std::vector<std::string> names = {"drop", "repeat", "swap", "keyboard", "pinyin"};
    for (const std::string& kind : kinds) {
      const auto found = std::find(names.begin(), names.end(), kind);
      if (found == names.end())
        table->Refuse("kinds", Cat("no kind of noise is called ", Quote(kind)), Join(names, ", "));
      kinds_.push_back(static_cast<NoiseKind>(found - names.begin()));
    }
    if (kinds_.empty()) table->Refuse("kinds", "names none", Join(names, ", "));
    if (std::count(kinds_.begin(), kinds_.end(), kPinyin) > 0 && pinyin.empty()) {
      table->Refuse("kinds", "pinyin needs the file of readings", "pinyin = \"FILE\" with lines like: 字 zi");
    }
  }

  std::string Apply(const std::string& text, Rng* rng) const override {
    const std::u32string chars = text::DecodeUtf8(text);
    std::u32string out;
    for (size_t i = 0; i < chars.size(); ++i) {
      const char32_t c = chars[i];
      const bool strikes = text::Properties(c) & (text::kLetter | text::kNumber) && rng->Uniform() < rate_;
      if (!strikes) {
        out.push_back(c);
        continue;
      }
      switch (kinds_[rng->Below(kinds_.size())]) {
        case kDrop: break;
        case kRepeat: out.append(2, c); break;
        case kSwap:
          if (i + 1 < chars.size() && text::Properties(chars[i + 1]) & (text::kLetter | text::kNumber)) {
            out.push_back(chars[++i]);
          }
          out.push_back(c);
          break;
        case kKeyboard: out.push_back(Neighbour(c, rng)); break;
        case kPinyin: out.push_back(SoundsLike(c, rng)); break;
      }
    }
    return out.empty() ? text : text::EncodeUtf8(out);
  }

 private:
  static char32_t Neighbour(char32_t c, Rng* rng) {
    const char32_t low = c | 0x20;
    if (c >= 0x80 || low < U'a' || low > U'z') return c;
    const std::string_view keys = kNeighbours[low - U'a'];
    const auto key = static_cast<char32_t>(keys[rng->Below(keys.size())]);
    return c == low ? key : key - 0x20;
  }

  char32_t SoundsLike(char32_t c, Rng* rng) const {
    const auto group = group_of_.find(c);
    if (group == group_of_.end()) return c;
    const std::u32string& others = groups_[group->second];
    const char32_t other = others[rng->Below(others.size())];
    return other;
  }

  // Lines of a character and its reading, tones or not: 字 zi. A character with several readings keeps the first.
  void ReadPinyin(const std::string& path) {
    std::unordered_map<std::string, size_t> by_reading;
    size_t number = 0;
    for (const std::string& line : Split(ReadFile(path, 64u << 20), '\n')) {
      ++number;
      const std::string_view trimmed = Trim(line);
      if (trimmed.empty() || trimmed.starts_with('#')) continue;
      const size_t gap = trimmed.find_first_of(" \t");
      const std::u32string character = text::DecodeUtf8(trimmed.substr(0, gap));
      if (gap == std::string_view::npos) {
        throw Error(Code::kInvalidInput, Cat(path, ":", number, ": ", Quote(line)),
                    "a line is a character and its reading: 字 zi");
      }
      if (character.size() != 1) continue;  // such files hold words as well
      const auto [it, added] = by_reading.emplace(std::string(Trim(trimmed.substr(gap))), groups_.size());
      if (added) groups_.emplace_back();
      if (group_of_.emplace(character[0], it->second).second) groups_[it->second].push_back(character[0]);
    }
  }

  double rate_;
  std::vector<NoiseKind> kinds_;
  std::vector<std::u32string> groups_;  // characters that sound alike
  std::unordered_map<char32_t, size_t> group_of_;
};

}  // namespace

std::unique_ptr<AugmentOperation> MakeNoise(Table* table, const std::string& folder) {
  return std::make_unique<Noise>(table, folder);
}

}  // namespace atelier::data
