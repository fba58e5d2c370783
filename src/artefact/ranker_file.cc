#include "artefact/ranker_file.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

constexpr std::string_view kMagic = R"({"format":"atelier.ranker",)";
constexpr size_t kMostDims = 1 << 16, kMostFeatures = 4096;
// Within these no score of a finite text can overflow.
constexpr double kLargest = 1e12, kSmallest = 1e-12;

// One object of the body: every key once, none beside them.
class RankerReader {
 public:
  RankerReader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) Refuse("an object is wanted");
  }

  const Json& Get(const char* key) {
    ++read_;
    const auto at = json_.find(key);
    if (at == json_.end()) Refuse(Cat(key, " is missing"));
    return *at;
  }
  std::string Text(const char* key) {
    const Json& value = Get(key);
    if (!value.is_string()) Refuse(Cat(key, " is no text"));
    return value.get<std::string>();
  }
  double Number(const char* key, double least) {
    const Json& value = Get(key);
    const double number = value.is_number() ? value.get<double>() : NAN;
    if (!(number >= least && number <= kLargest)) Refuse(Cat(key, " is no number that may stand there"));
    return number;
  }
  std::vector<double> Numbers(const char* key) {
    const Json& value = Get(key);
    if (!value.is_array() || value.size() > kMostDims) Refuse(Cat(key, " is no list of up to ", kMostDims, " numbers"));
    std::vector<double> numbers;
    numbers.reserve(value.size());
    for (const Json& one : value) {
      const double number = one.is_number() ? one.get<double>() : NAN;
      if (!(std::fabs(number) <= kLargest)) Refuse(Cat(key, " holds what is no number that may stand there"));
      numbers.push_back(number);
    }
    return numbers;
  }
  void Done() const {
    if (read_ != json_.size()) Refuse("it holds more than a ranker does");
  }
  [[noreturn]] void Refuse(const std::string& why) const { throw Error(Code::kCorrupt, Cat(where_, ": ", why)); }

 private:
  const Json& json_;
  std::string where_;
  size_t read_ = 0;
};

// Of untrusted text: what is wrong with it is the file's fault, not the user's.
Json Parse(std::string_view text, const std::string& where) {
  try {
    return ParseJson(text, where, 32);
  } catch (const Error& e) {
    throw Error(Code::kCorrupt, e.what());
  }
}

}  // namespace

bool IsRankerFile(std::string_view bytes) { return bytes.starts_with(kMagic); }

RankerFile ParseRankerFile(std::string_view bytes, const std::string& where) {
  if (!IsRankerFile(bytes)) throw Error(Code::kCorrupt, Cat(where, ": it does not begin as a ranker's file"));
  const size_t end = bytes.find('\n');
  if (end == std::string_view::npos) throw Error(Code::kCorrupt, Cat(where, ": it ends within its first line"));
  const Json head_json = Parse(bytes.substr(0, end), Cat(where, ": line 1"));
  RankerReader head(head_json, Cat(where, ": line 1"));
  head.Get("format");
  if (const Json& version = head.Get("version"); version != Json(kRankerVersion)) {
    throw Error(Code::kUnsupported,
                Cat(where, ": version ", Quote(ToText(version)), " of the format; this program reads ", kRankerVersion),
                "use a newer Atelier, or train it again");
  }
  const std::string hash = head.Text("sha256");
  head.Done();
  const std::string_view text = bytes.substr(end + 1);
  if (Sha256Hex(text) != hash) throw Error(Code::kCorrupt, Cat(where, ": its bytes are not those that were written"));

  const Json json = Parse(text, Cat(where, ": line 2"));
  RankerReader body(json, Cat(where, ": line 2"));
  RankerFile ranker;
  ranker.loss = body.Text("loss");
  if (ranker.loss != "pairwise" && ranker.loss != "listwise") body.Refuse(Cat("no loss is named ", Quote(ranker.loss)));
  ranker.l2 = body.Number("l2", 0);
  ranker.temperature = body.Number("temperature", kSmallest);
  const Json& features = body.Get("features");
  if (!features.is_array() || features.size() > kMostFeatures) body.Refuse("features is no list of a likely length");
  std::vector<std::string> names;
  for (const Json& one : features) {
    RankerReader feature(one, Cat(where, ": feature ", names.size() + 1));
    RankerFeature read;
    read.name = feature.Text("name");
    read.mean = feature.Number("mean", -kLargest);
    read.deviation = feature.Number("deviation", kSmallest);
    read.weight = feature.Number("weight", -kLargest);
    feature.Done();
    if (read.name.empty()) feature.Refuse("it has no name");
    names.push_back(read.name);
    ranker.features.push_back(std::move(read));
  }
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end()) body.Refuse("two features have one name");
  if (const Json& encoder = body.Get("encoder"); !encoder.is_null()) {
    RankerReader part(encoder, Cat(where, ": encoder"));
    ranker.encoder = part.Text("name");
    ranker.encoder_sha256 = part.Text("sha256");
    ranker.encoder_l2 = part.Number("l2", 0);
    ranker.text_weights = part.Numbers("text");
    ranker.product_weights = part.Numbers("product");
    part.Done();
    if (ranker.encoder.empty() || ranker.encoder_sha256.empty()) part.Refuse("it has no name or no hash");
    if (ranker.text_weights.empty()) part.Refuse("there are no weights for its vectors");
    if (!ranker.product_weights.empty() && ranker.product_weights.size() != ranker.text_weights.size()) {
      part.Refuse("its two lists of weights differ in length");
    }
  }
  ranker.trained = body.Get("trained");
  if (!ranker.trained.is_object()) body.Refuse("trained is no object");
  body.Done();
  if (ranker.features.empty() && ranker.encoder.empty()) body.Refuse("it has neither features nor an encoder");
  return ranker;
}

std::string RankerFileText(const RankerFile& ranker) {
  Json features = Json::array();
  for (const RankerFeature& feature : ranker.features) {
    features.push_back(
        {{"name", feature.name}, {"mean", feature.mean}, {"deviation", feature.deviation}, {"weight", feature.weight}});
  }
  Json encoder;
  if (!ranker.encoder.empty()) {
    encoder = {{"name", ranker.encoder},
               {"sha256", ranker.encoder_sha256},
               {"l2", ranker.encoder_l2},
               {"text", ranker.text_weights},
               {"product", ranker.product_weights}};
  }
  const std::string body = ToText({{"loss", ranker.loss},
                                   {"l2", ranker.l2},
                                   {"temperature", ranker.temperature},
                                   {"features", features},
                                   {"encoder", encoder},
                                   {"trained", ranker.trained}}) +
                           "\n";
  return Cat(kMagic, "\"version\":", kRankerVersion, ",\"sha256\":\"", Sha256Hex(body), "\"}\n", body);
}

}  // namespace atelier::artefact
