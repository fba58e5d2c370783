#include "runtime/decoder.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/str.h"
#include "runtime/activations.h"

namespace atelier::runtime {
namespace {

constexpr size_t kPassRows = 512;  // tokens per pass: enough to amortise a weight's load, few enough to stay in cache
constexpr size_t kHeadRows = 16;   // tokens whose logits are in memory at once
constexpr size_t kAddRows = 16;    // tokens whose adapter's part is added at once

void AddInto(float* x, const float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] += y[i];
}

}  // namespace

struct Decoder::Row {
  Sequence* sequence;
  int32_t token;
  int64_t position;
  size_t chunk, index;  // which token of which chunk
  bool wanted;          // its logits
  const AdapterWeights* adapter;
};

struct Decoder::Scratch {
  Activations h, attended, hidden, head;      // inputs of the products
  std::vector<float> x, branch, q, k, v, up;  // [rows, ...]
  kernel::Buffer logits;                      // [kHeadRows, vocab]
  std::vector<std::vector<float>> scores;     // per thread
  std::vector<float> low;                     // A x of the rows' adapters, [rows, low_cols]
  int64_t low_cols = 0;
  std::vector<std::vector<float>> added;           // per thread: B (A x), [kAddRows, ...]
  std::vector<std::vector<const uint8_t*>> pages;  // per thread: keys, then values
};

// A tile of attention: rows of one sequence that share a key head. Row i of the tile is token first_row + (begin + i) /
// group, query head kv_head * group + (begin + i) % group.
struct Tile {
  size_t first_row;
  int64_t begin;
  int rows;
  int64_t kv_head;
};

class Decoder::Pass {
 public:
  Pass(Decoder* decoder, std::span<const Row> rows, const LogitsFn& on_logits, const InputFn& on_input)
      : d_(*decoder),
        spec_(decoder->spec_),
        s_(*decoder->scratch_),
        rows_(rows),
        on_logits_(on_logits),
        on_input_(on_input),
        threads_(decoder->threads_->size()),
        barrier_(threads_),
        next_tile_(spec_.layers.size()) {
    for (size_t r = 0; r < rows.size(); ++r) {
      if (rows[r].wanted) wanted_.push_back(r);
      if (rows[r].adapter == nullptr) continue;
      if (adapted_.empty() || adapted_.back().end != r || rows[adapted_.back().begin].adapter != rows[r].adapter) {
        adapted_.push_back({r, r});
      }
      adapted_.back().end = r + 1;
    }
    for (auto& next : next_tile_) next.store(0);
    PrepareScratch();
    PrepareTiles();
  }

  void Work(int thread) {
    Embed(thread);
    bool first = true;
    for (size_t l = 0; l < spec_.layers.size(); ++l) {
      const LayerWeights& w = d_.weights_.layers[l];
      AddAndNorm(thread, first ? nullptr : &d_.weights_.layers[l - 1].post_ffn_norm, first, w.attention_norm);
      Lower(thread, l, LayerInput::kAttention, s_.h);
      first = false;
      barrier_.Wait();
      Show(thread, l, LayerInput::kAttention, s_.h);
      QueryKeyValue(thread, l, w);
      barrier_.Wait();
      TurnAndStore(thread, l, w);
      barrier_.Wait();
      Attend(thread, l);
      barrier_.Wait();
      Show(thread, l, LayerInput::kAttentionOutput, s_.attended);
      QuantiseRows(thread, &s_.attended);
      Lower(thread, l, LayerInput::kAttentionOutput, s_.attended);
      barrier_.Wait();
      Multiply(MyPanels(thread, w.output), w.output, s_.attended, s_.branch.data());
      Raise(thread, l, &LayerAdapter::output, MyPanels(thread, w.output), s_.branch.data());
      barrier_.Wait();
      AddAndNorm(thread, &w.post_attention_norm, false, w.ffn_norm);
      Lower(thread, l, LayerInput::kFeedForward, s_.h);
      barrier_.Wait();
      Show(thread, l, LayerInput::kFeedForward, s_.h);
      GateAndUp(thread, l, w);
      barrier_.Wait();
      Show(thread, l, LayerInput::kDown, s_.hidden);
      QuantiseRows(thread, &s_.hidden);
      Lower(thread, l, LayerInput::kDown, s_.hidden);
      barrier_.Wait();
      Multiply(MyPanels(thread, w.down), w.down, s_.hidden, s_.branch.data());
      Raise(thread, l, &LayerAdapter::down, MyPanels(thread, w.down), s_.branch.data());
      barrier_.Wait();
    }
    Head(thread);
  }

