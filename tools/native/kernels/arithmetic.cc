// The kernels, compiled once for each instruction set. CLIPSCOPE_ISA is its name, and the compiler's flags set the width
// of vectors. Registers are GCC's and Clang's vector types.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "kernels.h"
#include "vectors.h"

namespace clipscope {
namespace CLIPSCOPE_ISA {
namespace {

// A tile of the product stays in registers: `tileRows` rows of two vectors, two vectors of the right matrix and a
// broadcast number of the left one. AVX-512 and NEON have 32 registers, AVX2 and SSE 16.
constexpr int tileRows = manyRegisters ? 14 : 6;

// --- Products ------------------------------------------------------------------------------------------------------

constexpr int panelWidth = 2 * lanes;
// The number of products that are summed in registers before the sum is added to y. A tile of x of this depth fits the
// L1 cache, and short sums have smaller rounding errors than one long sum.
constexpr int64_t depthAtOnce = 256;
// The number of rows of x that are packed at once.
constexpr int64_t rowsAtOnce = 56 * 14;
// A matrix w of at most this many numbers fits the L2 cache.
constexpr int64_t smallRight = 1 << 17;
// The number of panels of w, of that depth, that stay in the L2 cache while all tiles of x are multiplied.
constexpr int64_t panelsAtOnce = 8;

// The right matrix of a tile, packed as `laid` [depth][panelWidth]. If `from` is set, its rows, `stride` apart, are
// packed during the multiplication, which hides the cost.
struct Right {
  float *laid;
  const float *from = nullptr;
  int64_t stride = 0;
};

// c[Rows, Width vectors] = base + a · b. a is [depth][Rows]. The rows of base are baseStride apart, 0 for a bias.
template <int Rows, int Width, bool Lay>
void tile(int64_t depth, const float *a, Right b, const float *base, int64_t baseStride, float *c, int64_t stride) {
  Vector sums[Rows][Width] = {};
  for (int64_t k = 0; k < depth; ++k) {
    Vector right[Width];
#pragma GCC unroll 2
    for (int j = 0; j < Width; ++j) {
      right[j] = load((Lay ? b.from + k * b.stride : b.laid + k * panelWidth) + j * lanes);
      if (Lay) store(b.laid + k * panelWidth + j * lanes, right[j]);
    }
#pragma GCC unroll 14
    for (int i = 0; i < Rows; ++i) {
      const float left = a[k * Rows + i];
#pragma GCC unroll 2
      for (int j = 0; j < Width; ++j) sums[i][j] += left * right[j];
    }
  }
#pragma GCC unroll 14
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < Width; ++j) {
      const Vector before = base ? load(base + i * baseStride + j * lanes) : Vector{};
      store(c + i * stride + j * lanes, before + sums[i][j]);
    }
  }
}

using Tile = void (*)(int64_t, const float *, Right, const float *, int64_t, float *, int64_t);

template <int Width, bool Lay, int... Rows>
Tile tileOf(int rows, std::integer_sequence<int, Rows...>) {
  static constexpr Tile tiles[] = {tile<Rows + 1, Width, Lay>...};
  return tiles[rows - 1];
}

// A tile of `columns` columns. A tile at the matrix's edge is computed in a buffer. Only whole panels are packed.
void anyTile(int rows, int64_t columns, int64_t depth, const float *a, Right b, const float *base,
             int64_t baseStride, float *c, int64_t stride) {
  const auto counts = std::make_integer_sequence<int, tileRows>{};
  const int width = columns > lanes ? 2 : 1;
  const Tile run = b.from       ? tileOf<2, true>(rows, counts)
                   : width == 2 ? tileOf<2, false>(rows, counts)
                                : tileOf<1, false>(rows, counts);
  if (columns == width * lanes) return run(depth, a, b, base, baseStride, c, stride);
  float aside[tileRows * panelWidth];
  run(depth, a, b, nullptr, 0, aside, panelWidth);
  for (int i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      c[i * stride + j] = (base ? base[i * baseStride + j] : 0.0f) + aside[i * panelWidth + j];
    }
  }
}

