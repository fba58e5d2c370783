#include "runtime/encoder.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "base/str.h"
#include "runtime/activations.h"
#include "runtime/tensor_loader.h"

namespace atelier::runtime {
namespace {

// Tokens of texts that are computed together: enough to amortise a weight's load, few enough that the activations of
// the feed-forward part stay in a core's cache.
constexpr size_t kBundleTokens = 128;

size_t Padded(size_t length) { return (length + kernel::kKeys - 1) / kernel::kKeys * kernel::kKeys; }

struct Range {
  size_t begin, end;
};

}  // namespace

EncoderWeights LoadEncoderWeights(std::shared_ptr<const artefact::GgufFile> file, const EncoderSpec& spec,
                                  ThreadPool* pool) {
  EncoderWeights w;
  w.file = file;
  TensorLoader load(*file, pool);
  const artefact::TensorInfo& embedding = load.Shaped("token_embd.weight", spec.width, spec.vocab);
  w.embedding = embedding.data;
  w.embedding_format = FormatOf(embedding.type);
  w.positions = load.Vector("position_embd.weight", spec.width, spec.context);
  const std::vector<float> types =
      load.Vector("token_types.weight", spec.width, file->Require("token_types.weight").dim(1));
  for (size_t i = 0; i < w.positions.size(); ++i) w.positions[i] += types[i % static_cast<size_t>(spec.width)];
  w.norm = load.Vector("token_embd_norm.weight", spec.width);
  w.norm_bias = load.Vector("token_embd_norm.bias", spec.width);
  for (int64_t i = 0; i < spec.layers; ++i) {
    const auto name = [&](std::string_view part) { return Cat("blk.", i, ".", part); };
    EncoderLayer layer;
    layer.query = load.Matrix(name("attn_q.weight"), spec.width, spec.width);
    layer.key = load.Matrix(name("attn_k.weight"), spec.width, spec.width);
    layer.value = load.Matrix(name("attn_v.weight"), spec.width, spec.width);
    layer.output = load.Matrix(name("attn_output.weight"), spec.width, spec.width);
    layer.up = load.Matrix(name("ffn_up.weight"), spec.hidden, spec.width);
    layer.down = load.Matrix(name("ffn_down.weight"), spec.width, spec.hidden);
    layer.query_bias = load.Vector(name("attn_q.bias"), spec.width);
    layer.key_bias = load.Vector(name("attn_k.bias"), spec.width);
    layer.value_bias = load.Vector(name("attn_v.bias"), spec.width);
    layer.output_bias = load.Vector(name("attn_output.bias"), spec.width);
    layer.up_bias = load.Vector(name("ffn_up.bias"), spec.hidden);
    layer.down_bias = load.Vector(name("ffn_down.bias"), spec.width);
    layer.attention_norm = load.Vector(name("attn_output_norm.weight"), spec.width);
    layer.attention_norm_bias = load.Vector(name("attn_output_norm.bias"), spec.width);
    layer.ffn_norm = load.Vector(name("layer_output_norm.weight"), spec.width);
    layer.ffn_norm_bias = load.Vector(name("layer_output_norm.bias"), spec.width);
    w.layers.push_back(std::move(layer));
  }
  return w;
}

struct Encoder::Scratch {
  Activations x, attended, hidden;         // inputs of the products; x is the stream between the layers, too
  std::vector<float> q, k, v, branch;      // [rows, width]
  kernel::Buffer keys, values;             // of each text and head, as kernel::Attention wants them
  std::vector<std::vector<float>> scores;  // per thread of a pass
};

// One bundle of texts through the model, as each of `threads` threads sees it.
class Encoder::Pass {
 public:
  Pass(const Encoder& encoder, Scratch* scratch, std::span<const std::vector<int32_t>* const> texts,
       std::span<float* const> out, size_t layers, bool pool, int threads)
      : e_(encoder),
        spec_(encoder.spec_),
        s_(*scratch),
        out_(out),
        layers_(layers),
        pool_(pool),
        threads_(threads),
        barrier_(threads) {
    size_t padded = 0;
    for (const std::vector<int32_t>* text : texts) {
      texts_.push_back({tokens_.size(), text->size(), padded});
      padded += Padded(text->size());
      for (size_t i = 0; i < text->size(); ++i) {
        tokens_.push_back((*text)[i]);
        positions_.push_back(i);
      }
    }
    Prepare(padded);
  }