 private:
  struct RowRange {
    size_t begin, end;
  };
  RowRange MyRows(int thread, size_t rows) const {
    const Span1 part = SplitRange(static_cast<int64_t>(rows), 1, thread, threads_);
    return {static_cast<size_t>(part.begin), static_cast<size_t>(part.end)};
  }
  // Nobody writes to the rows before all threads have met again.
  void Show(int thread, size_t layer, LayerInput input, const Activations& a) const {
    if (on_input_ && thread == 0) on_input_(layer, input, a.values, static_cast<int64_t>(rows_.size()), a.cols);
  }
  Span1 MyPanels(int thread, const kernel::PackedMatrix& w) const {
    return SplitRange(w.panels(), 1, thread, threads_);
  }

  void PrepareScratch() {
    const size_t n = rows_.size();
    s_.h.Shape(n, spec_.width);
    s_.attended.Shape(n, spec_.heads * spec_.head_dim);
    s_.hidden.Shape(n, spec_.hidden);
    const auto room = [&](std::vector<float>* buffer, int64_t cols) {
      if (buffer->size() < n * static_cast<size_t>(cols)) buffer->resize(n * static_cast<size_t>(cols));
    };
    room(&s_.x, spec_.width);
    room(&s_.branch, spec_.width);
    room(&s_.q, spec_.heads * spec_.head_dim);
    room(&s_.k, spec_.kv_heads * spec_.head_dim);
    room(&s_.v, spec_.kv_heads * spec_.head_dim);
    room(&s_.up, spec_.hidden);
    if (!wanted_.empty()) {
      const size_t tile = std::min(kHeadRows, wanted_.size());
      s_.head.Shape(tile, spec_.width);
      const size_t bytes = tile * LogitStride() * sizeof(float);
      if (s_.logits.size() < bytes) s_.logits = kernel::Buffer(bytes);
    }
    if (!adapted_.empty()) {
      s_.low_cols = 0;
      for (const RowRange& run : adapted_) s_.low_cols = std::max(s_.low_cols, rows_[run.begin].adapter->most_ranks);
      room(&s_.low, s_.low_cols);
      const int64_t widest = std::max({spec_.width, spec_.hidden, spec_.heads * spec_.head_dim});
      s_.added.resize(static_cast<size_t>(threads_));
      for (auto& added : s_.added) added.resize(kAddRows * static_cast<size_t>(widest));
    }
    int64_t longest = 0;
    for (const Row& row : rows_) longest = std::max(longest, row.position + 1);
    s_.scores.resize(static_cast<size_t>(threads_));
    s_.pages.resize(static_cast<size_t>(threads_));
    for (auto& scores : s_.scores) {
      const size_t cells = static_cast<size_t>(kernel::kMaxRows) * static_cast<size_t>(longest + 2 * kernel::kKeys);
      if (scores.size() < cells) scores.resize(cells);
    }
  }

  void PrepareTiles() {
    const int64_t group = spec_.heads / spec_.kv_heads;
    const int64_t total = static_cast<int64_t>(rows_.size()) * spec_.heads;
    const auto size = static_cast<int>(std::clamp<int64_t>(total / (4 * threads_), 1, kernel::kMaxRows));
    for (size_t first = 0; first < rows_.size();) {
      size_t end = first;
      while (end < rows_.size() && rows_[end].sequence == rows_[first].sequence) ++end;
      const int64_t all = static_cast<int64_t>(end - first) * group;
      for (int64_t kv = 0; kv < spec_.kv_heads; ++kv) {
        for (int64_t at = 0; at < all; at += size) {
          tiles_.push_back({first, at, static_cast<int>(std::min<int64_t>(size, all - at)), kv});
        }
      }
      first = end;
    }
  }

  size_t LogitStride() const { return static_cast<size_t>(spec_.vocab + 15) / 16 * 16; }

