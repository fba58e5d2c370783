#include "model/pretrained.h"

#include <algorithm>

#include "artefact/gguf_tokenizer.h"
#include "artefact/verdict.h"
#include "base/error.h"
#include "base/str.h"
#include "model/fused/attention.h"
#include "model/fused/frozen.h"
#include "model/fused/norm.h"
#include "model/fused/ops.h"
#include "model/layers.h"
#include "model/recomputed.h"
#include "model/zoo.h"
#include "runtime/rope.h"
#include "text/tokenizer.h"

namespace atelier::model {
namespace {

const std::vector<LinearName> kDecoderLayers = {{"attn_q", "self_attn.q_proj"}, {"attn_k", "self_attn.k_proj"},
                                                {"attn_v", "self_attn.v_proj"}, {"attn_output", "self_attn.o_proj"},
                                                {"ffn_gate", "mlp.gate_proj"},  {"ffn_up", "mlp.up_proj"},
                                                {"ffn_down", "mlp.down_proj"}};

// x [batch, heads, time, head]; the first 2 * cosines.size(1) dimensions turn, as RopeSpec says which pairs.
torch::Tensor Turned(const torch::Tensor& x, const runtime::RopeSpec& rope, const torch::Tensor& cosines,
                     const torch::Tensor& sines) {
  const int64_t dims = rope.dims;
  const torch::Tensor turning = x.narrow(-1, 0, dims);
  torch::Tensor turned;
  if (rope.interleaved) {
    turned = Rotate(turning, cosines, sines);
  } else {
    const torch::Tensor c = cosines.narrow(0, 0, x.size(-2)), s = sines.narrow(0, 0, x.size(-2));
    const torch::Tensor wide = turning.to(torch::kFloat32);
    const torch::Tensor a = wide.narrow(-1, 0, dims / 2), b = wide.narrow(-1, dims / 2, dims / 2);
    turned = torch::cat({a * c - b * s, a * s + b * c}, -1).to(x.scalar_type());
  }
  return dims == x.size(-1) ? turned : torch::cat({turned, x.narrow(-1, dims, x.size(-1) - dims)}, -1);
}

// [time, time] true where a token sees another: itself and the `window - 1` before it.
torch::Tensor WindowMask(int64_t time, int64_t window) {
  const torch::Tensor at = torch::arange(time);
  const torch::Tensor back = at.unsqueeze(1) - at.unsqueeze(0);
  return (back >= 0).logical_and(back < window);
}

}  // namespace

struct Pretrained::Block : torch::nn::Module {
  Block(const std::shared_ptr<const artefact::GgufFile>& file, const runtime::DecoderSpec& s, size_t index,
        const LoraConfig& lora)
      : spec(s), layer(s.layers[index]) {
    const auto name = [&](std::string_view part) { return Cat("blk.", index, ".", part); };
    const auto norm = [&](std::string_view part, int64_t size) { return FrozenVector(*file, name(part), size); };
    const int64_t queries = s.heads * s.head_dim, keys = s.kv_heads * s.head_dim;
    const auto linear = [&](const std::string& part, int64_t outs, int64_t ins, bool with_bias) {
      torch::Tensor bias;
      const std::string bias_name = name(part + ".bias");
      if (with_bias ||
          (s.optional_bias && part != "attn_output" && part.starts_with("attn_") && file->Find(bias_name) != nullptr)) {
        bias = FrozenVector(*file, bias_name, outs);
      }
      return register_module(part, std::make_shared<LoraLinear>(FrozenMatrix(file, name(part + ".weight"), outs, ins),
                                                                bias, lora.Has(part) ? &lora : nullptr));
    };
    attention_norm = norm("attn_norm.weight", s.width);
    ffn_norm = norm("ffn_norm.weight", s.width);
    if (s.post_norms) {
      post_attention_norm = norm("post_attention_norm.weight", s.width);
      post_ffn_norm = norm("post_ffw_norm.weight", s.width);
    }
    if (s.qk_norm) {
      query_norm = norm("attn_q_norm.weight", s.head_dim);
      key_norm = norm("attn_k_norm.weight", s.head_dim);
    }
    query = linear("attn_q", queries, s.width, s.qkv_bias);
    key = linear("attn_k", keys, s.width, s.qkv_bias);
    value = linear("attn_v", keys, s.width, s.qkv_bias);
    output = linear("attn_output", s.width, queries, false);
    gate = linear("ffn_gate", s.hidden, s.width, false);
    up = linear("ffn_up", s.hidden, s.width, false);
    down = linear("ffn_down", s.width, s.hidden, false);
  }

