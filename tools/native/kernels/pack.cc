#include <cstring>

#include "bfloat16.h"
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

}  // namespace

bool isPrecision(Precision precision) { return precision == Precision::Bf16; }

int64_t packedSize(Precision precision, int64_t in, int64_t out) {
  return headerSize + ceilDiv(out, panelColumns) * panelColumns * depthOf(precision, in);
}

void pack(Precision precision, const float *w, int64_t in, int64_t out, int32_t *to, Pool &pool) {
  const int64_t depth = depthOf(precision, in);
  std::memset(to, 0, headerSize * sizeof *to);
  to[0] = magic;
  to[1] = static_cast<int32_t>(precision);
  to[2] = static_cast<int32_t>(in);
  to[3] = static_cast<int32_t>(out);
  pool.run(ceilDiv(out, panelColumns), [&](int64_t panel) {
    int32_t *words = to + headerSize + panel * depth * panelColumns;
    std::memset(words, 0, depth * panelColumns * sizeof *words);
    for (int64_t j = 0; j < panelColumns && panel * panelColumns + j < out; ++j) {
      const float *column = w + (panel * panelColumns + j) * in;
      for (int64_t k = 0; k < in; ++k) {
        const uint32_t bits = bfloat16(column[k]);
        words[k / 2 * panelColumns + j] |= static_cast<int32_t>(bits << (k % 2 * 16));
      }
    }
  });
}

std::string readPacked(const int32_t *words, int64_t size, Packed *packed) {
  if (size < headerSize || words[0] != magic) return "expected a packed weight";
  *packed = {static_cast<Precision>(words[1]), words[2], words[3], 0, words + headerSize};
  if (!isPrecision(packed->precision)) return "unknown precision";
  packed->depth = depthOf(packed->precision, packed->in);
  if (size != packedSize(packed->precision, packed->in, packed->out)) return "the packed weight is incomplete";
  return "";
}

}  // namespace clipscope