  void Embed(int thread) {
    const kernel::FormatInfo& info = kernel::Info(d_.weights_.embedding_format);
    const size_t row_bytes = static_cast<size_t>(spec_.width / info.block * info.bytes);
    const RowRange mine = MyRows(thread, rows_.size());
    for (size_t r = mine.begin; r < mine.end; ++r) {
      float* x = X(r);
      kernel::Dequantise(d_.weights_.embedding_format,
                         d_.weights_.embedding + static_cast<size_t>(rows_[r].token) * row_bytes, spec_.width, x);
      if (spec_.embedding_scale != 1) {
        for (int64_t i = 0; i < spec_.width; ++i) x[i] *= spec_.embedding_scale;
      }
    }
  }

  float* X(size_t r) const { return s_.x.data() + r * static_cast<size_t>(spec_.width); }
  float* Branch(size_t r) const { return s_.branch.data() + r * static_cast<size_t>(spec_.width); }

  // Adds the finished branch to the residual stream, after its own norm where there is one.
  void Add(size_t r, const std::vector<float>* post_norm) {
    float* branch = Branch(r);
    if (post_norm != nullptr && !post_norm->empty()) {
      d_.kernels_.rms_norm(branch, post_norm->data(), spec_.norm_eps, spec_.width, branch);
    }
    AddInto(X(r), branch, spec_.width);
  }

  void AddAndNorm(int thread, const std::vector<float>* post_norm, bool first, const std::vector<float>& norm) {
    const RowRange mine = MyRows(thread, rows_.size());
    for (size_t r = mine.begin; r < mine.end; ++r) {
      if (!first) Add(r, post_norm);
      d_.kernels_.rms_norm(X(r), norm.data(), spec_.norm_eps, spec_.width, s_.h.row(r));
      if (quantises_) d_.kernels_.quantise(s_.h.row(r), static_cast<int64_t>(r), &s_.h.quantised);
    }
  }

  void QuantiseRows(int thread, Activations* a) {
    if (!quantises_) return;
    const RowRange mine = MyRows(thread, rows_.size());
    for (size_t r = mine.begin; r < mine.end; ++r)
      d_.kernels_.quantise(a->row(r), static_cast<int64_t>(r), &a->quantised);
  }

  void MultiplyPanels(const kernel::PackedMatrix& w, Span1 panels, const Activations& in, size_t rows, float* out,
                      int64_t stride) {
    if (panels.begin >= panels.end) return;
    if (w.quantised) {
      kernel::QuantisedRows x = in.quantised;
      x.tokens = static_cast<int64_t>(rows);
      d_.kernels_.matmul_quantised(&w, panels.begin, panels.end, &x, out, stride);
    } else {
      d_.kernels_.matmul_float(&w, panels.begin, panels.end, in.values, in.cols, static_cast<int64_t>(rows), out,
                               stride);
    }
  }

  void Multiply(Span1 panels, const kernel::PackedMatrix& w, const Activations& in, float* out) {
    MultiplyPanels(w, panels, in, rows_.size(), out, w.rows);
  }

  float* Low(size_t r) const { return s_.low.data() + r * static_cast<size_t>(s_.low_cols); }

  // A x of the thread's own rows.
  void Lower(int thread, size_t layer, LayerInput input, const Activations& in) {
    const RowRange mine = MyRows(thread, rows_.size());
    for (const RowRange& run : adapted_) {
      const size_t begin = std::max(run.begin, mine.begin), end = std::min(run.end, mine.end);
      const kernel::PackedMatrix& a = rows_[run.begin].adapter->layers[layer].a[static_cast<size_t>(input)];
      if (begin >= end || a.rows == 0) continue;
      d_.kernels_.matmul_float(&a, 0, a.panels(), in.row(begin), in.cols, static_cast<int64_t>(end - begin), Low(begin),
                               s_.low_cols);
    }
  }