  torch::Tensor Attention(const torch::Tensor& x, const Turns& turns) const {
    const auto heads = [](const torch::Tensor& y, int64_t n) { return y.unflatten(-1, {n, -1}).transpose(1, 2); };
    torch::Tensor q = heads(query->forward(x), spec.heads), k = heads(key->forward(x), spec.kv_heads);
    const torch::Tensor v = heads(value->forward(x), spec.kv_heads);
    if (spec.qk_norm) {
      q = RmsNormed(q, query_norm, spec.norm_eps);
      k = RmsNormed(k, key_norm, spec.norm_eps);
    }
    const runtime::RopeSpec& rope = spec.ropes[static_cast<size_t>(layer.rope)];
    q = Turned(q, rope, turns.cosines, turns.sines);
    k = Turned(k, rope, turns.cosines, turns.sines);
    const int64_t time = x.size(1);
    const bool windowed = layer.window > 0 && layer.window < time;
    const std::optional<torch::Tensor> mask = windowed ? std::optional(WindowMask(time, layer.window)) : std::nullopt;
    const torch::Tensor y =
        torch::scaled_dot_product_attention(q, k, v, mask, /*dropout_p=*/0.0, /*is_causal=*/!windowed,
                                            spec.attention_scale, /*enable_gqa=*/spec.kv_heads != spec.heads);
    return output->forward(y.transpose(1, 2).flatten(2));
  }

  torch::Tensor FeedForward(const torch::Tensor& x) const {
    const torch::Tensor g = gate->forward(x);
    return down->forward((spec.gate == kernel::Gate::kSilu ? torch::silu(g) : torch::gelu(g, "tanh")) * up->forward(x));
  }

  // The same over rows of several sequences without padding, x [rows, width] f32, between them bf16.
  torch::Tensor Fused(torch::Tensor x, const std::vector<int64_t>& starts, const Turns& turns) const {
    const auto norm = [&](const torch::Tensor& in, const torch::Tensor& weight) {
      return fused::NarrowNorm(in, {weight, {}, /*rms=*/true, spec.norm_eps});
    };
    const auto heads_normed = [&](const torch::Tensor& in, const torch::Tensor& weight) {
      return norm(in.view({-1, spec.head_dim}).to(torch::kFloat32), weight).view_as(in);
    };
    const auto added = [&](const torch::Tensor& branch, const torch::Tensor& post) {
      if (!post.defined()) return x + branch;
      return x + fused::Norm(branch.to(torch::kFloat32), {post, {}, /*rms=*/true, spec.norm_eps});
    };
    torch::Tensor n = norm(x, attention_norm);
    torch::Tensor q = query->Fused(n), k = key->Fused(n);
    if (spec.qk_norm) q = heads_normed(q, query_norm), k = heads_normed(k, key_norm);
    fused::AttentionShape shape{starts, spec.heads, spec.kv_heads, spec.head_dim, spec.attention_scale};
    shape.cosines = turns.cosines, shape.sines = turns.sines;
    shape.halves = !spec.ropes[static_cast<size_t>(layer.rope)].interleaved;
    x = added(output->Fused(fused::SelfAttention(q, k, value->Fused(n), shape)), post_attention_norm);
    n = norm(x, ffn_norm);
    const auto act = spec.gate == kernel::Gate::kSilu ? kernel::Activation::kSilu : kernel::Activation::kGeluTanh;
    return added(down->Fused(fused::Gated(act, gate->Fused(n), up->Fused(n))), post_ffn_norm);
  }

  torch::Tensor forward(torch::Tensor x, const Turns& turns) const {
    const auto post = [&](const torch::Tensor& y, const torch::Tensor& weight) {
      return weight.defined() ? RmsNormed(y, weight, spec.norm_eps) : y;
    };
    x = x + post(Attention(RmsNormed(x, attention_norm, spec.norm_eps), turns), post_attention_norm);
    return x + post(FeedForward(RmsNormed(x, ffn_norm, spec.norm_eps)), post_ffn_norm);
  }