// A vector of the elements of a and b (numbered consecutively) with the indices J.
template <int... J>
inline Vector pick(Vector a, Vector b) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, J...);
#else
  return __builtin_shuffle(a, b, Integers{J...});
#endif
}

// Transposes a block whose rows are vectors: swaps the off-diagonal quarters, then those of each quarter.
template <int Half = lanes / 2, int... J>
inline void transpose(Vector (&block)[lanes], std::integer_sequence<int, J...> columns) {
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i) {
    if (i & Half) continue;
    const Vector upper = block[i], lower = block[i + Half];
    block[i] = pick<(J & Half ? lanes + J - Half : J)...>(upper, lower);
    block[i + Half] = pick<(J & Half ? lanes + J : J + Half)...>(upper, lower);
  }
  if constexpr (Half > 1) transpose<Half / 2>(block, columns);
}

// to[depth][rows] = (x[rows, depth] · scale)ᵀ; the rows of `to` are toStride apart
void packTransposed(const float *x, int64_t stride, int64_t rows, int64_t depth, float scale, float *to,
                    int64_t toStride) {
  for (int64_t first = 0; first < rows; first += lanes, x += lanes * stride) {
    const int64_t count = std::min<int64_t>(lanes, rows - first);
    int64_t k = 0;
    for (; k + lanes <= depth; k += lanes) {
      Vector block[lanes];
#pragma GCC unroll 16
      for (int i = 0; i < lanes; ++i) block[i] = i < count ? load(x + i * stride + k) * scale : Vector{};
      transpose(block, std::make_integer_sequence<int, lanes>{});
      for (int j = 0; j < lanes; ++j) {
        const int64_t at = (k + j) * toStride + first;
        // A vector may overlap later rows, which are written afterwards.
        if (count == lanes || (first == 0 && at + lanes <= depth * toStride)) {
          store(to + at, block[j]);
        } else {
          std::memcpy(to + at, &block[j], sizeof(float) * count);
        }
      }
    }
    for (; k < depth; ++k) {
      for (int64_t i = 0; i < count; ++i) to[k * toStride + first + i] = x[i * stride + k] * scale;
    }
  }
}

// The left matrix of a tile: to[depth][rows] = (x[rows, depth] · scale)ᵀ
void packLeft(const float *x, int64_t stride, int64_t rows, int64_t depth, float scale, float *to) {
  packTransposed(x, stride, rows, depth, scale, to, rows);
}

// to[depth][panelWidth] = w[depth, columns], with zeros at the end of each row
void packRight(const float *w, int64_t stride, int64_t depth, int64_t columns, float *to) {
  if (columns == panelWidth) {
    for (int64_t k = 0; k < depth; ++k) {
      store(to + k * panelWidth, load(w + k * stride));
      store(to + k * panelWidth + lanes, load(w + k * stride + lanes));
    }
    return;
  }
  std::memset(to, 0, sizeof(float) * depth * panelWidth);
  for (int64_t k = 0; k < depth; ++k) std::memcpy(to + k * panelWidth, w + k * stride, sizeof(float) * columns);
}

// to[depth][panelWidth] = (w[columns, depth])ᵀ, with zeros at the end of each row
void packRightTransposed(const float *w, int64_t stride, int64_t depth, int64_t columns, float *to) {
  if (columns < panelWidth) std::memset(to, 0, sizeof(float) * depth * panelWidth);
  packTransposed(w, stride, columns, depth, 1, to, panelWidth);
}

// Memory that a thread reuses for its next task.
float *scratch(int slot, int64_t size) {
  thread_local std::unique_ptr<float[]> buffers[3];
  thread_local int64_t sizes[3] = {};
  if (sizes[slot] < size) {
    buffers[slot].reset(new float[size]);
    sizes[slot] = size;
  }
  return buffers[slot].get();
}

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Splits `panels` into tasks and returns their beginnings. Tasks get smaller, so that threads finish together. Source:
// Polychronopoulos and Kuck, "Guided self-scheduling", 1987.
std::vector<int64_t> tasksOf(int64_t panels, int threads) {
  std::vector<int64_t> begins;
  for (int64_t panel = 0; panel < panels;) {
    begins.push_back(panel);
    panel += std::min(panelsAtOnce, ceilDiv(panels - panel, 2 * threads));
  }
  begins.push_back(panels);
  return begins;
}

