#include "data/field_stats.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/str.h"
#include "data/scan.h"

namespace atelier::data {
namespace {

constexpr size_t kMostCounted = 10'000;
constexpr const char* kTypeNames[] = {"text", "number", "true or false", "list", "object", "null"};

// Text that is empty or white space: ASCII's, the ideographic and the no-break space, and their escapes.
bool Blank(std::string_view inside) {
  if (inside.size() > 64) return false;
  while (!inside.empty()) {
    size_t step = 0;
    if (inside.starts_with(' ')) step = 1;
    for (const std::string_view space : {"\\n", "\\r", "\\t", "\xC2\xA0", "\xE3\x80\x80"}) {
      if (inside.starts_with(space)) step = space.size();
    }
    if (step == 0) return false;
    inside.remove_prefix(step);
  }
  return true;
}

}  // namespace

void DistinctCounter::Add(uint64_t hash) {
  uint8_t& held = registers_[hash >> 52];
  const auto rank = static_cast<uint8_t>(std::countl_zero((hash << 12) | 0x800) + 1);
  held = std::max(held, rank);
}

void DistinctCounter::Merge(const DistinctCounter& other) {
  for (size_t i = 0; i < registers_.size(); ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
}

uint64_t DistinctCounter::Estimate() const {
  const double m = static_cast<double>(registers_.size());
  double sum = 0;
  size_t zeros = 0;
  for (const uint8_t held : registers_) {
    sum += std::ldexp(1.0, -held);
    zeros += held == 0;
  }
  const double raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
  const double value = raw <= 2.5 * m && zeros > 0 ? m * std::log(m / static_cast<double>(zeros)) : raw;
  return static_cast<uint64_t>(std::llround(value));
}

FieldStatistics::Field* FieldStatistics::Find(std::string_view key, size_t position) {
  if (position < last_.size() && last_[position] != nullptr && last_[position]->key == key) return last_[position];
  Field* field = nullptr;
  if (const auto at = by_key_.find(key); at != by_key_.end()) {
    field = at->second;
  } else if (fields_.size() < kMostCounted) {
    field = &fields_.emplace_back();
    field->key = std::string(key);
    by_key_.emplace(field->key, field);
  } else {
    truncated_ = true;
    return nullptr;
  }
  if (position >= last_.size() && position < kMostCounted) last_.resize(position + 1);
  if (position < last_.size()) last_[position] = field;
  return field;
}

void FieldStatistics::AddValue(Field* field, std::string_view value) {
  ++field->present;
  field->distinct.Add(XXH3_64bits(value.data(), value.size()));
  switch (value.front()) {
    case '"': {
      ++field->types[kText];
      const std::string_view inside = value.substr(1, value.size() - 2);
      const uint64_t length = CharactersOf(inside);
      if (field->types[kText] == 1) field->least = field->most = length;
      field->least = std::min(field->least, length);
      field->most = std::max(field->most, length);
      field->characters += length;
      field->empty += Blank(inside);
      break;
    }
    case 't':
    case 'f': ++field->types[kBool]; break;
    case 'n':
      ++field->types[kNull];
      ++field->empty;
      break;
    case '[':
      ++field->types[kList];
      field->empty += value == "[]";
      break;
    case '{':
      ++field->types[kObject];
      field->empty += value == "{}";
      break;
    default: {
      double number = 0;
      if (std::from_chars(value.data(), value.data() + value.size(), number).ec != std::errc()) number = 0;
      const auto n = static_cast<double>(++field->types[kNumber]);
      if (n == 1) field->min = field->max = number;
      field->min = std::min(field->min, number);
      field->max = std::max(field->max, number);
      const double delta = number - field->mean;
      field->mean += delta / n;
      field->squares += delta * (number - field->mean);
    }
  }
}

void FieldStatistics::Add(std::string_view lines) {
  for (size_t begin = 0; begin < lines.size();) {
    size_t end = lines.find('\n', begin);
    if (end == std::string_view::npos) end = lines.size();
    const std::string_view line = lines.substr(begin, end - begin);
    begin = end + 1;
    if (!SplitLine(line, &split_)) {
      throw Error(Code::kCorrupt, Cat("a line of the dataset is not a record: ", Quote(line)));
    }
    ++records_;
    size_t position = 0;
    for (const LineField& field : split_) {
      if (field.key.starts_with('_')) {
        if (field.key == "_split" && splits_.size() < 1000) ++splits_[PlainText(field.value)];
        continue;
      }
      if (Field* held = Find(field.key, position++); held != nullptr) AddValue(held, field.value);
    }
  }
}

void FieldStatistics::Merge(const FieldStatistics& other) {
  for (const Field& theirs : other.fields_) {
    Field* ours = Find(theirs.key, kMostCounted);
    if (ours == nullptr) continue;
    const auto a = static_cast<double>(ours->types[kNumber]), b = static_cast<double>(theirs.types[kNumber]);
    if (b > 0) {
      ours->min = a > 0 ? std::min(ours->min, theirs.min) : theirs.min;
      ours->max = a > 0 ? std::max(ours->max, theirs.max) : theirs.max;
      const double delta = theirs.mean - ours->mean;
      ours->mean += delta * b / (a + b);
      ours->squares += theirs.squares + delta * delta * a * b / (a + b);
    }
    if (theirs.types[kText] > 0) {
      const bool first = ours->types[kText] == 0;
      ours->least = first ? theirs.least : std::min(ours->least, theirs.least);
      ours->most = first ? theirs.most : std::max(ours->most, theirs.most);
      ours->characters += theirs.characters;
    }
    for (size_t i = 0; i < kTypes; ++i) ours->types[i] += theirs.types[i];
    ours->present += theirs.present;
    ours->empty += theirs.empty;
    ours->distinct.Merge(theirs.distinct);
  }
  for (const auto& [split, count] : other.splits_) splits_[split] += count;
  records_ += other.records_;
  truncated_ = truncated_ || other.truncated_;
}

std::vector<FieldInfo> FieldStatistics::Fields() const {
  std::vector<FieldInfo> out;
  for (const Field& field : fields_) {
    FieldInfo info;
    info.name = PlainText(Cat("\"", field.key, "\""));
    for (size_t i = 0; i < kTypes; ++i) {
      if (field.types[i] > 0) info.types[kTypeNames[i]] = field.types[i];
    }
    info.present = field.present;
    info.empty = field.empty;
    info.distinct = std::min(field.distinct.Estimate(), field.present);
    if (const uint64_t n = field.types[kNumber]; n > 0) {
      const double variance = n > 1 ? field.squares / static_cast<double>(n - 1) : 0;
      // Sums of numbers near the end of double's range overflow; JSON has no infinity.
      const auto finite = [](double x) { return std::isfinite(x) ? x : 0.0; };
      info.numbers = NumberStats{field.min, field.max, finite(field.mean), finite(std::sqrt(variance))};
    }
    if (const uint64_t n = field.types[kText]; n > 0) {
      info.lengths =
          LengthStats{field.least, field.most, static_cast<double>(field.characters) / static_cast<double>(n)};
    }
    out.push_back(std::move(info));
  }
  return out;
}

}  // namespace atelier::data
