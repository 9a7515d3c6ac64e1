// Weights from a file into memory, in one go: read, widened to float32 and transposed where asked.
#pragma once

#include <cstdint>
#include <string>

#include "pool.h"

namespace clipscope {

enum class Dtype { F32 = 0, F16 = 1, BF16 = 2, F64 = 3 };

struct Place {
  int file;  // descriptor
  int64_t offset;
  Dtype dtype;
  int64_t rows, columns;
  bool transposed;
};

// y[rows, columns], or y[columns, rows] transposed. Returns what went wrong, or nothing.
std::string readWeight(const Place &place, float *y, Pool &pool);

// Asks the system to have these bytes at hand soon; does not wait.
void readAhead(int file, int64_t offset, int64_t size);

}  // namespace clipscope