// For a small w: each task is a tile of rows, which is multiplied by all panels.
void linearBySmall(const Linear &op, Pool &pool) {
  const int64_t panels = ceilDiv(op.out, panelWidth);
  float *right = scratch(1, panels * op.in * panelWidth);
  pool.run(panels, [&](int64_t panel) {
    const int64_t j = panel * panelWidth;
    packRight(op.w + j, op.out, op.in, std::min<int64_t>(panelWidth, op.out - j), right + j * op.in);
  });
  pool.run(ceilDiv(op.rows, tileRows), [&](int64_t t) {
    const int64_t i = t * tileRows;
    const int rows = static_cast<int>(std::min<int64_t>(tileRows, op.rows - i));
    float *left = scratch(2, tileRows * op.in);
    packLeft(op.x + i * op.in, op.in, rows, op.in, 1, left);
    for (int64_t k = 0; k < op.in; k += depthAtOnce) {
      const int64_t depth = std::min(depthAtOnce, op.in - k);
      for (int64_t j = 0; j < op.out; j += panelWidth) {
        float *y = op.y[0] + i * op.out + j;
        const float *base = k > 0 ? y : op.bias ? op.bias + j : nullptr;
        anyTile(rows, std::min<int64_t>(panelWidth, op.out - j), depth, left + k * rows,
                {right + j * op.in + k * panelWidth}, base, k > 0 ? op.out : 0, y, op.out);
      }
    }
  });
}

// Columns of w, their position in y, and the packed part of them.
struct Panel {
  int64_t column, columns;
  float *y;
  float *right;
};

void linear(const Linear &op, Pool &pool) {
  const int64_t width = op.parts * op.out, panelsOfPart = ceilDiv(op.out, panelWidth);
  if (op.parts == 1 && panelsOfPart * panelWidth * op.in <= smallRight) return linearBySmall(op, pool);
  const std::vector<int64_t> begins = tasksOf(op.parts * panelsOfPart, pool.threads());
  const int64_t blocks = ceilDiv(op.rows, rowsAtOnce);
  const int64_t blockRows = ceilDiv(ceilDiv(op.rows, blocks), tileRows) * tileRows;
  float *left = scratch(0, std::min(blockRows, op.rows) * op.in);
  for (int64_t first = 0; first < op.rows; first += blockRows) {
    const int64_t rows = std::min(blockRows, op.rows - first), tiles = ceilDiv(rows, tileRows);
    const float *x = op.x + first * op.in;
    pool.run(tiles, [&](int64_t t) {
      const int64_t i = t * tileRows;
      packLeft(x + i * op.in, op.in, std::min<int64_t>(tileRows, rows - i), op.in, 1, left + i * op.in);
    });
    pool.run(begins.size() - 1, [&](int64_t task) {
      float *right = scratch(1, panelsAtOnce * depthAtOnce * panelWidth);
      Panel panels[panelsAtOnce];
      const int64_t count = begins[task + 1] - begins[task];
      for (int64_t n = 0; n < count; ++n) {
        const int64_t panel = begins[task] + n, part = panel / panelsOfPart, j = panel % panelsOfPart * panelWidth;
        panels[n] = {part * op.out + j, std::min<int64_t>(panelWidth, op.out - j), op.y[part] + first * op.out + j,
                     right + n * depthAtOnce * panelWidth};
      }
      for (int64_t k = 0; k < op.in; k += depthAtOnce) {
        const int64_t depth = std::min(depthAtOnce, op.in - k);
        for (int64_t n = 0; n < count; ++n) {
          const Panel &panel = panels[n];
          if (panel.columns == panelWidth) continue;
          packRight(op.w + k * width + panel.column, width, depth, panel.columns, panel.right);
        }
        const float *next = op.w + (k + depth) * width;
        const int64_t nextDepth = std::min(depthAtOnce, op.in - k - depth);
        for (int64_t t = 0; t < tiles; ++t) {
          const int64_t i = t * tileRows;
          const int height = static_cast<int>(std::min<int64_t>(tileRows, rows - i));
          for (int64_t n = 0; n < count; ++n) {
            const Panel &panel = panels[n];
            // Prefetches the next rows of w step by step; otherwise their first tile would wait for memory.
            for (int64_t row = t * nextDepth / tiles; row < (t + 1) * nextDepth / tiles; ++row) {
              __builtin_prefetch(next + row * width + panel.column, 0, 2);
              __builtin_prefetch(next + row * width + panel.column + lanes, 0, 2);
            }
            float *y = panel.y + i * op.out;
            const float *base = k > 0 ? y : op.bias ? op.bias + panel.column : nullptr;
            const bool lay = t == 0 && panel.columns == panelWidth;
            const Right w = {panel.right, lay ? op.w + k * width + panel.column : nullptr, width};
            anyTile(height, panel.columns, depth, left + i * op.in + k * height, w, base, k > 0 ? op.out : 0, y, op.out);
          }
        }
      }
    });
  }
}

