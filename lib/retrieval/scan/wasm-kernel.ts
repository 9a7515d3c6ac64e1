/**
 * The kernel of the scan in WebAssembly SIMD: dot products of int8 rows with an int16 query, exact in int32. Runs in Node
 * and in browsers.
 */
import { op, valueTypes, wasmModule, type Code } from "./wasm-code.ts";
import { queriesAtOnce, rowsPerBlock, type CodeMemory, type ScanKernel } from "./kernel.ts";

const { i32, v128 } = valueTypes;

/** Codes per turn of the inner loop: rows are padded to a multiple of it. */
const unrolled = 64;

const [base, list, listEnd, stride, query, out] = [0, 1, 2, 3, 4, 5];
const [rowA, rowB, end, at] = [6, 7, 8, 9];
const [sumA0, sumA1, sumB0, sumB1, part0, part1] = [10, 11, 12, 13, 14, 15];

const increase = (local: number, by: Code): Code => [...op.get(local), ...by, ...op.add, ...op.set(local)];

/** row ← base + list[at] · stride */
const rowOf = (row: number, offset: number): Code => [
  ...op.get(list),
  ...op.load(offset),
  ...op.get(stride),
  ...op.mul,
  ...op.get(base),
  ...op.add,
  ...op.set(row),
];

/** sum ← sum + row[offset … offset + 8] · part */
const accumulate = (sum: number, row: number, offset: number, part: number): Code => [
  ...op.get(row),
  ...op.load8x8(offset),
  ...op.get(part),
  ...op.dot16,
  ...op.get(sum),
  ...op.add32x4,
  ...op.set(sum),
];

/** out[offset] ← the sum of two vectors' lanes */
const finish = (offset: number, sum0: number, sum1: number): Code => [
  ...op.get(out),
  ...op.get(sum0),
  ...op.get(sum1),
  ...op.add32x4,
  ...op.set(sum0),
  ...[0, 1, 2, 3].flatMap((lane) => [...op.get(sum0), ...op.lane32x4(lane)]),
  ...op.add,
  ...op.add,
  ...op.add,
  ...op.store(offset),
];

/** dots(base, list, listEnd, stride, query, out): two rows per turn, which share what is loaded of the query. */
const dots: Code = op.loop([
  ...rowOf(rowA, 0),
  ...rowOf(rowB, 4),
  ...[sumA0, sumA1, sumB0, sumB1].flatMap((sum) => [...op.zeros, ...op.set(sum)]),
  ...[...op.get(query), ...op.set(at)],
  ...[...op.get(rowA), ...op.get(stride), ...op.add, ...op.set(end)],
  ...op.loop([
    ...Array.from({ length: unrolled / 16 }, (_, i) => [
      ...[...op.get(at), ...op.load128(32 * i), ...op.set(part0)],
      ...[...op.get(at), ...op.load128(32 * i + 16), ...op.set(part1)],
      ...accumulate(sumA0, rowA, 16 * i, part0),
      ...accumulate(sumA1, rowA, 16 * i + 8, part1),
      ...accumulate(sumB0, rowB, 16 * i, part0),
      ...accumulate(sumB1, rowB, 16 * i + 8, part1),
    ]).flat(),
    ...increase(at, op.const(2 * unrolled)),
    ...increase(rowB, op.const(unrolled)),
    ...increase(rowA, op.const(unrolled)),
    ...[...op.get(rowA), ...op.get(end), ...op.lessThanUnsigned],
  ]),
  ...finish(0, sumA0, sumA1),
  ...finish(4, sumB0, sumB1),
  ...increase(out, op.const(8)),
  ...increase(list, op.const(8)),
  ...[...op.get(list), ...op.get(listEnd), ...op.lessThanUnsigned],
]);

/** The bytes of the module, less than 2 kB. */
export function wasmKernelBytes(): Uint8Array<ArrayBuffer> {
  return wasmModule({
    name: "dots",
    parameters: [i32, i32, i32, i32, i32, i32],
    locals: [i32, i32, i32, i32, v128, v128, v128, v128, v128, v128],
    body: dots,
  });
}

type Dots = (base: number, list: number, listEnd: number, stride: number, query: number, out: number) => void;

const pageBytes = 2 ** 16;

/** @throws WebAssembly.CompileError without support for SIMD, which Node and all current browsers have */
export function wasmKernel(): ScanKernel {
  const module = new WebAssembly.Module(wasmKernelBytes());
  return {
    allocate: (rows, width) => new WasmCodes(module, rows, width),
  };
}

class WasmCodes implements CodeMemory {
  readonly codes: Int8Array<ArrayBuffer>;
  readonly list: Int32Array;
  readonly #out: Int32Array;
  readonly #queries: Int16Array;
  readonly #stride: number;
  readonly #dots: Dots;
  readonly #places: { readonly out: number; readonly queries: number; readonly codes: number };

  constructor(module: WebAssembly.Module, rows: number, width: number) {
    this.#stride = width;
    const out = 4 * rowsPerBlock;
    const queries = out + 4 * rowsPerBlock;
    const codes = queries + 2 * queriesAtOnce * width;
    const memory = new WebAssembly.Memory({ initial: Math.ceil((codes + rows * width) / pageBytes) });
    this.#places = { out, queries, codes };
    this.list = new Int32Array(memory.buffer, 0, rowsPerBlock);
    this.#out = new Int32Array(memory.buffer, out, rowsPerBlock);
    this.#queries = new Int16Array(memory.buffer, queries, queriesAtOnce * width);
    this.codes = new Int8Array(memory.buffer, codes, rows * width);
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.#dots = exports["dots"] as Dots;
  }

  setQueries(queries: Int16Array): void {
    this.#queries.set(queries);
  }

  dots(query: number, first: number, count: number): Int32Array {
    const { out, queries, codes } = this.#places;
    // Rows are computed in pairs.
    if (count % 2 === 1) this.list[count] = this.list[count - 1]!;
    const base = codes + first * this.#stride;
    this.#dots(base, 0, 4 * count, this.#stride, queries + 2 * query * this.#stride, out);
    return this.#out;
  }
}
