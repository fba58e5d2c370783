// Numbers of 16 bits, as files hold them.
#pragma once

#include <cstdint>

namespace atelier {

float HalfToFloat(uint16_t half);   // IEEE binary16
uint16_t FloatToHalf(float value);  // round to nearest even
float BFloatToFloat(uint16_t bits);
uint16_t FloatToBFloat(float value);  // round to nearest even, NaN stays NaN

}  // namespace atelier