// --- Elementwise ----------------------------------------------------------------------------------------------------

// The size of an elementwise task: large enough to hide the cost of scheduling it.
constexpr int64_t valuesAtOnce = 16384;

// x · Φ(x). Near 0, Φ(x) = ½ + x · P(x²). Elsewhere Φ(−t) = e^(−t²/2) · R(1 / (1 + 0.4 t)), whose relative error stays
// small as the value approaches 0. coefficients.py computes P and R.
inline Vector geluOf(Vector x) {
  const Vector s = x * x;
  Vector p = -7.654239385e-06f * s + 1.134864576e-04f;
  p = p * s - 1.186330028e-03f;
  p = p * s + 9.973323448e-03f;
  p = p * s - 6.649035993e-02f;
  p = p * s + 3.989422801e-01f;
  const Vector near = p * x + 0.5f;

  const Vector t = x < 0.0f ? -x : x;
  const Vector u = 1.0f / (0.4f * t + 1.0f);
  Vector r = -3.933842750e-03f * u + 8.034157033e-02f;
  r = r * u - 2.021894131e-01f;
  r = r * u + 1.162677965e-01f;
  r = r * u + 5.118540708e-02f;
  r = r * u + 1.400027985e-01f;
  r = r * u + 1.589779870e-01f;
  r = r * u + 1.596018591e-01f;
  const Vector below = r * u * expNegative(-0.5f * s);
  const Vector far = x < 0.0f ? below : 1.0f - below;
  return x * (t < 1.0f ? near : far);
}

void gelu(const Gelu &op, Pool &pool) {
  pool.run(ceilDiv(op.size, valuesAtOnce), [&](int64_t task) {
    const int64_t end = std::min(op.size, (task + 1) * valuesAtOnce);
    int64_t i = task * valuesAtOnce;
    for (; i + lanes <= end; i += lanes) store(op.y + i, geluOf(load(op.x + i)));
    float rest[lanes] = {};
    std::copy(op.x + i, op.x + end, rest);
    store(rest, geluOf(load(rest)));
    std::copy(rest, rest + (end - i), op.y + i);
  });
}

// Sums f(x[i]) in as many partial sums as a vector has lanes.
template <class F>
float sumOf(const float *x, int64_t size, F f) {
  Vector partial = {};
  int64_t i = 0;
  for (; i + lanes <= size; i += lanes) partial += f(load(x + i));
  float total = sum(partial);
  for (; i < size; ++i) total += f(spread(x[i]))[0];
  return total;
}