  // Adds B (A x) to those panels of a product, [rows, outs].
  void Raise(int thread, size_t layer, LowRank LayerAdapter::*matrix, Span1 panels, float* out) {
    if (panels.begin >= panels.end) return;
    for (const RowRange& run : adapted_) {
      const LowRank& low = rows_[run.begin].adapter->layers[layer].*matrix;
      const kernel::PackedMatrix& b = low.b;
      if (b.rows == 0) continue;
      const int64_t first = panels.begin * kernel::kPanel,
                    count = std::min(panels.end * kernel::kPanel, b.rows) - first;
      float* added = s_.added[static_cast<size_t>(thread)].data();
      for (size_t r = run.begin; r < run.end; r += kAddRows) {
        const size_t rows = std::min(kAddRows, run.end - r);
        d_.kernels_.matmul_float(&b, panels.begin, panels.end, Low(r) + low.at, s_.low_cols, static_cast<int64_t>(rows),
                                 added, b.rows);
        for (size_t i = 0; i < rows; ++i) {
          AddInto(out + (static_cast<int64_t>(r + i) * b.rows + first),
                  added + static_cast<int64_t>(i) * b.rows + first, count);
        }
      }
    }
  }

  void QueryKeyValue(int thread, size_t layer, const LayerWeights& w) {
    const auto one = [&](const kernel::PackedMatrix& matrix, const std::vector<float>& bias,
                         LowRank LayerAdapter::*adapter, std::vector<float>& out, Span1 panels) {
      Multiply(panels, matrix, s_.h, out.data());
      Raise(thread, layer, adapter, panels, out.data());
      if (bias.empty()) return;
      const int64_t begin = panels.begin * kernel::kPanel, end = std::min(panels.end * kernel::kPanel, matrix.rows);
      for (size_t r = 0; r < rows_.size(); ++r) {
        for (int64_t i = begin; i < end; ++i)
          out[r * static_cast<size_t>(matrix.rows) + static_cast<size_t>(i)] += bias[static_cast<size_t>(i)];
      }
    };
    // The three matrices as one row of panels, so that the split stays even.
    const int64_t pq = w.query.panels(), pk = w.key.panels(), pv = w.value.panels();
    const Span1 all = SplitRange(pq + pk + pv, 1, thread, threads_);
    const auto clip = [&](int64_t from, int64_t count) {
      return Span1{std::clamp<int64_t>(all.begin - from, 0, count), std::clamp<int64_t>(all.end - from, 0, count)};
    };
    one(w.query, w.query_bias, &LayerAdapter::query, s_.q, clip(0, pq));
    one(w.key, w.key_bias, &LayerAdapter::key, s_.k, clip(pq, pk));
    one(w.value, w.value_bias, &LayerAdapter::value, s_.v, clip(pq + pk, pv));
  }

  void TurnAndStore(int thread, size_t layer, const LayerWeights& w) {
    const KvShape& shape = d_.pages_.shape();
    const RopeTable& rope = d_.ropes_[static_cast<size_t>(spec_.layers[layer].rope)];
    const int64_t dim = spec_.head_dim;
    const RowRange mine = MyRows(thread, rows_.size());
    for (size_t r = mine.begin; r < mine.end; ++r) {
      const Row& row = rows_[r];
      for (int64_t head = 0; head < spec_.heads; ++head) {
        float* q = s_.q.data() + (static_cast<int64_t>(r) * spec_.heads + head) * dim;
        if (spec_.qk_norm) d_.kernels_.rms_norm(q, w.query_norm.data(), spec_.norm_eps, dim, q);
        rope.Apply(q, row.position);
      }
      const auto page = static_cast<size_t>(row.position / KvShape::kPageTokens);
      const int64_t in = row.position % KvShape::kPageTokens;
      for (int64_t head = 0; head < spec_.kv_heads; ++head) {
        float* k = s_.k.data() + (static_cast<int64_t>(r) * spec_.kv_heads + head) * dim;
        const float* v = s_.v.data() + (static_cast<int64_t>(r) * spec_.kv_heads + head) * dim;
        if (spec_.qk_norm) d_.kernels_.rms_norm(k, w.key_norm.data(), spec_.norm_eps, dim, k);
        rope.Apply(k, row.position);
        uint8_t* keys = row.sequence->keys(shape, page, static_cast<int64_t>(layer), head);
        uint8_t* values = row.sequence->values(shape, page, static_cast<int64_t>(layer), head);
        const int64_t key_at = in / kernel::kKeys * dim * kernel::kKeys + in % kernel::kKeys;
        if (shape.wide) {
          for (int64_t i = 0; i < dim; ++i) reinterpret_cast<float*>(keys)[key_at + i * kernel::kKeys] = k[i];
          std::memcpy(reinterpret_cast<float*>(values) + in * dim, v, static_cast<size_t>(dim) * 4);
        } else {
          for (int64_t i = 0; i < dim; ++i) {
            reinterpret_cast<uint16_t*>(keys)[key_at + i * kernel::kKeys] = FloatToHalf(k[i]);
            reinterpret_cast<uint16_t*>(values)[in * dim + i] = FloatToHalf(v[i]);
          }
        }
      }
    }
  }

