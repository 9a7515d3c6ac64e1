// The kernel of the scan, compiled once for each instruction set. CLIPSCOPE_ISA is its name.
#include "scan.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace clipscope {
namespace CLIPSCOPE_ISA {
namespace {

// `Sum` holds partial sums; `add` adds the products of `codesAtOnce` codes, `total` the lanes.
#if defined(__AVX512BW__)
constexpr int codesAtOnce = 32;
using Sum = __m512i;
using Part = __m512i;
inline Part load(const int16_t *query) { return _mm512_loadu_si512(query); }
inline Sum add(Sum sum, const int8_t *row, Part part) {
  const __m512i codes = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(row)));
#if defined(__AVX512VNNI__)
  return _mm512_dpwssd_epi32(sum, codes, part);
#else
  return _mm512_add_epi32(sum, _mm512_madd_epi16(codes, part));
#endif
}
inline int32_t total(Sum sum) { return _mm512_reduce_add_epi32(sum); }
#elif defined(__AVX2__)
constexpr int codesAtOnce = 16;
using Sum = __m256i;
using Part = __m256i;
inline Part load(const int16_t *query) { return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(query)); }
inline Sum add(Sum sum, const int8_t *row, Part part) {
  const __m256i codes = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i *>(row)));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(codes, part));
}
inline int32_t total(Sum sum) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1)));
}
#elif defined(__SSE2__)
constexpr int codesAtOnce = 8;
using Sum = __m128i;
using Part = __m128i;
inline Part load(const int16_t *query) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(query)); }
inline Sum add(Sum sum, const int8_t *row, Part part) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(row));
  const __m128i codes = _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
  return _mm_add_epi32(sum, _mm_madd_epi16(codes, part));
}
inline int32_t total(Sum sum) {
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
}
#else
// The compiler makes vectors of these loops.
constexpr int codesAtOnce = 16;
struct Part {
  int16_t codes[codesAtOnce];
};
struct Sum {
  int32_t lanes[codesAtOnce];
};
inline Part load(const int16_t *query) {
  Part part;
  for (int i = 0; i < codesAtOnce; ++i) part.codes[i] = query[i];
  return part;
}
inline Sum add(Sum sum, const int8_t *row, Part part) {
  for (int i = 0; i < codesAtOnce; ++i) sum.lanes[i] += static_cast<int32_t>(row[i]) * part.codes[i];
  return sum;
}
inline int32_t total(Sum sum) {
  int32_t all = 0;
  for (const int32_t lane : sum.lanes) all += lane;
  return all;
}
#endif

constexpr int rowsAtOnce = 4;

// The processor's own prefetching ends with a page, which is a few rows. `ahead` are the rows of the next call.
template <int Rows>
void dotRows(const Scan &op, const int32_t *list, const int32_t *ahead, int32_t *out) {
  const int8_t *rows[Rows], *next[Rows];
  Sum sums[Rows] = {};
  for (int i = 0; i < Rows; ++i) {
    rows[i] = op.codes + list[i] * op.stride;
    next[i] = op.codes + ahead[i] * op.stride;
  }
  for (int64_t at = 0; at < op.stride; at += 64) {
    for (int i = 0; i < Rows; ++i) __builtin_prefetch(next[i] + at);
    for (int64_t j = at; j < at + 64; j += codesAtOnce) {
      const Part part = load(op.query + j);
      for (int i = 0; i < Rows; ++i) sums[i] = add(sums[i], rows[i] + j, part);
    }
  }
  for (int i = 0; i < Rows; ++i) out[i] = total(sums[i]);
}

void dots(const Scan &op) {
  int64_t i = 0;
  for (; i + rowsAtOnce <= op.count; i += rowsAtOnce) {
    const bool isLast = i + 2 * rowsAtOnce > op.count;
    dotRows<rowsAtOnce>(op, op.list + i, op.list + (isLast ? i : i + rowsAtOnce), op.out + i);
  }
  for (; i < op.count; ++i) dotRows<1>(op, op.list + i, op.list + i, op.out + i);
}

}  // namespace

#define CLIPSCOPE_TEXT(name) #name
#define CLIPSCOPE_NAME(name) CLIPSCOPE_TEXT(name)
extern const ScanKernel scanKernel{CLIPSCOPE_NAME(CLIPSCOPE_ISA), dots};

}  // namespace CLIPSCOPE_ISA
}  // namespace clipscope
