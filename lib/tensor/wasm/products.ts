/**
 * Matrix products on the wasm backend. Like tfjs, they use XNNPACK, but also for
 *
 * - stacks of matrices (attention) and transposed matrices (gradients), which tfjs computes with plain loops on one
 *   thread;
 * - deep products, split into parts that are added up. XNNPACK accumulates in float32, so the rounding error grows with
 *   the depth. A sum of shorter sums is as close to float64 as PyTorch's (docs/results/parity.md), and parts fit the
 *   caches.
 */
import { getKernel, util, type KernelFunc, type TensorInfo } from "@tensorflow/tfjs-core";
import { replaceKernel, type Call, type Result } from "./kernel.ts";
import { WasmMatrices, type Matrix, type WasmBackend } from "./matrices.ts";

/** XNNPACK packs the right matrix first, which does not pay off for fewer rows of the left matrix. */
const fewestRows = 8;

/** The depth of a part. */
const partDepth = 256;

const matricesByBackend = new WeakMap<WasmBackend, WasmMatrices>();

/** The parts of right matrices, with XNNPACK's packed copies. They are kept until the tensor is disposed. */
const partsOf = new WeakMap<object, Matrix[]>();

/** Replaces tfjs's matrix products on the wasm backend. */
export function registerWasmProducts(): void {
  replaceKernel("BatchMatMul", multiply);
  replaceKernel("_FusedMatMul", (call, plain) => {
    const { activation, transposeA, transposeB } = call.attrs as Record<string, unknown>;
    const linear = activation === "linear" && transposeA === false && transposeB === false;
    return linear && isDeep(call) ? multiplyDeep(call) : plain(call);
  });
}

function matricesOf(backend: WasmBackend): WasmMatrices {
  let matrices = matricesByBackend.get(backend);
  if (!matrices) {
    matrices = new WasmMatrices(backend);
    matricesByBackend.set(backend, matrices);
    forgetPartsWithTensors(backend, matrices);
  }
  return matrices;
}

function forgetPartsWithTensors(backend: WasmBackend, matrices: WasmMatrices): void {
  const dispose = backend.disposeData.bind(backend);
  backend.disposeData = (dataId, force) => {
    const gone = dispose(dataId, force);
    if (gone) {
      for (const part of partsOf.get(dataId) ?? []) matrices.forget(part);
      partsOf.delete(dataId);
    }
    return gone;
  };
}

function multiply(call: Call, plain: KernelFunc): Result {
  const { a, b } = call.inputs as { a: TensorInfo; b: TensorInfo };
  const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
  const outer = a.shape.slice(0, -2);
  if (outer.join() !== b.shape.slice(0, -2).join() || a.dtype !== "float32" || b.dtype !== "float32") {
    return plain(call);
  }
  if (util.sizeFromShape(outer) === 1 && !transposeA && !transposeB) {
    return isDeep(call) ? multiplyDeep(call) : plain(call);
  }
  return a.shape.at(transposeA ? -1 : -2)! < fewestRows ? plain(call) : multiplyStack(call);
}

/**
 * The products of a stack, one after another. XNNPACK packs the right matrix, so the larger matrix should be the left
 * one: if one of the two is transposed anyway, (Bᵀ · Aᵀ)ᵀ can be cheaper.
 */
function multiplyStack(call: Call): TensorInfo {
  const { a, b } = call.inputs as { a: TensorInfo; b: TensorInfo };
  const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
  const backend = call.backend as WasmBackend;
  if (transposeA === transposeB || util.sizeFromShape(b.shape) <= 2 * util.sizeFromShape(a.shape)) {
    return multiplyInTurn(a, transposeA, b, transposeB, backend);
  }
  const product = multiplyInTurn(b, !transposeB, a, !transposeA, backend);
  const out = transposed(product, lastTwoSwapped(product), backend);
  backend.disposeData(product.dataId);
  return out;
}

function multiplyInTurn(
  a: TensorInfo,
  transposeA: boolean,
  b: TensorInfo,
  transposeB: boolean,
  backend: WasmBackend,
): TensorInfo {
  const matrices = matricesOf(backend);
  const left = transposeA ? transposed(a, lastTwoSwapped(a), backend) : a; // [..., rows, depth]
  const right = transposeB ? transposed(b, lastTwoSwapped(b), backend) : b; // [..., depth, columns]
  const [rows = 0, depth = 0] = left.shape.slice(-2);
  const columns = right.shape.at(-1)!;
  const outer = a.shape.slice(0, -2);
  const out = backend.makeOutput([...outer, rows, columns], "float32");
  for (let i = 0; i < util.sizeFromShape(outer); i++) {
    const parts = [
      matrices.part(left, i, rows, depth),
      matrices.part(right, i, depth, columns),
      matrices.part(out, i, rows, columns),
    ] as const;
    matrices.multiply(...parts);
    for (const part of parts) matrices.forget(part);
  }
  if (left !== a) backend.disposeData(left.dataId);
  if (right !== b) backend.disposeData(right.dataId);
  return out;
}

function isDeep({ inputs }: Call): boolean {
  const { a, b, bias } = inputs as { a: TensorInfo; b: TensorInfo; bias?: TensorInfo };
  const parts = a.shape.at(-1)! / partDepth;
  const single =
    util.sizeFromShape(a.shape.slice(0, -2)) === 1 && util.sizeFromShape(b.shape.slice(0, -2)) === 1;
  return single && Number.isInteger(parts) && parts > 1 && (!bias || bias.shape.length === 1);
}

/** a · b + bias, as a sum of products of some columns of a with the same rows of b. */
function multiplyDeep({ backend: called, inputs }: Call): TensorInfo {
  const backend = called as WasmBackend;
  const matrices = matricesOf(backend);
  const { a, b, bias } = inputs as { a: TensorInfo; b: TensorInfo; bias?: TensorInfo };
  const [rows = 0, depth = 0] = a.shape.slice(-2);
  const columns = b.shape.at(-1)!;
  const count = depth / partDepth;
  let right = partsOf.get(b.dataId);
  if (!right) {
    right = Array.from({ length: count }, (_, i) => matrices.part(b, i, partDepth, columns));
    partsOf.set(b.dataId, right);
  }

  const left = transposed({ ...a, shape: [rows, count, partDepth] }, [1, 0, 2], backend); // [count, rows, partDepth]
  const out = backend.makeOutput([...a.shape.slice(0, -1), columns], "float32");
  const term = backend.makeOutput([rows, columns], "float32");
  const [sum, summand] = [matrices.whole(out, rows, columns), matrices.whole(term, rows, columns)];
  for (const [i, part] of right.entries()) {
    const columnsOfA = matrices.part(left, i, rows, partDepth);
    if (i === 0) {
      matrices.multiply(columnsOfA, part, sum, bias && matrices.idOf(bias));
    } else {
      matrices.multiply(columnsOfA, part, summand);
      matrices.addTo(sum, summand);
    }
    matrices.forget(columnsOfA);
  }
  for (const { dataId } of [left, term]) backend.disposeData(dataId);
  return out;
}

function transposed(x: TensorInfo, perm: number[], backend: WasmBackend): TensorInfo {
  return getKernel("Transpose", "wasm").kernelFunc({ inputs: { x }, attrs: { perm }, backend }) as TensorInfo;
}

function lastTwoSwapped({ shape }: TensorInfo): number[] {
  const axes = shape.map((_, axis) => axis);
  return [...axes.slice(0, -2), ...axes.slice(-2).reverse()];
}
