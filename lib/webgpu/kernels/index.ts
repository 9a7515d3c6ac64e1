/**
 * The network's operations (`lib/nn/operations/`) and matrix products as shaders.
 *
 * tfjs's own kernels are general: a LayerNorm takes nine of them, heads are copied before and after attention, and deep
 * products are summed in an order that changes from run to run.
 */
import { getKernel, registerKernel, unregisterKernel, util } from "@tensorflow/tfjs-core";
import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import type { ContextInputs } from "../../nn/operations/attention-context.ts";
import type { ProbabilitiesInputs } from "../../nn/operations/attention-probabilities.ts";
import type { GeluInputs } from "../../nn/operations/gelu.ts";
import type { LayerNormInputs } from "../../nn/operations/layer-norm.ts";
import { linearSignature, type LinearInputs } from "../../nn/operations/linear.ts";
import { replaceOperation } from "../../nn/operations/operation.ts";
import { gelu } from "./gelu.ts";
import { layerNorm } from "./layer-norm.ts";
import { multiply, type Strides } from "./product.ts";
import type { ShaderBackend } from "./program.ts";
import { softmax } from "./softmax.ts";

const backendName = "webgpu";

let areRegistered = false;

/** Call this after importing @tensorflow/tfjs-backend-webgpu; it can be called again. */
export function registerWebgpuKernels(): void {
  if (areRegistered) return;
  areRegistered = true;
  replaceOperation<LinearInputs>(linearSignature, backendName, ({ x, weight, bias }, attributes, backend) =>
    linear(backend as ShaderBackend, x, weight, bias, attributes["parts"] as number),
  );
  replaceOperation<GeluInputs>({ name: "ClipscopeGelu", inputs: ["x"] }, backendName, ({ x }, _, backend) =>
    gelu(backend as ShaderBackend, x),
  );
  replaceOperation<LayerNormInputs>(
    { name: "ClipscopeLayerNorm", inputs: ["x", "gamma", "beta"] },
    backendName,
    ({ x, gamma, beta }, { epsilon }, backend) =>
      layerNorm(backend as ShaderBackend, x, gamma, beta, epsilon as number),
  );
  replaceOperation<ProbabilitiesInputs>(
    { name: "ClipscopeAttentionProbabilities", inputs: ["query", "key", "mask"] },
    backendName,
    (inputs, { heads }, backend) => probabilities(backend as ShaderBackend, inputs, heads as number),
  );
  replaceOperation<ContextInputs>(
    { name: "ClipscopeAttentionContext", inputs: ["probabilities", "value"] },
    backendName,
    (inputs, _, backend) => context(backend as ShaderBackend, inputs),
  );
  replaceBatchMatMul();
}

/** A matrix that is not part of a stack. */
function single(row: number, column = 1): Strides {
  return { outer: 0, inner: 0, row, column };
}

/** x · W + b. The parts of the output are products with some of W's columns. */
function linear(
  backend: ShaderBackend,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  parts: number,
): TensorInfo[] {
  const [depth = 0, width = 0] = weight.shape;
  const columns = width / parts;
  const rows = x.size / depth;
  return Array.from({ length: parts }, (_, part) =>
    multiply(backend, {
      ...{ a: x, b: weight, bias, rows, columns, depth },
      ...{ outer: 1, inner: 1, firstColumn: part * columns },
      ...{ aStrides: single(depth), bStrides: single(width), outStrides: single(columns) },
      outputShape: [...x.shape.slice(0, -1), columns],
    }),
  );
}

/** The heads in [B, L, heads · headWidth]: a stack of [L, headWidth]. */
function headStrides([, length = 0, width = 0]: readonly number[], heads: number): Strides {
  return { outer: length * width, inner: width / heads, row: width, column: 1 };
}

function probabilities(
  backend: ShaderBackend,
  { query, key, mask }: ProbabilitiesInputs,
  heads: number,
): TensorInfo {
  const [batch, length, width] = query.shape;
  const keys = headStrides(key.shape, heads);
  const scores = multiply(backend, {
    ...{ a: query, b: key, rows: length, columns: length, depth: width / heads, outer: batch, inner: heads },
    aStrides: headStrides(query.shape, heads),
    bStrides: { ...keys, row: keys.column, column: keys.row }, // transposed
    outStrides: { outer: heads * length * length, inner: length * length, row: length },
    scale: (width / heads) ** -0.5,
    outputShape: [batch, heads, length, length],
  });
  const result = softmax(backend, scores, mask);
  backend.disposeData(scores.dataId);
  return result;
}

function context(backend: ShaderBackend, { probabilities: p, value }: ContextInputs): TensorInfo {
  const [batch, heads, length] = p.shape;
  const width = value.shape[2];
  const strides = headStrides(value.shape, heads);
  return multiply(backend, {
    ...{ a: p, b: value, rows: length, columns: width / heads, depth: length, outer: batch, inner: heads },
    aStrides: { outer: heads * length * length, inner: length * length, row: length, column: 1 },
    bStrides: strides,
    outStrides: strides,
    outputShape: value.shape,
  });
}

/** Gradients and the read-out multiply with it. */
function replaceBatchMatMul(): void {
  const plain = getKernel("BatchMatMul", backendName);
  unregisterKernel("BatchMatMul", backendName); // a second registration would warn
  registerKernel({
    ...plain,
    kernelFunc: (call) => {
      const { a, b } = call.inputs as { a: TensorInfo; b: TensorInfo };
      const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean };
      const [aOuter, bOuter] = [a, b].map(({ shape }) => util.sizeFromShape(shape.slice(0, -2)));
      const isStack = a.shape.slice(0, -2).join() === b.shape.slice(0, -2).join();
      if (!isStack || a.dtype !== "float32" || b.dtype !== "float32" || aOuter !== bOuter)
        return plain.kernelFunc(call);
      const ofA = stacked(a.shape, transposeA);
      const ofB = stacked(b.shape, transposeB);
      return multiply(call.backend as ShaderBackend, {
        ...{ a, b, rows: ofA.rows, columns: ofB.columns, depth: ofA.columns, outer: aOuter!, inner: 1 },
        ...{ aStrides: ofA.strides, bStrides: ofB.strides },
        outStrides: { outer: ofA.rows * ofB.columns, inner: 0, row: ofB.columns },
        outputShape: [...a.shape.slice(0, -2), ofA.rows, ofB.columns],
      });
    },
  });
}

/** A stack [..., rows, columns] of matrices, as it is or transposed. */
function stacked(
  shape: readonly number[],
  transposed: boolean,
): { readonly rows: number; readonly columns: number; readonly strides: Strides } {
  const [rows = 0, columns = 0] = shape.slice(-2);
  const outer = rows * columns;
  return transposed
    ? { rows: columns, columns: rows, strides: { outer, inner: 0, row: 1, column: columns } }
    : { rows, columns, strides: { outer, inner: 0, row: columns, column: 1 } };
}
