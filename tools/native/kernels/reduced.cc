// Products with packed weights, compiled once for each instruction set. CLIPSCOPE_ISA is its name, and the compiler's
// flags say which instructions exist.
//
// How a product is computed. y = x · w needs each number of x and w many times, and reading memory takes far longer than
// multiplying. So the work is cut such that numbers are read from the fastest memory that can hold them:
//
// 1. Registers. A *tile* of y, a few rows times the 32 columns of a *panel* of w, is summed in registers. Each step reads
//    one word of each row and one row of the panel, and multiplies all pairs of them: with 14 rows, 14 + 32 words give 448
//    products of words. (tiles.h)
// 2. L1 cache. A *slice* of the panel, 128 words deep, stays there while all tiles of a block are multiplied by it.
// 3. L2 cache. A *block* of rows of x stays there while one panel after the other is multiplied by it.
// 4. Memory. x is rounded to the weight's precision, and laid out in the order in which tiles read it, once per *chunk* of
//    rows; w is read once per block.
//
// A row of y depends on its row of x alone, and its products are added in the same order whatever the batch, the block
// and the thread.
#include <cmath>
#include <memory>
#include <vector>

#include "memory.h"
#include "tiles.h"

namespace clipscope {
namespace CLIPSCOPE_ISA {
namespace {

constexpr int64_t sliceDepth = 128;
constexpr int64_t blockRows = 320;
// The depth of a block: 800 KB of x.
constexpr int64_t depthAtOnce = 640;
constexpr int64_t chunkRows = 1280;
// The panels of a task, whose sums stay in the L2 cache.
constexpr int64_t panelsAtOnce = 4;

constexpr int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Memory, aligned to a cache line, that a thread reuses for its next task.
template <int Slot, class T>
T *scratch(int64_t size) {
  constexpr int64_t line = 64;
  thread_local std::unique_ptr<char[]> buffer;
  thread_local int64_t bytes = 0;
  const int64_t wanted = size * static_cast<int64_t>(sizeof(T)) + line;
  if (bytes < wanted) {
    buffer.reset(new char[wanted]);
    preferLargePages(buffer.get(), wanted);
    bytes = wanted;
  }
  const auto address = reinterpret_cast<uintptr_t>(buffer.get());
  return reinterpret_cast<T *>((address + line - 1) / line * line);
}

// --- Rows of x -------------------------------------------------------------------------------------------------------

// The outliers of a tile of int8: the columns in which a row has one, and their values in all rows, 0 for the others.
struct Outliers {
  std::vector<int64_t> columns;
  std::vector<float> values;  // [columns][tileRows]
};

// A chunk of rows in the weight's precision.
template <class Scheme>
struct Rows {
  typename Scheme::Word *words;
  int64_t depth;
  // int8: what each row's numbers are multiples of, and the outliers of each tile.
  std::vector<float> scales;
  std::vector<Outliers> outliers;

  typename Scheme::Word *tile(int64_t row) const { return words + row * depth; }
};

// Rounds a row of x to bfloat16 and puts it into a tile, with zeros at the end.
void roundRow(const float *x, int64_t in, int64_t depth, Bf16::Word *to) {
  int64_t k = 0;
#if defined(__AMX_TILE__)
  for (; 2 * (k + wordsAtOnce) <= in; k += wordsAtOnce, to += tileRows * wordsAtOnce) {
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + 2 * k + 16), _mm512_loadu_ps(x + 2 * k)));
  }
#endif
  const auto bits = [x, in](int64_t i) { return i < in ? bfloat16(x[i]) : 0; };
  for (; k < depth; k += wordsAtOnce, to += tileRows * wordsAtOnce) {
    for (int64_t n = 0; n < wordsAtOnce; ++n) to[n] = Bf16::word(bits(2 * (k + n)), bits(2 * (k + n) + 1));
  }
}

void roundTile(const ReducedLinear &op, int64_t first, int64_t row, int count, Rows<Bf16> &to) {
  for (int i = 0; i < count; ++i) {
    roundRow(op.x + (first + row + i) * op.w.in, op.w.in, op.w.depth, to.tile(row) + i * wordsAtOnce);
  }
}

