#include "track/search_space.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/error.h"
#include "base/str.h"

namespace atelier::track {
namespace {

using Kind = SearchKey::Kind;

struct KindName {
  Kind kind;
  std::string_view name;
};
constexpr KindName kKinds[] = {{Kind::kUniform, "uniform"},
                               {Kind::kLog, "log"},
                               {Kind::kInt, "int"},
                               {Kind::kLogInt, "log_int"},
                               {Kind::kChoice, "choice"}};
constexpr int64_t kMostChoices = 1000;

bool IsWhole(Kind kind) { return kind == Kind::kInt || kind == Kind::kLogInt; }

double Rounded(double value, const SearchKey& key) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text.precision(4);
  text << value;
  return std::clamp(ParseDouble(text.str()).value_or(value), key.low, key.high);
}

// A value `share` of the way through the key's range. REQUIRES: 0 <= share <= 1
Json At(const SearchKey& key, double share) {
  switch (key.kind) {
    case Kind::kUniform: return Rounded(key.low + share * (key.high - key.low), key);
    case Kind::kLog: return Rounded(key.low * std::pow(key.high / key.low, share), key);
    case Kind::kInt: return std::llround(key.low + share * (key.high - key.low));
    case Kind::kLogInt:
      return std::clamp(std::llround(key.low * std::pow(key.high / key.low, share)), std::llround(key.low),
                        std::llround(key.high));
    case Kind::kChoice: break;
  }
  return key
      .choices[std::min(key.choices.size() - 1, static_cast<size_t>(share * static_cast<double>(key.choices.size())))];
}

// All dotted keys of a table that hold no table.
void ListKeys(const toml::table& table, const std::string& prefix, std::vector<std::string>* out) {
  for (const auto& [name, node] : table) {
    const std::string full = prefix.empty() ? std::string(name.str()) : Cat(prefix, ".", name.str());
    if (const toml::table* inner = node.as_table()) {
      ListKeys(*inner, full, out);
    } else {
      out->push_back(full);
    }
  }
}

// The node of a dotted key, or null.
toml::node* Find(toml::table* table, const std::string& name) {
  const std::vector<std::string> parts = Split(name, '.');
  for (size_t i = 0; i < parts.size(); ++i) {
    toml::node* node = table->get(parts[i]);
    if (node == nullptr || i + 1 == parts.size()) return node;
    table = node->as_table();
    if (table == nullptr) return nullptr;
  }
  return nullptr;
}

Json ScalarOf(const toml::node& node) {
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point(); value && std::isfinite(value->get())) return value->get();
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_string()) return value->get();
  return nullptr;
}

// Whether `value` may stand where `there` stands; a whole number may stand for a fraction.
bool Fits(const Json& value, const toml::node& there) {
  if (there.is_integer()) return value.is_number_integer();
  if (there.is_floating_point()) return value.is_number();
  if (there.is_boolean()) return value.is_boolean();
  return there.is_string() && value.is_string();
}

std::string_view TypeName(const toml::node& node) {
  if (node.is_integer()) return "a whole number";
  if (node.is_floating_point()) return "a number";
  if (node.is_boolean()) return "true or false";
  if (node.is_string()) return "a text";
  return "no single value";
}

// Of a table in [search.space]: a key's range, or a table of further keys (unquoted dots).
bool IsRange(const Table& table) {
  return std::any_of(std::begin(kKinds), std::end(kKinds), [&](const KindName& one) { return table.Has(one.name); });
}

}  // namespace

SearchKey SearchSpace::ReadKey(const std::string& name, Table* table, const std::string& where) const {
  SearchKey key;
  key.name = name;
  int kinds = 0;
  for (const KindName& one : kKinds) {
    if (!table->Has(one.name)) continue;
    key.kind = one.kind;
    ++kinds;
  }
  if (kinds != 1) table->Refuse("", Cat("'", name, "' needs exactly one of uniform, log, int, log_int, choice"));
  toml::table base = toml::parse(base_);
  const toml::node* there = Find(&base, name);
  std::vector<std::string> known;
  ListKeys(base, "", &known);
  if (there == nullptr) {
    const std::string nearest = Nearest(name, known);
    throw Error(Code::kInvalidInput, Cat(where, ": ", base_file_, " has no key '", name, "'"),
                nearest.empty() ? Cat("write it there with its usual value, if it is a key of training")
                                : Cat("did you mean '", nearest, "'? Else write it there with its usual value"));
  }
  if (key.kind == Kind::kChoice) return key;  // its values are read by the caller, which has them with their types
  const std::string_view kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindName& one) {
                                  return one.kind == key.kind;
                                })->name;
  const std::vector<double> ends = table->Doubles(kind);
  if (ends.size() != 2) table->Refuse(kind, "needs [least, most]");
  key.low = ends[0];
  key.high = ends[1];
  constexpr double kMost = 1e15;  // whole numbers are exact, and products finite
  if (!(key.low <= key.high)) table->Refuse(kind, "has its ends the wrong way round");
  if (!(std::abs(key.low) <= kMost && std::abs(key.high) <= kMost)) table->Refuse(kind, "is beyond 1e15");
  if ((key.kind == Kind::kLog || key.kind == Kind::kLogInt) && !(key.low >= 1e-300)) {
    table->Refuse(kind, "must begin above 0: there is no logarithm of less");
  }
  if (IsWhole(key.kind) && (key.low != std::floor(key.low) || key.high != std::floor(key.high))) {
    table->Refuse(kind, "needs whole numbers");
  }
  key.points = table->IntOr("points", 0, 1, 10'000);
  const Json example = IsWhole(key.kind) ? Json(int64_t{1}) : Json(0.5);
  if (!Fits(example, *there)) {
    table->Refuse(kind, Cat("does not fit '", name, "', which is ", TypeName(*there), " in ", base_file_));
  }
  return key;
}

