// Products with packed weights, compiled once for each instruction set. CLIPSCOPE_ISA is its name, and the compiler's
// flags say which instructions exist.
//
// How a product is computed. y = x · w needs each number of x and w many times, and reading memory takes far longer than
// multiplying. So the work is cut such that numbers are read from the fastest memory that can hold them:
//
// 1. Registers. A *tile* of y, a few rows times the columns of a panel, is summed completely in registers. Each step of
//    the sum reads one word of each of these rows and one row of the panel, and uses all of them for all pairs.
// 2. L1 and L2 cache. A *block* of rows of x, rounded to the weight's precision once, stays in the L2 cache while one
//    panel of w after the other is multiplied by it. The panel itself stays in the L1 or L2 cache for all tiles.
// 3. Memory. A *chunk* of rows is rounded at once; w is read from memory once for each block.
//
// A row of y depends on its row of x alone, and its products are added in the same order whatever the batch, the block
// and the thread.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#if defined(__AVX512BF16__) || defined(__AMX_BF16__)
#include <immintrin.h>
#endif

#include "bfloat16.h"
#include "reduced.h"

namespace clipscope {
namespace CLIPSCOPE_ISA {
namespace {

// Rows of a tile and lanes of a vector, as in arithmetic.cc.
#if defined(__AMX_BF16__)
constexpr int lanes = 16, tileRows = 32;
#elif defined(__AVX512F__)
constexpr int lanes = 16, tileRows = 14;
#elif defined(__AVX__)
constexpr int lanes = 8, tileRows = 6;
#elif defined(__aarch64__)
constexpr int lanes = 4, tileRows = 14;
#else
constexpr int lanes = 4, tileRows = 6;
#endif

typedef float Vector __attribute__((vector_size(4 * lanes), aligned(4), may_alias));
typedef int32_t Integers __attribute__((vector_size(4 * lanes), aligned(4), may_alias));

inline Vector load(const float *from) { return *reinterpret_cast<const Vector *>(from); }
inline void store(float *to, Vector value) { *reinterpret_cast<Vector *>(to) = value; }

// Two rounded numbers of x. Without instructions for bfloat16, they are multiplied as float32.
#if defined(__AVX512BF16__) || defined(__AMX_BF16__)
using Word = uint32_t;
inline Word word(uint32_t even, uint32_t odd) { return even | odd << 16; }
#else
struct Word {
  float even, odd;
};
inline Word word(uint32_t even, uint32_t odd) {
  const uint32_t bits[] = {even << 16, odd << 16};
  Word pair;
  std::memcpy(&pair, bits, sizeof pair);
  return pair;
}
#endif

// The rows of x are laid out tile by tile, in the order in which a tile reads them: [depth / wordsAtOnce][tileRows][wordsAtOnce].
// A vector needs a word of each row, then the next word of each row; an AMX register holds 16 words of a row.
#if defined(__AMX_BF16__)
constexpr int64_t wordsAtOnce = 16;
#else
constexpr int64_t wordsAtOnce = 1;
#endif

// The number of rows of a block, and the bytes of a block that stay in the L2 cache.
constexpr int64_t blockRows = 320;
// The number of rows that are rounded at once.
constexpr int64_t rowsAtOnce = 1280;
// The words of a column that a tile sums at once: of bfloat16, 1280 numbers.
constexpr int64_t depthAtOnce = 640;
constexpr int64_t depthInCache = 128;
// The panels of a task.
constexpr int64_t panelsAtOnce = 8;

constexpr int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Memory, aligned to a cache line, that a thread reuses for its next task.
template <class T>
T *scratch(int64_t size) {
  constexpr int64_t line = 64;
  thread_local std::unique_ptr<char[]> buffer;
  thread_local int64_t bytes = 0;
  const int64_t wanted = size * static_cast<int64_t>(sizeof(T)) + line;
  if (bytes < wanted) {
    buffer.reset(new char[wanted]);
    bytes = wanted;
  }
  const auto address = reinterpret_cast<uintptr_t>(buffer.get());
  return reinterpret_cast<T *>((address + line - 1) / line * line);
}

// --- Tiles ---------------------------------------------------------------------------------------------------------

// c[rows, 32] += x · panel[depth, 32], with a tile of x
#if defined(__AMX_BF16__)

// AMX: a tile register holds 16 rows of 64 bytes. One instruction multiplies 16 rows of 32 numbers of x by 32 rows of 16
// columns of w, 8192 products. Four registers hold the sums of 32 rows and 32 columns, two the rows and two the columns.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t bytes[16] = {};
  uint8_t rows[16] = {};
};

// GCC does not know that the instructions for tiles read memory: without this, it could omit the stores before them.
inline void finishStores(const void *memory) { asm volatile("" : : "r"(memory) : "memory"); }

// Tells the processor the number of rows: registers 0 to 3 hold sums, 4 and 5 rows of x, 6 and 7 columns of w.
void shapeTiles(int rows) {
  const int upper = std::min(rows, 16), lower = std::max(rows - 16, 1);
  TileShapes shapes;
  for (int i = 0; i < 8; ++i) {
    shapes.bytes[i] = 64;
    shapes.rows[i] = i > 5 ? 16 : i == 5 || i == 2 || i == 3 ? lower : upper;
  }
  finishStores(&shapes);
  _tile_loadconfig(&shapes);
}

template <bool Both>
void amxTile(int64_t depth, const Word *x, const int32_t *panel, float *c) {
  constexpr int64_t rowOfPanel = panelColumns * sizeof(int32_t), rowOfSums = panelColumns * sizeof(float);
  constexpr int64_t rowOfX = wordsAtOnce * sizeof *x;
  finishStores(c);
  _tile_loadd(0, c, rowOfSums);
  _tile_loadd(1, c + 16, rowOfSums);
  if (Both) _tile_loadd(2, c + 16 * panelColumns, rowOfSums);
  if (Both) _tile_loadd(3, c + 16 * panelColumns + 16, rowOfSums);
  for (int64_t k = 0; k < depth; k += 16) {
    _tile_loadd(6, panel + k * panelColumns, rowOfPanel);
    _tile_loadd(4, x + k * tileRows, rowOfX);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, panel + k * panelColumns + 16, rowOfPanel);
    _tile_dpbf16ps(1, 4, 7);
    if (Both) {
      _tile_loadd(5, x + k * tileRows + 16 * wordsAtOnce, rowOfX);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, c, rowOfSums);
  _tile_stored(1, c + 16, rowOfSums);
  if (Both) _tile_stored(2, c + 16 * panelColumns, rowOfSums);
  if (Both) _tile_stored(3, c + 16 * panelColumns + 16, rowOfSums);
}

// The shapes of this thread's tiles: 0 if none.
thread_local int shapedRows = 0;

void tile(int rows, int64_t depth, const Word *x, const int32_t *panel, float *c) {
  if (rows != shapedRows) {
    shapeTiles(rows);
    shapedRows = rows;
  }
  if (rows > 16) amxTile<true>(depth, x, panel, c);
  else amxTile<false>(depth, x, panel, c);
}

void releaseTiles() {
  _tile_release();
  shapedRows = 0;
}

#else

// One word of w times one word of x: first the product of the odd numbers is added, then that of the even ones, as
// vdpbf16ps does. Products of two bfloat16 numbers are exact in float32, so that all processors give the same sums.
#if defined(__AVX512BF16__)
struct Right {
  __m512bh pairs;
  explicit Right(const int32_t *words) : pairs((__m512bh)_mm512_loadu_si512(words)) {}
};
struct Left {
  __m512bh pairs;
  explicit Left(Word x) : pairs((__m512bh)_mm512_set1_epi32(static_cast<int>(x))) {}
};
inline void addProducts(Vector &sum, Left a, Right b) { sum = _mm512_dpbf16_ps(sum, a.pairs, b.pairs); }
#else
struct Right {
  Vector even, odd;
  explicit Right(const int32_t *words) {
    const Integers pairs = *reinterpret_cast<const Integers *>(words);
    const Integers low = pairs << 16, high = pairs & static_cast<int32_t>(0xffff0000);
    std::memcpy(&even, &low, sizeof even);
    std::memcpy(&odd, &high, sizeof odd);
  }
};
using Left = Word;
inline void addProducts(Vector &sum, Left a, Right b) {
  sum += a.odd * b.odd;
  sum += a.even * b.even;
}
#endif

// Sums of `Rows` rows and two vectors of columns, in registers.
template <int Rows>
void vectorTile(int64_t depth, const Word *x, const int32_t *panel, float *c) {
  for (int64_t j = 0; j < panelColumns; j += 2 * lanes) {
    Vector sums[Rows][2];
#pragma GCC unroll 14
    for (int i = 0; i < Rows; ++i) {
      sums[i][0] = load(c + i * panelColumns + j);
      sums[i][1] = load(c + i * panelColumns + j + lanes);
    }
    for (int64_t k = 0; k < depth; ++k) {
      const int32_t *words = panel + k * panelColumns + j;
      const Right first(words), second(words + lanes);
#pragma GCC unroll 14
      for (int i = 0; i < Rows; ++i) {
        const Left left(x[k * tileRows + i]);
        addProducts(sums[i][0], left, first);
        addProducts(sums[i][1], left, second);
      }
    }
#pragma GCC unroll 14
    for (int i = 0; i < Rows; ++i) {
      store(c + i * panelColumns + j, sums[i][0]);
      store(c + i * panelColumns + j + lanes, sums[i][1]);
    }
  }
}

template <int... Rows>
void tileOf(int rows, int64_t depth, const Word *x, const int32_t *panel, float *c,
            std::integer_sequence<int, Rows...>) {
  using Tile = void (*)(int64_t, const Word *, const int32_t *, float *);
  static constexpr Tile tiles[] = {vectorTile<Rows + 1>...};
  tiles[rows - 1](depth, x, panel, c);
}

void tile(int rows, int64_t depth, const Word *x, const int32_t *panel, float *c) {
  tileOf(rows, depth, x, panel, c, std::make_integer_sequence<int, tileRows>{});
}

void releaseTiles() {}

#endif

// --- Products ------------------------------------------------------------------------------------------------------

// Rounds a row of x to bfloat16 and puts it into a tile, with zeros at the end.
void roundRow(const float *x, int64_t in, int64_t depth, Word *to) {
  const auto bits = [x, in](int64_t k) { return k < in ? bfloat16(x[k]) : 0; };
  for (int64_t k = 0; k < depth; k += wordsAtOnce, to += tileRows * wordsAtOnce) {
    if (2 * (k + wordsAtOnce) <= in) {
      for (int64_t n = 0; n < wordsAtOnce; ++n) to[n] = word(bfloat16(x[2 * (k + n)]), bfloat16(x[2 * (k + n) + 1]));
    } else {
      for (int64_t n = 0; n < wordsAtOnce; ++n) to[n] = word(bits(2 * (k + n)), bits(2 * (k + n) + 1));
    }
  }
}

// Adds a tile's sums to y, or to the bias.
void finish(const ReducedLinear &op, int64_t row, int rows, int64_t column, int64_t columns, bool isFirst, const float *c) {
  const int64_t width = op.w.out / op.parts;
  while (columns > 0) {
    const int64_t part = column / width, count = std::min(columns, (part + 1) * width - column);
    for (int i = 0; i < rows; ++i) {
      float *y = op.y[part] + (row + i) * width + column - part * width;
      const float *base = !isFirst ? y : op.bias ? op.bias + column : nullptr;
      const float *sums = c + i * panelColumns;
      if (base) for (int64_t j = 0; j < count; ++j) y[j] = base[j] + sums[j];
      else std::copy(sums, sums + count, y);
    }
    column += count;
    columns -= count;
    c += count;
  }
}

void linear(const ReducedLinear &op, Pool &pool) {
  const Packed &w = op.w;
  const int64_t panels = w.panelCount();
  Word *x = scratch<Word>(ceilDiv(std::min(op.rows, rowsAtOnce), tileRows) * tileRows * w.depth);
  for (int64_t first = 0; first < op.rows; first += rowsAtOnce) {
    const int64_t rows = std::min(rowsAtOnce, op.rows - first);
    pool.run(ceilDiv(rows, tileRows), [&](int64_t task) {
      const int64_t begin = task * tileRows, end = std::min<int64_t>(rows, begin + tileRows);
      for (int64_t i = begin; i < end; ++i) {
        roundRow(op.x + (first + i) * w.in, w.in, w.depth, x + begin * w.depth + (i - begin) * wordsAtOnce);
      }
    });
    const int64_t blocks = ceilDiv(rows, blockRows), rowsOfBlock = ceilDiv(ceilDiv(rows, blocks), tileRows) * tileRows;
    const int64_t group = std::max<int64_t>(1, std::min(panelsAtOnce, panels * blocks / (4 * pool.threads())));
    const int64_t groups = ceilDiv(panels, group);
    pool.run(blocks * groups, [&](int64_t task) {
      const int64_t block = task / groups * rowsOfBlock, end = std::min(rows, block + rowsOfBlock);
      const int64_t firstPanel = task % groups * group, lastPanel = std::min(panels, firstPanel + group);
      alignas(64) float sums[ceilDiv(blockRows, tileRows) * tileRows * panelColumns];
      for (int64_t k = 0; k < w.depth; k += depthAtOnce) {
        const int64_t depth = std::min(depthAtOnce, w.depth - k);
        for (int64_t panel = firstPanel; panel < lastPanel; ++panel) {
          const int64_t column = panel * panelColumns, columns = std::min(panelColumns, w.out - column);
          const auto count = [end](int64_t i) { return static_cast<int>(std::min<int64_t>(tileRows, end - i)); };
          std::fill_n(sums, (end - block) * panelColumns, 0.0f);
          for (int64_t n = k; n < k + depth; n += depthInCache) {
            const int64_t part = std::min(depthInCache, k + depth - n);
            for (int64_t i = block; i < end; i += tileRows) {
              tile(count(i), part, x + i * w.depth + n * tileRows, w.panel(panel) + n * panelColumns,
                   sums + (i - block) * panelColumns);
            }
          }
          for (int64_t i = block; i < end; i += tileRows) {
            finish(op, first + i, count(i), column, columns, k == 0, sums + (i - block) * panelColumns);
          }
        }
      }
      releaseTiles();
    });
  }
}

}  // namespace

#define CLIPSCOPE_TEXT(name) #name
#define CLIPSCOPE_NAME(name) CLIPSCOPE_TEXT(name)
extern const ReducedKernels reducedKernels = {CLIPSCOPE_NAME(CLIPSCOPE_ISA), linear};

}  // namespace CLIPSCOPE_ISA
}  // namespace clipscope
