#include "evaluate/surface_style.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "evaluate/units.h"
#include "text/sentences.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

constexpr double kMostZ = 5;
// What one feature's deviation is at least: of a rate per 100 units one mark in 50 units, of a share or a logarithm
// 0.05.
constexpr double kLeastRate = 2, kLeastShare = 0.05;

// Characters that are counted, per 100 units.
struct Marks {
  std::string_view name;
  std::u32string_view characters;
};
constexpr std::array<Marks, 8> kMarks = {{{"commas", U",，、"},
                                          {"full stops", U".。"},
                                          {"exclamation marks", U"!！"},
                                          {"question marks", U"?？"},
                                          {"colons and semicolons", U":：;；"},
                                          {"dashes and ellipses", U"-—–…~～"},
                                          {"quotation marks", U"\"“”‘’「」『』«»"},
                                          {"brackets", U"()（）[]【】《》<>"}}};

// Small words, per 100 units.
struct Words {
  std::string_view name;
  std::array<std::string_view, 12> words;
};
constexpr std::array<Words, 14> kWords = {
    {{"small words: 的", {"的"}},
     {"small words: 了着过", {"了", "着", "过"}},
     {"small words: 是在有", {"是", "在", "有"}},
     {"small words: 你您", {"你", "您"}},
     {"small words: 我", {"我"}},
     {"small words: 吧吗呢啊", {"吧", "吗", "呢", "啊", "呀", "哦", "啦", "嘛", "哟"}},
     {"small words: 把被让给", {"把", "被", "让", "给"}},
     {"small words: 不没", {"不", "没"}},
     {"small words: the, a", {"the", "a", "an"}},
     {"small words: and, or, but", {"and", "or", "but"}},
     {"small words: of, in, for", {"of", "in", "on", "at", "for", "with", "to", "from", "by", "as"}},
     {"small words: you", {"you", "your", "yours", "you're", "you'll", "yourself"}},
     {"small words: we", {"we", "our", "us", "i", "my", "me", "we're", "i'm"}},
     {"small words: is, not", {"is", "are", "was", "were", "be", "been", "not", "no", "it's", "isn't", "don't"}}}};

constexpr std::array<SurfaceFeature, 8> kShapes = {{{"length", "log of units"},
                                                    {"length of sentences", "log of units"},
                                                    {"length of words", "log of letters"},
                                                    {"Han characters", "share of units"},
                                                    {"digits", "share of characters"},
                                                    {"capitals", "share of cased letters"},
                                                    {"symbols and emoji", "per 100 units"},
                                                    {"spaces", "share of characters"}}};

double Least(size_t feature) {
  return feature >= kShapes.size() || Features()[feature].of == "per 100 units" ? kLeastRate : kLeastShare;
}

}  // namespace

std::span<const SurfaceFeature> Features() {
  static const std::vector<SurfaceFeature> all = [] {
    std::vector<SurfaceFeature> out(kShapes.begin(), kShapes.end());
    for (const Marks& marks : kMarks) out.push_back({marks.name, "per 100 units"});
    for (const Words& words : kWords) out.push_back({words.name, "per 100 units"});
    return out;
  }();
  return all;
}

std::vector<double> MeasureSurface(std::string_view text) {
  std::vector<double> out(Features().size());
  const std::vector<std::string> units = Units(text);
  std::array<double, kMarks.size()> marks{};
  double characters = 0, han = 0, digits = 0, cased = 0, capitals = 0, symbols = 0, spaces = 0;
  for (size_t at = 0; at < text.size();) {
    const text::DecodedChar c = text::DecodeChar(text.substr(at));
    at += c.length;
    const uint16_t properties = text::Properties(c.c);
    ++characters;
    han += (properties & text::kHan) != 0;
    digits += (properties & text::kNumber) != 0;
    cased += (properties & (text::kUpper | text::kLower)) != 0;
    capitals += (properties & text::kUpper) != 0;
    symbols += (properties & text::kSymbol) != 0;
    spaces += (properties & text::kSpace) != 0;
    for (size_t m = 0; m < kMarks.size(); ++m) marks[m] += kMarks[m].characters.find(c.c) != std::u32string_view::npos;
  }
  if (characters == 0) return out;
  const auto count = static_cast<double>(units.size());
  const double per = 100 / std::max(count, 1.0);
  double sentences = 0;
  for (const std::string_view sentence : text::Sentences(text)) sentences += !Units(sentence).empty();
  double words = 0, letters = 0;
  for (const std::string& unit : units) {
    if (static_cast<unsigned char>(unit[0]) >= 0x80) continue;
    ++words;
    letters += static_cast<double>(unit.size());
  }
  out[0] = std::log1p(count);
  out[1] = std::log1p(count / std::max(sentences, 1.0));
  out[2] = std::log1p(letters / std::max(words, 1.0));
  out[3] = std::min(1.0, han / std::max(count, 1.0));
  out[4] = digits / characters;
  out[5] = capitals / std::max(cased, 1.0);
  out[6] = symbols * per;
  out[7] = spaces / characters;
  size_t at = kShapes.size();
  for (const double mark : marks) out[at++] = mark * per;
  for (const Words& list : kWords) {
    double found = 0;
    for (const std::string& unit : units) {
      found += std::find(list.words.begin(), list.words.end(), unit) != list.words.end() && !unit.empty();
    }
    out[at++] = found * per;
  }
  return out;
}

SurfaceHouse::SurfaceHouse(std::vector<std::vector<double>> texts) : texts_(std::move(texts)) {
  const size_t features = texts_[0].size();
  mean_.resize(features);
  square_.resize(features);
  for (size_t f = 0; f < features; ++f) {
    for (const auto& text : texts_) mean_[f] += text[f] / static_cast<double>(texts_.size());
    for (const auto& text : texts_) square_[f] += (text[f] - mean_[f]) * (text[f] - mean_[f]);
  }
}

double SurfaceHouse::Z(size_t feature, double mean) const {
  const double deviation = std::sqrt(square_[feature] / static_cast<double>(texts_.size() - 1));
  return (mean - mean_[feature]) / std::max(deviation, Least(feature));
}

double SurfaceHouse::Delta(const std::vector<double>& text) const {
  double sum = 0;
  for (size_t f = 0; f < text.size(); ++f) sum += std::min(kMostZ, std::abs(Z(f, text[f])));
  return sum / static_cast<double>(text.size());
}

std::vector<double> SurfaceHouse::DeltasWithoutSelf() const {
  const auto n = static_cast<double>(texts_.size());
  std::vector<double> out;
  for (const auto& text : texts_) {
    double sum = 0;
    for (size_t f = 0; f < text.size(); ++f) {
      // Mean and sum of squares without this text.
      const double off = text[f] - mean_[f], mean = mean_[f] - off / (n - 1);
      const double square = std::max(0.0, square_[f] - off * off * n / (n - 1));
      const double deviation = n > 2 ? std::sqrt(square / (n - 2)) : 0;
      sum += std::min(kMostZ, std::abs(text[f] - mean) / std::max(deviation, Least(f)));
    }
    out.push_back(sum / static_cast<double>(text.size()));
  }
  return out;
}

}  // namespace atelier::evaluate
