#include "bench/step_models.h"

#include "model/bert_heads.h"
#include "model/gpt.h"
#include "model/mlp_gan.h"
#include "model/recurrent_lm.h"
#include "model/seq2seq.h"

namespace atelier::bench {
namespace {

train::OptimiserSettings AdamW(double rate, double decay, double beta1 = 0.9) {
  train::OptimiserSettings s;
  s.name = "adamw", s.rate = rate, s.weight_decay = decay, s.beta1 = beta1;
  return s;
}

// Texts of `time` tokens, and targets that can be learned.
model::Batch Texts(int64_t vocabulary, int64_t rows, int64_t time) {
  model::Batch batch;
  batch.inputs = torch::randint(vocabulary, {rows, time}, torch::kInt64);
  batch.targets = (batch.inputs * 31 + 7).remainder(vocabulary);
  return batch;
}

// 6 layers of width 256, vocabulary 8192, 16 x 256 tokens.
std::shared_ptr<model::Model> MakeGpt(bool llama) {
  model::GptConfig c;
  c.llama = llama;
  c.vocabulary = 8192, c.context = 256, c.layers = 6, c.width = 256, c.heads = 4;
  return std::make_shared<model::Gpt>(c);
}

// Width 256 to 512 in 2 layers, vocabulary 8192, 32 x 128 tokens.
std::shared_ptr<model::Model> MakeLstm() {
  model::RecurrentLmConfig c;
  c.vocabulary = 8192;
  return std::make_shared<model::RecurrentLm>(c);
}

// Width 512 over embeddings of 256, Bahdanau's attention, vocabularies of 8192, 64 pairs of 5 to 30 tokens.
std::shared_ptr<model::Model> MakeSeq2Seq() {
  model::Seq2SeqConfig c;
  c.source_vocabulary = c.vocabulary = 8192, c.width = 512;
  return std::make_shared<model::Seq2Seq>(c);
}
model::Batch Pairs() {
  model::Batch batch = Texts(8192, 64, 30);
  batch.source = torch::randint(8192, {64, 30}, torch::kInt64);
  batch.source_lengths = torch::randint(5, 31, {64}, torch::kInt64);
  const torch::Tensor lengths = torch::randint(5, 31, {64}, torch::kInt64);
  batch.targets.masked_fill_(model::Behind(lengths, 30), model::kIgnored);
  return batch;
}

// e5-small with 8192 words: 12 layers of width 384, 12 heads; two classes by the mean of all tokens.
std::shared_ptr<model::Model> MakeBert() {
  model::BertConfig c;
  c.vocabulary = 8192, c.context = 128, c.layers = 12, c.width = 384, c.heads = 12;
  return std::make_shared<model::BertClassifier>(c, model::BertHeadConfig{2, true});
}
// 16 texts as long as short reviews, each class in its half of the words.
model::Batch Reviews() {
  model::Batch batch;
  batch.lengths = (3.6 + 0.6 * torch::randn({16})).exp().round().clamp(4, 128).to(torch::kInt64);
  batch.targets = torch::randint(2, {16}, torch::kInt64);
  batch.inputs = torch::randint(4096, {16, batch.lengths.max().item<int64_t>()}, torch::kInt64) +
                 4096 * batch.targets.unsqueeze(1);
  return batch;
}

// 784-256-256-1 against 100-256-256-784, 64 pictures.
std::shared_ptr<model::Model> MakeGan() {
  model::MlpGanConfig c;
  c.height = c.width = 28;
  return std::make_shared<model::MlpGan>(c);
}
model::Batch Pictures() {
  model::Batch batch;
  batch.inputs = torch::rand({64, 28, 28}).round();
  return batch;
}

const StepModel kModels[] = {
    {"gpt2", [] { return MakeGpt(false); }, [] { return Texts(8192, 16, 256); }, AdamW(3e-4, 0.1)},
    {"llama", [] { return MakeGpt(true); }, [] { return Texts(8192, 16, 256); }, AdamW(3e-4, 0.1)},
    {"lstm", MakeLstm, [] { return Texts(8192, 32, 128); }, AdamW(3e-4, 0.1)},
    {"seq2seq", MakeSeq2Seq, Pairs, AdamW(3e-4, 0.1)},
    {"bert", MakeBert, Reviews, AdamW(2e-5, 0.01)},
    {"gan", MakeGan, Pictures, AdamW(2e-4, 0, 0.5), false},
};

}  // namespace

const StepModel* FindStepModel(std::string_view name) {
  for (const StepModel& m : kModels) {
    if (m.name == name) return &m;
  }
  return nullptr;
}

}  // namespace atelier::bench
