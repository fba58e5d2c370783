// Words that an advertisement may not use: forbidden by law, or claims that nobody can stand by. One TOML file per
// language:
//
//   [[claim]]
//   words = ["国家级", "最高级"]      # or pattern = '全(国|球)第一' (RE2)
//   reason = "绝对化用语"             # for people, in the file's language
//   law = "广告法第九条"              # optional
//   unless = ["最近", "最后"]         # optional: fine where the hit lies within one of these
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"

namespace atelier::guard {

struct ClaimHit {
  std::string text;         // as it stands in the copy
  std::string reason, law;  // of the entry
};

class Claims {
 public:
  // Throws Error(kInvalidInput) with file:line for an unknown key, a bad pattern, an entry without words or reason.
  static Claims Read(Table table);
  static Claims Load(const std::string& path) { return Read(Table::Load(path)); }
  Claims(Claims&&) noexcept;
  Claims& operator=(Claims&&) noexcept;
  ~Claims();

  // Words match case-insensitively; those of Latin letters only as whole words. A hit inside one of `allowed` (the
  // product's own name) does not count. In the order of the text.
  std::vector<ClaimHit> Find(std::string_view text, const std::vector<std::string>& allowed = {}) const;

  size_t size() const;  // entries

 private:
  struct Entry;
  Claims();
  std::vector<Entry> entries_;
};

}  // namespace atelier::guard
