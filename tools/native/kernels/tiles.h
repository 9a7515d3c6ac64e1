// The innermost loops of products in reduced precision, for each instruction set: `addTile` for bfloat16 and int8.
//
// A tile adds the products of `rows` rows of x and the 32 columns of a panel to sums[rows][32]. It reads words of 32 bits:
// two numbers in bfloat16, four in int8.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "bfloat16.h"
#include "reduced.h"
#include "vectors.h"

namespace clipscope {
namespace CLIPSCOPE_ISA {
namespace {

// With AMX, a tile is two registers of 16 rows.
#if defined(__AMX_TILE__)
constexpr int tileRows = 32;
#else
constexpr int tileRows = manyRegisters ? 14 : 6;
#endif

// The rows of x are laid out tile by tile, in the order in which a tile reads them:
// [depth / wordsAtOnce][tileRows][wordsAtOnce]. A vector is multiplied by one word of each row, then by the next word of
// each row; an AMX register holds 16 words of each row.
#if defined(__AMX_TILE__)
constexpr int64_t wordsAtOnce = 16;
#else
constexpr int64_t wordsAtOnce = 1;
#endif

inline Integers load(const int32_t *from) { return *reinterpret_cast<const Integers *>(from); }
inline void store(int32_t *to, Integers value) { *reinterpret_cast<Integers *>(to) = value; }

template <class To, class From>
inline To sameBits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// --- bfloat16: words of two numbers, sums in float32 -----------------------------------------------------------------

// One word of w times one word of x: first the product of the odd numbers is added, then that of the even ones, as
// vdpbf16ps does. Products of two bfloat16 numbers are exact in float32, so that emulation gives the same sums. AMX sums
// even and odd numbers separately, over 32 numbers each time.
struct Bf16 {
  static constexpr Precision precision = Precision::Bf16;
  using Sum = float;
  using Sums = Vector;

#if defined(__AVX512BF16__)
  using Word = uint32_t;
  static Word word(uint32_t even, uint32_t odd) { return even | odd << 16; }
  struct Right {
    __m512bh pairs;
    explicit Right(const int32_t *words) : pairs((__m512bh)_mm512_loadu_si512(words)) {}
  };
  static void add(Vector &sums, Word x, const Right &w) {
    sums = _mm512_dpbf16_ps(sums, (__m512bh)_mm512_set1_epi32(static_cast<int>(x)), w.pairs);
  }
#else
  struct Word {
    float even, odd;
  };
  static Word word(uint32_t even, uint32_t odd) {
    return {sameBits<float>(even << 16), sameBits<float>(odd << 16)};
  }
  struct Right {
    Vector even, odd;
    explicit Right(const int32_t *words)
        : even(sameBits<Vector>(load(words) << 16)),
          odd(sameBits<Vector>(load(words) & static_cast<int32_t>(0xffff0000))) {}
  };
  static void add(Vector &sums, Word x, const Right &w) {
    sums += x.odd * w.odd;
    sums += x.even * w.even;
  }
#endif
};

// --- int8: words of four numbers, exact sums in int32 ----------------------------------------------------------------

struct Int8 {
  static constexpr Precision precision = Precision::Int8;
  using Sum = int32_t;
  using Sums = Integers;

#if defined(__AMX_TILE__) || defined(__AVX512VNNI__)
  using Word = uint32_t;
#if defined(__AMX_TILE__)
  static constexpr int32_t offset = 0;
#else
  // vpdpbusd takes unsigned numbers of x: 128 is added to them, and 128 times the sum of w's column is subtracted.
  static constexpr int32_t offset = 128;
#endif
  static Word word(const int8_t *x) { return sameBits<Word>(*reinterpret_cast<const int32_t *>(x)) ^ (offset * 0x01010101u); }
  struct Right {
    __m512i fours;
    explicit Right(const int32_t *words) : fours(_mm512_loadu_si512(words)) {}
  };
#if !defined(__AMX_TILE__)
  static void add(Integers &sums, Word x, const Right &w) {
    sums = (Integers)_mm512_dpbusd_epi32((__m512i)sums, _mm512_set1_epi32(static_cast<int>(x)), w.fours);
  }
#endif
#else
  static constexpr int32_t offset = 0;
  // Bytes are widened to 16 bits: bytes 0 and 2, bytes 1 and 3.
  struct Word {
    int32_t even, odd;
  };
  static Word word(const int8_t *x) {
    const auto pair = [](int low, int high) { return (low & 0xffff) | static_cast<int32_t>(static_cast<uint32_t>(high) << 16); };
    return {pair(x[0], x[2]), pair(x[1], x[3])};
  }
  typedef int16_t Halves __attribute__((vector_size(4 * lanes)));
  struct Right {
    Halves even, odd;
    explicit Right(const int32_t *words) {
      const auto bytes = sameBits<Halves>(load(words));
      even = bytes << 8 >> 8;
      odd = bytes >> 8;
    }
  };
  // The sums of products of neighbours.
  static Integers multiply(int32_t x, Halves w) {
#if defined(__AVX512BW__)
    return (Integers)_mm512_madd_epi16(_mm512_set1_epi32(x), (__m512i)w);
#elif defined(__AVX2__)
    return (Integers)_mm256_madd_epi16(_mm256_set1_epi32(x), (__m256i)w);
#elif defined(__SSE2__)
    return (Integers)_mm_madd_epi16(_mm_set1_epi32(x), (__m128i)w);
#else
    const auto pairs = sameBits<Integers>(w);
    return (pairs << 16 >> 16) * (x << 16 >> 16) + (pairs >> 16) * (x >> 16);
#endif
  }
  static void add(Integers &sums, Word x, const Right &w) {
    sums += multiply(x.even, w.even);
    sums += multiply(x.odd, w.odd);
  }
#endif
};

// --- Tiles -----------------------------------------------------------------------------------------------------------

#if defined(__AMX_TILE__)

// AMX: a tile register holds 16 rows of 64 bytes. One instruction multiplies 16 rows of 16 words of x by 16 columns of w,
// 8192 products of bfloat16. Four registers hold the sums of 32 rows and 32 columns, two the rows, two the columns.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t bytes[16] = {};
  uint8_t rows[16] = {};
};

// GCC does not know that the instructions for tiles read memory: without this, it could omit the stores before them.
inline void finishStores(const void *memory) { asm volatile("" : : "r"(memory) : "memory"); }

// Registers 0 to 3 hold sums, 4 and 5 rows of x, 6 and 7 columns of w.
inline void shapeTiles(int rows) {
  const int upper = std::min(rows, 16), lower = std::max(rows - 16, 1);
  TileShapes shapes;
  for (int i = 0; i < 8; ++i) {
    shapes.bytes[i] = 64;
    shapes.rows[i] = i > 5 ? 16 : i == 5 || i == 2 || i == 3 ? lower : upper;
  }
  finishStores(&shapes);
  _tile_loadconfig(&shapes);
}

#define CLIPSCOPE_MULTIPLY(sums, x, w)                                       \
  if constexpr (Scheme::precision == Precision::Bf16) _tile_dpbf16ps(sums, x, w); \
  else _tile_dpbssd(sums, x, w)

template <class Scheme, bool Both>
void amxTile(int64_t depth, const typename Scheme::Word *x, const int32_t *panel, typename Scheme::Sum *sums) {
  constexpr int64_t rowOfWords = panelColumns * sizeof(int32_t), rowOfX = wordsAtOnce * sizeof(uint32_t);
  static_assert(sizeof(typename Scheme::Word) == sizeof(uint32_t) || Scheme::precision == Precision::Bf16);
  finishStores(sums);
  _tile_loadd(0, sums, rowOfWords);
  _tile_loadd(1, sums + 16, rowOfWords);
  if constexpr (Both) {
    _tile_loadd(2, sums + 16 * panelColumns, rowOfWords);
    _tile_loadd(3, sums + 16 * panelColumns + 16, rowOfWords);
  }
  for (int64_t k = 0; k < depth; k += wordsAtOnce) {
    _tile_loadd(6, panel + k * panelColumns, rowOfWords);
    _tile_loadd(4, x + k * tileRows, rowOfX);
    CLIPSCOPE_MULTIPLY(0, 4, 6);
    _tile_loadd(7, panel + k * panelColumns + 16, rowOfWords);
    CLIPSCOPE_MULTIPLY(1, 4, 7);
    if constexpr (Both) {
      _tile_loadd(5, x + k * tileRows + 16 * wordsAtOnce, rowOfX);
      CLIPSCOPE_MULTIPLY(2, 5, 6);
      CLIPSCOPE_MULTIPLY(3, 5, 7);
    }
  }
  _tile_stored(0, sums, rowOfWords);
  _tile_stored(1, sums + 16, rowOfWords);
  if constexpr (Both) {
    _tile_stored(2, sums + 16 * panelColumns, rowOfWords);
    _tile_stored(3, sums + 16 * panelColumns + 16, rowOfWords);
  }
}

// The shape of this thread's tile registers; 0 if they are free.
inline thread_local int shapedRows = 0;

template <class Scheme>
void addTile(int rows, int64_t depth, const typename Scheme::Word *x, const int32_t *panel, typename Scheme::Sum *sums) {
  if (rows != shapedRows) {
    shapeTiles(rows);
    shapedRows = rows;
  }
  if (rows > 16) amxTile<Scheme, true>(depth, x, panel, sums);
  else amxTile<Scheme, false>(depth, x, panel, sums);
}

// The operating system saves tile registers at each change of threads, until they are free.
inline void releaseTiles() {
  _tile_release();
  shapedRows = 0;
}

#else

// Sums of `Rows` rows and two vectors of columns, in registers.
template <class Scheme, int Rows>
void vectorTile(int64_t depth, const typename Scheme::Word *x, const int32_t *panel, typename Scheme::Sum *to) {
  for (int64_t j = 0; j < panelColumns; j += 2 * lanes) {
    typename Scheme::Sums sums[Rows][2];
#pragma GCC unroll 14
    for (int i = 0; i < Rows; ++i) {
      sums[i][0] = load(to + i * panelColumns + j);
      sums[i][1] = load(to + i * panelColumns + j + lanes);
    }
    for (int64_t k = 0; k < depth; ++k) {
      const int32_t *words = panel + k * panelColumns + j;
      const typename Scheme::Right first(words), second(words + lanes);
#pragma GCC unroll 14
      for (int i = 0; i < Rows; ++i) {
        const typename Scheme::Word left = x[k * tileRows + i];
        Scheme::add(sums[i][0], left, first);
        Scheme::add(sums[i][1], left, second);
      }
    }
#pragma GCC unroll 14
    for (int i = 0; i < Rows; ++i) {
      store(to + i * panelColumns + j, sums[i][0]);
      store(to + i * panelColumns + j + lanes, sums[i][1]);
    }
  }
}

template <class Scheme, int... Rows>
void tileOf(int rows, int64_t depth, const typename Scheme::Word *x, const int32_t *panel, typename Scheme::Sum *sums,
            std::integer_sequence<int, Rows...>) {
  using Tile = void (*)(int64_t, const typename Scheme::Word *, const int32_t *, typename Scheme::Sum *);
  static constexpr Tile tiles[] = {vectorTile<Scheme, Rows + 1>...};
  tiles[rows - 1](depth, x, panel, sums);
}

template <class Scheme>
void addTile(int rows, int64_t depth, const typename Scheme::Word *x, const int32_t *panel, typename Scheme::Sum *sums) {
  tileOf<Scheme>(rows, depth, x, panel, sums, std::make_integer_sequence<int, tileRows>{});
}

inline void releaseTiles() {}

#endif

}  // namespace
}  // namespace CLIPSCOPE_ISA
}  // namespace clipscope