void layerNorm(const LayerNorm &op, Pool &pool) {
  const int64_t rowsOfTask = std::max<int64_t>(1, valuesAtOnce / op.width);
  pool.run(ceilDiv(op.rows, rowsOfTask), [&](int64_t task) {
    const int64_t end = std::min(op.rows, (task + 1) * rowsOfTask);
    for (int64_t row = task * rowsOfTask; row < end; ++row) {
      const float *x = op.x + row * op.width;
      float *y = op.y + row * op.width;
      const float mean = sumOf(x, op.width, [](Vector v) { return v; }) / op.width;
      const float squares = sumOf(x, op.width, [mean](Vector v) { return (v - mean) * (v - mean); });
      const float scale = 1 / std::sqrt(squares / op.width + op.epsilon);
      int64_t i = 0;
      for (; i + lanes <= op.width; i += lanes) {
        store(y + i, (load(x + i) - mean) * scale * load(op.gamma + i) + load(op.beta + i));
      }
      for (; i < op.width; ++i) y[i] = (x[i] - mean) * scale * op.gamma[i] + op.beta[i];
    }
  });
}

// --- Attention ------------------------------------------------------------------------------------------------------

void probabilities(const Probabilities &op, Pool &pool) {
  const int64_t headWidth = op.width / op.heads, length = op.length;
  const int64_t panels = ceilDiv(length, panelWidth);
  const float scale = 1 / std::sqrt(static_cast<float>(headWidth));
  pool.run(op.batch * op.heads, [&](int64_t task) {
    const int64_t batch = task / op.heads, head = task % op.heads;
    const float *q = op.q + batch * length * op.width + head * headWidth;
    const float *k = op.k + batch * length * op.width + head * headWidth;
    float *right = scratch(1, panels * headWidth * panelWidth);
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t j = panel * panelWidth;
      packRightTransposed(k + j * op.width, op.width, headWidth, std::min<int64_t>(panelWidth, length - j),
                          right + panel * headWidth * panelWidth);
    }
    float *left = scratch(2, tileRows * headWidth);
    for (int64_t i = 0; i < length; i += tileRows) {
      const int rows = static_cast<int>(std::min<int64_t>(tileRows, length - i));
      packLeft(q + i * op.width, op.width, rows, headWidth, scale, left);
      float *p = op.p + (task * length + i) * length;
      for (int64_t panel = 0; panel < panels; ++panel) {
        const int64_t j = panel * panelWidth;
        anyTile(rows, std::min<int64_t>(panelWidth, length - j), headWidth, left,
                {right + panel * headWidth * panelWidth}, nullptr, 0, p + j, length);
      }
      for (int row = 0; row < rows; ++row, p += length) {
        if (op.mask) {
          const float *mask = op.mask + batch * op.maskStride[0] + head * op.maskStride[1] + (i + row) * op.maskStride[2];
          for (int64_t j = 0; j < length; ++j) p[j] += mask[j * op.maskStride[3]];
        }
        softmaxInPlace(p, length);
      }
    }
  });
}

void context(const Context &op, Pool &pool) {
  const int64_t headWidth = op.width / op.heads, length = op.length;
  const int64_t panels = ceilDiv(headWidth, panelWidth);
  pool.run(op.batch * op.heads, [&](int64_t task) {
    const int64_t offset = task / op.heads * length * op.width + task % op.heads * headWidth;
    float *right = scratch(1, panels * length * panelWidth);
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t j = panel * panelWidth;
      packRight(op.v + offset + j, op.width, length, std::min<int64_t>(panelWidth, headWidth - j),
                right + panel * length * panelWidth);
    }
    float *left = scratch(2, tileRows * length);
    for (int64_t i = 0; i < length; i += tileRows) {
      const int rows = static_cast<int>(std::min<int64_t>(tileRows, length - i));
      packLeft(op.p + (task * length + i) * length, length, rows, length, 1, left);
      for (int64_t panel = 0; panel < panels; ++panel) {
        const int64_t j = panel * panelWidth;
        anyTile(rows, std::min<int64_t>(panelWidth, headWidth - j), length, left, {right + panel * length * panelWidth},
                nullptr, 0, op.y + offset + i * op.width + j, op.width);
      }
    }
  });
}

}  // namespace

#define CLIPSCOPE_TEXT(name) #name
#define CLIPSCOPE_NAME(name) CLIPSCOPE_TEXT(name)
extern const Kernels kernels = {CLIPSCOPE_NAME(CLIPSCOPE_ISA), linear, gelu, layerNorm, probabilities, context};

}  // namespace CLIPSCOPE_ISA
}  // namespace clipscope
