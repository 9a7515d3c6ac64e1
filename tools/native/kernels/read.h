// Reads weights from a file, widens them to float32 and optionally transposes them.
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

// Fills y[rows, columns], or y[columns, rows] if transposed. Returns an error message, empty on success.
std::string readWeight(const Place &place, float *y, Pool &pool);

// Asks the system to read these bytes into its cache; returns at once.
void readAhead(int file, int64_t offset, int64_t size);

}  // namespace clipscope
