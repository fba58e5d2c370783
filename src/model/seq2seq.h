// LSTM encoder and decoder with attention: "seq2seq" (Sutskever et al. 2014).
//
//   memory = LSTM(E_s[source])                     [batch, source time, width]; in both directions each has half of it
//   The decoder's layers begin with the encoder's last states. For each target token y:
//
//   bahdanau (Bahdanau et al. 2015)                luong (Luong et al. 2015, "general" and "dot")
//     a = softmax(v . tanh(Q s' + K memory))         s = LSTM([E_t[y']; r'], s')
//     c = a . memory                                 a = softmax(s . K memory), dot: softmax(s . memory)
//     s = LSTM([E_t[y']; c], s')                     c = a . memory
//     r = tanh(R [s; c; E_t[y']] + b)                r = tanh(R [s; c] + b)
//   logits = r W^T + d                             W = E_t where the head is tied
//
// s is the last layer's h, ' what the step before left (r' = 0 at first; r' is left out without `input_feeding`), y'
// the token before. Source tokens behind a row's end get no attention. What differs from the papers: Bahdanau's has a
// GRU and maxout before the head; Luong's r has no b.
//
// In training, y' is the true token before with probability `teacher_forcing`, drawn for every token, else the one that
// the model itself holds for the likeliest (Bengio et al. 2015).
//
// Fresh parameters: embeddings and heads normal(0, 0.1), LSTMs as recurrent.h has them, others normal(0, 1/sqrt(in)).
#pragma once

#include <memory>

#include "model/layers.h"
#include "model/recurrent.h"
#include "model/translator.h"
#include "model/zoo.h"

namespace atelier::model {

enum class AttentionKind { kBahdanau, kLuong, kLuongDot };

struct Seq2SeqConfig {
  int64_t source_vocabulary = 0, vocabulary = 0;
  int64_t embedding = 256;
  int64_t width = 256;
  int64_t layers = 1;                                  // of the encoder, and of the decoder
  bool bidirectional = true;                           // the encoder
  AttentionKind attention = AttentionKind::kBahdanau;  // "bahdanau", "luong", "luong-dot"
  bool input_feeding = true;                           // luong
  bool tied = false;                                   // the head is the target's embedding: embedding = width
  double dropout = 0;                                  // of embeddings, between layers, before the head
  double teacher_forcing = 1;
};

Seq2SeqConfig ReadSeq2SeqConfig(Table& config, const DataShape& shape);

class Seq2Seq : public Translator {
 public:
  explicit Seq2Seq(const Seq2SeqConfig& config);

  Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) override;
  torch::Tensor Logits(const Batch& batch) override;
  DecoderState Encode(const torch::Tensor& source, const torch::Tensor& lengths) override;
  DecoderStep Step(const torch::Tensor& previous, DecoderState* state) override;
  int64_t context() const override { return 1 << 20; }  // no bound of its own
  const Seq2SeqConfig& config() const { return config_; }

 private:
  struct Decoded {
    torch::Tensor readout;    // r, [rows, width]
    torch::Tensor attention;  // a, [rows, source time]
  };
  Decoded Decode(const torch::Tensor& previous, DecoderState* state);
  Decoded Attend(const torch::Tensor& query, const DecoderState& state) const;  // readout: c
  torch::Tensor LogitsOf(const torch::Tensor& readout) const;
  bool Fuses() const;
  torch::Tensor FusedLoss(const Batch& batch, const LossOptions& options);

  Seq2SeqConfig config_;
  torch::nn::Embedding source_embd_{nullptr}, token_embd_{nullptr};
  std::shared_ptr<Recurrent> encoder_, decoder_;
  std::shared_ptr<Linear> query_, key_, energy_, readout_;  // Q, K, v, R
  std::shared_ptr<Head> output_;
};

}  // namespace atelier::model