  void Work(int thread) {
    Embed(thread);
    for (const EncoderLayer& layer : std::span(e_.weights_.layers).first(layers_)) {
      barrier_.Wait();
      QueryKeyValue(thread, layer);
      barrier_.Wait();
      Store(thread, layer);
      barrier_.Wait();
      Attend(thread);
      barrier_.Wait();
      QuantiseRows(thread, &s_.attended);
      barrier_.Wait();
      Multiply(layer.output, Panels(thread, layer.output), s_.attended, s_.branch.data());
      barrier_.Wait();
      AddAndNorm(thread, layer.output_bias, layer.attention_norm, layer.attention_norm_bias);
      barrier_.Wait();
      Up(thread, layer);
      barrier_.Wait();
      QuantiseRows(thread, &s_.hidden);
      barrier_.Wait();
      Multiply(layer.down, Panels(thread, layer.down), s_.hidden, s_.branch.data());
      barrier_.Wait();
      AddAndNorm(thread, layer.down_bias, layer.ffn_norm, layer.ffn_norm_bias);
    }
    barrier_.Wait();
    if (pool_) {
      Pool(thread);
    } else {
      CopyOut(thread);
    }
  }

 private:
  struct Text {
    size_t first, length;  // rows
    size_t padded;         // where its keys and values begin, in rows
  };

  void Prepare(size_t padded) {
    const size_t rows = tokens_.size(), width = static_cast<size_t>(spec_.width);
    s_.x.Shape(rows, spec_.width);
    s_.attended.Shape(rows, spec_.width);
    s_.hidden.Shape(rows, spec_.hidden);
    for (std::vector<float>* buffer : {&s_.q, &s_.k, &s_.v, &s_.branch}) {
      if (buffer->size() < rows * width) buffer->resize(rows * width);
    }
    for (kernel::Buffer* buffer : {&s_.keys, &s_.values}) {
      if (buffer->size() < padded * width * sizeof(float)) *buffer = kernel::Buffer(padded * width * sizeof(float));
    }
    size_t longest = 0;
    for (const Text& text : texts_) longest = std::max(longest, text.length);
    s_.scores.resize(std::max(s_.scores.size(), static_cast<size_t>(threads_)));
    for (auto& scores : s_.scores) {
      const size_t cells = kernel::kMaxRows * (Padded(longest) + kernel::kKeys);
      if (scores.size() < cells) scores.resize(cells);
    }
  }

  Range Mine(int thread, size_t count) const {
    const Span1 part = SplitRange(static_cast<int64_t>(count), 1, thread, threads_);
    return {static_cast<size_t>(part.begin), static_cast<size_t>(part.end)};
  }
  Span1 Panels(int thread, const kernel::PackedMatrix& w) const { return SplitRange(w.panels(), 1, thread, threads_); }
  float* At(std::vector<float>& rows, size_t r) const { return rows.data() + r * static_cast<size_t>(spec_.width); }

  void Quantise(size_t r, Activations* a) const {
    e_.kernels_.quantise(a->row(r), static_cast<int64_t>(r), &a->quantised);
  }

  void QuantiseRows(int thread, Activations* a) const {
    const Range mine = Mine(thread, tokens_.size());
    for (size_t r = mine.begin; r < mine.end; ++r) Quantise(r, a);
  }

