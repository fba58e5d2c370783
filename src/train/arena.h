// The parameters of one part, laid end to end in one flat tensor, and their gradients likewise: what an optimiser, a
// checkpoint, an average and an all-reduce see is one array.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "model/model.h"

namespace atelier::train {

struct Slice {
  std::string name;
  int64_t begin = 0, size = 0;  // elements of the arena
  torch::Tensor parameter;      // a view

  // This parameter's part of an array that is laid out as the arena is, in its shape.
  torch::Tensor Of(const torch::Tensor& flat) const { return flat.narrow(0, begin, size).view(parameter.sizes()); }
};

class Arena {
 public:
  // Moves the parameters of `part` into one array: they become views of it. Those of two or more axes come first: only
  // they are decayed. A slice begins at a multiple of 16; what lies between is zero and stays so. All have the array's
  // version counter: a change of any is one of all.
  Arena(model::Model& model, const model::Part& part);

  const std::string& name() const { return name_; }
  torch::Tensor values() const { return values_; }        // [size] f32
  torch::Tensor gradients() const { return gradients_; }  // [size] f32
  int64_t decayed() const { return decayed_; }            // values()[0, decayed) shrink by weight decay
  int64_t size() const { return values_.numel(); }
  const std::vector<Slice>& slices() const { return slices_; }
  // Whether the parameters want gradients: those of another part need none while one is stepped.
  void Learn(bool on);

 private:
  std::string name_;
  torch::Tensor values_, gradients_;
  int64_t decayed_ = 0;
  std::vector<Slice> slices_;
};

}  // namespace atelier::train
