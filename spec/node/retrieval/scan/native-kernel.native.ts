/** The scan's kernel in C++ against the one in WebAssembly: all sums are equal. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import fc from "fast-check";
import { buildLayout, nativeBuilds } from "../../../../lib/node/native/native-build.ts";
import { nativeScanKernel } from "../../../../lib/node/retrieval/scan/native-kernel.ts";
import { scanKernel } from "../../../../lib/node/retrieval/scan/scan-kernel.ts";
import {
  paddedWidth,
  queriesAtOnce,
  rowsPerBlock,
  type CodeMemory,
} from "../../../../lib/retrieval/scan/kernel.ts";
import { quantiseQuery } from "../../../../lib/retrieval/scan/quantise.ts";
import { scanCodes } from "../../../../lib/retrieval/scan/scan-codes.ts";
import { wasmKernel } from "../../../../lib/retrieval/scan/wasm-kernel.ts";

const sizes = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  rows: fc.integer({ min: 1, max: 2 * rowsPerBlock + 3 }),
  width: fc.integer({ min: 1, max: 300 }),
});

/** Both kernels with the same random codes. */
function bothOf(rows: number, padded: number, codes: Int8Array): CodeMemory[] {
  return [wasmKernel, nativeScanKernel()!].map((kernel) => {
    const memory = kernel.allocate(rows, padded);
    memory.codes.set(codes);
    return memory;
  });
}

function randomBytes(seed: number, count: number): Int8Array {
  let state = seed;
  return Int8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.max(-127, (state >>> 24) - 128);
  });
}

/** Codes whose padding is 0, as in files of codes. */
function randomCodes(seed: number, rows: number, width: number): Int8Array {
  const padded = paddedWidth(width);
  return randomBytes(seed, rows * padded).map((code, at) => (at % padded < width ? code : 0));
}

describe("the scan's kernel in C++", () => {
  it("is the one that a scan uses", () => {
    const kernel = scanKernel("auto");
    strictEqual(kernel, nativeScanKernel());
    const named = process.env["CLIPSCOPE_INSTRUCTIONS"];
    const [, instructions] = /^native, (\w+)$/.exec(kernel.name) ?? [];
    if (named !== undefined) console.log(`      asked for ${named}, runs ${instructions}`);
    ok(instructions !== undefined);
  });

  it("gives the sums of the one in WebAssembly, for rows of any list and any number of queries", () => {
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 1, max: queriesAtOnce }),
        fc.integer({ min: 1, max: rowsPerBlock }),
        ({ seed, rows, width }, queries, listed) => {
          const padded = paddedWidth(width);
          const codes = randomCodes(seed, rows, width);
          const joined = new Int16Array(queries * padded);
          for (let i = 0; i < queries; i++) {
            const vector = Array.from(randomBytes(seed + i, width), (value) => value / 127);
            joined.set(quantiseQuery(vector, padded).codes, i * padded);
          }
          const first = seed % rows;
          const list = Int32Array.from({ length: listed }, (_, i) => (i * 7) % (rows - first));
          const [wasm, native] = bothOf(rows, padded, codes).map((memory) => {
            memory.setQueries(joined);
            memory.list.set(list);
            return Array.from({ length: queries }, (_, query) =>
              Array.from(memory.dots(query, first, listed).subarray(0, listed)),
            );
          });
          deepStrictEqual(native, wasm);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("finds the same rows with the same scores, with deleted rows, conditions, k and minima", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 255 }), ({ seed, rows, width }, bits) => {
        const padded = paddedWidth(width);
        const codes = randomCodes(seed, rows, width);
        const scales = Float32Array.from({ length: rows }, (_, i) => 0.001 + (i % 13) / 1e4);
        const errors = scales.map((scale) => scale / 2);
        const queries = [1, 2, 3].map((i) =>
          quantiseQuery(
            Array.from(randomBytes(seed + i, width), (value) => value / 127),
            padded,
          ),
        );
        const mask = Uint8Array.from({ length: Math.ceil((rows + 5) / 8) }, (_, i) => (i * 37) & bits);
        const segments = bothOf(rows, padded, codes).map((memory) => ({
          ...{ firstId: 5, rows, memory, scales, errors, largestNorm: 10 },
        }));
        for (const admitted of [null, mask]) {
          for (const wanted of [{ k: 17 }, { min: 0.2 }]) {
            const [wasm, native] = segments.map((segment) => scanCodes([segment], queries, wanted, admitted));
            deepStrictEqual(native, wasm);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("does not overflow with the largest codes", () => {
    const width = 4096;
    const memory = nativeScanKernel()!.allocate(5, width);
    memory.codes.fill(-127);
    const query = quantiseQuery(new Float32Array(width).fill(-1), width);
    memory.setQueries(query.codes);
    memory.list.set([0, 1, 2, 3, 4]);
    const expected = -127 * width * query.codes[0]!;
    deepStrictEqual([...memory.dots(0, 0, 5).subarray(0, 5)], Array<number>(5).fill(expected));
  });

  it("begins with codes of 0, in small and in large memories", () => {
    for (const rows of [1, 2 ** 16]) {
      const { codes } = nativeScanKernel()!.allocate(rows, 64);
      ok(codes.every((code) => code === 0));
      codes.fill(1);
    }
  });

  it("refuses rows, queries and arrays outside of its memory", () => {
    const memory = nativeScanKernel()!.allocate(10, 64);
    memory.list.fill(0);
    memory.dots(0, 9, 1);
    const refused: [query: number, first: number, count: number, row: number][] = [
      [0, 10, 1, 0],
      [0, 9, 1, 1],
      [0, 0, 1, -1],
      [0, -1, 1, 0],
      [0, 0, rowsPerBlock + 1, 0],
      [0, 0, -1, 0],
      [queriesAtOnce, 0, 1, 0],
      [-1, 0, 1, 0],
    ];
    for (const [query, first, count, row] of refused) {
      memory.list[0] = row;
      throws(() => memory.dots(query, first, count), RangeError);
    }
    const addon = createRequire(import.meta.url)(join(nativeBuilds()[0]!.folder, buildLayout.scan)) as {
      bind(...values: unknown[]): unknown;
      allocate(bytes: unknown): unknown;
    };
    const arrays = [new Int8Array(64), new Int32Array(4), new Int16Array(64), new Int32Array(4)];
    throws(() => addon.bind(...arrays, 65), RangeError);
    throws(() => addon.bind(...arrays, 0), RangeError);
    throws(() => addon.bind(...arrays.toReversed(), 64), RangeError);
    throws(() => addon.bind(...arrays), RangeError);
    throws(() => addon.allocate(-1), RangeError);
    throws(() => addon.allocate("many"), RangeError);
  });
});