// A number of a row is an outlier if it is this many times larger than the row's mean magnitude. All others are multiples
// of the largest one's 127th part, so an outlier among them would cost them their accuracy.
constexpr float outlierRatio = 8;
// At most this share of a row: of more, the threshold is doubled until fewer exceed it.
constexpr int64_t widthOfOutlier = 64;

inline Vector magnitude(Vector x) { return sameBits<Vector>(sameBits<Integers>(x) & 0x7fffffff); }
inline float magnitude(float x) { return std::fabs(x); }

// Calls f with each vector of x; the last one ends with zeros.
template <class F>
void forVectors(const float *x, int64_t size, F f) {
  int64_t k = 0;
  for (; k + lanes <= size; k += lanes) f(load(x + k));
  if (k == size) return;
  float rest[lanes] = {};
  std::copy(x + k, x + size, rest);
  f(load(rest));
}

struct RowSizes {
  // Larger numbers are outliers.
  float threshold;
  bool hasOutliers;
  // What the others are multiples of; NaN if the row has a number that is not finite.
  float scale;
};

RowSizes measureRow(const float *x, int64_t in) {
  Vector totals = {}, highest = {};
  forVectors(x, in, [&](Vector v) {
    v = magnitude(v);
    totals += v;
    highest = v > highest ? v : highest;
  });
  const auto largest = [](Vector v) { return *std::max_element(reinterpret_cast<float *>(&v), reinterpret_cast<float *>(&v) + lanes); };
  const float total = sum(totals);
  if (!std::isfinite(total)) return {total, false, std::nanf("")};
  float threshold = outlierRatio * total / static_cast<float>(in), most = largest(highest);
  if (most <= threshold) return {threshold, false, most / 127};
  for (;; threshold *= 2) {
    Integers above = {};
    highest = Vector{};
    forVectors(x, in, [&](Vector v) {
      v = magnitude(v);
      const Integers isAbove = v > threshold;
      above -= isAbove;
      highest = isAbove ? highest : v > highest ? v : highest;
    });
    int64_t count = 0;
    for (int i = 0; i < lanes; ++i) count += above[i];
    if (count * widthOfOutlier <= in) return {threshold, count > 0, largest(highest) / 127};
  }
}

// Quantises a row to int8, with zeros for its outliers and at the end.
void quantiseRow(const float *x, int64_t in, RowSizes sizes, int64_t depth, Int8::Word *to) {
  typedef int8_t Bytes __attribute__((vector_size(lanes)));
  constexpr int64_t atOnce = std::max<int64_t>(lanes, 4 * wordsAtOnce);
  const float inverse = sizes.scale > 0 ? 1 / sizes.scale : 0;
  for (int64_t k = 0; k < 4 * depth; k += atOnce) {
    float padded[atOnce] = {};
    const float *from = x + k;
    if (k + atOnce > in) {
      if (k < in) std::copy(from, x + in, padded);
      from = padded;
    }
    int8_t bytes[atOnce];
    for (int64_t n = 0; n < atOnce; n += lanes) {
      const Vector v = load(from + n);
      // At this number, the unit of the last place is 1: the sum is rounded, and its last bits are the integer.
      const Integers rounded = sameBits<Integers>(v * inverse + 12582912.0f);
      const Integers kept = magnitude(v) > sizes.threshold ? Integers{} : rounded;
      const Bytes narrow = __builtin_convertvector(kept, Bytes);
      std::memcpy(bytes + n, &narrow, sizeof narrow);
    }
    for (int64_t n = 0; n < atOnce / 4; n += wordsAtOnce, to += tileRows * wordsAtOnce) {
      for (int64_t i = 0; i < wordsAtOnce; ++i) to[i] = Int8::word(bytes + 4 * (n + i));
    }
  }
}

void roundTile(const ReducedLinear &op, int64_t first, int64_t row, int count, Rows<Int8> &to) {
  Outliers &outliers = to.outliers[row / tileRows];
  for (int i = 0; i < count; ++i) {
    const float *x = op.x + (first + row + i) * op.w.in;
    const RowSizes sizes = measureRow(x, op.w.in);
    to.scales[row + i] = sizes.scale;
    quantiseRow(x, op.w.in, sizes, op.w.depth, to.tile(row) + i * wordsAtOnce);
    for (int64_t k = 0; sizes.hasOutliers && k < op.w.in; ++k) {
      if (!(magnitude(x[k]) > sizes.threshold)) continue;
      auto &columns = outliers.columns;
      const auto place = std::find(columns.begin(), columns.end(), k) - columns.begin();
      if (place == static_cast<int64_t>(columns.size())) {
        columns.push_back(k);
        outliers.values.resize(columns.size() * tileRows);
      }
      outliers.values[place * tileRows + i] = x[k];
    }
  }
}

