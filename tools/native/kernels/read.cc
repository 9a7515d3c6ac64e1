#include "read.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>

#include "memory.h"

namespace clipscope {

namespace {

// Bytes of one read. They stay in the thread's cache until they are converted.
constexpr int64_t chunkSize = 256 * 1024;

int64_t sizeOf(Dtype dtype) { return dtype == Dtype::F64 ? 8 : dtype == Dtype::F32 ? 4 : 2; }

// Returns 0, an error number, or -1 at the end of the file.
int readFully(int file, int64_t offset, int64_t size, char *to) {
  while (size > 0) {
    const ssize_t count = pread(file, to, static_cast<size_t>(size), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : -1;
    offset += count;
    size -= count;
    to += count;
  }
  return 0;
}

float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// TensorFlow's threads treat denormal float32 numbers as zero, so no step may produce one. A denormal half is a multiple
// of 2⁻²⁴; for other halves the exponent bias increases by 112.
float fromHalf(uint16_t half) {
  const uint32_t magnitude = half & 0x7fff;
  const uint32_t moved = magnitude << 13;
  const float normal = fromBits(magnitude < 0x7c00 ? moved + (112u << 23) : moved | 0x7f800000);  // infinity, NaN
  const float value = magnitude < 0x400 ? static_cast<float>(magnitude) * 0x1p-24f : normal;
  return half & 0x8000 ? -value : value;
}

// All half-precision numbers: a lookup is much faster than a conversion.
const float *halves() {
  static const float *table = [] {
    auto *values = new float[1 << 16];
    for (int half = 0; half < 1 << 16; ++half) values[half] = fromHalf(static_cast<uint16_t>(half));
    return values;
  }();
  return table;
}

void widen(Dtype dtype, const char *from, int64_t count, float *to) {
  if (dtype == Dtype::F32) {
    std::memcpy(to, from, sizeof(float) * count);
  } else if (dtype == Dtype::F64) {
    const auto *values = reinterpret_cast<const double *>(from);
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(values[i]);
  } else {
    const auto *values = reinterpret_cast<const uint16_t *>(from);
    if (dtype == Dtype::F16) {
      const float *table = halves();
      for (int64_t i = 0; i < count; ++i) to[i] = table[values[i]];
    } else {
      for (int64_t i = 0; i < count; ++i) to[i] = fromBits(static_cast<uint32_t>(values[i]) << 16);
    }
  }
}

struct Buffers {
  std::unique_ptr<double[]> bytes{new double[chunkSize / sizeof(double)]};  // aligned for every dtype
  std::unique_ptr<float[]> values{new float[chunkSize / 2]};
};

}  // namespace

std::string readWeight(const Place &place, float *y, Pool &pool) {
  const int64_t rows = place.rows, columns = place.columns, width = sizeOf(place.dtype);
  preferLargePages(y, rows * columns * static_cast<int64_t>(sizeof *y));
  const int64_t valuesAtOnce = chunkSize / width;
  // If transposed, a piece consists of whole rows, and each column of a piece is contiguous in y.
  const int64_t piece = place.transposed ? std::max<int64_t>(1, valuesAtOnce / columns) * columns : valuesAtOnce;
  if (place.transposed && columns > valuesAtOnce) return "a row is too long to be transposed";
  std::atomic<int> failure{0};
  pool.run((rows * columns + piece - 1) / piece, [&](int64_t task) {
    thread_local Buffers buffers;
    const int64_t first = task * piece, count = std::min(piece, rows * columns - first);
    auto *bytes = reinterpret_cast<char *>(buffers.bytes.get());
    const int status = readFully(place.file, place.offset + first * width, count * width, bytes);
    if (status != 0) {
      failure = status;
      return;
    }
    if (!place.transposed) return widen(place.dtype, bytes, count, y + first);
    float *values = buffers.values.get();
    widen(place.dtype, bytes, count, values);
    const int64_t row = first / columns, height = count / columns;
    // Sixteen columns at a time: what they read and write fits the L1 cache.
    for (int64_t begin = 0; begin < columns; begin += 16) {
      const int64_t end = std::min(columns, begin + 16);
      for (int64_t j = begin; j < end; ++j) {
        for (int64_t i = 0; i < height; ++i) y[j * rows + row + i] = values[i * columns + j];
      }
    }
  });
  if (failure == -1) return "the file ends before the last number";
  return failure == 0 ? "" : std::strerror(failure);
}

void readAhead(int file, int64_t offset, int64_t size) {
#if defined(POSIX_FADV_WILLNEED)
  posix_fadvise(file, static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_WILLNEED);
#elif defined(F_RDADVISE)
  radvisory advice{static_cast<off_t>(offset), static_cast<int>(std::min<int64_t>(size, 1 << 30))};
  fcntl(file, F_RDADVISE, &advice);
#else
  (void)file, (void)offset, (void)size;
#endif
}

}  // namespace clipscope
