// Recurrent layers as a module: LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000) and GRU
// (Cho et al. 2014, the reset gate behind the product, as cuDNN has it).
//
//   LSTM  i, f, o = sigmoid(W x + b + U h + d), g = tanh(same);   c' = f c + i g;   h' = o tanh(c')
//         rows of W [4 hidden, in], U [4 hidden, hidden] in the order i, f, g, o
//   GRU   r, z = sigmoid(W x + b + U h + d);   n = tanh(W x + b + r (U h + d));   h' = (1 - z) n + z h
//         rows of W [3 hidden, in], U [3 hidden, hidden] in the order r, z, n
//
// Parameters carry the names of PyTorch's nn.LSTM and nn.GRU: weight_ih_l0 (W), weight_hh_l0 (U), bias_ih_l0 (b),
// bias_hh_l0 (d), and "..._reverse" for the other direction. Fresh ones: uniform in +-1/sqrt(hidden).
#pragma once

#include <torch/torch.h>

#include <vector>

namespace atelier::model {

inline constexpr double kRecurrentDeviation = 0.1;  // of the normal distribution that embeddings and heads begin from

struct RecurrentConfig {
  bool gru = false;
  int64_t input = 0;
  int64_t hidden = 0;  // of each direction
  int64_t layers = 1;
  double dropout = 0;  // between layers
  bool bidirectional = false;
};

class Recurrent : public torch::nn::Module {
 public:
  struct Output {
    torch::Tensor all;           // [batch, time, directions hidden]; zeros behind a row's end. ForwardRows: as its x
    torch::Tensor hidden, cell;  // [layers directions, batch, hidden], at each row's end; cell: LSTM
  };

  explicit Recurrent(const RecurrentConfig& config);

  // x [batch, time, input] from a state of zeros. With `lengths` [batch], of at least 1, a row ends there: what lies
  // behind reaches nothing.
  Output forward(const torch::Tensor& x, const torch::Tensor& lengths = {}) const;
  // The same of an LSTM in its fused form (fused/recurrent.h), x [rows, input]: sizes[t] rows of time t, then of t + 1.
  Output ForwardRows(torch::Tensor x, const std::vector<int64_t>& sizes) const;
  // One step of an LSTM in one direction. x [rows, input]; the state: h and c of layer 0, of layer 1 ..., each [rows,
  // hidden]; the state after it is added to `after`. Returns the last layer's h.
  torch::Tensor Step(torch::Tensor x, torch::TensorList before, std::vector<torch::Tensor>* after) const;

  const RecurrentConfig& config() const { return c_; }
  const std::vector<torch::Tensor>& weights() const { return parameters_; }

 private:
  RecurrentConfig c_;
  std::vector<torch::Tensor> parameters_;  // per layer and direction: W, U, b, d
};

}  // namespace atelier::model
