/**
 * Derivatives of the tfjs kernels that the network's forward pass runs.
 *
 * Under Node, tfjs-core registers no derivatives, and its module with them cannot be imported. Two of these are
 * formulated differently from tfjs's, so that they run on wasm: gather is a product with one-hot rows (tfjs sums by
 * segments, a kernel that wasm lacks), and the patch convolution, whose stride is its kernel size, is a matrix product
 * over patches. Each implements the derivative stated in its comment; dy is the gradient with respect to the kernel's
 * output.
 */
import {
  div,
  equal,
  getGradient,
  greater,
  greaterEqual,
  matMul,
  mul,
  cast,
  neg,
  onesLike,
  pad,
  range,
  registerGradient,
  reshape,
  scatterND,
  softmax,
  split,
  square,
  sub,
  sum,
  transpose,
} from "@tensorflow/tfjs-core";
import type { GradConfig, Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { noGradient } from "./operation.ts";

/** Registers the derivatives that are not registered yet. */
export function registerTfjsGradients(): void {
  for (const gradient of gradients) {
    const known = getGradient(gradient.kernelName) as GradConfig | undefined; // may be undefined, contrary to its declared type
    if (known === undefined) registerGradient(gradient);
  }
}

/** Computes the gradient with respect to each input, by name, from a kernel's saved tensors and attributes. */
type Derivative = (dy: Tensor, saved: Tensor[], attributes: Attributes) => Record<string, () => Tensor>;

interface Attributes {
  readonly [name: string]: unknown;
}

function of(
  kernelName: string,
  save: { readonly inputs?: string[]; readonly output?: true; readonly allInputs?: true },
  derivative: Derivative,
): GradConfig {
  return {
    kernelName,
    ...(save.inputs && { inputsToSave: save.inputs }),
    ...(save.output && { outputsToSave: [true] }),
    ...(save.allInputs && { saveAllInputs: true }),
    gradFunc: (dy, saved, attributes) => derivative(dy as Tensor, saved, attributes),
  };
}

/** Sums over the axes along which a tensor of `shape` was broadcast to dy's shape. */
function unbroadcast(dy: Tensor, shape: readonly number[]): Tensor {
  const extra = dy.rank - shape.length;
  const repeated = dy.shape.flatMap((size, axis) =>
    axis < extra || (shape[axis - extra] === 1 && size > 1) ? [axis] : [],
  );
  return reshape(repeated.length > 0 ? sum(dy, repeated) : dy, [...shape]);
}

/** Restores the reduced axes of a tensor, with size 1. */
function unreduce(dy: Tensor, { shape }: Tensor, axes: readonly number[]): Tensor {
  return reshape(
    dy,
    shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
  );
}

/** The axes of a reduction, counted from the front; all of them if none are given. */
function axesOf({ axis }: Attributes, x: Tensor): number[] {
  const given = axis === undefined || axis === null ? x.shape.map((_, i) => i) : ([axis].flat() as number[]);
  return given.map((i) => (i < 0 ? i + x.rank : i));
}

const ab = { inputs: ["a", "b"] };
const x = { inputs: ["x"] };
const y = { output: true } as const;

const gradients: readonly GradConfig[] = [
  of("Identity", {}, (dy) => ({ x: () => dy })),
  of("Add", ab, (dy, [a, b]) => ({ a: () => unbroadcast(dy, a!.shape), b: () => unbroadcast(dy, b!.shape) })),
  of("Sub", ab, (dy, [a, b]) => ({
    a: () => unbroadcast(dy, a!.shape),
    b: () => unbroadcast(neg(dy), b!.shape),
  })),
  // ∂(ab) = b ∂a + a ∂b
  of("Multiply", ab, (dy, [a, b]) => ({
    a: () => unbroadcast(mul(dy, b!), a!.shape),
    b: () => unbroadcast(mul(dy, a!), b!.shape),
  })),
  // ∂(a/b) = ∂a / b − a ∂b / b²
  of("RealDiv", ab, (dy, [a, b]) => ({
    a: () => unbroadcast(div(dy, b!), a!.shape),
    b: () => unbroadcast(neg(div(mul(dy, a!), square(b!))), b!.shape),
  })),
  // max(a, b): the gradient flows to the larger input
  of("Maximum", ab, (dy, [a, b]) => ({
    a: () => unbroadcast(mul(dy, cast(greaterEqual(a!, b!), "float32")), a!.shape),
    b: () => unbroadcast(mul(dy, cast(greater(b!, a!), "float32")), b!.shape),
  })),
  of("Neg", {}, (dy) => ({ x: () => neg(dy) })),
  // (x²)′ = 2x
  of("Square", x, (dy, [x]) => ({ x: () => mul(dy, mul(x!, 2)) })),
  // (√x)′ = 1 / 2√x
  of("Sqrt", y, (dy, [y]) => ({ x: () => div(dy, mul(y!, 2)) })),
  // (eˣ)′ = eˣ
  of("Exp", y, (dy, [y]) => ({ x: () => mul(dy, y!) })),
  // σ′ = σ (1 − σ)
  of("Sigmoid", y, (dy, [y]) => ({ x: () => mul(dy, mul(y!, sub(1, y!))) })),
  // tanh′ = 1 − tanh²
  of("Tanh", y, (dy, [y]) => ({ x: () => mul(dy, sub(1, square(y!))) })),
  of("Sum", x, (dy, [x], attributes) => ({
    x: () => mul(unreduce(dy, x!, axesOf(attributes, x!)), onesLike(x!)),
  })),
  of("Mean", x, (dy, [x], attributes) => {
    const axes = axesOf(attributes, x!);
    const count = axes.reduce((product, axis) => product * x!.shape[axis]!, 1);
    return { x: () => mul(unreduce(div(dy, count), x!, axes), onesLike(x!)) };
  }),
  // y = log softmax(x): x̄ = ȳ − softmax(x) Σ ȳ
  of("LogSoftmax", { inputs: ["logits"] }, (dy, [logits]) => ({
    logits: () => sub(dy, mul(softmax(logits!), sum(dy, -1, true))),
  })),
  // C = A · B: Ā = C̄ · Bᵀ, B̄ = Aᵀ · C̄, and the transposed forms
  of("BatchMatMul", ab, (dy, [a, b], { transposeA, transposeB }) => ({
    a: () =>
      transposeA === true
        ? matMul(b!, dy, transposeB === true, true)
        : matMul(dy, b!, false, transposeB !== true),
    b: () =>
      transposeB === true
        ? matMul(dy, a!, true, transposeA === true)
        : matMul(a!, dy, transposeA !== true, false),
  })),
  of("Transpose", {}, (dy, _, { perm }) => {
    const inverse: number[] = [];
    for (const [to, from] of (perm as number[]).entries()) inverse[from] = to;
    return { x: () => transpose(dy, inverse) };
  }),
  of("Reshape", x, (dy, [x]) => ({ x: () => reshape(dy, x!.shape) })),
  of("ExpandDims", { inputs: ["input"] }, (dy, [input]) => ({ input: () => reshape(dy, input!.shape) })),
  of("Concat", { allInputs: true }, (dy, inputs, { axis }) => {
    const along = ((axis as number) + dy.rank) % dy.rank;
    const sizes = inputs.map((input) => input.shape[along]!);
    return Object.fromEntries(inputs.map((_, i) => [i, (): Tensor => split(dy, sizes, along)[i]!]));
  }),
  of("Slice", x, (dy, [x], { begin }) => {
    const at = begin as number[];
    const margins = at.map((start, axis): [number, number] => [
      start,
      x!.shape[axis]! - start - dy.shape[axis]!,
    ]);
    return { x: () => pad(dy, margins) };
  }),
  // Each axis is repeated reps times: the gradients of the copies add up.
  of("Tile", x, (dy, [x], { reps }) => {
    const copies = x!.shape.flatMap((size, axis) => [(reps as number[])[axis]!, size]);
    return {
      x: () =>
        sum(
          reshape(dy, copies),
          x!.shape.map((_, axis) => 2 * axis),
        ),
    };
  }),
  // The gradients of a row that was gathered several times add up. Along the first axis only, as embeddings gather.
  of("GatherV2", { inputs: ["x", "indices"] }, (dy, [x, indices]) => ({
    x: () => {
      const [rows = 0, ...rest] = x!.shape;
      const ids = range(0, rows, 1, "int32");
      const taken = cast(equal(reshape(ids, [rows, 1]), reshape(indices!, [1, -1])), "float32"); // [rows, n]
      const flat: Tensor2D = reshape(dy, [indices!.size, -1]); // [n, width]
      return reshape(matMul(taken, flat), [rows, ...rest]);
    },
    indices: noGradient,
  })),
  // No position is gathered twice.
  of("GatherNd", { inputs: ["params", "indices"] }, (dy, [params, indices]) => ({
    params: () => scatterND(indices!, dy, params!.shape as [number]),
    indices: noGradient,
  })),
  of("Conv2D", { inputs: ["x", "filter"] }, (dy, [x, filter], { strides }) =>
    patchConvolution(dy, x!, filter!, strides),
  ),
];

/** A convolution whose stride is its kernel: Y = P · W over patches P, so P̄ = Ȳ · Wᵀ and W̄ = Pᵀ · Ȳ. */
function patchConvolution(
  dy: Tensor,
  x: Tensor,
  filter: Tensor,
  strides: unknown,
): Record<string, () => Tensor> {
  const [height = 0, width = 0, channels = 0, out = 0] = filter.shape;
  const [batch = 0, rows = 0, columns = 0] = dy.shape;
  const covered = [batch, rows * height, columns * width, channels];
  if (String(strides) !== `${height},${width}` || x.shape.join() !== covered.join()) {
    throw new Error(
      `the gradient of a convolution is implemented for patches only: stride = kernel size, and no remainder`,
    );
  }
  const size = height * width * channels;
  const flat: Tensor2D = reshape(dy, [-1, out]); // [patches, out]
  const grid = [batch, rows, height, columns, width, channels];
  return {
    x: () => {
      const patches = matMul(flat, reshape(filter, [size, out]), false, true); // [patches, size]
      const tiles = reshape(patches, [batch, rows, columns, height, width, channels]);
      return reshape(transpose(tiles, [0, 1, 3, 2, 4, 5]), covered);
    },
    filter: () => {
      const patches: Tensor2D = reshape(transpose(reshape(x, grid), [0, 1, 3, 2, 4, 5]), [-1, size]);
      return reshape(matMul(transpose(patches), flat), filter.shape); // [size, out]
    },
  };
}
