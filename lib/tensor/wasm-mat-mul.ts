/**
 * Matrix products on the wasm backend that tfjs leaves to plain loops: of stacks of matrices, as attention's, and of
 * transposed ones, as gradients'. XNNPACK, to which it gives the others, does them several times faster, on all threads.
 */
import { getKernel, registerKernel, unregisterKernel, util } from "@tensorflow/tfjs-core";
import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

type WasmBackend = Pick<BackendWasm, "wasm" | "makeOutput" | "disposeData" | "getMemoryOffset">;

/** What Emscripten adds to the module. */
interface Emscripten {
  readonly cwrap: (name: string, returns: null, takes: readonly string[]) => MultiplyById;
}

/** Multiplies tensors by their numbers in the module: a's, its shape in bytes and rank, b's, transposed?, the output's. */
type MultiplyById = (
  ...[a, aShape, aRank, b, bShape, bRank, transposeA, transposeB, out]: [
    ...[number, Uint8Array, number],
    ...[number, Uint8Array, number],
    ...[0, 0],
    number,
  ]
) => void;

/** XNNPACK reorders the right matrix first, which fewer rows of the left one do not repay. */
const fewestRows = 8;

/** Numbers for tensors that are parts of others. tfjs counts from 1 up. */
const part = { a: 0x7fff_fff1, b: 0x7fff_fff2, out: 0x7fff_fff3 };

/** Puts this BatchMatMul in the place of tfjs's. To be called once, after @tensorflow/tfjs-backend-wasm is imported. */
export function registerWasmMatMul(): void {
  const plain = getKernel("BatchMatMul", "wasm");
  unregisterKernel("BatchMatMul", "wasm"); // a second registration would warn
  registerKernel({ ...plain, kernelFunc: (call) => multiply(call, plain.kernelFunc) });
}

function multiply(call: Parameters<KernelFunc>[0], plain: KernelFunc): TensorInfo | TensorInfo[] {
  const backend = call.backend as WasmBackend;
  const { a, b } = call.inputs as { a: TensorInfo; b: TensorInfo };
  const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
  const outer = a.shape.slice(0, -2);
  const count = util.sizeFromShape(outer);
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const done = count === 1 && !transposeA && !transposeB; // XNNPACK has it already, and keeps b reordered
  const alike =
    a.dtype === "float32" && b.dtype === "float32" && outer.join() === b.shape.slice(0, -2).join();
  if (done || !alike || rows < fewestRows) return plain(call);

  const left = transposeA ? transposed(a, backend) : a; // [..., rows, depth]
  const right = transposeB ? transposed(b, backend) : b; // [..., depth, columns]
  const depth = left.shape.at(-1)!;
  const columns = right.shape.at(-1)!;
  const out = backend.makeOutput([...outer, rows, columns], "float32");
  multiplyStack(backend, left, right, out, { count, rows, depth, columns });
  if (left !== a) backend.disposeData(left.dataId);
  if (right !== b) backend.disposeData(right.dataId);
  return out;
}

/** The last two axes change places. */
function transposed(x: TensorInfo, backend: WasmBackend): TensorInfo {
  const perm = x.shape.map((_, axis) => axis);
  perm.push(...perm.splice(-2).reverse());
  return getKernel("Transpose", "wasm").kernelFunc({ inputs: { x }, attrs: { perm }, backend }) as TensorInfo;
}

/** One product after the other, where the matrices lie: each is registered as a tensor of its own meanwhile. */
function multiplyStack(
  backend: WasmBackend,
  a: TensorInfo,
  b: TensorInfo,
  out: TensorInfo,
  { count, rows, depth, columns }: Record<"count" | "rows" | "depth" | "columns", number>,
): void {
  const { tfjs, cwrap } = backend.wasm as typeof backend.wasm & Emscripten;
  const matrix = ["number", "array", "number"];
  const multiplyById = cwrap("BatchMatMul", null, [...matrix, ...matrix, "number", "number", "number"]);
  const parts = [
    { id: part.a, size: rows * depth, at: backend.getMemoryOffset(a.dataId) },
    { id: part.b, size: depth * columns, at: backend.getMemoryOffset(b.dataId) },
    { id: part.out, size: rows * columns, at: backend.getMemoryOffset(out.dataId) },
  ];
  const aShape = int32Bytes([1, rows, depth]);
  const bShape = int32Bytes([1, depth, columns]);
  for (let i = 0; i < count; i++) {
    for (const { id, size, at } of parts) tfjs.registerTensor(id, size, at + 4 * size * i);
    multiplyById(part.a, aShape, 3, part.b, bShape, 3, 0, 0, part.out);
    for (const { id } of parts) tfjs.disposeData(id); // with what XNNPACK keeps of b
  }
}

function int32Bytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(new Int32Array(values).buffer);
}
