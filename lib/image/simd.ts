/**
 * The steps of a resize for 8-bit samples, and the normalisation, in SIMD. The arithmetic is in
 * tools/wasm/kernels/preprocess.ts; this file lays out the memory.
 *
 * Images pass through the module's memory in strips of rows, so that its size does not depend on the image's, and a
 * strip stays in the processor's cache. A module's memory never shrinks.
 */
import { growTo, instantiate, type WasmKernels } from "../wasm/instantiate.ts";
import { base64 } from "../wasm/modules/preprocess.ts";
import type { Raster, Window } from "./raster.ts";
import type { FixedCoefficients } from "./resize-weights.ts";

let started: WasmKernels<"horizontal" | "vertical" | "lookUp"> | null | undefined;

/** This thread's module; null where the host cannot run it. */
function kernels(): typeof started {
  return started === undefined ? (started = instantiate(base64) ?? null) : started;
}

/** Bytes of a strip, unless a single row is longer. */
const stripBytes = 1 << 18;

/** The largest memory that the module takes: 64 MiB. */
const mostBytes = 1 << 26;

/** The first address in use. */
const base = 64;

/** Kernels load and store 16 bytes at once, also at the end of a buffer. */
const room = 16;

/** The parts of the module's memory: consecutive, aligned, with {@link room} behind each. */
function layOut(...sizes: readonly number[]): { readonly at: readonly number[]; readonly end: number } {
  let end = base;
  const at = sizes.map((size) => {
    const start = end;
    end = Math.ceil((start + size + room) / 16) * 16;
    return start;
  });
  return { at, end };
}

/** The low 15 bits of two weights as one number of 32 bits, then the bits above of both. */
function packPair(target: Int32Array, at: number, one: number, other: number): void {
  target[at] = (one & 0x7fff) | ((other & 0x7fff) << 16);
  target[at + 1] = ((one >> 15) & 0xffff) | ((other >> 15) << 16);
}

/** @returns [outputs, width / 2, 2]: the weights of each output in pairs; those that an output lacks are 0 */
function packWeights({ taps, count, weights }: FixedCoefficients, width: number): Int32Array {
  const packed = new Int32Array(count.length * width);
  for (const [i, length] of count.entries()) {
    for (let k = 0; k < length; k += 2) {
      const [one, other] = [weights[i * taps + k]!, k + 1 < length ? weights[i * taps + k + 1]! : 0];
      packPair(packed, i * width + k, one, other);
    }
  }
  return packed;
}

function largest(values: Int32Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function bytesAt(
  { memory }: { readonly memory: WebAssembly.Memory },
  at: number,
  length: number,
): Uint8Array {
  return new Uint8Array(memory.buffer, at, length);
}

function store({ memory }: { readonly memory: WebAssembly.Memory }, at: number, values: Int32Array): void {
  new Int32Array(memory.buffer, at, values.length).set(values);
}

/** As `fixedHorizontal`. @returns undefined if the host, the bands or the size do not allow it */
export function simdHorizontal(
  { width, stride, bands, data }: Raster<Uint8Array>,
  coefficients: FixedCoefficients,
  window: Window,
): Uint8Array | undefined {
  const module = kernels();
  if (module == null || stride < 3 || bands < 3) return undefined;
  const pairs = Math.ceil(largest(coefficients.count) / 2);
  const [pitch, targetPitch] = [width * stride, window.width * bands];
  const rowsAtOnce = Math.min(Math.max(stripBytes / pitch, 2) & ~1, window.height);
  const { at, end } = layOut(
    4 * window.width,
    8 * pairs * window.width,
    rowsAtOnce * pitch + 8 * pairs, // the last taps may lie beyond the row
    rowsAtOnce * targetPitch,
  );
  const [first = 0, weights = 0, source = 0, target = 0] = at;
  if (end > mostBytes) return undefined;
  growTo(module.memory, end);
  store(
    module,
    first,
    coefficients.first.map((column) => column * stride),
  );
  store(module, weights, packWeights(coefficients, 2 * pairs));
  const resized = new Uint8Array(window.height * targetPitch);
  for (let row = 0; row < window.height; row += rowsAtOnce) {
    const rows = Math.min(rowsAtOnce, window.height - row);
    const from = (window.top + row) * pitch;
    bytesAt(module, source, rows * pitch).set(data.subarray(from, from + rows * pitch));
    module.horizontal(source, pitch, stride, rows, window.width, first, weights, pairs, target, bands);
    resized.set(bytesAt(module, target, rows * targetPitch), row * targetPitch);
  }
  return resized;
}

/** As `fixedVertical`. @returns undefined if the host, the stride or the size do not allow it */
export function simdVertical(
  { width, stride, bands, data }: Raster<Uint8Array>,
  coefficients: FixedCoefficients,
  height: number,
): Uint8Array | undefined {
  const module = kernels();
  if (module == null || stride !== bands) return undefined;
  const pairs = Math.ceil(largest(coefficients.count) / 2);
  const pitch = width * bands;
  const sourceBytes = (largest(coefficients.first) + 2 * pairs) * pitch; // the last taps may lie below the image
  const { at, end } = layOut(4 * height, 8 * pairs * height, sourceBytes, height * pitch);
  const [first = 0, weights = 0, source = 0, target = 0] = at;
  if (end > mostBytes) return undefined;
  growTo(module.memory, end);
  store(module, first, coefficients.first);
  store(module, weights, packWeights(coefficients, 2 * pairs));
  bytesAt(module, source, sourceBytes).set(data.subarray(0, sourceBytes));
  module.vertical(source, pitch, height, first, weights, pairs, target);
  return bytesAt(module, target, height * pitch).slice();
}

/**
 * Looks up the values of RGB pixels.
 *
 * @param rgb [pixels, 3]
 * @param tables [3, 256]: the value of each level, per band
 * @returns [3, pixels]; undefined if the host or the size do not allow it
 */
export function wasmLookUp(rgb: Uint8Array, tables: Float32Array): Float32Array | undefined {
  const module = kernels();
  if (module == null) return undefined;
  const pixels = rgb.length / 3;
  const { at, end } = layOut(tables.byteLength, rgb.length, 4 * rgb.length);
  const [table = 0, source = 0, target = 0] = at;
  if (end > mostBytes) return undefined;
  growTo(module.memory, end);
  new Float32Array(module.memory.buffer, table, tables.length).set(tables);
  bytesAt(module, source, rgb.length).set(rgb);
  module.lookUp(source, pixels, table, target);
  return new Float32Array(module.memory.buffer, target, rgb.length).slice();
}
