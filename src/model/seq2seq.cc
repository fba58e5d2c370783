#include "model/seq2seq.h"

#include <cmath>
#include <limits>

#include "base/str.h"
#include "model/fused/attention_decoder.h"
#include "model/fused/head.h"
#include "model/fused/linear.h"

namespace atelier::model {
namespace {

// Places in DecoderState::source. The past holds h and c of every layer, then r with input feeding.
enum Source : size_t { kMemory, kKeys, kMask };

torch::Tensor Apply(const Linear& linear, const torch::Tensor& x) {
  return fused::Enabled() ? fused::Linear(x, linear.weight, linear.bias) : linear.forward(x);
}

}  // namespace

Seq2SeqConfig ReadSeq2SeqConfig(Table& config, const DataShape& shape) {
  Seq2SeqConfig c;
  c.source_vocabulary = shape.source_vocabulary;
  c.vocabulary = shape.vocabulary;
  c.embedding = config.IntOr("embedding", c.embedding, 1, 1 << 16);
  c.width = config.IntOr("width", c.width, 1, 1 << 16);
  c.layers = config.IntOr("layers", c.layers, 1, 100);
  c.bidirectional = config.BoolOr("bidirectional", c.bidirectional);
  const std::string attention = config.StringOr("attention", "bahdanau");
  if (attention == "luong") {
    c.attention = AttentionKind::kLuong;
  } else if (attention == "luong-dot") {
    c.attention = AttentionKind::kLuongDot;
  } else if (attention != "bahdanau") {
    config.Refuse("attention", Cat(Quote(attention), " is no attention"), "bahdanau, luong or luong-dot");
  }
  c.input_feeding = c.attention != AttentionKind::kBahdanau && config.BoolOr("input_feeding", c.input_feeding);
  c.tied = config.BoolOr("tied", c.tied);
  c.dropout = config.DoubleOr("dropout", c.dropout, 0, 0.99);
  c.teacher_forcing = config.DoubleOr("teacher_forcing", c.teacher_forcing, 0, 1);
  if (c.tied && c.embedding != c.width) {
    config.Refuse("tied", Cat("a tied head wants embedding = width, not ", c.embedding, " and ", c.width));
  }
  if (c.bidirectional && c.width % 2 != 0) config.Refuse("width", "two directions want an even width");
  return c;
}

Seq2Seq::Seq2Seq(const Seq2SeqConfig& config) : config_(config) {
  const Seq2SeqConfig& c = config_;
  const bool additive = c.attention == AttentionKind::kBahdanau;
  const auto embedding = [&](const char* name, int64_t vocabulary) {
    torch::nn::Embedding e = register_module(name, torch::nn::Embedding(vocabulary, c.embedding));
    torch::nn::init::normal_(e->weight, 0, kRecurrentDeviation);
    return e;
  };
  const auto linear = [&](const char* name, int64_t in, int64_t out, bool bias) {
    return register_module(name, std::make_shared<Linear>(in, out, bias, 1 / std::sqrt(static_cast<double>(in))));
  };
  source_embd_ = embedding("source_embd", c.source_vocabulary);
  token_embd_ = embedding("token_embd", c.vocabulary);
  encoder_ = register_module("encoder", std::make_shared<Recurrent>(
                                            RecurrentConfig{false, c.embedding, c.bidirectional ? c.width / 2 : c.width,
                                                            c.layers, c.dropout, c.bidirectional}));
  const int64_t fed = additive || c.input_feeding ? c.width : 0;
  decoder_ = register_module("decoder", std::make_shared<Recurrent>(RecurrentConfig{false, c.embedding + fed, c.width,
                                                                                    c.layers, c.dropout, false}));
  if (c.attention != AttentionKind::kLuongDot) key_ = linear("key", c.width, c.width, false);
  if (additive) {
    query_ = linear("query", c.width, c.width, false);
    energy_ = linear("energy", c.width, 1, false);
  }
  readout_ = linear("readout", 2 * c.width + (additive ? c.embedding : 0), c.width, true);
  output_ = register_module("output", std::make_shared<Head>(c.width, c.vocabulary, kRecurrentDeviation,
                                                             c.tied ? token_embd_->weight : torch::Tensor()));
}

DecoderState Seq2Seq::Encode(const torch::Tensor& source, const torch::Tensor& lengths) {
  const torch::Tensor x = torch::dropout(source_embd_->forward(source), config_.dropout, is_training());
  const Recurrent::Output read = encoder_->forward(x, lengths);
  DecoderState state;
  state.source = {read.all, key_ ? Apply(*key_, read.all) : read.all, Behind(lengths, source.size(1))};
  const int64_t directions = config_.bidirectional ? 2 : 1;
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    for (const torch::Tensor& states : {read.hidden, read.cell}) {  // [directions, rows, width/directions]
      state.past.push_back(states.narrow(0, layer * directions, directions).transpose(0, 1).flatten(1));
    }
  }
  if (config_.input_feeding) state.past.push_back(torch::zeros_like(state.past[0]));
  return state;
}

