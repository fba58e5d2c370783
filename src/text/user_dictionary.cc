#include "text/user_dictionary.h"

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

constexpr size_t kMostWord = 256;

size_t Place(uint64_t key, size_t size) {
  const uint64_t mixed = key * 0x9E3779B97F4A7C15u;
  return (mixed ^ mixed >> 29) & (size - 1);
}

}  // namespace

UserDictionary UserDictionary::Parse(std::string_view text, const std::string& file) {
  UserDictionary dictionary;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#') continue;
    const auto refuse = [&](const std::string& what, const std::string& hint) {
      throw Error(Code::kInvalidInput, Cat(file, ":", number, ": ", what), hint);
    };
    if (!IsValidUtf8(line)) refuse("this line is not UTF-8", "save the dictionary as UTF-8");
    const size_t tab = line.rfind('\t'), space = tab != std::string_view::npos ? tab : line.rfind(' ');
    std::string_view word = line;
    float weight = kAlways;
    const auto value = space != std::string_view::npos ? ParseDouble(line.substr(space + 1)) : std::nullopt;
    if (value || tab != std::string_view::npos) {
      if (!value || !(*value > 0) || *value > 1000) {
        refuse(Cat(Quote(line.substr(space + 1)), " is not a weight"), "a number above 0, at most 1000, or none");
      }
      word = Trim(line.substr(0, space));
      weight = static_cast<float>(*value);
    }
    if (word.size() > kMostWord) refuse(Cat("a word of ", word.size(), " bytes"), "at most 256");
    dictionary.Add(word, weight);
  }
  return dictionary;
}

void UserDictionary::Add(std::string_view word, float weight) {
  if (word.empty()) return;
  int32_t node = 0;
  for (const char c : word) node = Grow(node, static_cast<unsigned char>(c));
  if (weights_[node] == 0) ++count_;
  weights_[node] = weight;
}

int32_t UserDictionary::Child(int32_t node, unsigned char byte) const {
  const uint64_t key = static_cast<uint64_t>(node) << 8 | byte;
  for (size_t at = Place(key, edges_.size());; at = (at + 1) & (edges_.size() - 1)) {
    if (edges_[at].key == key) return edges_[at].child;
    if (edges_[at].child < 0) return -1;
  }
}

int32_t UserDictionary::Grow(int32_t node, unsigned char byte) {
  if (const int32_t child = Child(node, byte); child >= 0) return child;
  if ((used_ + 1) * 2 > edges_.size()) Rehash();
  const uint64_t key = static_cast<uint64_t>(node) << 8 | byte;
  size_t at = Place(key, edges_.size());
  while (edges_[at].child >= 0) at = (at + 1) & (edges_.size() - 1);
  const auto child = static_cast<int32_t>(weights_.size());
  edges_[at] = {key, child};
  weights_.push_back(0);
  ++used_;
  return child;
}

void UserDictionary::Rehash() {
  std::vector<Edge> old(edges_.size() * 2);
  old.swap(edges_);
  for (const Edge& edge : old) {
    if (edge.child < 0) continue;
    size_t at = Place(edge.key, edges_.size());
    while (edges_[at].child >= 0) at = (at + 1) & (edges_.size() - 1);
    edges_[at] = edge;
  }
}

void UserDictionary::Find(std::string_view text, const std::vector<TextUnit>& units, size_t units_end,
                          std::vector<Match>* matches) const {
  if (count_ == 0) return;
  for (size_t first = 0; first < units.size(); ++first) {
    int32_t node = 0;
    size_t unit = first + 1;
    for (size_t at = units[first].begin; at < units_end && at - units[first].begin < kMostWord; ++at) {
      node = Child(node, static_cast<unsigned char>(text[at]));
      if (node < 0) break;
      const size_t edge = unit < units.size() ? units[unit].begin : units_end;
      if (at + 1 != edge) continue;
      if (weights_[node] > 0) {
        matches->push_back({static_cast<uint32_t>(first), static_cast<uint32_t>(unit - first), weights_[node]});
      }
      ++unit;
    }
  }
}

}  // namespace atelier::text
