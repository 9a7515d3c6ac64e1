/**
 * The network's operations (`lib/nn/operations/`) on the tensorflow backend.
 *
 * A native build contains TensorFlow operations for the CPU (`tools/native/kernels/`). Without them, and on a GPU, the
 * network uses tfjs's operations, except that products with a large inner dimension are summed in parts.
 */
import * as tf from "@tensorflow/tfjs-core";
import { linearBy, linearSignature, type LinearInputs } from "../../nn/operations/linear.ts";
import { replaceOperation } from "../../nn/operations/operation.ts";
import { bytesPerElement, type Dtype } from "../../tensor/dtype.ts";
import { setWeightPacker, type ReducedPrecision } from "../../tensor/precision.ts";
import { setWeightReader } from "../../tensor/weight-reader.ts";

/** As numbered in tools/native/kernels/read.h. */
const dtypeCodes: readonly Dtype[] = ["F32", "F16", "BF16", "F64"];

/** As numbered in tools/native/kernels/reduced.h. */
const precisionCodes: Readonly<Record<ReducedPrecision, number>> = { bf16: 1, int8: 2 };

/** The parts of tfjs-node's backend and binding that are used here. */
interface NodeBackend {
  readonly binding: Readonly<Record<"TF_ATTR_INT" | "TF_ATTR_FLOAT", number>>;
  executeSingleOutput(name: string, attributes: readonly OpAttribute[], inputs: tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: tf.TensorInfo[],
    outputs: number,
  ): tf.Tensor[];
}

interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: number;
}

/** The operations of a native build, with their inputs in order and their attributes with their types. */
const operations: readonly NativeOperation[] = [
  { name: "ClipscopeLinear", inputs: ["x", "weight", "bias"], attributes: { parts: "TF_ATTR_INT" } },
  { name: "ClipscopeGelu", inputs: ["x"] },
  { name: "ClipscopeLayerNorm", inputs: ["x", "gamma", "beta"], attributes: { epsilon: "TF_ATTR_FLOAT" } },
  {
    name: "ClipscopeAttentionProbabilities",
    inputs: ["query", "key", "mask"],
    attributes: { heads: "TF_ATTR_INT", precision: "TF_ATTR_INT" },
  },
  {
    name: "ClipscopeAttentionContext",
    inputs: ["probabilities", "value"],
    attributes: { precision: "TF_ATTR_INT" },
  },
];

/** The operation that takes a packed weight. */
const reducedLinear = "ClipscopeReducedLinear";

interface NativeOperation {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, keyof NodeBackend["binding"]>>;
}

/** The addon next to a native build's binding. */
export interface OperationsAddon {
  /** Registers the operations with TensorFlow and returns the instruction set that they use. */
  registerOperations(): string;
  readAhead(descriptor: number, offset: number, size: number): void;
}

/** Registers a native build's operations as the network's kernels on tensorflow, and its reader of weights. */
export function useOwnOperations(addon: OperationsAddon): void {
  const instructions = addon.registerOperations();
  setWeightPacker("tensorflow", {
    describe: (precision) => describeProducts(instructions, precision),
    pack: (stored, precision) => {
      const backend = tf.backend() as unknown as NodeBackend;
      const type = backend.binding.TF_ATTR_INT;
      const attribute = { name: "precision", type, value: precisionCodes[precision] };
      return backend.executeSingleOutput("ClipscopePackWeight", [attribute], [stored]) as tf.Tensor1D;
    },
  });
  setWeightReader("tensorflow", {
    read({ descriptor, offset, dtype, rows, columns }, transposed) {
      const code = dtypeCodes.indexOf(dtype);
      if (code === -1) throw new Error(`the addon cannot read ${dtype}`);
      const halves = [Math.floor(offset / 2 ** 32), (offset % 2 ** 32) | 0];
      const place = tf.tensor1d([descriptor, ...halves, code, rows, columns, Number(transposed)], "int32");
      const matrix = (tf.backend() as unknown as NodeBackend).executeSingleOutput(
        "ClipscopeReadWeight",
        [],
        [place],
      );
      place.dispose();
      return matrix;
    },
    readAhead({ descriptor, offset, dtype, rows, columns }) {
      addon.readAhead(descriptor, offset, rows * columns * bytesPerElement[dtype]);
    },
  });
  for (const operation of operations) {
    replaceOperation<NativeInputs>(operation, "tensorflow", (inputs, attributes, backend) =>
      runNative(operation, inputs, attributes, backend as NodeBackend),
    );
  }
}