  void Attend(int thread, size_t layer) {
    const KvShape& shape = d_.pages_.shape();
    const int64_t group = spec_.heads / spec_.kv_heads, dim = spec_.head_dim, window = spec_.layers[layer].window;
    while (true) {
      const size_t index = next_tile_[layer].fetch_add(1, std::memory_order_relaxed);
      if (index >= tiles_.size()) return;
      const Tile& tile = tiles_[index];
      const float* query[kernel::kMaxRows];
      float* out[kernel::kMaxRows];
      int64_t first[kernel::kMaxRows], last[kernel::kMaxRows];
      for (int i = 0; i < tile.rows; ++i) {
        const int64_t at = tile.begin + i;
        const size_t r = tile.first_row + static_cast<size_t>(at / group);
        const int64_t head = tile.kv_head * group + at % group;
        query[i] = s_.q.data() + (static_cast<int64_t>(r) * spec_.heads + head) * dim;
        out[i] = s_.attended.row(r) + head * dim;
        last[i] = rows_[r].position;
        first[i] = window > 0 ? std::max<int64_t>(0, last[i] - window + 1) : 0;
      }
      const Sequence& sequence = *rows_[tile.first_row].sequence;
      std::vector<const uint8_t*>& pages = s_.pages[static_cast<size_t>(thread)];
      const size_t count = static_cast<size_t>(last[tile.rows - 1] / KvShape::kPageTokens + 1);
      if (pages.size() < 2 * count) pages.resize(2 * count);
      for (size_t p = static_cast<size_t>(first[0] / KvShape::kPageTokens); p < count; ++p) {
        pages[p] = sequence.keys(shape, p, static_cast<int64_t>(layer), tile.kv_head);
        pages[count + p] = sequence.values(shape, p, static_cast<int64_t>(layer), tile.kv_head);
      }
      kernel::Attention work;
      work.rows = tile.rows;
      work.head_dim = static_cast<int>(dim);
      work.query = query;
      work.out = out;
      work.first = first;
      work.last = last;
      work.key_pages = pages.data();
      work.value_pages = pages.data() + count;
      work.page_keys = static_cast<int>(KvShape::kPageTokens);
      work.wide = shape.wide;
      work.scale = spec_.attention_scale;
      work.softcap = spec_.attention_softcap;
      work.scratch = s_.scores[static_cast<size_t>(thread)].data();
      d_.kernels_.attend(&work);
    }
  }

  void GateAndUp(int thread, size_t layer, const LayerWeights& w) {
    const Span1 panels = MyPanels(thread, w.gate);
    Multiply(panels, w.gate, s_.h, s_.hidden.values);
    Multiply(panels, w.up, s_.h, s_.up.data());
    Raise(thread, layer, &LayerAdapter::gate, panels, s_.hidden.values);
    Raise(thread, layer, &LayerAdapter::up, panels, s_.up.data());
    const int64_t begin = panels.begin * kernel::kPanel, end = std::min(panels.end * kernel::kPanel, spec_.hidden);
    if (begin >= end) return;
    for (size_t r = 0; r < rows_.size(); ++r) {
      d_.kernels_.gated(spec_.gate, s_.hidden.row(r) + begin,
                        s_.up.data() + static_cast<int64_t>(r) * spec_.hidden + begin, end - begin);
    }
  }

