// Dot products of int8 rows with an int16 query, as in tools/wasm/kernels/scan.ts. Sums are exact in int32, so the result
// does not depend on the instruction set.
#pragma once

#include <cstdint>

namespace clipscope {

using std::int64_t;

// out[i] = codes[list[i]] · query for i < count. A row has `stride` bytes, a multiple of 64.
struct Scan {
  const int8_t *codes;
  int64_t stride;
  const int32_t *list;
  int64_t count;
  const int16_t *query;
  int32_t *out;
};

struct ScanKernel {
  const char *name;  // of the instruction set
  void (*dots)(const Scan &);
};

}  // namespace clipscope