SearchSpace::SearchSpace(std::string_view text, const std::string& file, std::string_view base,
                         const std::string& base_file)
    : base_(base), base_file_(base_file) {
  Table::Parse(base, base_file);  // for its messages
  Table whole = Table::Parse(text, file);
  Table space = whole.Sub("search").Sub("space");
  const toml::table raw = toml::parse(text);
  toml::table types = toml::parse(base_);
  const std::function<void(Table*, const toml::table&, const std::string&)> walk =
      [&](Table* table, const toml::table& node, const std::string& prefix) {
        for (const std::string& name : table->Keys()) {
          const std::string full = prefix.empty() ? name : Cat(prefix, ".", name);
          Table inner = table->Sub(name);
          const toml::table& under = *node.get(name)->as_table();
          if (!IsRange(inner)) {
            if (inner.Keys().empty()) inner.Refuse("", Cat("'", full, "' has no range and no choice"));
            walk(&inner, under, full);
            continue;
          }
          SearchKey key = ReadKey(full, &inner, inner.Where());
          if (key.kind == Kind::kChoice) {
            const toml::node* list = under.get("choice");
            const toml::array* values = list->as_array();
            if (values == nullptr || values->empty() || values->size() > kMostChoices) {
              inner.Refuse("choice", Cat("needs a list of 1 to ", kMostChoices, " values"));
            }
            for (const toml::node& one : *values) {
              const Json value = ScalarOf(one);
              const toml::node& there = *Find(&types, full);
              if (!Fits(value, there)) {
                inner.Refuse("choice", Cat("has a value that does not fit '", full, "', which is ", TypeName(there),
                                           " in ", base_file_));
              }
              if (std::find(key.choices.begin(), key.choices.end(), value) != key.choices.end()) {
                inner.Refuse("choice", "has a value twice");
              }
              key.choices.push_back(value);
            }
            if (inner.Keys().size() != 1) inner.Refuse("choice", "stands alone");
          } else {
            inner.Done();
          }
          for (const SearchKey& other : keys_) {
            if (other.name == full) inner.Refuse("", Cat("'", full, "' is there twice"));
          }
          keys_.push_back(std::move(key));
        }
      };
  walk(&space, *raw["search"]["space"].as_table(), "");
  if (keys_.empty()) space.Refuse("", "[search.space] has no keys");
}

TrialValues SearchSpace::Draw(uint64_t seed, int64_t trial, int64_t attempt) const {
  TrialValues out;
  for (const SearchKey& key : keys_) {  // a stream for each key: another key more changes none of the others
    Rng rng(seed, Cat(key.name, "#", trial, "#", attempt));
    if (key.kind == Kind::kInt) {
      const auto values = static_cast<uint64_t>(key.high - key.low) + 1;
      out.push_back(static_cast<int64_t>(key.low) + static_cast<int64_t>(rng.Below(values)));
    } else if (key.kind == Kind::kChoice) {
      out.push_back(key.choices[rng.Below(key.choices.size())]);
    } else {
      out.push_back(At(key, rng.Uniform()));
    }
  }
  return out;
}

std::vector<TrialValues> SearchSpace::Grid(int64_t most) const {
  std::vector<TrialValues> out = {{}};
  for (const SearchKey& key : keys_) {
    std::vector<Json> values = key.choices;
    const auto add = [&](const Json& value) {
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    };
    if (key.kind == Kind::kInt && key.points == 0) {
      if (key.high - key.low >= static_cast<double>(most)) {
        throw Error(Code::kInvalidInput, Cat("the grid has more than ", most, " trials"),
                    "give 'points', or search at random");
      }
      for (auto value = static_cast<int64_t>(key.low); value <= static_cast<int64_t>(key.high); ++value) add(value);
    } else if (key.kind != Kind::kChoice) {
      const int64_t points = key.points > 0 ? key.points : 3;
      for (int64_t i = 0; i < points; ++i) {
        add(At(key, points == 1 ? 0.5 : static_cast<double>(i) / static_cast<double>(points - 1)));
      }
    }
    if (out.size() * values.size() > static_cast<size_t>(most)) {
      throw Error(Code::kInvalidInput, Cat("the grid has more than ", most, " trials"),
                  "take fewer points, or search at random");
    }
    std::vector<TrialValues> longer;
    for (const TrialValues& begin : out) {
      for (const Json& value : values) {
        longer.push_back(begin);
        longer.back().push_back(value);
      }
    }
    out = std::move(longer);
  }
  return out;
}

std::string SearchSpace::Config(const TrialValues& values) const {
  toml::table config = toml::parse(base_);
  for (size_t i = 0; i < keys_.size(); ++i) {
    toml::node* node = Find(&config, keys_[i].name);
    const Json& value = values[i];
    if (auto* whole = node->as_integer()) {
      *whole = value.get<int64_t>();
    } else if (auto* number = node->as_floating_point()) {
      *number = value.get<double>();
    } else if (auto* truth = node->as_boolean()) {
      *truth = value.get<bool>();
    } else {
      *node->as_string() = value.get<std::string>();
    }
  }
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << config << "\n";
  return out.str();
}

}  // namespace atelier::track