Seq2Seq::Decoded Seq2Seq::Attend(const torch::Tensor& query, const DecoderState& state) const {
  const torch::Tensor &memory = state.source[kMemory], &keys = state.source[kKeys];
  const torch::Tensor scores =
      query_ ? energy_->forward(torch::tanh(query_->forward(query).unsqueeze(1) + keys)).squeeze(-1)
             : torch::bmm(keys, query.unsqueeze(-1)).squeeze(-1);
  const torch::Tensor weights =
      scores.to(torch::kFloat32).masked_fill(state.source[kMask], -std::numeric_limits<float>::infinity()).softmax(-1);
  return {torch::bmm(weights.to(memory.scalar_type()).unsqueeze(1), memory).squeeze(1), weights};
}

Seq2Seq::Decoded Seq2Seq::Decode(const torch::Tensor& previous, DecoderState* state) {
  const auto layers = static_cast<size_t>(2 * config_.layers);
  const torch::TensorList before(state->past.data(), layers);
  const torch::Tensor e = torch::dropout(token_embd_->forward(previous), config_.dropout, is_training());
  std::vector<torch::Tensor> after;
  Decoded out;
  if (config_.attention == AttentionKind::kBahdanau) {
    const Decoded context = Attend(before[layers - 2], *state);
    const torch::Tensor s = decoder_->Step(torch::cat({e, context.readout}, -1), before, &after);
    out.readout = torch::tanh(readout_->forward(torch::cat({s, context.readout, e}, -1)));
    out.attention = context.attention;
  } else {
    const torch::Tensor x = config_.input_feeding ? torch::cat({e, state->past[layers]}, -1) : e;
    const torch::Tensor s = decoder_->Step(x, before, &after);
    const Decoded context = Attend(s, *state);
    out.readout = torch::tanh(readout_->forward(torch::cat({s, context.readout}, -1)));
    out.attention = context.attention;
    if (config_.input_feeding) after.push_back(out.readout);
  }
  state->past = std::move(after);
  return out;
}

torch::Tensor Seq2Seq::LogitsOf(const torch::Tensor& readout) const {
  return output_->forward(torch::dropout(readout, config_.dropout, is_training()));
}

DecoderStep Seq2Seq::Step(const torch::Tensor& previous, DecoderState* state) {
  const Decoded decoded = Decode(previous, state);
  return {LogitsOf(decoded.readout).to(torch::kFloat32), decoded.attention};
}

torch::Tensor Seq2Seq::Logits(const Batch& batch) {
  DecoderState state = Encode(batch.source, batch.source_lengths);
  const bool guesses = is_training() && config_.teacher_forcing < 1;
  std::vector<torch::Tensor> readouts;
  for (int64_t time = 0; time < batch.inputs.size(1); ++time) {
    torch::Tensor previous = batch.inputs.select(1, time);
    if (guesses && time > 0) {
      const torch::NoGradGuard no_gradient;
      const torch::Tensor own = output_->forward(readouts.back()).argmax(-1);
      const torch::Tensor forced = torch::rand(own.sizes(), own.device()) < config_.teacher_forcing;
      previous = torch::where(forced, previous, own);
    }
    readouts.push_back(Decode(previous, &state).readout);
  }
  return LogitsOf(torch::stack(readouts, 1));
}

// Where the fused decoder can do it: fused/attention_decoder.h.
bool Seq2Seq::Fuses() const {
  return fused::Enabled() && config_.attention == AttentionKind::kBahdanau && config_.layers == 1 &&
         !(is_training() && config_.teacher_forcing < 1);
}

torch::Tensor Seq2Seq::FusedLoss(const Batch& batch, const LossOptions& options) {
  // From the longest target to the shortest, each as far as anything is asked of it: what lies behind is not computed.
  const torch::Tensor places = torch::arange(1, batch.targets.size(1) + 1);
  const torch::Tensor asked = ((batch.targets != kIgnored) * places).amax(1).clamp_min(1);
  const auto [lengths, order] = asked.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
  const auto pack = [&, &rows = order, &ends = lengths](const torch::Tensor& x) {
    return at::_pack_padded_sequence(x.index_select(0, rows), ends, /*batch_first=*/true);
  };
  const auto [ids, counts] = pack(batch.inputs);
  const auto* count = counts.data_ptr<int64_t>();
  const auto drop = [&](const torch::Tensor& x) { return torch::dropout(x, config_.dropout, is_training()); };

  const torch::Tensor source_lengths = batch.source_lengths.index_select(0, order);
  const DecoderState state = Encode(batch.source.index_select(0, order), source_lengths);
  const torch::Tensor e = drop(fused::Embed(token_embd_->weight, {}, ids)).to(torch::kBFloat16);
  const std::vector<torch::Tensor>& p = decoder_->weights();
  const fused::AttentionDecoded decoded = fused::DecodeAttending(
      e, {count, count + counts.numel()}, {query_->weight, energy_->weight, {p[0], p[1], p[2], p[3]}},
      {state.source[kKeys], state.source[kMemory], source_lengths}, {state.past[0], state.past[1]});
  const torch::Tensor readout = torch::tanh(Apply(*readout_, torch::cat({decoded.states, decoded.contexts, e}, -1)));
  return fused::HeadLoss(drop(readout), {}, output_->weight, output_->bias, std::get<0>(pack(batch.targets)),
                         options.label_smoothing);
}

Loss Seq2Seq::ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) {
  if (Fuses()) return {FusedLoss(batch, options), {}};
  return Translator::ComputeLoss(batch, part, options);
}

std::shared_ptr<Model> MakeSeq2Seq(Table& config, const DataShape& shape) {
  return std::make_shared<Seq2Seq>(ReadSeq2SeqConfig(config, shape));
}

}  // namespace atelier::model
