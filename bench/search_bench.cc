// How long a search takes: search_bench INDEX_FOLDER QUERIES MODEL.gguf [ROUNDS]. One JSON document on standard output.
// Every query once per round, each mode; times in milliseconds. Beside it, how many of the exact ten nearest the graph
// finds.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>

#include "base/file.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/str.h"
#include "retrieve/index_writer.h"
#include "runtime/local_embedder.h"
#include "text/segmenter.h"

namespace {

using namespace atelier;

Json Summary(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  const auto at = [&](double share) { return ms[static_cast<size_t>(share * static_cast<double>(ms.size() - 1))]; };
  return {{"n", ms.size()}, {"p50", at(0.5)}, {"p95", at(0.95)}, {"p99", at(0.99)}};
}

// Reads the head of a text only: a hundred thousand vectors in minutes. Real ones, of what the passages begin with.
class Heads : public artefact::Embedder {
 public:
  Heads(std::shared_ptr<artefact::Embedder> model, size_t bytes) : model_(std::move(model)), bytes_(bytes) {}
  const artefact::ModelInfo& info() const override { return model_->info(); }
  int dims() const override { return model_->dims(); }
  int64_t context() const override { return model_->context(); }
  int64_t CountTokens(std::string_view text, Role role) const override { return model_->CountTokens(text, role); }
  std::vector<float> Embed(const std::vector<std::string>& texts, Role role, std::vector<bool>* truncated) override {
    std::vector<std::string> heads;
    for (const std::string& text : texts) {
      size_t end = std::min(bytes_, text.size());
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
      heads.push_back(text.substr(0, end));
    }
    return model_->Embed(heads, role, truncated);
  }

 private:
  std::shared_ptr<artefact::Embedder> model_;
  size_t bytes_;
};

// Makes the index: a passage per line of CORPUS.
int Build(const std::string& folder, const std::string& corpus, const std::string& model, size_t most) {
  retrieve::WriterOptions options;
  options.embedder = std::make_shared<Heads>(runtime::LoadEmbedder(model), 60);
  const double started = MonotonicSeconds();
  options.progress = [&](uint64_t done, uint64_t, std::string_view) {
    if (done % 5120 == 0)
      std::fprintf(stderr, "%llu after %.0f s\n", static_cast<unsigned long long>(done), MonotonicSeconds() - started);
  };
  retrieve::IndexWriter writer(folder, "bench", {}, std::move(options));
  // Documents of 32 lines, so that texts are embedded many at a time; each line is a chunk of its own,
  // being longer than the target or under a heading.
  size_t number = 0;
  retrieve::Document document;
  const auto add = [&] {
    if (document.text.empty()) return;
    document.id = Cat("d", number);
    document.lang = "";
    writer.Add(std::move(document));
    document = {};
  };
  for (const std::string& line : Split(ReadFile(corpus), '\n')) {
    const std::string_view text = Trim(line);
    if (text.size() < 12 || text.size() > 1200) continue;
    if (number++ == most) break;
    const auto block = [&](retrieve::BlockKind kind, std::string_view part, int level) {
      const size_t begin = document.text.size();
      document.text += part;
      document.blocks.push_back({kind, level, begin, document.text.size(), ""});
      document.text += '\n';
    };
    block(retrieve::BlockKind::kHeading, Cat(number), 1);
    block(retrieve::BlockKind::kParagraph, text, 0);
    if (number % 32 == 0) add();
  }
  add();
  const auto manifest = writer.Commit();
  std::fprintf(stderr, "%zu segments, %.0f s\n", manifest.segments.size(), MonotonicSeconds() - started);
  return 0;
}

int Run(int argc, char** argv) {
  if (argc == 6 && std::string_view(argv[1]) == "build") {
    return Build(argv[2], argv[3], argv[4], static_cast<size_t>(std::atoll(argv[5])));
  }
  if (argc < 4) {
    std::fprintf(stderr,
                 "usage: search_bench build INDEX_FOLDER CORPUS MODEL.gguf COUNT\n"
                 "       search_bench INDEX_FOLDER QUERIES MODEL.gguf [ROUNDS]\n");
    return 2;
  }
  const std::shared_ptr<const text::Segmenter> icu = text::MakeIcuSegmenter();
  const double opening = MonotonicSeconds();
  const auto index = retrieve::Index::Open(argv[1], [&](const std::string&) -> retrieve::WordsFn {
    return [icu](std::string_view run, std::vector<std::string_view>* words) { icu->Segment(run, words); };
  });
  const double opened = MonotonicSeconds() - opening;
  std::vector<std::string> queries;
  for (std::string& line : Split(ReadFile(argv[2]), '\n')) {
    if (!Trim(line).empty()) queries.push_back(std::move(line));
  }
  const auto embedder = runtime::LoadEmbedder(argv[3]);
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 3;
  uint64_t chunks = 0;
  for (const auto& segment : index->segments()) chunks += segment->chunks();

  std::vector<std::vector<float>> vectors;
  std::vector<double> embedding, whole;
  std::map<std::string, std::vector<double>> times;
  size_t found = 0, wanted = 0;
  for (int round = -1; round < rounds; ++round) {  // the first warms up
    for (size_t i = 0; i < queries.size(); ++i) {
      double started = MonotonicSeconds();
      const std::vector<float> vector = embedder->Embed({queries[i]}, artefact::Embedder::Role::kQuery);
      const double embedded = MonotonicSeconds() - started;
      for (const retrieve::Mode mode : {retrieve::Mode::kBm25, retrieve::Mode::kDense, retrieve::Mode::kHybrid}) {
        retrieve::SearchOptions options;
        options.k = 10;
        options.mode = mode;
        started = MonotonicSeconds();
        const auto hits = index->Search(queries[i], vector, options);
        const double took = MonotonicSeconds() - started;
        if (round < 0) continue;
        times[std::string(retrieve::ModeName(mode))].push_back(took * 1e3);
        if (mode == retrieve::Mode::kHybrid) whole.push_back((embedded + took) * 1e3);
        if (mode == retrieve::Mode::kDense && round == 0 && index->segments().size() == 1) {
          const retrieve::Dense exact(index->segments()[0], "");
          std::set<uint32_t> right;
          for (const auto& scored : exact.Exact(vector.data(), 10, {}, 0)) right.insert(scored.chunk);
          for (const auto& hit : hits) found += right.contains(hit.chunk);
          wanted += right.size();
        }
      }
      if (round >= 0) embedding.push_back(embedded * 1e3);
    }
  }
  Json out = {{"chunks", chunks},
              {"segments", index->segments().size()},
              {"queries", queries.size()},
              {"open_ms", opened * 1e3}};
  for (const auto& [mode, list] : times) out[mode] = Summary(list);
  out["embedding"] = Summary(embedding);
  out["hybrid_with_embedding"] = Summary(whole);
  if (wanted > 0) out["graph_recall_at_10"] = static_cast<double>(found) / static_cast<double>(wanted);
  std::printf("%s\n", ToText(out).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "search_bench: %s\n", e.what());
    return 1;
  }
}