  const runtime::DecoderSpec spec;
  const runtime::LayerSpec layer;
  torch::Tensor attention_norm, ffn_norm, post_attention_norm, post_ffn_norm, query_norm, key_norm;
  std::shared_ptr<LoraLinear> query, key, value, output, gate, up, down;
};

Pretrained::Pretrained(std::shared_ptr<const artefact::GgufFile> file, const LoraConfig& lora,
                       const ObjectiveConfig& objective)
    : file_(std::move(file)), spec_(runtime::ReadSpec(*file_)), lora_(lora), objective_(objective) {
  file_->RequireSupportedTypes();
  if (spec_.attention_softcap > 0) {
    throw Error(Code::kUnsupported, Cat(file_->path(), ": attention with a softcap cannot be tuned"));
  }
  embedding_ = FrozenMatrix(file_, "token_embd.weight", spec_.vocab, spec_.width);
  const bool tied = file_->Find("output.weight") == nullptr;
  head_ = tied ? embedding_ : FrozenMatrix(file_, "output.weight", spec_.vocab, spec_.width);
  output_norm_ = FrozenVector(*file_, "output_norm.weight", spec_.width);
  const auto list = register_module("blk", std::make_shared<torch::nn::ModuleListImpl>());
  for (size_t i = 0; i < spec_.layers.size(); ++i) {
    blocks_.push_back(std::make_shared<Block>(file_, spec_, i, lora_));
    list->push_back(blocks_.back());
  }
  turns_.resize(spec_.ropes.size());
  if (objective_.objective != nullptr && objective_.objective->verdicts) {
    const auto tokenizer = text::MakeTokenizer(artefact::SpecFromGguf(*file_));
    const int64_t good = tokenizer->Find(artefact::kGood), bad = tokenizer->Find(artefact::kBad);
    if (good < 0 || bad < 0) {
      throw Error(Code::kUnsupported, Cat(file_->path(), ": has no tokens ", Quote(artefact::kGood), " and ",
                                          Quote(artefact::kBad), " to say what it thinks of a reply"));
    }
    if (spec_.final_softcap > 0) {
      throw Error(Code::kUnsupported, Cat(file_->path(), ": its head's softcap bounds what a verdict can be"));
    }
    const torch::Tensor rows = head_.Rows(torch::tensor({good, bad}));
    verdict_ = rows[0] - rows[1];
  }
}

const Pretrained::Turns& Pretrained::TurnsOf(size_t rope, int64_t positions) {
  Turns& turns = turns_[rope];
  if (turns.cosines.defined() && turns.cosines.size(0) >= positions) return turns;
  runtime::RopeTable table(spec_.ropes[rope]);
  table.Grow(positions);
  const int64_t pairs = spec_.ropes[rope].dims / 2;
  const torch::Tensor all = torch::empty({positions, pairs, 2});
  for (int64_t i = 0; i < positions; ++i) {
    std::copy_n(table.Turns(i), 2 * pairs, all.data_ptr<float>() + i * 2 * pairs);
  }
  turns = {all.select(-1, 0).contiguous(), all.select(-1, 1).contiguous()};
  return turns;
}

void Pretrained::CheckLength(int64_t tokens) const {
  if (tokens > spec_.context) {
    throw Error(Code::kInvalidInput, Cat(tokens, " tokens do not fit the model's context of ", spec_.context));
  }
}

torch::Tensor Pretrained::Embedded(const torch::Tensor& ids) const {
  const torch::Tensor x = embedding_.Rows(ids);
  return spec_.embedding_scale != 1 ? x * spec_.embedding_scale : x;
}

torch::Tensor Pretrained::Hidden(const torch::Tensor& ids) {
  CheckLength(ids.size(1));
  torch::Tensor x = Embedded(ids);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const Turns& turns = TurnsOf(static_cast<size_t>(spec_.layers[i].rope), ids.size(1));
    const auto forward = [block = blocks_[i], turns](const torch::Tensor& in) { return block->forward(in, turns); };
    x = checkpointing_ ? Recomputed(forward, x) : forward(x);
  }
  return RmsNormed(x, output_norm_, spec_.norm_eps);
}