  void Embed(int thread) {
    const kernel::FormatInfo& info = kernel::Info(e_.weights_.embedding_format);
    const size_t row_bytes = static_cast<size_t>(spec_.width / info.block * info.bytes);
    const Range mine = Mine(thread, tokens_.size());
    for (size_t r = mine.begin; r < mine.end; ++r) {
      const uint8_t* from = e_.weights_.embedding + static_cast<size_t>(tokens_[r]) * row_bytes;
      kernel::Dequantise(e_.weights_.embedding_format, from, spec_.width, s_.x.row(r));
      const float* position = e_.weights_.positions.data() + positions_[r] * static_cast<size_t>(spec_.width);
      e_.kernels_.add_layer_norm(s_.x.row(r), position, e_.weights_.norm.data(), e_.weights_.norm_bias.data(),
                                 spec_.norm_eps, spec_.width);
      Quantise(r, &s_.x);
    }
  }

  void Multiply(const kernel::PackedMatrix& w, Span1 panels, const Activations& in, float* out) const {
    if (panels.begin >= panels.end) return;
    const auto rows = static_cast<int64_t>(tokens_.size());
    if (w.quantised) {
      kernel::QuantisedRows x = in.quantised;
      x.tokens = rows;
      e_.kernels_.matmul_quantised(&w, panels.begin, panels.end, &x, out, w.rows);
    } else {
      e_.kernels_.matmul_float(&w, panels.begin, panels.end, in.values, in.cols, rows, out, w.rows);
    }
  }

  void QueryKeyValue(int thread, const EncoderLayer& layer) {
    // The three matrices as one row of panels, so that the split stays even.
    const int64_t each = layer.query.panels();
    const Span1 all = SplitRange(3 * each, 1, thread, threads_);
    const kernel::PackedMatrix* matrices[] = {&layer.query, &layer.key, &layer.value};
    std::vector<float>* outs[] = {&s_.q, &s_.k, &s_.v};
    for (int64_t i = 0; i < 3; ++i) {
      const Span1 part{std::clamp<int64_t>(all.begin - i * each, 0, each),
                       std::clamp<int64_t>(all.end - i * each, 0, each)};
      Multiply(*matrices[i], part, s_.x, outs[i]->data());
    }
  }

  float* Keys(const Text& text, int64_t head) const { return Block(s_.keys, text, head); }
  float* Values(const Text& text, int64_t head) const { return Block(s_.values, text, head); }
  float* Block(const kernel::Buffer& buffer, const Text& text, int64_t head) const {
    const size_t dim = static_cast<size_t>(spec_.head_dim);
    return reinterpret_cast<float*>(buffer.data()) + text.padded * static_cast<size_t>(spec_.width) +
           static_cast<size_t>(head) * Padded(text.length) * dim;
  }

  // Adds the biases and lays keys and values out for the attention kernel.
  void Store(int thread, const EncoderLayer& layer) {
    const auto dim = static_cast<size_t>(spec_.head_dim), heads = static_cast<size_t>(spec_.heads);
    const Range mine = Mine(thread, texts_.size() * heads);
    for (size_t unit = mine.begin; unit < mine.end; ++unit) {
      const Text& text = texts_[unit / heads];
      const size_t head = unit % heads, column = head * dim;
      float* keys = Keys(text, static_cast<int64_t>(head));
      float* values = Values(text, static_cast<int64_t>(head));
      const float* query_bias = layer.query_bias.data() + column;
      const float* key_bias = layer.key_bias.data() + column;
      const float* value_bias = layer.value_bias.data() + column;
      for (size_t i = 0; i < text.length; ++i) {
        float* q = At(s_.q, text.first + i) + column;
        const float* k = At(s_.k, text.first + i) + column;
        const float* v = At(s_.v, text.first + i) + column;
        float* key = keys + i / kernel::kKeys * dim * kernel::kKeys + i % kernel::kKeys;
        for (size_t d = 0; d < dim; ++d) q[d] += query_bias[d];
        for (size_t d = 0; d < dim; ++d) key[d * kernel::kKeys] = k[d] + key_bias[d];
        for (size_t d = 0; d < dim; ++d) values[i * dim + d] = v[d] + value_bias[d];
      }
    }
  }

