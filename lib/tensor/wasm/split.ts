/** Split on the wasm backend without a copy of the input. tfjs's kernel copies the whole input once per part. */
import { backend_util, util, type TensorInfo } from "@tensorflow/tfjs-core";
import { replaceKernel, type Call } from "./kernel.ts";
import type { WasmBackend } from "./matrices.ts";

/** Replaces tfjs's split on the wasm backend. */
export function registerWasmSplit(): void {
  replaceKernel("SplitV", split);
}

function split({ backend: called, inputs, attrs }: Call): TensorInfo[] {
  const backend = called as WasmBackend;
  const { x } = inputs as { x: TensorInfo };
  const { numOrSizeSplits, axis } = attrs as { numOrSizeSplits: number | number[]; axis: number };
  const at = util.parseAxisParam(axis, x.shape)[0]!;
  const sizes = backend_util.prepareSplitSize(x, numOrSizeSplits, at);
  const parts = sizes.map((size) => backend.makeOutput(x.shape.with(at, size), x.dtype));

  // After the outputs are allocated, because an allocation may move the heap.
  const from = backend.typedArrayFromHeap(x);
  const into = parts.map((part) => backend.typedArrayFromHeap(part));
  const inner = util.sizeFromShape(x.shape.slice(at + 1));
  const rows = util.sizeFromShape(x.shape.slice(0, at));
  let read = 0;
  for (let row = 0; row < rows; row++) {
    for (const [i, size] of sizes.entries()) {
      const length = size * inner;
      into[i]!.set(from.subarray(read, read + length), row * length);
      read += length;
    }
  }
  return parts;
}
