// The kernels of one instruction set, for ops.cc. All arrays are float32 in row-major order, without gaps unless a
// stride is given.
#pragma once

#include <cstdint>

#include "pool.h"

namespace clipscope {

using std::int64_t;

// [y[0][rows, out] … y[parts − 1][rows, out]] = x[rows, in] · w[in, parts · out] + bias[parts · out]; bias may be null.
struct Linear {
  int64_t rows, in, out, parts;
  const float *x, *w, *bias;
  float *const *y;
};

// y = x · Φ(x)
struct Gelu {
  int64_t size;
  const float *x;
  float *y;
};

// y[rows, width] = (x − mean) / √(variance + ε) · γ + β
struct LayerNorm {
  int64_t rows, width;
  float epsilon;
  const float *x, *gamma, *beta;
  float *y;
};

// p[batch, heads, length, length] = softmax(q · kᵀ / √(width / heads) + mask), with q and k [batch, length, width].
// The mask is read at batch · maskStride[0] + head · maskStride[1] + row · maskStride[2] + column · maskStride[3].
struct Probabilities {
  int64_t batch, heads, length, width;
  const float *q, *k, *mask;
  int64_t maskStride[4];
  float *p;
};

// y[batch, length, width] = p[batch, heads, length, length] · v[batch, length, width], head by head
struct Context {
  int64_t batch, heads, length, width;
  const float *p, *v;
  float *y;
};

struct Kernels {
  const char *name;
  void (*linear)(const Linear &, Pool &);
  void (*gelu)(const Gelu &, Pool &);
  void (*layerNorm)(const LayerNorm &, Pool &);
  void (*probabilities)(const Probabilities &, Pool &);
  void (*context)(const Context &, Pool &);
};

}  // namespace clipscope
