// A learned ranker as a file: two lines of JSON, a head with format, version and the hash of what follows, and a body.
// Read as from an enemy. docs/formats/ranker.md.
//
// Its score of a text x in a context c is
//   s = temperature * (sum_j weight_j (f_j(x, c) - mean_j) / deviation_j + u . e(x) + v . (e(c) * e(x)))
// with f the declared features, e the encoder's unit vectors [dims], * element by element.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace atelier::artefact {

inline constexpr int64_t kRankerVersion = 1;
inline constexpr char kRankerArchitecture[] = "ranker";

struct RankerFeature {
  std::string name;
  double mean = 0, deviation = 1, weight = 0;
};

struct RankerFile {
  std::string loss;  // "pairwise" or "listwise"
  double l2 = 0;     // of the declared features' weights
  double temperature = 1;
  std::vector<RankerFeature> features = {};
  // The encoder whose vectors it needs; "": none, and the rest of it is empty.
  std::string encoder = {}, encoder_sha256 = {};
  double encoder_l2 = 0;
  std::vector<double> text_weights = {};     // u [dims]
  std::vector<double> product_weights = {};  // v [dims], or empty
  Json trained = Json::object();             // on what, and the figures on what was held out: for people
};

bool IsRankerFile(std::string_view bytes);
// Throws kCorrupt for what is damaged or lies about itself, kUnsupported for a version that this program does not know;
// both begin with `where`.
RankerFile ParseRankerFile(std::string_view bytes, const std::string& where);
// REQUIRES: what ParseRankerFile would take: numbers of up to 1e12, names that differ, one kind of loss.
std::string RankerFileText(const RankerFile& ranker);

}  // namespace atelier::artefact