torch::Tensor Pretrained::Logits(const torch::Tensor& hidden) const {
  return OutputHead{hidden, head_, spec_.final_softcap}.Logits();
}

// Whether every layer is of the form that Block::Fused has, for these lengths.
bool Pretrained::Fuses(const Batch& batch) const {
  if (!fused::Enabled() || spec_.head_dim % 16 != 0 || spec_.final_softcap > 0) return false;
  if (lora_.dropout > 0 && is_training()) return false;
  for (const runtime::LayerSpec& layer : spec_.layers) {
    if (layer.window > 0 && layer.window < batch.inputs.size(1)) return false;
  }
  return std::all_of(spec_.ropes.begin(), spec_.ropes.end(),
                     [&](const runtime::RopeSpec& rope) { return rope.dims == spec_.head_dim; });
}

torch::Tensor Pretrained::FusedHidden(const Batch& batch, const torch::Tensor& asked) {
  const int64_t rows = batch.rows(), time = batch.inputs.size(1);
  CheckLength(time);
  std::vector<int64_t> starts = {0}, real;  // where the tokens that are no padding lie
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t length = batch.lengths.defined() ? batch.lengths[row].item<int64_t>() : time;
    for (int64_t t = 0; t < length; ++t) real.push_back(row * time + t);
    starts.push_back(static_cast<int64_t>(real.size()));
  }
  const torch::Tensor places = torch::tensor(real);
  torch::Tensor x = Embedded(batch.inputs.flatten().index_select(0, places));
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const Turns& turns = TurnsOf(static_cast<size_t>(spec_.layers[i].rope), time);
    const auto forward = [block = blocks_[i], starts, turns](const torch::Tensor& in) {
      return block->Fused(in, starts, turns);
    };
    x = checkpointing_ ? Recomputed(forward, x) : forward(x);
  }
  const torch::Tensor ends = x.index_select(0, torch::searchsorted(places, asked));
  return fused::NarrowNorm(ends, {output_norm_, {}, /*rms=*/true, spec_.norm_eps});
}

torch::Tensor Pretrained::AskedHidden(const Batch& batch, const torch::Tensor& asked) {
  return Fuses(batch) ? FusedHidden(batch, asked) : Hidden(batch.inputs).flatten(0, 1).index_select(0, asked);
}

Pretrained::Asked Pretrained::AskedLosses(const Batch& batch, double smoothing) {
  namespace F = torch::nn::functional;
  const torch::Tensor targets = batch.targets.flatten();
  const torch::Tensor asked = targets.ne(kIgnored).nonzero().squeeze(1);
  const torch::Tensor rows = torch::div(asked, batch.targets.size(1), "floor"), labels = targets.index_select(0, asked);
  // The head is a large part of a small model: only rows that are asked for see it.
  const torch::Tensor hidden = AskedHidden(batch, asked);
  if (Fuses(batch)) return {rows, fused::FrozenHead(hidden, head_, labels, smoothing)};
  return {rows, F::cross_entropy(Logits(hidden).to(torch::kFloat32), labels,
                                 F::CrossEntropyFuncOptions().reduction(torch::kNone).label_smoothing(smoothing))};
}

void Pretrained::SetTeacher(std::shared_ptr<Pretrained> teacher) {
  const text::TokenizerSpec mine = artefact::SpecFromGguf(*file_), its = artefact::SpecFromGguf(*teacher->base());
  if (mine.tokens != its.tokens || mine.merges != its.merges || mine.scores != its.scores) {
    throw Error(Code::kInvalidInput, Cat(teacher->base()->path(), ": has another vocabulary than ", file_->path()),
                "a model of another vocabulary learns from the teacher's texts: `tune sft` on its replies");
  }
  teacher_ = std::move(teacher);
  teacher_->eval();
}

