// Questions in, passages out: what recipes see of the studio's indexes, whatever finds them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::artefact {

struct Passage {
  std::string document = {}, title = {}, source = {}, anchor = {}, lang = {};
  std::vector<std::string> headings = {};                   // outermost first
  std::string text = {};                                    // as it stands in the document
  size_t begin = 0, end = 0, begin_char = 0, end_char = 0;  // where, in bytes and in code points
  std::vector<std::pair<size_t, size_t>> highlights = {};   // bytes in `text`
  double score = 0, bm25 = 0, cosine = 0;                   // cosine 0: it was not found by its vector
};

struct SearchRequest {
  std::string index, query;
  size_t k = 5;
  std::string mode = "hybrid";           // or "bm25", "dense"
  std::vector<std::string> filter = {};  // "lang=zh", as `atelier search` takes them
};

// How a text meets a question.
struct Match {
  double cosine = 0;    // of their vectors; 0 where the index has none
  double coverage = 0;  // share of the question's terms in the text, weighed by how rare they are in the index
};

class Searcher {
 public:
  virtual ~Searcher() = default;
  // Throws Error(kNotFound) for an index that is not there, kUsage for a mode or filter that is none.
  virtual std::vector<Passage> Search(const SearchRequest& request) = 0;
  // One entry per text.
  virtual std::vector<Match> Compare(const std::string& index, const std::string& question,
                                     const std::vector<std::string>& texts) = 0;
  // Another text whenever what is in the index may be another. Throws Error(kNotFound).
  virtual std::string Version(const std::string& index) = 0;
};

}  // namespace atelier::artefact
