// atelier search INDEX QUERY: the passages that answer best, each with where it stands.
#include <unistd.h>

#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/embedders.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/str.h"
#include "retrieve/index.h"
#include "store/studio.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

class SearchCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("index", &index_, "the index", true);
    cli.Text("query", &query_, "what is looked for, in words or as a question", true);
    cli.Int("-k", &k_, "how many passages", 1, 1000);
    cli.Text("--mode", &mode_, "hybrid, bm25 or dense (default: hybrid where the index has vectors)");
    cli.Texts("--filter", &filter_, "FIELD=VALUE, FIELD=A|B, FIELD=2020..2024; repeat: all must hold");
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    const auto index = retrieve::Index::Open(retrieve::IndexFolder(studio.folder(), index_), WordsOf(studio));
    retrieve::SearchOptions options;
    options.k = static_cast<size_t>(k_);
    options.mode = retrieve::ParseMode(mode_);
    for (const std::string& condition : filter_) options.filter.push_back(retrieve::ParseCondition(condition));
    std::vector<float> vector;
    double embedding = 0;
    if (options.mode != retrieve::Mode::kBm25 && index->manifest().config.dims > 0) {
      const auto embedder = LoadEmbedderNamed(studio, index->manifest().config.model);
      if (embedder->info().hash != index->manifest().config.model_hash) {
        throw Error(
            Code::kConflict,
            Cat("the index ", Quote(index_), " was made with other weights of ", index->manifest().config.model),
            "make the index anew, or search with --mode bm25");
      }
      const double started = MonotonicSeconds();
      vector = embedder->Embed({query_}, artefact::Embedder::Role::kQuery);
      embedding = MonotonicSeconds() - started;
    }
    const double started = MonotonicSeconds();
    const std::vector<retrieve::Hit> hits = index->Search(query_, vector, options);
    const double seconds = MonotonicSeconds() - started;
    if (globals.json) {
      Json list = Json::array();
      for (const retrieve::Hit& hit : hits) list.push_back(ToJson(hit));
      const bool words_only = vector.empty();
      std::cout << ToText({{"index", index_},
                           {"generation", index->manifest().generation},
                           {"query", query_},
                           {"mode", words_only ? "bm25" : retrieve::ModeName(options.mode)},
                           {"embedding_seconds", embedding},
                           {"seconds", seconds},
                           {"hits", list}})
                << "\n";
      return 0;
    }
    if (hits.empty()) std::cout << "nothing found\n";
    const bool colours = ::isatty(STDOUT_FILENO) != 0;
    size_t number = 0;
    for (const retrieve::Hit& hit : hits) Print(hit, ++number, colours);
    return 0;
  }

 private:
  static void Print(const retrieve::Hit& hit, size_t number, bool colours) {
    std::string where = hit.document;
    if (!hit.anchor.empty()) where += Cat("#", hit.anchor);
    std::cout << number << ". " << (colours ? "\033[1m" : "")
              << text::ForTerminal(hit.headings.empty() ? hit.title : Join(hit.headings, " > "), 200)
              << (colours ? "\033[0m" : "") << "\n   " << text::ForTerminal(where, 300) << "  characters "
              << hit.begin_char << "-" << hit.end_char << "  score " << FormatFixed(hit.score, 4) << "\n";
    // Around the first words that were looked for, with these marked.
    constexpr size_t kMost = 480;
    size_t from = 0;
    if (!hit.highlights.empty() && hit.highlights[0].first > kMost / 2) {
      from = hit.highlights[0].first - kMost / 4;
      while (from > 0 && (static_cast<unsigned char>(hit.text[from]) & 0xC0) == 0x80) --from;
    }
    size_t to = std::min(hit.text.size(), from + kMost);
    while (to < hit.text.size() && (static_cast<unsigned char>(hit.text[to]) & 0xC0) == 0x80) ++to;
    const auto shown = [&](size_t begin, size_t end) {
      std::string part = hit.text.substr(begin, end - begin);
      for (char& c : part) {
        if (c == '\n' || c == '\t' || c == '\r') c = ' ';
      }
      return text::ForTerminal(part, 4000);
    };
    std::string line = from > 0 ? "…" : "";
    size_t at = from;
    for (const auto& [begin, end] : hit.highlights) {
      if (begin < at || end > to) continue;
      line += shown(at, begin);
      line += Cat(colours ? "\033[1;33m" : "[", shown(begin, end), colours ? "\033[0m" : "]");
      at = end;
    }
    line += shown(at, to);
    if (to < hit.text.size()) line += "…";
    std::cout << "   " << line << "\n\n";
  }

  std::string index_, query_, mode_ = "hybrid";
  std::vector<std::string> filter_;
  int64_t k_ = 5;
};

}  // namespace

std::unique_ptr<Command> MakeSearch() { return Make<SearchCommand>(); }

}  // namespace atelier::app
