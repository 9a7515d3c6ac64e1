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

// What a row of x is rounded to. Without instructions for bfloat16, its numbers are multiplied as float32.
#if defined(__AVX512BF16__) || defined(__AMX_BF16__)
using Rounded = uint16_t;
#else
using Rounded = float;
#endif

// The number of rows of a block, and the bytes of a block that stay in the L2 cache.
constexpr int64_t blockRows = 320;
// The number of rows that are rounded at once.
constexpr int64_t rowsAtOnce = 1280;
// The words of a column that a tile sums at once: of bfloat16, 1280 numbers.
constexpr int64_t depthAtOnce = 640;
// The panels of a task.
constexpr int64_t panelsAtOnce = 8;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

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

// c[rows, 32] = x[rows, 2 · depth] · panel[depth, 32]. The rows of x are `stride` numbers apart.
#if defined(__AMX_BF16__)

// AMX: a tile register holds 16 rows of 64 bytes. One instruction multiplies 16 rows of 32 numbers of x by 32 rows of 16
// columns of w, 8192 products. Four registers hold the sums of 32 rows and 32 columns, two the rows and two the columns.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t bytes[16] = {};
  uint8_t rows[16] = {};
};

// Tells the processor the number of rows: registers 0 to 3 hold sums, 4 and 5 rows of x, 6 and 7 columns of w.
void shapeTiles(int rows) {
  const int upper = std::min(rows, 16), lower = std::max(rows - 16, 1);
  TileShapes shapes;
  for (int i = 0; i < 8; ++i) {
    shapes.bytes[i] = 64;
    shapes.rows[i] = i > 5 ? 16 : i == 5 || i == 2 || i == 3 ? lower : upper;
  }
  _tile_loadconfig(&shapes);
}

template <bool Both>
void amxTile(int64_t depth, const uint16_t *x, int64_t stride, const int32_t *panel, float *c) {
  constexpr int64_t rowOfPanel = panelColumns * sizeof(int32_t), rowOfSums = panelColumns * sizeof(float);
  const int64_t rowOfX = stride * sizeof *x;
  _tile_zero(0);
  _tile_zero(1);
  if (Both) _tile_zero(2);
  if (Both) _tile_zero(3);
  for (int64_t k = 0; k < depth; k += 16) {
    _tile_loadd(6, panel + k * panelColumns, rowOfPanel);
    _tile_loadd(4, x + 2 * k, rowOfX);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, panel + k * panelColumns + 16, rowOfPanel);
    _tile_dpbf16ps(1, 4, 7);
    if (Both) {
      _tile_loadd(5, x + 16 * stride + 2 * k, rowOfX);
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

void tile(int rows, int64_t depth, const uint16_t *x, int64_t stride, const int32_t *panel, float *c) {
  if (rows != shapedRows) {
    shapeTiles(rows);
    shapedRows = rows;
  }
  if (rows > 16) amxTile<true>(depth, x, stride, panel, c);
  else amxTile<false>(depth, x, stride, panel, c);
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
  explicit Left(const uint16_t *x) {
    int32_t word;
    std::memcpy(&word, x, sizeof word);
    pairs = (__m512bh)_mm512_set1_epi32(word);
  }
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
struct Left {
  float even, odd;
  explicit Left(const float *x) : even(x[0]), odd(x[1]) {}
};
inline void addProducts(Vector &sum, Left a, Right b) {
  sum += a.odd * b.odd;
  sum += a.even * b.even;
}
#endif

// Sums of `Rows` rows and two vectors of columns, in registers.
template <int Rows>
void vectorTile(int64_t depth, const Rounded *x, int64_t stride, const int32_t *panel, float *c) {
  for (int64_t j = 0; j < panelColumns; j += 2 * lanes) {
    Vector sums[Rows][2] = {};
    for (int64_t k = 0; k < depth; ++k) {
      const int32_t *words = panel + k * panelColumns + j;
      const Right first(words), second(words + lanes);
#pragma GCC unroll 14
      for (int i = 0; i < Rows; ++i) {
        const Left left(x + i * stride + 2 * k);
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
void tileOf(int rows, int64_t depth, const Rounded *x, int64_t stride, const int32_t *panel, float *c,
            std::integer_sequence<int, Rows...>) {
  using Tile = void (*)(int64_t, const Rounded *, int64_t, const int32_t *, float *);
  static constexpr Tile tiles[] = {vectorTile<Rows + 1>...};
  tiles[rows - 1](depth, x, stride, panel, c);
}

void tile(int rows, int64_t depth, const Rounded *x, int64_t stride, const int32_t *panel, float *c) {
  tileOf(rows, depth, x, stride, panel, c, std::make_integer_sequence<int, tileRows>{});
}

void releaseTiles() {}

#endif

// --- Products ------------------------------------------------------------------------------------------------------

// to[2 · depth] = x[in], rounded, with zeros at the end
void roundRow(const float *x, int64_t in, int64_t depth, Rounded *to) {
  for (int64_t k = 0; k < in; ++k) {
    const uint32_t bits = bfloat16(x[k]);
#if defined(__AVX512BF16__) || defined(__AMX_BF16__)
    to[k] = static_cast<uint16_t>(bits);
#else
    const uint32_t widened = bits << 16;
    std::memcpy(to + k, &widened, sizeof widened);
#endif
  }
  std::memset(to + in, 0, (2 * depth - in) * sizeof *to);
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
  // Rows of x begin 64 bytes further than they need to: at a power of two, all would compete for the same cache lines.
  const int64_t stride = 2 * w.depth + 64 / static_cast<int64_t>(sizeof(Rounded));
  const int64_t panels = w.panelCount();
  Rounded *x = scratch<Rounded>(std::min(op.rows, rowsAtOnce) * stride);
  for (int64_t first = 0; first < op.rows; first += rowsAtOnce) {
    const int64_t rows = std::min(rowsAtOnce, op.rows - first);
    constexpr int64_t rowsOfTask = 16;
    pool.run(ceilDiv(rows, rowsOfTask), [&](int64_t task) {
      const int64_t end = std::min(rows, (task + 1) * rowsOfTask);
      for (int64_t i = task * rowsOfTask; i < end; ++i) roundRow(op.x + (first + i) * w.in, w.in, w.depth, x + i * stride);
    });
    const int64_t blocks = ceilDiv(rows, blockRows), rowsOfBlock = ceilDiv(ceilDiv(rows, blocks), tileRows) * tileRows;
    const int64_t group = std::max<int64_t>(1, std::min(panelsAtOnce, panels * blocks / (4 * pool.threads())));
    const int64_t groups = ceilDiv(panels, group);
    pool.run(blocks * groups, [&](int64_t task) {
      const int64_t block = task / groups * rowsOfBlock, end = std::min(rows, block + rowsOfBlock);
      const int64_t firstPanel = task % groups * group, lastPanel = std::min(panels, firstPanel + group);
      alignas(64) float c[tileRows * panelColumns];
      for (int64_t k = 0; k < w.depth; k += depthAtOnce) {
        const int64_t depth = std::min(depthAtOnce, w.depth - k);
        for (int64_t panel = firstPanel; panel < lastPanel; ++panel) {
          const int64_t column = panel * panelColumns, columns = std::min(panelColumns, w.out - column);
          for (int64_t i = block; i < end; i += tileRows) {
            const int count = static_cast<int>(std::min<int64_t>(tileRows, end - i));
            tile(count, depth, x + i * stride + 2 * k, stride, w.panel(panel) + k * panelColumns, c);
            finish(op, first + i, count, column, columns, k == 0, c);
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