Loss Pretrained::LossOfTeaching(const Batch& batch) {
  if (!teacher_) throw Error(Code::kInternal, "a student without a teacher");
  const torch::Tensor targets = batch.targets.flatten(), asked = targets.ne(kIgnored).nonzero().squeeze(1);
  torch::Tensor wanted;
  {
    const torch::NoGradGuard no_gradient;
    wanted = teacher_->AskedHidden(batch, asked);
  }
  const DistilLosses out = Distil({AskedHidden(batch, asked), head_, spec_.final_softcap},
                                  {wanted, teacher_->head_, teacher_->spec_.final_softcap},
                                  targets.index_select(0, asked), objective_.distil);
  const auto count = static_cast<double>(std::max<int64_t>(1, asked.size(0)));
  Loss loss{out.losses.sum() / count, {}};
  loss.details["divergence"] = out.divergence.sum().item<double>() / count;
  loss.details["labels"] = out.labels.sum().item<double>() / count;
  return loss;
}

ReplyScores Pretrained::Scores(const Batch& batch) {
  const Asked asked = AskedLosses(batch, 0);
  const torch::Tensor none = torch::zeros({batch.rows()});
  return {
      none.index_add(0, asked.rows, -asked.losses), none.index_add(0, asked.rows, torch::ones_like(asked.losses)), {}};
}

torch::Tensor Pretrained::Verdicts(const Batch& batch) {
  // Where the last token of each reply is asked for: the one that ends it, so nothing of the reply is unseen.
  const int64_t time = batch.targets.size(1);
  const torch::Tensor asked = batch.targets.ne(kIgnored), places = torch::arange(1, time + 1) * asked;
  const torch::Tensor last = places.argmax(1) + torch::arange(batch.rows()) * time;
  const torch::Tensor hidden = AskedHidden(batch, last).to(torch::kFloat32);
  return hidden.matmul(verdict_);
}

Loss Pretrained::LossOfPrompts(const Batch& prompts) {
  if (!rollout_) throw Error(Code::kInternal, "prompts without anybody who samples");
  const Rollouts own = rollout_(prompts, ToAdapter(), fused::Draw());
  torch::Tensor reference;
  if (objective_.beta > 0) {
    const torch::NoGradGuard no_gradient;
    const AdaptersOff as_it_was;
    reference = -AskedLosses(own.batch, 0).losses;
  }
  const Asked asked = AskedLosses(own.batch, 0);
  const torch::Tensor advantages = GroupAdvantages(own.scores, objective_.by_deviation).flatten().to(torch::kFloat32);
  Loss loss = PolicyLoss(-asked.losses, reference, asked.rows, advantages, objective_.beta);
  loss.details["score"] = own.scores.mean().item<double>();
  loss.details["score_deviation"] = own.scores.std(1).mean().item<double>();
  return loss;
}

torch::Tensor Pretrained::KeptDivergence() {
  const Batch text = kept_(fused::Draw());
  const torch::Tensor targets = text.targets.flatten(), asked = torch::arange(targets.numel());
  torch::Tensor before;
  {
    const torch::NoGradGuard no_gradient;
    const AdaptersOff as_it_was;
    before = AskedHidden(text, asked);
  }
  return Distil({AskedHidden(text, asked), head_, spec_.final_softcap}, {before, head_, spec_.final_softcap}, targets,
                {.temperature = 1, .label_weight = 0})
      .losses.mean();
}

Loss Pretrained::ComputeLoss(const Batch& batch, size_t, const LossOptions& options) {
  Loss loss = LossOfObjective(batch, options);
  if (kept_ && is_training()) {
    const torch::Tensor away = KeptDivergence();
    loss.value = loss.value + keep_weight_ * away;
    loss.details["kept"] = away.item<double>();
  }
  return loss;
}

Loss Pretrained::LossOfObjective(const Batch& batch, const LossOptions& options) {
  if (objective_.data() == DataKind::kPrompts) return LossOfPrompts(batch);
  if (objective_.teacher.given()) return LossOfTeaching(batch);
  if (objective_.data() == DataKind::kReplies) {
    const torch::Tensor losses = AskedLosses(batch, options.label_smoothing).losses;
    return {losses.sum() / std::max<int64_t>(1, losses.size(0)), {}};
  }
  if (objective_.objective->verdicts) {
    ReplyScores scores;
    scores.verdicts = Verdicts(batch);
    return objective_.objective->loss(scores, batch.marks, objective_, options);
  }
  ReplyScores scores = Scores(batch);
  if (objective_.objective->reference) {
    const torch::NoGradGuard no_gradient;
    const AdaptersOff as_it_was;
    scores.reference = Scores(batch).sums;
  }
  return objective_.objective->loss(scores, batch.marks, objective_, options);
}

