// Choices as numbers, and the weights that explain them best.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "rank/losses.h"

namespace atelier::rank {

// A row per option. The narrow part is what was declared, standardised; the wide one what an encoder says.
struct Design {
  size_t narrow = 0, wide = 0;   // columns
  std::vector<double> features;  // [rows][narrow]
  std::vector<float> vectors;    // [rows][wide]
  std::vector<double> gains;     // [rows]
  std::vector<size_t> first;     // [choices + 1] the row at which a choice begins; the last is the number of rows
  std::vector<double> weights;   // [choices]

  size_t choices() const { return weights.size(); }
  size_t rows() const { return gains.size(); }
};

// Half of it times the sum of the squared weights is added to the loss.
struct Penalty {
  double features = 0, vectors = 0;
};

// Mean loss of the choices `which`, by their weights, and the penalty; with its gradient by the weights [narrow +
// wide], or [narrow] where vectors are left out.
double Objective(const Design& design, std::span<const size_t> which, Loss loss, const Penalty& penalty,
                 std::span<const double> weights, std::span<double> gradient);

// The weights of its minimum, from `start`, whose length says whether vectors are used. Ends once no slope is steeper
// than `slope`.
std::vector<double> Fit(const Design& design, std::span<const size_t> which, Loss loss, const Penalty& penalty,
                        std::vector<double> start, double slope = 1e-8);

// Scores of a choice's rows.
std::vector<double> ScoresOf(const Design& design, size_t choice, std::span<const double> weights);
std::span<const double> GainsOf(const Design& design, size_t choice);

}  // namespace atelier::rank
