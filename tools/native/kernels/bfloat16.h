// bfloat16: the upper half of a float32.
#pragma once

#include <cstdint>
#include <cstring>

namespace clipscope {

// Rounds to the nearest bfloat16, to even at a tie. As in the processors' conversions, denormal numbers become zero and
// a NaN stays one.
inline uint32_t bfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t magnitude = bits & 0x7fffffff;
  const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  const uint32_t special = magnitude > 0x7f800000 ? bits >> 16 | 0x40 : bits >> 16 & 0x8000;
  return magnitude > 0x7f800000 || magnitude < 0x800000 ? special : rounded;
}

}  // namespace clipscope
