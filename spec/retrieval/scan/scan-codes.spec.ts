import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { paddedWidth, rowsPerBlock } from "../../../lib/retrieval/scan/kernel.ts";
import { quantiseQuery, quantiseRow } from "../../../lib/retrieval/scan/quantise.ts";
import { scanCodes, type CodeSegment } from "../../../lib/retrieval/scan/scan-codes.ts";
import { wasmKernel } from "../../../lib/retrieval/scan/wasm-kernel.ts";

/** Numbers from a normal distribution, the same for the same seed. */
function normals(seed: number, count: number): Float32Array {
  let state = seed >>> 0 || 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

function segmentOf(vectors: Float32Array, width: number, firstId = 0): CodeSegment {
  const rows = vectors.length / width;
  const padded = paddedWidth(width);
  const memory = wasmKernel.allocate(rows, padded);
  const [scales, errors] = [new Float32Array(rows), new Float32Array(rows)];
  let largestNorm = 0;
  for (let row = 0; row < rows; row++) {
    const codes = memory.codes.subarray(row * padded, (row + 1) * padded);
    const { scale, error, norm } = quantiseRow(vectors.subarray(row * width, (row + 1) * width), codes)!;
    scales[row] = scale;
    errors[row] = error;
    largestNorm = Math.max(largestNorm, norm);
  }
  return { firstId, rows, memory, scales, errors, largestNorm };
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

const sizes = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  rows: fc.integer({ min: 1, max: 2 * rowsPerBlock + 3 }),
  width: fc.integer({ min: 1, max: 200 }),
});

describe("The scan of int8 codes", () => {
  it("computes int32 dot products exactly, of any rows of a list", () => {
    fc.assert(
      fc.property(sizes, ({ seed, rows, width }) => {
        const padded = paddedWidth(width);
        const memory = wasmKernel.allocate(rows, padded);
        const values = normals(seed, rows * width);
        for (const [i, value] of values.entries())
          memory.codes[Math.floor(i / width) * padded + (i % width)] = Math.round(127 * Math.sin(9 * value));
        const { codes } = quantiseQuery(normals(seed + 1, width), padded);
        memory.setQueries(codes);
        const list = Array.from({ length: Math.min(rows, rowsPerBlock) }, (_, i) => (i * 7) % rows);
        memory.list.set(list);
        const expected = list.map((row) => {
          let sum = 0;
          for (let i = 0; i < padded; i++) sum += memory.codes[row * padded + i]! * codes[i]!;
          return sum;
        });
        deepStrictEqual([...memory.dots(0, 0, list.length).subarray(0, list.length)], expected);
      }),
      { numRuns: 40 },
    );
  });

  it("does not overflow with the largest codes", () => {
    const width = 4096;
    const memory = wasmKernel.allocate(1, width);
    memory.codes.fill(-127);
    const query = quantiseQuery(new Float32Array(width).fill(1), width);
    memory.setQueries(query.codes);
    strictEqual(memory.dots(0, 0, 1)[0], -127 * width * query.codes[0]!);
  });

  it("finds every row whose exact score reaches a minimum, with and without a mask", () => {
    fc.assert(
      fc.property(sizes, fc.double({ min: -1, max: 1, noNaN: true }), ({ seed, rows, width }, min) => {
        const vectors = normals(seed, rows * width);
        const query = normals(seed + 1, width);
        const mask = Uint8Array.from({ length: Math.ceil((rows + 5) / 8) }, (_, i) => (i * 37) & 0xff);
        const segment = segmentOf(vectors, width, 5);
        for (const admitted of [null, mask]) {
          const [found] = scanCodes([segment], [quantiseQuery(query, paddedWidth(width))], { min }, admitted);
          const ids = new Set(found!.map(({ id }) => id));
          for (let row = 0; row < rows; row++) {
            const isAdmitted =
              admitted === null || ((admitted[(row + 5) >> 3]! >> ((row + 5) & 7)) & 1) === 1;
            const exact = dot(vectors.subarray(row * width, (row + 1) * width), query);
            if (isAdmitted && exact >= min) ok(ids.has(row + 5), `row ${row} with ${exact} is missing`);
            if (!isAdmitted) ok(!ids.has(row + 5), `row ${row} is masked`);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it("returns the best k in the order of scores, then ids, from several segments", () => {
    const width = 16;
    const vectors = normals(3, 900 * width);
    vectors.copyWithin(700 * width, 0, 100 * width); // rows 700 to 799 equal rows 0 to 99
    const query = quantiseQuery(normals(4, width), paddedWidth(width));
    const whole = scanCodes([segmentOf(vectors, width)], [query, query], { k: 60 }, null);
    const parts = [600, 0].map((first) =>
      segmentOf(vectors.subarray(first * width, (first === 0 ? 600 : 900) * width), width, first),
    );
    deepStrictEqual(scanCodes(parts, [query], { k: 60 }, null)[0], whole[0]);
    deepStrictEqual(whole[1], whole[0]);
    const rows = whole[0]!;
    for (const [i, { id, score }] of rows.entries()) {
      const before = rows[i - 1];
      ok(!before || before.score > score || (before.score === score && before.id < id));
    }
  });
});