// --- Rows of y -------------------------------------------------------------------------------------------------------

// Consecutive columns of one panel that belong to one part of y.
struct Span {
  int64_t panel, column, count;
  float *y;
};

// The spans of the panels from `begin` to `end`.
std::vector<Span> spansOf(const ReducedLinear &op, int64_t begin, int64_t end) {
  const int64_t width = op.w.out / op.parts;
  std::vector<Span> spans;
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t last = std::min(op.w.out, (panel + 1) * panelColumns);
    for (int64_t column = panel * panelColumns; column < last;) {
      const int64_t part = column / width, count = std::min(last, (part + 1) * width) - column;
      spans.push_back({panel, column, count, op.y[part] + column - part * width});
      column += count;
    }
  }
  return spans;
}

inline void addBias(const float *sums, const float *bias, int64_t count, float *y) {
  int64_t j = 0;
  for (; j + lanes <= count; j += lanes) store(y + j, bias ? load(sums + j) + load(bias + j) : load(sums + j));
  for (; j < count; ++j) y[j] = bias ? sums[j] + bias[j] : sums[j];
}

inline const float *scaled(const Rows<Bf16> &, const Packed &, int64_t, int64_t, const float *sums, float *) { return sums; }

// (sums · scale of the row + outliers · w) · scale of the column
inline const float *scaled(const Rows<Int8> &x, const Packed &w, int64_t row, int64_t panel, const int32_t *sums, float *to) {
  constexpr int64_t vectors = panelColumns / lanes;
  Vector products[vectors];
  const float scale = x.scales[row];
  for (int64_t j = 0; j < vectors; ++j) products[j] = __builtin_convertvector(load(sums + j * lanes), Vector) * scale;
  const Outliers &outliers = x.outliers[row / tileRows];
  for (size_t n = 0; n < outliers.columns.size(); ++n) {
    const float value = outliers.values[n * tileRows + row % tileRows];
    if (value == 0) continue;
    const int64_t k = outliers.columns[n];
    const int32_t *words = w.panel(panel) + k / 4 * panelColumns;
    const int before = static_cast<int>(24 - k % 4 * 8);
    for (int64_t j = 0; j < vectors; ++j) {
      products[j] += value * __builtin_convertvector(load(words + j * lanes) << before >> 24, Vector);
    }
  }
  const float *scales = w.scales + panel * panelColumns;
  for (int64_t j = 0; j < vectors; ++j) store(to + j * lanes, products[j] * load(scales + j * lanes));
  return to;
}

// Asks for a part of words that will be read next. Without it, the first tile of each slice would wait for memory.
void prefetch(const int32_t *words, int64_t size, int64_t part, int64_t parts) {
  constexpr int64_t line = 16;
  const int64_t lines = size / line;
  for (int64_t i = part * lines / parts; i < (part + 1) * lines / parts; ++i) __builtin_prefetch(words + i * line, 0, 2);
}

// What the sums begin with.
void begin(const Packed &, int64_t, int64_t rows, float *sums) { std::fill_n(sums, rows * panelColumns, 0.0f); }

void begin(const Packed &w, int64_t panel, int64_t rows, int32_t *sums) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < panelColumns; ++j) sums[i * panelColumns + j] = -Int8::offset * w.sums[panel * panelColumns + j];
  }
}

// --- Products --------------------------------------------------------------------------------------------------------