  void Attend(int thread) {
    const auto dim = static_cast<size_t>(spec_.head_dim), heads = static_cast<size_t>(spec_.heads);
    size_t tile = 0;
    for (const Text& text : texts_) {
      for (size_t head = 0; head < heads; ++head) {
        for (size_t at = 0; at < text.length; at += kernel::kMaxRows, ++tile) {
          if (tile % static_cast<size_t>(threads_) != static_cast<size_t>(thread)) continue;
          const float* query[kernel::kMaxRows];
          float* out[kernel::kMaxRows];
          int64_t first[kernel::kMaxRows], last[kernel::kMaxRows];
          kernel::Attention work;
          work.rows = static_cast<int>(std::min<size_t>(kernel::kMaxRows, text.length - at));
          for (int i = 0; i < work.rows; ++i) {
            const size_t r = text.first + at + static_cast<size_t>(i);
            query[i] = At(s_.q, r) + head * dim;
            out[i] = s_.attended.row(r) + head * dim;
            first[i] = 0;
            last[i] = static_cast<int64_t>(text.length) - 1;
          }
          const auto* keys = reinterpret_cast<const uint8_t*>(Keys(text, static_cast<int64_t>(head)));
          const auto* values = reinterpret_cast<const uint8_t*>(Values(text, static_cast<int64_t>(head)));
          work.head_dim = static_cast<int>(dim);
          work.query = query;
          work.out = out;
          work.first = first;
          work.last = last;
          work.key_pages = &keys;
          work.value_pages = &values;
          work.page_keys = static_cast<int>(Padded(text.length));
          work.wide = true;
          work.scale = 1.0f / std::sqrt(static_cast<float>(spec_.head_dim));
          work.scratch = s_.scores[static_cast<size_t>(thread)].data();
          e_.kernels_.attend(&work);
        }
      }
    }
  }

  void AddAndNorm(int thread, const std::vector<float>& bias, const std::vector<float>& norm,
                  const std::vector<float>& norm_bias) {
    const Range mine = Mine(thread, tokens_.size());
    for (size_t r = mine.begin; r < mine.end; ++r) {
      float* branch = At(s_.branch, r);
      for (size_t i = 0; i < bias.size(); ++i) branch[i] += bias[i];
      e_.kernels_.add_layer_norm(s_.x.row(r), branch, norm.data(), norm_bias.data(), spec_.norm_eps, spec_.width);
      Quantise(r, &s_.x);
    }
  }

  void Up(int thread, const EncoderLayer& layer) {
    const Span1 panels = Panels(thread, layer.up);
    Multiply(layer.up, panels, s_.x, s_.hidden.values);
    const int64_t begin = panels.begin * kernel::kPanel, end = std::min(panels.end * kernel::kPanel, spec_.hidden);
    if (begin >= end) return;
    for (size_t r = 0; r < tokens_.size(); ++r) {
      e_.kernels_.bias_gelu(s_.hidden.row(r) + begin, layer.up_bias.data() + begin, end - begin);
    }
  }

  void Pool(int thread) {
    const Range mine = Mine(thread, texts_.size());
    for (size_t t = mine.begin; t < mine.end; ++t) {
      const Text& text = texts_[t];
      float* out = out_[t];
      double square = 0;
      for (int64_t d = 0; d < spec_.width; ++d) {
        double sum = 0;
        for (size_t i = 0; i < text.length; ++i) sum += s_.x.row(text.first + i)[d];
        out[d] = static_cast<float>(sum / static_cast<double>(text.length));
        square += static_cast<double>(out[d]) * out[d];
      }
      const double scale = square > 0 ? 1.0 / std::sqrt(square) : 0;
      for (int64_t d = 0; d < spec_.width; ++d) out[d] = static_cast<float>(out[d] * scale);
    }
  }