int64_t Pretrained::Count(const Batch& batch, size_t part) const {
  switch (objective_.data()) {
    case DataKind::kReplies: return Model::Count(batch, part);
    case DataKind::kPrompts: return batch.rows();
    default: return batch.rows() / 2;
  }
}

torch::Tensor Pretrained::NextLogits(const torch::Tensor& ids) {
  const torch::NoGradGuard no_gradient;
  return Logits(Hidden(ids).select(1, -1)).to(torch::kFloat32);
}

artefact::Adapter Pretrained::ToAdapter() const { return AdapterOf(*this, *file_, lora_.alpha); }

void Pretrained::Load(const artefact::Adapter& adapter) {
  const torch::NoGradGuard no_gradient;
  auto parameters = named_parameters();
  if (adapter.pairs.size() * 2 != parameters.size()) {
    throw Error(Code::kConflict,
                Cat("the adapter has ", adapter.pairs.size(), " matrices, the model ", parameters.size() / 2));
  }
  for (const artefact::LoraPair& pair : adapter.pairs) {
    const std::string layer = pair.tensor.substr(0, pair.tensor.rfind('.'));
    const auto take = [&](const char* name, int64_t rows, int64_t cols, const std::vector<float>& values) {
      torch::Tensor* into = parameters.find(layer + name);
      if (into == nullptr || into->size(0) != rows || into->size(1) != cols) {
        throw Error(Code::kConflict, Cat("the adapter's ", Quote(pair.tensor), " is not the model's"));
      }
      std::copy(values.begin(), values.end(), into->data_ptr<float>());
    };
    take(".lora_a", pair.rank, pair.ins, pair.a);
    take(".lora_b", pair.outs, pair.rank, pair.b);
  }
}

std::shared_ptr<Pretrained> OpenTeacher(const Teacher& teacher) {
  LoraConfig lora{.targets = {}};
  std::optional<artefact::Adapter> adapter;
  if (!teacher.adapter.empty()) {
    adapter = artefact::ReadAdapterGguf(teacher.adapter);
    if (adapter->pairs.empty()) throw Error(Code::kCorrupt, Cat(teacher.adapter, ": holds no matrix"));
    lora.rank = adapter->pairs[0].rank, lora.alpha = adapter->alpha;
    for (const artefact::LoraPair& pair : adapter->pairs) {  // "blk.0.attn_q.weight"
      const std::string layer = pair.tensor.substr(0, pair.tensor.rfind('.'));
      const std::string part = layer.substr(layer.rfind('.') + 1);
      if (!lora.Has(part)) lora.targets.push_back(part);
    }
  }
  auto model = std::make_shared<Pretrained>(artefact::GgufFile::Open(teacher.model), lora);
  if (adapter) model->Load(*adapter);
  model->eval();
  return model;
}

DataKind DataOfPretrained(Table& config) { return ReadObjective(config).objective->data; }

std::shared_ptr<Model> MakePretrained(Table& config, const DataShape& shape) {
  const std::string init = config.String("init");
  const LoraConfig lora = ReadLora(config, kDecoderLayers, "dropout");
  const std::string path = FindBase(init, shape.start);
  auto model = std::make_shared<Pretrained>(artefact::GgufFile::Open(path), lora, ReadObjective(config));
  if (shape.vocabulary != model->spec().vocab) {
    throw Error(Code::kCorrupt,
                Cat(path, ": its tokenizer has ", shape.vocabulary, " tokens, its embedding ", model->spec().vocab));
  }
  if (shape.sequence_length > model->context()) {
    throw Error(Code::kInvalidInput,
                Cat(path, ": its context of ", model->context(), " tokens is shorter than ", shape.sequence_length,
                    ", the longest record (data.sequence_length)"),
                "--length says it for `tune`");
  }
  return model;
}

}  // namespace atelier::model
