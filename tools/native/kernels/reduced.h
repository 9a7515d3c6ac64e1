// The kernels of reduced precision, for ops.cc.
#pragma once

#include <cstdint>
#include <string>

#include "kernels.h"
#include "pool.h"

namespace clipscope {

using std::int64_t;

enum class Precision : int32_t { Bf16 = 1, Int8 = 2 };

// The columns of one panel of a packed weight.
constexpr int64_t panelColumns = 32;

// A weight w[in, out] in reduced precision, inside an array of 32-bit words. A word holds consecutive numbers of one
// column: two in bfloat16, four in int8. A panel holds 32 columns, [depth][32] words, so that a row of it fills two
// AVX-512 registers, four of AVX2, or a row of two AMX tiles. Depth and columns are padded with zeros.
//
//     header | panel 0 | panel 1 | … | scales, sums (int8)
struct Packed {
  Precision precision;
  int64_t in, out;
  // The words of a column.
  int64_t depth;
  const int32_t *panels;
  // int8: what each column's numbers are multiples of, and the sum of its numbers.
  const float *scales;
  const int32_t *sums;

  int64_t panelCount() const { return (out + panelColumns - 1) / panelColumns; }
  const int32_t *panel(int64_t i) const { return panels + i * depth * panelColumns; }
};

bool isPrecision(Precision precision);

// The number of words that a packed weight takes.
int64_t packedSize(Precision precision, int64_t in, int64_t out);

// to[packedSize] = w[out, in], packed
void pack(Precision precision, const float *w, int64_t in, int64_t out, int32_t *to, Pool &pool);

// Reads the header. Returns an error message, empty on success.
std::string readPacked(const int32_t *words, int64_t size, Packed *packed);

// [y[0][rows, out / parts] … y[parts − 1]] = x[rows, in] · w[in, out] + bias[out]; bias may be null.
struct ReducedLinear {
  int64_t rows, parts;
  Packed w;
  const float *x, *bias;
  float *const *y;
};

struct ReducedKernels {
  const char *name;
  // Of the weight's precision.
  void (*linear)(const ReducedLinear &, Pool &);
  // Products in bfloat16.
  void (*probabilities)(const Probabilities &, Pool &);
  void (*context)(const Context &, Pool &);
};

}  // namespace clipscope