template <class Scheme>
void multiply(const ReducedLinear &op, Pool &pool) {
  const Packed &w = op.w;
  const int64_t panels = w.panelCount(), tilesOfChunk = ceilDiv(std::min(op.rows, chunkRows), tileRows);
  Rows<Scheme> x{scratch<0, typename Scheme::Word>(tilesOfChunk * tileRows * w.depth), w.depth, {}, {}};
  for (int64_t first = 0; first < op.rows; first += chunkRows) {
    const int64_t rows = std::min(chunkRows, op.rows - first), tiles = ceilDiv(rows, tileRows);
    if (Scheme::precision == Precision::Int8) {
      x.scales.assign(rows, 0.0f);
      x.outliers.assign(tiles, {});
    }
    const auto rowsOfTile = [](int64_t row, int64_t end) { return static_cast<int>(std::min<int64_t>(tileRows, end - row)); };
    pool.run(tiles, [&](int64_t t) { roundTile(op, first, t * tileRows, rowsOfTile(t * tileRows, rows), x); });

    const int64_t blocks = ceilDiv(rows, blockRows), rowsOfBlock = ceilDiv(ceilDiv(rows, blocks), tileRows) * tileRows;
    const int64_t group = std::max<int64_t>(1, std::min(panelsAtOnce, panels * blocks / (4 * pool.threads())));
    const int64_t groups = ceilDiv(panels, group);
    pool.run(blocks * groups, [&](int64_t task) {
      const int64_t block = task / groups * rowsOfBlock, end = std::min(rows, block + rowsOfBlock), height = end - block;
      const int64_t firstPanel = task % groups * group, lastPanel = std::min(panels, firstPanel + group);
      if (height <= 0) return;
      auto *sums = scratch<1, typename Scheme::Sum>((lastPanel - firstPanel) * rowsOfBlock * panelColumns);
      const auto sumsOf = [=](int64_t panel, int64_t row) { return sums + ((panel - firstPanel) * height + row - block) * panelColumns; };
      for (int64_t k = 0; k < w.depth; k += depthAtOnce) {
        const int64_t until = std::min(w.depth, k + depthAtOnce);
        for (int64_t panel = firstPanel; panel < lastPanel; ++panel) {
          if (k == 0) begin(w, panel, height, sumsOf(panel, block));
          for (int64_t slice = k; slice < until; slice += sliceDepth) {
            const int64_t depth = std::min(sliceDepth, until - slice);
            const int32_t *next = slice + depth < until ? w.panel(panel) + (slice + depth) * panelColumns
                                                        : w.panel(std::min(panel + 1, panels - 1)) + k * panelColumns;
            for (int64_t row = block; row < end; row += tileRows) {
              prefetch(next, sliceDepth * panelColumns, (row - block) / tileRows, ceilDiv(height, tileRows));
              addTile<Scheme>(rowsOfTile(row, end), depth, x.tile(row) + slice * tileRows,
                              w.panel(panel) + slice * panelColumns, sumsOf(panel, row));
            }
          }
        }
      }
      releaseTiles();
      const std::vector<Span> spans = spansOf(op, firstPanel, lastPanel);
      const int64_t width = w.out / op.parts;
      for (int64_t row = block; row < end; ++row) {
        for (const Span &span : spans) {
          float aside[panelColumns];
          const float *products = scaled(x, w, row, span.panel, sumsOf(span.panel, row), aside);
          addBias(products + span.column % panelColumns, op.bias ? op.bias + span.column : nullptr, span.count,
                  span.y + (first + row) * width);
        }
      }
    });
  }
}

void linear(const ReducedLinear &op, Pool &pool) {
  if (op.w.precision == Precision::Bf16) multiply<Bf16>(op, pool);
  else multiply<Int8>(op, pool);
}

// --- Attention -------------------------------------------------------------------------------------------------------

// The memory for the attention of one head. Rows of the left matrix become one tile at a time.
struct AttentionTile {
  int64_t depth, panels;
  int32_t *right;  // [panels][depth][panelColumns]
  Bf16::Word *left;
  float *sums;  // [panels][tileRows][panelColumns]

  AttentionTile(int64_t in, int64_t out) : depth(ceilDiv(in, 32) * 16), panels(ceilDiv(out, panelColumns)) {
    right = scratch<2, int32_t>(panels * depth * panelColumns);
    left = scratch<3, Bf16::Word>(tileRows * depth);
    sums = scratch<4, float>(panels * tileRows * panelColumns);
    std::fill_n(right, panels * depth * panelColumns, 0);
  }

  void multiply(int rows) const {
    std::fill_n(sums, panels * tileRows * panelColumns, 0.0f);
    for (int64_t panel = 0; panel < panels; ++panel) {
      addTile<Bf16>(rows, depth, left, right + panel * depth * panelColumns, sums + panel * tileRows * panelColumns);
    }
  }

