#include "text/charsmap.h"

#include <cstring>
#include <map>

#include "base/error.h"
#include "base/str.h"

namespace atelier::text {

Charsmap::Charsmap(std::string_view bytes) {
  if (bytes.empty()) return;
  uint32_t size = 0;
  if (bytes.size() >= 4) std::memcpy(&size, bytes.data(), 4);
  if (bytes.size() < 4 || size % 4 != 0 || size > bytes.size() - 4) {
    throw Error(Code::kCorrupt, Cat("tokenizer: a charsmap of ", bytes.size(), " bytes whose trie has ", size));
  }
  std::vector<uint32_t> units(size / 4);
  if (size > 0) std::memcpy(units.data(), bytes.data() + 4, size);
  trie_ = DoubleArray(std::move(units));
  texts_ = bytes.substr(4 + size);
  if (!texts_.empty() && texts_.back() != '\0') {
    throw Error(Code::kCorrupt, "tokenizer: the last replacement of the charsmap has no end");
  }
  for (int byte = 0; byte < 256; ++byte) begins_[byte] = trie_.Begins(static_cast<unsigned char>(byte));
}

std::string Charsmap::Build(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string texts;
  std::map<std::string, uint32_t> places;
  std::vector<DoubleArray::Key> keys;
  for (const auto& pair : pairs) {
    const auto place = places.emplace(pair.second, static_cast<uint32_t>(texts.size()));
    if (place.second) texts.append(pair.second).push_back('\0');
    keys.emplace_back(pair.first, place.first->second);
  }
  const std::vector<uint32_t> units = DoubleArray::Build(keys);
  const auto size = static_cast<uint32_t>(units.size() * 4);
  std::string out(reinterpret_cast<const char*>(&size), 4);
  out.append(reinterpret_cast<const char*>(units.data()), size);
  return out + texts;
}

size_t Charsmap::Match(std::string_view text, std::string_view* replacement) const {
  size_t longest = 0, place = 0;
  trie_.Prefixes(text, [&](size_t length, uint32_t value) {
    longest = length;
    place = value;
  });
  if (longest == 0 || place >= texts_.size()) return 0;
  *replacement = texts_.c_str() + place;  // the last one ends in NUL
  return longest;
}

}  // namespace atelier::text
