#include "train/translate.h"

#include <algorithm>
#include <numeric>

#include "base/str.h"
#include "train/examples_pairs.h"

namespace atelier::train {
namespace {

model::BeamOptions ToBeamOptions(const TranslatorView& view, const TranslateOptions& options) {
  const PairMarks marks = FindPairMarks(view.target);
  model::BeamOptions beam;
  beam.width = options.beam;
  beam.length_penalty = options.length_penalty;
  beam.longest = options.longest > 0 ? options.longest : view.data.sequence_length - 1;
  beam.longest = std::min(beam.longest, view.model.context() - 1);
  beam.begin = marks.begin;
  beam.end = marks.end;
  const SpecialIds ids = FindSpecialIds(view.target);
  for (const int64_t id : {ids.padding, ids.begin, ids.mask}) {
    if (id >= 0 && id != marks.end) beam.never.push_back(id);
  }
  return beam;
}

// Of bytes that make no character by themselves the picture shows U+FFFD.
std::vector<std::string> Pieces(const text::Tokenizer& tokenizer, std::span<const int64_t> ids) {
  std::vector<std::string> pieces;
  for (const int64_t id : ids) pieces.push_back(tokenizer.Piece(static_cast<text::TokenId>(id), /*special=*/true));
  return pieces;
}

std::string Text(const text::Tokenizer& tokenizer, std::span<const int64_t> ids) {
  const std::vector<text::TokenId> tokens(ids.begin(), ids.end());
  return tokenizer.Decode(tokens);
}

}  // namespace

std::vector<Translated> Translate(const TranslatorView& view, std::span<const std::string> sources,
                                  const TranslateOptions& options) {
  const model::BeamOptions beam = ToBeamOptions(view, options);
  const int64_t padding = FindSpecialIds(view.source).padding;
  std::vector<Translated> results(sources.size());
  std::vector<std::vector<int64_t>> ids;
  for (size_t i = 0; i < sources.size(); ++i) {
    ids.push_back(SourceTokens(view.source, sources[i], view.data.source_length, &results[i].truncated));
    // A tokenizer without an end mark makes nothing of an empty text; a model reads one token at least.
    if (ids.back().empty()) ids.back().push_back(padding);
    results[i].source_tokens = Pieces(view.source, ids.back());
  }
  std::vector<size_t> order(sources.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ids[a].size() < ids[b].size(); });

  for (size_t at = 0; at < order.size(); at += static_cast<size_t>(options.batch)) {
    const size_t end = std::min(order.size(), at + static_cast<size_t>(options.batch));
    const auto rows = static_cast<int64_t>(end - at), time = static_cast<int64_t>(ids[order[end - 1]].size());
    const torch::Tensor source = torch::full({rows, time}, padding, torch::kInt64);
    const torch::Tensor lengths = torch::empty({rows}, torch::kInt64);
    for (int64_t row = 0; row < rows; ++row) {
      const std::vector<int64_t>& tokens = ids[order[at + static_cast<size_t>(row)]];
      std::copy(tokens.begin(), tokens.end(), source.data_ptr<int64_t>() + row * time);
      lengths.data_ptr<int64_t>()[row] = static_cast<int64_t>(tokens.size());
    }
    const auto found = model::BeamSearch(view.model, source, lengths, beam);
    for (int64_t row = 0; row < rows; ++row) {
      for (const model::Hypothesis& one : found[static_cast<size_t>(row)]) {
        Translation translation{Text(view.target, one.tokens), one.score, one.log_probability,
                                Pieces(view.target, one.tokens), one.attention};
        translation.tokens.push_back(view.target.Piece(static_cast<text::TokenId>(beam.end), /*special=*/true));
        results[order[at + static_cast<size_t>(row)]].hypotheses.push_back(std::move(translation));
      }
    }
  }
  return results;
}

report::HeatMap AttentionPicture(const Translated& translated, const Translation& hypothesis, bool chinese) {
  report::HeatMap map;
  map.frame.chinese = chinese;
  map.frame.title = chinese ? "注意力" : "Attention";
  map.frame.x = chinese ? "原文" : "source";
  map.frame.y = chinese ? "译文" : "hypothesis";
  map.rows = hypothesis.tokens;
  map.columns = translated.source_tokens;
  const torch::Tensor values = hypothesis.attention.to(torch::kFloat64).contiguous();
  map.values.assign(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
  return map;
}

std::vector<PairSample> SamplePairs(const TranslatorView& view, const Examples& examples, int64_t count) {
  std::vector<PairSample> samples;
  std::vector<std::string> sources;
  for (int64_t row = 0; row < std::min(count, examples.size()); ++row) {
    const model::Batch batch = examples.Collate(std::vector<int64_t>{row}, Rng(0));
    const auto text = [&](const text::Tokenizer& tokenizer, const torch::Tensor& ids) {
      return Text(tokenizer, {ids.data_ptr<int64_t>(), static_cast<size_t>(ids.numel())});
    };
    samples.push_back({text(view.source, batch.source), text(view.target, batch.targets), ""});
    sources.push_back(samples.back().source);
  }
  const std::vector<Translated> translated = Translate(view, sources, {});
  for (size_t i = 0; i < samples.size(); ++i) samples[i].hypothesis = translated[i].hypotheses.at(0).text;
  return samples;
}

}  // namespace atelier::train
