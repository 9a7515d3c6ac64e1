/**
 * The cross-entropy of a linear classifier, and its gradient.
 *
 * z_i = W (x_i − o) + b; loss = Σ_i s_i · −log softmax(z_i)[y_i];
 * ∂/∂W = Σ_i s_i (softmax(z_i) − onehot(y_i)) (x_i − o)ᵀ, ∂/∂b the same without x.
 *
 * Large problems are computed in float32 on the tfjs backend, in blocks of rows, so that the features are not copied as
 * a whole. The parameters and the sums over blocks are float64. Small problems are computed in float64 throughout, which
 * is as fast for them and more precise for badly conditioned problems.
 */
import {
  cast,
  matMul,
  max,
  mul,
  oneHot,
  softmax,
  sub,
  sum,
  tensor1d,
  tensor2d,
  tidy,
  transpose,
  type Tensor1D,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { linear } from "../nn/operations/linear.ts";
import type { Rows } from "../features/features.ts";
import { rowsPerBlock } from "../features/row-blocks.ts";

/** The largest rows × width × classes that float64 in JavaScript computes within milliseconds. */
const largestInFloat64 = 2 ** 22;

export interface SoftmaxLossOptions {
  /** The weight of each row [rows]. Default: 1. */
  readonly rowWeights?: Float64Array;
  /** Subtracted from each row [width]. Default: 0. */
  readonly origin?: Float32Array;
  /** The precision of the products with the features. Default: `float64` for small problems, else `float32`. */
  readonly precision?: Precision;
}

/** The tensors that all blocks share. */
interface OnBackend {
  /** Wᵀ [width, classes] */
  readonly columns: Tensor2D;
  readonly bias: Tensor1D;
  readonly origin: Tensor1D;
}

/** `float32` runs on the tfjs backend, `float64` in plain JavaScript. */
export type Precision = "float32" | "float64";

export class SoftmaxLoss {
  readonly classes: number;
  readonly width: number;
  readonly #features: Rows;
  readonly #labels: Int32Array;
  readonly #rowWeights: Float64Array | undefined;
  readonly #origin: Float32Array;
  readonly precision: Precision;

  /** @param labels of each row, 0 to classes − 1 */
  constructor(
    features: Rows,
    labels: readonly number[],
    classes: number,
    { rowWeights, origin = new Float32Array(features.width), precision }: SoftmaxLossOptions = {},
  ) {
    this.#features = features;
    this.#labels = Int32Array.from(labels);
    this.#rowWeights = rowWeights;
    this.#origin = origin;
    this.classes = classes;
    this.width = features.width;
    const isSmall = features.values.length * classes <= largestInFloat64;
    this.precision = precision ?? (isSmall ? "float64" : "float32");
  }

  /** The number of parameters: W [classes, width] in row-major order, then b [classes]. */
  get parameters(): number {
    return this.classes * (this.width + 1);
  }

  /** Returns the loss, and writes its gradient into `gradient`, in the layout of the parameters. */
  evaluate(parameters: Float64Array, gradient: Float64Array): number {
    gradient.fill(0);
    return this.precision === "float64"
      ? this.#inFloat64(parameters, gradient)
      : this.#inFloat32(parameters, gradient);
  }

  #inFloat64(parameters: Float64Array, gradient: Float64Array): number {
    const { classes, width } = this;
    const { rows, values } = this.#features;
    const bias = classes * width;
    const x = new Float64Array(width);
    const logits = new Float64Array(classes);
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) x[i] = values[row * width + i]! - this.#origin[i]!;
      let most = -Infinity;
      for (let c = 0; c < classes; c++) {
        let logit = parameters[bias + c]!;
        for (let i = 0; i < width; i++) logit += parameters[c * width + i]! * x[i]!;
        logits[c] = logit;
        most = Math.max(most, logit);
      }
      const label = this.#labels[row]!;
      const counts = this.#rowWeights?.[row] ?? 1;
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
      loss += counts * (Math.log(total) + most - logits[label]!);
      for (let c = 0; c < classes; c++) {
        const probability = Math.exp(logits[c]! - most) / total;
        const residual = counts * (probability - (c === label ? 1 : 0));
        gradient[bias + c]! += residual;
        for (let i = 0; i < width; i++) gradient[c * width + i]! += residual * x[i]!;
      }
    }
    return loss;
  }

  #inFloat32(parameters: Float64Array, gradient: Float64Array): number {
    const { classes, width } = this;
    const { rows } = this.#features;
    const rowsAtOnce = rowsPerBlock(width, classes);
    return tidy(() => {
      const values = new Float32Array(parameters);
      const shared = {
        columns: transpose(tensor2d(values.subarray(0, classes * width), [classes, width])),
        bias: tensor1d(values.subarray(classes * width)),
        origin: tensor1d(this.#origin),
      };
      let loss = 0;
      for (let start = 0; start < rows; start += rowsAtOnce) {
        const end = Math.min(start + rowsAtOnce, rows);
        loss += tidy(() => this.#addBlock(start, end, shared, gradient));
      }
      return loss;
    });
  }

  /** Adds the gradient of some rows, and returns their loss. */
  #addBlock(
    start: number,
    end: number,
    { columns, bias, origin }: OnBackend,
    gradient: Float64Array,
  ): number {
    const { classes, width } = this;
    const values = this.#features.values.subarray(start * width, end * width);
    const x = tidy(() => sub(tensor2d(values, [end - start, width]), origin));
    const labels = tensor1d(this.#labels.subarray(start, end), "int32");
    const own = cast(oneHot(labels, classes), "float32"); // [block, classes]

    const logits = linear(x, columns, bias); // [block, classes]
    const probabilities = softmax(logits);
    // log Σ e^z = max z − log max p, which cannot overflow or underflow.
    const margins = sub(max(logits, 1), sum(mul(logits, own), 1)).dataSync<"float32">();
    const highest = max(probabilities, 1).dataSync<"float32">();
    // p − 1 of the true class as −Σ p of the others: near p = 1 the difference would cancel.
    const wrong = mul(probabilities, sub(1, own));
    let residuals = sub(wrong, mul(own, sum(wrong, 1, true)));
    const counts = this.#rowWeights?.subarray(start, end);
    if (counts) residuals = mul(residuals, tensor2d(new Float32Array(counts), [end - start, 1]));

    addTo(gradient, 0, matMul(residuals, x, true).dataSync()); // [classes, width]
    addTo(gradient, classes * width, sum(residuals, 0).dataSync());
    return margins.reduce(
      (loss: number, margin, i) => loss + (counts?.[i] ?? 1) * (margin - Math.log(highest[i]!)),
      0,
    );
  }
}

function addTo(sums: Float64Array, start: number, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) sums[start + i]! += values[i]!;
}