  void CopyOut(int thread) {
    const Range mine = Mine(thread, texts_.size());
    for (size_t t = mine.begin; t < mine.end; ++t) {
      for (size_t i = 0; i < texts_[t].length; ++i) {
        std::copy_n(s_.x.row(texts_[t].first + i), spec_.width, out_[t] + i * static_cast<size_t>(spec_.width));
      }
    }
  }

  const Encoder& e_;
  const EncoderSpec& spec_;
  Scratch& s_;
  const std::span<float* const> out_;
  const size_t layers_;
  const bool pool_;  // one vector a text
  const int threads_;
  Barrier barrier_;
  std::vector<Text> texts_;
  std::vector<int32_t> tokens_;
  std::vector<size_t> positions_;
};

Encoder::Encoder(EncoderSpec spec, EncoderWeights weights, const kernel::Table& kernels,
                 std::unique_ptr<ThreadPool> threads)
    : spec_(std::move(spec)), weights_(std::move(weights)), kernels_(kernels), threads_(std::move(threads)) {
  for (int i = 0; i < threads_->size(); ++i) scratch_.push_back(std::make_unique<Scratch>());
}

Encoder::~Encoder() = default;

void Encoder::Forward(std::span<const std::vector<int32_t>> texts, float* out) {
  std::vector<float*> outs;
  for (size_t i = 0; i < texts.size(); ++i) outs.push_back(out + i * static_cast<size_t>(spec_.width));
  Run(texts, outs, weights_.layers.size(), true);
}

void Encoder::ForwardTokens(std::span<const std::vector<int32_t>> texts, int64_t layers, std::span<float* const> out) {
  Run(texts, out, static_cast<size_t>(layers), false);
}

void Encoder::Run(std::span<const std::vector<int32_t>> texts, std::span<float* const> out, size_t layers, bool pool) {
  for (const std::vector<int32_t>& text : texts) {
    if (text.empty()) throw Error(Code::kInvalidInput, "a text without tokens");
    if (static_cast<int64_t>(text.size()) > spec_.context) {
      throw Error(Code::kInvalidInput, Cat(text.size(), " tokens do not fit the model's context of ", spec_.context));
    }
    for (const int32_t token : text) {
      if (token < 0 || token >= spec_.vocab) {
        throw Error(Code::kInvalidInput, Cat("token ", token, " is outside the vocabulary of ", spec_.vocab));
      }
    }
  }
  // Texts of like length stand together; the long bundles go first, so that the threads end together.
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return texts[a].size() > texts[b].size(); });
  std::vector<const std::vector<int32_t>*> sorted;
  std::vector<float*> outs;
  for (const size_t i : order) {
    sorted.push_back(&texts[i]);
    outs.push_back(out[i]);
  }
  std::vector<Range> bundles;
  for (size_t begin = 0; begin < sorted.size();) {
    size_t end = begin, tokens = 0;
    while (end < sorted.size() && (end == begin || tokens + sorted[end]->size() <= kBundleTokens)) {
      tokens += sorted[end++]->size();
    }
    bundles.push_back({begin, end});
    begin = end;
  }
  const auto pass = [&](const Range& bundle, Scratch* scratch, int threads) {
    return Pass(*this, scratch, std::span(sorted).subspan(bundle.begin, bundle.end - bundle.begin),
                std::span(outs).subspan(bundle.begin, bundle.end - bundle.begin), layers, pool, threads);
  };
  if (bundles.size() < 2 * static_cast<size_t>(threads_->size())) {
    for (const Range& bundle : bundles) {
      Pass together = pass(bundle, scratch_[0].get(), threads_->size());
      threads_->Run([&](int thread) { together.Work(thread); });
    }
    return;
  }
  std::atomic<size_t> next{0};
  threads_->Run([&](int thread) {
    for (size_t i = next++; i < bundles.size(); i = next++) {
      pass(bundles[i], scratch_[static_cast<size_t>(thread)].get(), 1).Work(0);
    }
  });
}

}  // namespace atelier::runtime
