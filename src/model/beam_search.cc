#include "model/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"

namespace atelier::model {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

double Penalty(int64_t tokens, double exponent) {
  return std::pow((5.0 + static_cast<double>(tokens)) / 6.0, exponent);
}

// One source in the search.
struct Search {
  int64_t index = 0, length = 0;  // among the sources
  std::vector<Hypothesis> found;  // best first, at most `width`
};

void Insert(Hypothesis hypothesis, int64_t width, std::vector<Hypothesis>* found) {
  const auto at = std::upper_bound(found->begin(), found->end(), hypothesis,
                                   [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
  found->insert(at, std::move(hypothesis));
  if (static_cast<int64_t>(found->size()) > width) found->pop_back();
}

// Rows of all beams: `width` for each source.
struct Beams {
  DecoderState state;
  torch::Tensor totals;     // [sources, width] f32 log-probabilities; kNever: no beam
  torch::Tensor previous;   // [rows] the last token
  torch::Tensor tokens;     // [rows, time]
  torch::Tensor attention;  // [rows, time, source time]

  void Continue(const torch::Tensor& rows) {
    for (torch::Tensor& t : state.past) t = t.index_select(0, rows);
    tokens = tokens.index_select(0, rows);
    attention = attention.index_select(0, rows);
  }
  void KeepSources(const torch::Tensor& sources, int64_t width) {
    const torch::Tensor rows = (sources.unsqueeze(1) * width + torch::arange(width, sources.options())).flatten();
    for (torch::Tensor& t : state.source) t = t.index_select(0, rows);
    totals = totals.index_select(0, sources);
    previous = previous.index_select(0, rows);
    Continue(rows);
  }
};

}  // namespace

std::vector<std::vector<Hypothesis>> BeamSearch(Translator& model, const torch::Tensor& source,
                                                const torch::Tensor& lengths, const BeamOptions& options) {
  if (options.width < 1 || options.longest < 1 || options.length_penalty < 0) {
    throw Error(Code::kInternal, "beam search wants a width and a length of at least 1 and a penalty of at least 0");
  }
  const torch::NoGradGuard no_gradient;
  model.eval();
  const int64_t width = options.width, count = source.size(0);
  const auto long_options = torch::TensorOptions().dtype(torch::kInt64).device(source.device());
  std::vector<std::vector<Hypothesis>> results(static_cast<size_t>(count));
  std::vector<Search> searches(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    searches[static_cast<size_t>(i)] = {i, lengths[i].item<int64_t>(), {}};
  }

  Beams beams;
  beams.state = model.Encode(source, lengths);
  for (auto* tensors : {&beams.state.source, &beams.state.past}) {
    for (torch::Tensor& t : *tensors) t = t.repeat_interleave(width, 0);
  }
  beams.totals = torch::full({count, width}, kNever, source.device());
  beams.totals.select(1, 0).zero_();
  beams.previous = torch::full({count * width}, options.begin, long_options);
  beams.tokens = torch::empty({count * width, 0}, long_options);
  beams.attention = torch::empty({count * width, 0, source.size(1)}, source.device());

  for (int64_t time = 1; !searches.empty(); ++time) {  // `time`: tokens of what ends in this step, with the mark
    const bool last = time > options.longest;
    const auto sources = static_cast<int64_t>(searches.size());
    const DecoderStep step = model.Step(beams.previous, &beams.state);
    beams.attention = torch::cat({beams.attention, step.attention.to(torch::kFloat32).unsqueeze(1)}, 1);
    torch::Tensor next = step.logits.log_softmax(-1);
    for (const int64_t id : options.never) next.select(1, id).fill_(kNever);
    if (last) {
      const torch::Tensor end = next.select(1, options.end).clone();
      next.fill_(kNever).select(1, options.end).copy_(end);
    }
    const int64_t vocabulary = next.size(1);
    const torch::Tensor all = (beams.totals.unsqueeze(-1) + next.unflatten(0, {sources, width})).flatten(1);
    auto [best, where] = all.topk(std::min(2 * width, all.size(1)));
    best = best.to(torch::kCPU).contiguous();
    where = where.to(torch::kCPU).contiguous();
    const int64_t candidates = best.size(1);

    // What ends is a hypothesis, what does not lives on.
    torch::Tensor totals = torch::full({sources, width}, kNever);
    std::vector<int64_t> rows(static_cast<size_t>(sources * width), 0), tokens(rows.size(), options.end), alive;
    for (int64_t s = 0; s < sources; ++s) {
      Search& search = searches[static_cast<size_t>(s)];
      int64_t living = 0;
      double best_living = kNever;
      for (int64_t i = 0; i < candidates; ++i) {
        const float total = best.data_ptr<float>()[s * candidates + i];
        const int64_t at = where.data_ptr<int64_t>()[s * candidates + i];
        const int64_t row = s * width + at / vocabulary, token = at % vocabulary;
        if (total == kNever) break;
        if (token == options.end) {
          const double score = total / Penalty(time, options.length_penalty);
          if (static_cast<int64_t>(search.found.size()) == width && score <= search.found.back().score) continue;
          const torch::Tensor row_tokens = beams.tokens[row].to(torch::kCPU).contiguous();
          const int64_t* ids = row_tokens.data_ptr<int64_t>();
          Insert({{ids, ids + row_tokens.numel()},
                  total,
                  score,
                  beams.attention[row].narrow(1, 0, search.length).to(torch::kCPU).clone()},
                 width, &search.found);
        } else if (living < width) {
          if (living == 0) best_living = total;
          rows[static_cast<size_t>(s * width + living)] = row;
          tokens[static_cast<size_t>(s * width + living)] = token;
          totals.data_ptr<float>()[s * width + living] = total;
          ++living;
        }
      }
      // The most that a living beam can still get: every further token for nothing.
      const double bound = best_living / Penalty(options.longest + 1, options.length_penalty);
      const bool full = static_cast<int64_t>(search.found.size()) == width;
      if (living == 0 || (full && bound <= search.found.back().score)) {
        results[static_cast<size_t>(search.index)] = std::move(search.found);
      } else {
        alive.push_back(s);
        for (int64_t i = living; i < width; ++i) rows[static_cast<size_t>(s * width + i)] = s * width;
      }
    }
    if (alive.empty()) break;
    beams.Continue(torch::tensor(rows, long_options));
    beams.totals = totals.to(source.device());
    beams.previous = torch::tensor(tokens, long_options);
    beams.tokens = torch::cat({beams.tokens, beams.previous.unsqueeze(1)}, 1);
    if (static_cast<int64_t>(alive.size()) < sources) {
      beams.KeepSources(torch::tensor(alive, long_options), width);
      std::vector<Search> kept;
      for (const int64_t s : alive) kept.push_back(std::move(searches[static_cast<size_t>(s)]));
      searches = std::move(kept);
    }
  }
  return results;
}

}  // namespace atelier::model
