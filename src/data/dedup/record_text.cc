#include "data/dedup/record_text.h"

#include <simdjson.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/str.h"

namespace atelier::data {
namespace {

constexpr char kFieldEnd = '\xff';  // no byte of UTF-8

bool ReadHex(std::string_view hex, uint8_t* out) {
  if (hex.size() != 32) return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  for (size_t i = 0; i < 16; ++i) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

// Unsigned numbers in the order of doubles.
uint64_t Ascending(double value) {
  const auto bits = std::bit_cast<uint64_t>(value + 0.0);  // -0 as 0
  return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
}

}  // namespace

struct Analyst::Parser {
  simdjson::dom::parser parser;
};

Analyst::Analyst(const DedupOptions& options)
    : options_(options),
      parser_(std::make_unique<Parser>()),
      hasher_(ChooseBanding(options.threshold, options.recall), options.seed) {}
Analyst::~Analyst() = default;

void Analyst::Analyse(std::string_view lines, uint64_t first, BlockFacts* out) {
  out->records.clear();
  out->shingles.clear();
  out->keys.clear();
  out->field_seen.assign(options_.fields.size(), 0);
  const size_t bands = static_cast<size_t>(hasher_.banding().bands);
  std::vector<std::string> values(options_.fields.size());
  const auto fail = [&](std::string_view reason) {
    throw Error(Code::kCorrupt, Cat("record ", first + out->records.size() + 1, ": ", reason));
  };
  for (size_t at = 0; at < lines.size();) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string_view line = lines.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    RecordFacts facts;
    facts.shingles = out->shingles.size();
    bool has_id = false, dated = false;
    double when = 0;
    size_t text_chars = 0;
    whole_.clear();
    for (std::string& value : values) value.clear();
    const auto take = [&](std::string_view text) {
      Fold(text, &folded_);
      whole_ += folded_.text();
      whole_.push_back(kFieldEnd);
      if (options_.survivor == Survivor::kLongest) {
        for (char c : folded_.text()) text_chars += (c & 0xC0) != 0x80;
      } else {
        text_chars += folded_.size;
      }
      if (!options_.exact) AppendShingles(folded_, options_.shingles, &out->shingles);
    };
    // The DOM, not on-demand: only the former picks the machine's instruction set when the program starts.
    simdjson::dom::object object;
    const auto why = parser_->parser.parse(line.data(), line.size(), false).get(object);
    if (why != simdjson::SUCCESS) fail(Cat("not a JSON object: ", simdjson::error_message(why)));
    for (const auto& [key, value] : object) {
      if (key.starts_with('_')) {
        std::string_view id;
        if (key == "_id" && value.get(id) == simdjson::SUCCESS) has_id = ReadHex(id, facts.id);
        continue;
      }
      const auto wanted = std::find(options_.fields.begin(), options_.fields.end(), key);
      const bool named = wanted != options_.fields.end();
      const bool is_time = options_.survivor == Survivor::kNewest && key == options_.newest_field;
      if (!named && !is_time && !options_.fields.empty()) continue;
      std::string_view text;
      std::string other;
      const bool is_text = value.get(text) == simdjson::SUCCESS;
      if (!is_text && (named || is_time) && !value.is_null()) {
        other = simdjson::minify(value);
        text = other;
      }
      if (is_time && !Trim(text).empty()) {
        if (!ParseWhen(Trim(text), &when)) {
          throw Error(Code::kInvalidInput,
                      Cat("record ", first + out->records.size() + 1, ": ", options_.newest_field, ": ", Quote(text),
                          " is neither a number nor a date"),
                      "dates are written 2024-05-01 or 2024-05-01T12:30:00Z");
        }
        dated = true;
      }
      if (named) {  // compared in the declared order, however the record has them
        const auto index = static_cast<size_t>(wanted - options_.fields.begin());
        values[index] = text;
        ++out->field_seen[index];
      } else if (is_text && options_.fields.empty()) {
        take(text);
      }
    }
    for (const std::string& value : values) take(value);
    facts.has_text = text_chars > 0;
    facts.shingle_count = static_cast<uint32_t>(out->shingles.size() - facts.shingles);
    const XXH128_hash_t hash = XXH3_128bits(whole_.data(), whole_.size());
    facts.hash[0] = hash.high64;
    facts.hash[1] = hash.low64;
    if (!has_id) {
      const XXH128_hash_t own = XXH3_128bits(line.data(), line.size());
      std::memcpy(facts.id, &own, sizeof(facts.id));
    }
    switch (options_.survivor) {
      case Survivor::kLongest: facts.order = ~uint64_t{text_chars}; break;
      case Survivor::kFirst: facts.order = 0; break;
      case Survivor::kNewest: facts.order = dated ? ~Ascending(when) : ~uint64_t{0}; break;
    }
    if (facts.shingle_count > 0) {
      const size_t key = out->keys.size();
      out->keys.resize(key + bands);
      hasher_.Keys(out->shingles.data() + facts.shingles, facts.shingle_count, out->keys.data() + key);
    }
    out->records.push_back(facts);
  }
}

}  // namespace atelier::data
