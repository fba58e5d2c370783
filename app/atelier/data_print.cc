#include "app/atelier/data_print.h"

#include <cstdlib>
#include <iostream>

#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

std::string Short(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.6g", value);
  return buffer;
}

}  // namespace

std::string PageLanguage(const std::string& said) {
  if (said == "zh" || said == "en") return said;
  if (!said.empty()) throw Error(Code::kUsage, Cat("--lang ", Quote(said)), "zh or en");
  std::string locale;
  for (const char* name : {"LANG", "LC_MESSAGES", "LC_ALL"}) {  // the last that is set counts
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') locale = value;
  }
  return locale.starts_with("zh") ? "zh" : "en";
}

void PrintVersion(const data::Manifest& m) {
  uint64_t compressed = 0;
  for (const data::ShardInfo& shard : m.shards) compressed += shard.compressed_bytes;
  std::cout << m.Reference() << ": " << m.records << " records, " << m.rejects << " rejected, " << FormatBytes(m.bytes)
            << " of text in " << m.shards.size() << (m.shards.size() == 1 ? " shard (" : " shards (")
            << FormatBytes(compressed) << ")\n";
  std::cout << "made by " << m.recipe.operation << " at " << FormatTime(m.created_at) << ", content "
            << m.content_hash.substr(0, 12) << "\n";
  for (const data::ParentRef& parent : m.parents) {
    std::cout << "from " << parent.name << "@" << parent.version << " (" << parent.content_hash.substr(0, 12) << ")\n";
  }
  for (size_t i = 0; i < m.sources.size() && i < 5; ++i) {
    const data::SourceInfo& source = m.sources[i];
    std::cout << "from " << text::ForTerminal(source.name, 200) << " (" << source.kind;
    if (!source.encoding.empty()) std::cout << ", " << source.encoding;
    if (source.bytes > 0) std::cout << ", " << FormatBytes(source.bytes);
    std::cout << ")\n";
  }
  if (m.sources.size() > 5) std::cout << "and " << m.sources.size() - 5 << " more sources\n";
  if (!m.licence.empty()) std::cout << "licence: " << text::ForTerminal(m.licence, 200) << "\n";
  if (!m.consent.empty()) std::cout << "consent: " << text::ForTerminal(m.consent, 200) << "\n";
  if (!m.splits.empty()) {
    std::cout << "splits:";
    for (const auto& [name, count] : m.splits) std::cout << " " << text::ForTerminal(name, 60) << " " << count;
    std::cout << "\n";
  }
  TextTable table({"field", "types", "missing", "distinct", "range"});
  for (const data::FieldInfo& field : m.fields) {
    std::vector<std::string> types;
    for (const auto& [type, count] : field.types) types.push_back(type);
    std::string range;
    if (field.lengths) {
      range = Cat(field.lengths->min, " to ", field.lengths->max, " characters, mean ", Short(field.lengths->mean));
    }
    if (field.numbers) {
      if (!range.empty()) range += "; ";
      range += Cat(Short(field.numbers->min), " to ", Short(field.numbers->max), ", mean ", Short(field.numbers->mean));
    }
    table.Add(
        {field.name, Join(types, ", "), Cat(m.records - field.present + field.empty), Cat("~", field.distinct), range});
  }
  std::cout << table.Text();
}

}  // namespace atelier::app
