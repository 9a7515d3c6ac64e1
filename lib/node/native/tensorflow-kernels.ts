/**
 * The network's operations (`lib/nn/kernel.ts`) on the tensorflow backend.
 *
 * A native build brings TensorFlow operations of our own for the CPU (`tools/native/kernels/`). Without them, and on a
 * GPU, tfjs's operations do, with one exception: deep products are summed in parts.
 */
import * as tf from "@tensorflow/tfjs-core";
import { linearBy, type LinearAttributes, type LinearInputs } from "../../nn/linear.ts";
import { bytesPerElement, type Dtype } from "../../tensor/dtype.ts";
import { setWeightReader } from "../../tensor/weight-reader.ts";

/** As numbered in tools/native/kernels/read.h. */
const dtypeCodes: readonly Dtype[] = ["F32", "F16", "BF16", "F64"];

/** What we use of tfjs-node's backend and its binding. */
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

/** The build's operations, with their inputs in order, and an attribute and its type. `parts` is a number of outputs. */
const operations = [
  { name: "ClipscopeLinear", inputs: ["x", "weight", "bias"], attribute: ["parts", "TF_ATTR_INT"] },
  { name: "ClipscopeGelu", inputs: ["x"] },
  { name: "ClipscopeLayerNorm", inputs: ["x", "gamma", "beta"], attribute: ["epsilon", "TF_ATTR_FLOAT"] },
  {
    name: "ClipscopeAttentionProbabilities",
    inputs: ["query", "key", "mask"],
    attribute: ["heads", "TF_ATTR_INT"],
  },
  { name: "ClipscopeAttentionContext", inputs: ["probabilities", "value"] },
] as const;

/** The addon beside a native build's binding. */
export interface OperationsAddon {
  /** Makes the operations known to TensorFlow; returns the instruction set that they use. */
  registerOperations(): string;
  readAhead(descriptor: number, offset: number, size: number): void;
}

export function useOwnOperations(addon: OperationsAddon): void {
  addon.registerOperations();
  setWeightReader("tensorflow", {
    read({ descriptor, offset, dtype, rows, columns }, transposed) {
      const code = dtypeCodes.indexOf(dtype);
      if (code === -1) throw new Error(`${dtype} is not for the addon`);
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
    const attribute = "attribute" in operation ? operation.attribute : undefined;
    replaceKernel(operation.name, (call) => {
      const backend = call.backend as NodeBackend;
      const attributes: OpAttribute[] = [];
      if (attribute) {
        const [name, type] = attribute;
        attributes.push({
          name,
          type: backend.binding[type],
          value: (call.attrs as Record<string, number>)[name]!,
        });
      }
      const inputs = operation.inputs.map((name) => call.inputs[name]!);
      const { parts } = call.attrs as { parts?: number };
      return parts === undefined
        ? backend.executeSingleOutput(operation.name, attributes, inputs)
        : backend.executeMultipleOutputs(operation.name, attributes, inputs, parts);
    });
  }
}

/**
 * How many products are summed in one go. TensorFlow adds them up one after another in float32, which loses the more
 * the longer the sum; a sum of shorter sums comes as near to float64 as PyTorch's (docs/parity.md).
 */
const depthAtOnce = 256;

/** For a TensorFlow without our operations. */
export function sumProductsInParts(): void {
  const compute = linearBy(({ x, weight, bias }) => {
    const [rows, depth] = x.shape;
    const parts = Number.isInteger(depth / depthAtOnce) ? depth / depthAtOnce : 1;
    const left = tf.transpose(tf.reshape(x, [rows, parts, -1]), [1, 0, 2]); // [parts, rows, in / parts]
    const right = tf.reshape(weight, [parts, -1, weight.shape[1]]); // [parts, in / parts, out]
    const product: tf.Tensor2D = tf.sum(tf.matMul(left, right), 0); // [rows, out]
    return bias.size > 0 ? tf.add(product, bias) : product;
  });
  replaceKernel("ClipscopeLinear", ({ inputs, attrs }) =>
    tf.tidy(() => compute(inputs as unknown as LinearInputs, attrs as unknown as LinearAttributes)),
  );
}

function replaceKernel(kernelName: string, kernelFunc: tf.KernelFunc): void {
  const backendName = "tensorflow";
  if ((tf.getKernel(kernelName, backendName) as unknown) !== undefined)
    tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({ kernelName, backendName, kernelFunc });
}