/** How the products are computed, by instruction set (tools/native/kernels/instruction-sets.cc). */
const productsBy: Readonly<Record<string, Readonly<Record<ReducedPrecision, string>>>> = {
  amx: { bf16: "AMX", int8: "AMX" },
  avx512bf16: { bf16: "AVX512-BF16", int8: "AVX512-VNNI" },
  avx512vnni: { bf16: "emulated with AVX-512", int8: "AVX512-VNNI" },
  avx512: { bf16: "emulated with AVX-512", int8: "emulated with AVX-512" },
  avx2: { bf16: "emulated with AVX2", int8: "emulated with AVX2" },
  baseline: { bf16: "emulated", int8: "emulated" },
};

function describeProducts(instructions: string, precision: ReducedPrecision): string {
  const products = productsBy[instructions];
  if (products === undefined) throw new Error(`unknown instruction set ${instructions}`);
  return products[precision];
}

type NativeInputs = Readonly<Record<string, tf.Tensor | undefined>>;

/** Runs a native operation. TensorFlow has no optional inputs: an empty tensor replaces a missing one. */
function runNative(
  { name, inputs: names, attributes: types = {} }: NativeOperation,
  inputs: NativeInputs,
  attributes: tf.NamedAttrMap,
  backend: NodeBackend,
): tf.Tensor | tf.Tensor[] {
  const given = names.map((input) => inputs[input] ?? tf.zeros(input === "mask" ? [0, 1, 1, 1] : [0]));
  const opAttributes = Object.entries(types).map(([of, type]) => ({
    name: of,
    type: backend.binding[type],
    value: of === "precision" ? Number(attributes[of] !== "f32") : Number(attributes[of]),
  }));
  const parts = "parts" in types ? Number(attributes["parts"]) : undefined;
  const isReduced = name === "ClipscopeLinear" && inputs["weight"]?.dtype === "int32";
  try {
    return parts === undefined
      ? backend.executeSingleOutput(name, opAttributes, given)
      : backend.executeMultipleOutputs(isReduced ? reducedLinear : name, opAttributes, given, parts);
  } finally {
    for (const [i, input] of names.entries()) if (inputs[input] === undefined) given[i]!.dispose();
  }
}

/**
 * The number of products in a partial sum. TensorFlow sums sequentially in float32, and the rounding error grows with
 * the length; a sum of partial sums is as close to float64 as PyTorch's (docs/results/parity.md).
 */
const depthAtOnce = 256;

/** For TensorFlow without the native build's operations. */
export function sumProductsInParts(): void {
  const compute = linearBy(({ x, weight, bias }) => {
    const [rows, depth] = x.shape;
    const parts = Number.isInteger(depth / depthAtOnce) ? depth / depthAtOnce : 1;
    const left = tf.transpose(tf.reshape(x, [rows, parts, -1]), [1, 0, 2]); // [parts, rows, in / parts]
    const right = tf.reshape(weight, [parts, -1, weight.shape[1]]); // [parts, in / parts, out]
    const product: tf.Tensor2D = tf.sum(tf.matMul(left, right), 0); // [rows, out]
    return bias ? tf.add(product, bias) : product;
  });
  replaceOperation<LinearInputs>(linearSignature, "tensorflow", (inputs, { parts }) =>
    tf.tidy(() => compute(inputs, { parts: Number(parts) })),
  );
}