  void Head(int thread) {
    const std::vector<float>* post_norm = &d_.weights_.layers.back().post_ffn_norm;
    const kernel::PackedMatrix& w = d_.weights_.head;
    float* logits = reinterpret_cast<float*>(s_.logits.data());
    for (size_t begin = 0; begin < wanted_.size(); begin += kHeadRows) {
      const size_t count = std::min(kHeadRows, wanted_.size() - begin);
      const RowRange mine = MyRows(thread, count);
      for (size_t i = mine.begin; i < mine.end; ++i) {
        const size_t r = wanted_[begin + i];
        Add(r, post_norm);
        d_.kernels_.rms_norm(X(r), d_.weights_.output_norm.data(), spec_.norm_eps, spec_.width, s_.head.row(i));
        if (w.quantised) d_.kernels_.quantise(s_.head.row(i), static_cast<int64_t>(i), &s_.head.quantised);
      }
      barrier_.Wait();
      MultiplyPanels(w, MyPanels(thread, w), s_.head, count, logits, static_cast<int64_t>(LogitStride()));
      barrier_.Wait();
      for (size_t i = mine.begin; i < mine.end; ++i) {
        float* row = logits + i * LogitStride();
        if (spec_.final_softcap > 0) {
          for (int64_t t = 0; t < spec_.vocab; ++t)
            row[t] = std::tanh(row[t] / spec_.final_softcap) * spec_.final_softcap;
        }
        const Row& wanted = rows_[wanted_[begin + i]];
        on_logits_(wanted.chunk, wanted.index, row);
      }
      barrier_.Wait();
    }
  }

  Decoder& d_;
  const DecoderSpec& spec_;
  Scratch& s_;
  const std::span<const Row> rows_;
  const LogitsFn& on_logits_;
  const InputFn& on_input_;
  const int threads_;
  Barrier barrier_;
  const bool quantises_ = !d_.weights_.all_f32;
  std::vector<size_t> wanted_;
  std::vector<RowRange> adapted_;  // runs of rows with one adapter
  std::vector<Tile> tiles_;
  std::vector<std::atomic<size_t>> next_tile_;
};

namespace {

KvShape ShapeOf(const DecoderSpec& spec, bool wide) {
  return {static_cast<int64_t>(spec.layers.size()), spec.kv_heads, spec.head_dim, wide};
}

}  // namespace

Decoder::Decoder(DecoderSpec spec, DecoderWeights weights, const kernel::Table& kernels,
                 std::unique_ptr<ThreadPool> threads, size_t kv_bytes)
    : spec_(std::move(spec)),
      weights_(std::move(weights)),
      kernels_(kernels),
      threads_(std::move(threads)),
      // Models kept in f32 are kept so to be exact; their cache is too.
      pages_(ShapeOf(spec_, weights_.all_f32), kv_bytes),
      scratch_(std::make_unique<Scratch>()) {
  for (const RopeSpec& rope : spec_.ropes) ropes_.emplace_back(rope);
}

Decoder::~Decoder() = default;

void Decoder::Forward(std::span<const Chunk> chunks, const LogitsFn& on_logits, const InputFn& on_input) {
  std::vector<Row> rows;
  for (size_t c = 0; c < chunks.size(); ++c) {
    const Chunk& chunk = chunks[c];
    const int64_t length = chunk.sequence->length();
    if (length + static_cast<int64_t>(chunk.tokens.size()) > spec_.context) {
      throw Error(Code::kInvalidInput, Cat(length + static_cast<int64_t>(chunk.tokens.size()),
                                           " tokens do not fit the model's context of ", spec_.context));
    }
    for (size_t i = 0; i < chunk.tokens.size(); ++i) {
      const int32_t token = chunk.tokens[i];
      if (token < 0 || token >= spec_.vocab) {
        throw Error(Code::kInvalidInput, Cat("token ", token, " is outside the vocabulary of ", spec_.vocab));
      }
      rows.push_back(
          {chunk.sequence, token, length + static_cast<int64_t>(i), c, i, i >= chunk.logits_from, chunk.adapter});
    }
    for (RopeTable& rope : ropes_) rope.Grow(length + static_cast<int64_t>(chunk.tokens.size()));
  }
  for (const Chunk& chunk : chunks) chunk.sequence->Reserve(&pages_, static_cast<int64_t>(chunk.tokens.size()));
  for (size_t begin = 0; begin < rows.size(); begin += kPassRows) {
    const auto part = std::span<const Row>(rows).subspan(begin, std::min(kPassRows, rows.size() - begin));
    Pass pass(this, part, on_logits, on_input);
    threads_->Run([&](int thread) { pass.Work(thread); });
  }
  for (const Chunk& chunk : chunks) chunk.sequence->Advance(static_cast<int64_t>(chunk.tokens.size()));
}

}  // namespace atelier::runtime
