#include "retrieve/library.h"

#include <cmath>
#include <unordered_map>

#include "base/error.h"
#include "base/str.h"
#include "kernel/select.h"

namespace atelier::retrieve {

Library::Open Library::Get(const std::string& name) {
  const std::string folder = IndexFolder(studio_, name);
  const std::lock_guard<std::mutex> lock(mutex_);
  // The manifest is small; a cheaper sign of change would miss one within the clock's grain.
  const uint64_t generation = ReadIndexManifest(folder).generation;
  const auto at = open_.find(name);
  if (at != open_.end() && at->second.index->manifest().generation == generation) return at->second;
  Open open;  // kept once it is whole: one whose model is missing must not pass for one without vectors
  open.index = Index::Open(folder, words_);
  const IndexConfig& config = open.index->manifest().config;
  if (config.dims > 0) {
    std::shared_ptr<artefact::Embedder>& embedder = loaded_[config.model];
    // Asked again where ours are other weights: the model may have been pulled anew since.
    if (embedder == nullptr || embedder->info().hash != config.model_hash) embedder = embedders_(config.model);
    if (embedder->info().hash != config.model_hash) {
      throw Error(Code::kConflict, Cat("the index ", Quote(name), " was made with other weights of ", config.model),
                  "make the index anew");
    }
    open.embedder = embedder;
  }
  open_[name] = open;
  return open;
}

std::vector<artefact::Passage> Library::Search(const artefact::SearchRequest& request) {
  const Open open = Get(request.index);
  SearchOptions options;
  options.k = request.k;
  options.mode = ParseMode(request.mode);
  for (const std::string& condition : request.filter) options.filter.push_back(ParseCondition(condition));
  std::vector<float> vector;
  if (open.embedder && options.mode != Mode::kBm25) {
    vector = open.embedder->Embed({request.query}, artefact::Embedder::Role::kQuery);
  }
  std::vector<artefact::Passage> passages;
  for (Hit& hit : open.index->Search(request.query, vector, options)) {
    passages.push_back({.document = std::move(hit.document),
                        .title = std::move(hit.title),
                        .source = std::move(hit.source),
                        .anchor = std::move(hit.anchor),
                        .lang = std::move(hit.lang),
                        .headings = std::move(hit.headings),
                        .text = std::move(hit.text),
                        .begin = hit.begin,
                        .end = hit.end,
                        .begin_char = hit.begin_char,
                        .end_char = hit.end_char,
                        .highlights = std::move(hit.highlights),
                        .score = hit.score,
                        .bm25 = hit.bm25,
                        .cosine = hit.cosine});
  }
  return passages;
}

std::vector<artefact::Match> Library::Compare(const std::string& name, const std::string& question,
                                              const std::vector<std::string>& texts) {
  const Open open = Get(name);
  std::vector<artefact::Match> matches(texts.size());
  const Bm25& bm25 = open.index->bm25();
  std::unordered_map<std::string, double> weights;
  double all = 0;
  for (const std::string& term : open.index->analyzer().Query(question)) {
    const double weight = bm25.Idf(term) > 0 ? bm25.Idf(term) : bm25.MostIdf();  // nowhere: the rarest there can be
    if (weights.emplace(term, weight).second) all += weight;
  }
  std::vector<Term> terms;
  for (size_t i = 0; i < texts.size() && all > 0; ++i) {
    terms.clear();
    open.index->analyzer().Analyze(texts[i], &terms);
    std::unordered_map<std::string, double> left = weights;
    for (const Term& term : terms) {
      const auto at = left.find(term.text);
      if (at == left.end()) continue;
      matches[i].coverage += at->second / all;
      left.erase(at);
    }
  }
  if (open.embedder && !texts.empty()) {
    const std::vector<float> query = open.embedder->Embed({question}, artefact::Embedder::Role::kQuery);
    const std::vector<float> vectors = open.embedder->Embed(texts, artefact::Embedder::Role::kPassage);
    const int dims = open.embedder->dims();
    for (size_t i = 0; i < texts.size(); ++i) {
      matches[i].cosine = kernel::BestTable().dot(query.data(), vectors.data() + i * static_cast<size_t>(dims), dims);
    }
  }
  return matches;
}

std::string Library::Version(const std::string& index) {
  const IndexManifest manifest = ReadIndexManifest(IndexFolder(studio_, index));
  return Cat(manifest.created_at, "/", manifest.generation);
}

}  // namespace atelier::retrieve
