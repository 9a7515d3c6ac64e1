#include <algorithm>
#include <cmath>
#include <cstring>

#include "bfloat16.h"
#include "memory.h"
#include "reduced.h"

namespace clipscope {

namespace {

// The words of the header: a cache line, so that panels begin at one.
constexpr int64_t headerSize = 16;
constexpr int32_t magic = 0x314b5043;  // "CPK1"

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The words of a column, a multiple of 16: the depth of an AMX tile.
int64_t depthOf(Precision precision, int64_t in) {
  const int64_t numbersOfWord = precision == Precision::Bf16 ? 2 : 4;
  return ceilDiv(in, 16 * numbersOfWord) * 16;
}

void packBf16(const float *column, int64_t in, int32_t *words) {
  for (int64_t k = 0; k < in; ++k) {
    words[k / 2 * panelColumns] |= static_cast<int32_t>(bfloat16(column[k]) << (k % 2 * 16));
  }
}

struct Quantised {
  float scale;
  int32_t sum;
};

// Multiples of the 127th part of the column's largest number.
Quantised packInt8(const float *column, int64_t in, int32_t *words) {
  float most = 0;
  for (int64_t k = 0; k < in; ++k) most = std::max(most, std::fabs(column[k]));
  const float inverse = most > 0 ? 127 / most : 0;
  int32_t sum = 0;
  for (int64_t k = 0; k < in; ++k) {
    const auto value = static_cast<int32_t>(std::nearbyint(column[k] * inverse));
    words[k / 4 * panelColumns] |= static_cast<int32_t>((static_cast<uint32_t>(value) & 0xff) << (k % 4 * 8));
    sum += value;
  }
  return {most / 127, sum};
}

}  // namespace

bool isPrecision(Precision precision) {
  return precision == Precision::Bf16 || precision == Precision::Int8;
}

int64_t packedSize(Precision precision, int64_t in, int64_t out) {
  const int64_t scalesAndSums = precision == Precision::Int8 ? 2 : 0;
  return headerSize + ceilDiv(out, panelColumns) * panelColumns * (depthOf(precision, in) + scalesAndSums);
}

void pack(Precision precision, const float *w, int64_t in, int64_t out, int32_t *to, Pool &pool) {
  const int64_t depth = depthOf(precision, in);
  preferLargePages(to, packedSize(precision, in, out) * static_cast<int64_t>(sizeof *to));
  std::memset(to, 0, headerSize * sizeof *to);
  to[0] = magic;
  to[1] = static_cast<int32_t>(precision);
  to[2] = static_cast<int32_t>(in);
  to[3] = static_cast<int32_t>(out);
  const int64_t panels = ceilDiv(out, panelColumns);
  auto *scales = reinterpret_cast<float *>(to + headerSize + panels * depth * panelColumns);
  int32_t *sums = to + headerSize + panels * (depth + 1) * panelColumns;
  pool.run(panels, [&](int64_t panel) {
    int32_t *words = to + headerSize + panel * depth * panelColumns;
    std::memset(words, 0, depth * panelColumns * sizeof *words);
    for (int64_t j = 0; j < panelColumns; ++j) {
      const int64_t at = panel * panelColumns + j;
      const float *column = w + at * in;
      if (precision == Precision::Int8) {
        const Quantised quantised = at < out ? packInt8(column, in, words + j) : Quantised{0, 0};
        scales[at] = quantised.scale;
        sums[at] = quantised.sum;
      } else if (at < out) {
        packBf16(column, in, words + j);
      }
    }
  });
}

std::string readPacked(const int32_t *words, int64_t size, Packed *packed) {
  if (size < headerSize || words[0] != magic) return "expected a packed weight";
  *packed = {static_cast<Precision>(words[1]), words[2], words[3], 0, words + headerSize, nullptr, nullptr};
  if (!isPrecision(packed->precision)) return "unknown precision";
  packed->depth = depthOf(packed->precision, packed->in);
  if (packed->in <= 0 || packed->out <= 0) return "the packed weight is empty";
  if (size != packedSize(packed->precision, packed->in, packed->out)) return "the packed weight is incomplete";
  if (packed->precision == Precision::Int8) {
    const int64_t columns = packed->panelCount() * panelColumns;
    packed->scales = reinterpret_cast<const float *>(packed->panels + packed->depth * columns);
    packed->sums = packed->panels + (packed->depth + 1) * columns;
  }
  return "";
}

}  // namespace clipscope
