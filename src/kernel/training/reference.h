// Plain arithmetic in double for what the kernels of training compute; private to the room. Calls nothing else of ours.
#pragma once

#include "kernel/training/table.h"

namespace atelier::kernel::reference {

double FromBrain(uint16_t bits);  // bf16
uint16_t ToBrain(double value);   // to nearest even, by way of f32
double Activate(Activation act, double x);
double Slope(Activation act, double x);

}  // namespace atelier::kernel::reference