  void readRow(int row, int64_t columns, float *to) const {
    for (int64_t j = 0; j < columns; j += panelColumns) {
      const float *from = sums + (j * tileRows) + row * panelColumns;
      std::copy(from, from + std::min(panelColumns, columns - j), to + j);
    }
  }
};

// As in kernels.h, with q, scaled, and k in bfloat16. Scores and their softmax are float32.
void probabilities(const Probabilities &op, Pool &pool) {
  const int64_t headWidth = op.width / op.heads, length = op.length;
  const float scale = 1 / std::sqrt(static_cast<float>(headWidth));
  pool.run(op.batch * op.heads, [&](int64_t task) {
    const int64_t batch = task / op.heads, head = task % op.heads;
    const float *q = op.q + batch * length * op.width + head * headWidth;
    const float *k = op.k + batch * length * op.width + head * headWidth;
    const AttentionTile tile(headWidth, length);
    for (int64_t j = 0; j < length; ++j) {
      int32_t *words = tile.right + j / panelColumns * tile.depth * panelColumns + j % panelColumns;
      const float *key = k + j * op.width;
      for (int64_t n = 0; n < headWidth; n += 2) {
        const uint32_t odd = n + 1 < headWidth ? bfloat16(key[n + 1]) : 0;
        words[n / 2 * panelColumns] = static_cast<int32_t>(bfloat16(key[n]) | odd << 16);
      }
    }
    float *scaledRow = scratch<5, float>(headWidth);
    for (int64_t i = 0; i < length; i += tileRows) {
      const int rows = static_cast<int>(std::min<int64_t>(tileRows, length - i));
      for (int row = 0; row < rows; ++row) {
        for (int64_t n = 0; n < headWidth; ++n) scaledRow[n] = q[(i + row) * op.width + n] * scale;
        roundRow(scaledRow, headWidth, tile.depth, tile.left + row * wordsAtOnce);
      }
      tile.multiply(rows);
      for (int row = 0; row < rows; ++row) {
        float *p = op.p + (task * length + i + row) * length;
        tile.readRow(row, length, p);
        if (op.mask) {
          const float *mask = op.mask + batch * op.maskStride[0] + head * op.maskStride[1] + (i + row) * op.maskStride[2];
          for (int64_t j = 0; j < length; ++j) p[j] += mask[j * op.maskStride[3]];
        }
        softmaxInPlace(p, length);
      }
    }
    releaseTiles();
  });
}

// As in kernels.h, with p and v in bfloat16 and sums in float32
void context(const Context &op, Pool &pool) {
  const int64_t headWidth = op.width / op.heads, length = op.length;
  pool.run(op.batch * op.heads, [&](int64_t task) {
    const int64_t offset = task / op.heads * length * op.width + task % op.heads * headWidth;
    const AttentionTile tile(length, headWidth);
    const std::vector<float> zeros(headWidth);
    for (int64_t k = 0; k < length; k += 2) {
      const float *even = op.v + offset + k * op.width, *odd = k + 1 < length ? even + op.width : zeros.data();
      for (int64_t panel = 0; panel < tile.panels; ++panel) {
        int32_t *words = tile.right + (panel * tile.depth + k / 2) * panelColumns;
        const int64_t begin = panel * panelColumns, columns = std::min(panelColumns, headWidth - begin);
        for (int64_t j = 0; j < columns; ++j) {
          words[j] = static_cast<int32_t>(bfloat16(even[begin + j]) | bfloat16(odd[begin + j]) << 16);
        }
      }
    }
    for (int64_t i = 0; i < length; i += tileRows) {
      const int rows = static_cast<int>(std::min<int64_t>(tileRows, length - i));
      for (int row = 0; row < rows; ++row) {
        roundRow(op.p + (task * length + i + row) * length, length, tile.depth, tile.left + row * wordsAtOnce);
      }
      tile.multiply(rows);
      for (int row = 0; row < rows; ++row) tile.readRow(row, headWidth, op.y + offset + (i + row) * op.width);
    }
    releaseTiles();
  });
}

}  // namespace

#define CLIPSCOPE_TEXT(name) #name
#define CLIPSCOPE_NAME(name) CLIPSCOPE_TEXT(name)
extern const ReducedKernels reducedKernels = {CLIPSCOPE_NAME(CLIPSCOPE_ISA), linear, probabilities, context};

}  // namespace CLIPSCOPE_ISA
}  // namespace clipscope
