// Vectors of the instruction set that a file is compiled for: GCC's and Clang's vector types.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace clipscope {
namespace CLIPSCOPE_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int lanes = 16;
constexpr bool manyRegisters = true;
#elif defined(__AVX__)
constexpr int lanes = 8;
constexpr bool manyRegisters = false;
#elif defined(__aarch64__)
constexpr int lanes = 4;
constexpr bool manyRegisters = true;
#else
constexpr int lanes = 4;
constexpr bool manyRegisters = false;
#endif

// Not with `using`: Clang would ignore `aligned` there and assume the alignment of whole vectors.
typedef float Vector __attribute__((vector_size(4 * lanes), aligned(4), may_alias));
typedef int32_t Integers __attribute__((vector_size(4 * lanes), aligned(4), may_alias));

inline Vector load(const float *from) { return *reinterpret_cast<const Vector *>(from); }
inline void store(float *to, Vector value) { *reinterpret_cast<Vector *>(to) = value; }
inline Vector spread(float value) { return Vector{} + value; }

inline float sum(Vector x) {
  float total = 0;
  for (int i = 0; i < lanes; ++i) total += x[i];
  return total;
}

// eˣ for x ≤ 0: 2ⁿ · eʳ with |r| ≤ ln 2 / 2, and eʳ by its Taylor series, whose first omitted term is below 6e-9. 0 if
// the result would be denormal.
inline Vector expNegative(Vector x) {
  const Vector least = spread(-87.33f);
  const Integers tiny = x < least;
  x = tiny ? least : x;
  const Integers n = __builtin_convertvector(x * 1.44269504f - 0.5f, Integers);
  const Vector whole = __builtin_convertvector(n, Vector);
  const Vector r = (x - whole * 0.693145752f) - whole * 1.42860677e-6f;  // ln 2 in two parts; the product of n and the first part is exact
  Vector e = 1.0f / 5040 * r + 1.0f / 720;
  e = e * r + 1.0f / 120;
  e = e * r + 1.0f / 24;
  e = e * r + 1.0f / 6;
  e = e * r + 0.5f;
  e = e * r + 1.0f;
  e = e * r + 1.0f;
  const Integers power = (n + 127) << 23;
  Vector scale;
  std::memcpy(&scale, &power, sizeof scale);
  return tiny ? Vector{} : e * scale;
}

// x = softmax(x)
inline void softmaxInPlace(float *x, int64_t size) {
  const int64_t whole = size / lanes * lanes;
  Vector highest = spread(x[0]);
  for (int64_t i = 0; i < whole; i += lanes) {
    const Vector v = load(x + i);
    highest = v > highest ? v : highest;
  }
  float most = highest[0];
  for (int i = 1; i < lanes; ++i) most = std::max(most, highest[i]);
  for (int64_t i = whole; i < size; ++i) most = std::max(most, x[i]);

  Vector partial = {};
  for (int64_t i = 0; i < whole; i += lanes) {
    const Vector e = expNegative(load(x + i) - most);
    store(x + i, e);
    partial += e;
  }
  float total = sum(partial);
  for (int64_t i = whole; i < size; ++i) total += x[i] = expNegative(spread(x[i] - most))[0];
  const float scale = 1 / total;
  for (int64_t i = 0; i < size; ++i) x[i] *= scale;
}

}  // namespace
}  // namespace CLIPSCOPE_ISA
}  // namespace clipscope
