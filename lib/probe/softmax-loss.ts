/**
 * Cross-entropy of a linear classifier, and its gradient: what both recipes minimise.
 *
 * z_i = W (x_i − o) + b; loss = Σ_i s_i · −log softmax(z_i)[y_i];
 * ∂/∂W = Σ_i s_i (softmax(z_i) − onehot(y_i)) (x_i − o)ᵀ, ∂/∂b the same without x.
 *
 * The two products with the features run in float32 on tfjs's backend, a block of rows at a time, so that the features
 * are never held twice; softmax, sums and parameters are float64. Small problems run in float64 altogether: that is as
 * fast there, and the minimum of a badly conditioned problem comes out exactly.
 */
import { matMul, tensor2d, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Rows } from "./features.ts";

/** Numbers in a block of rows. */
const blockSize = 2 ** 20;

/** Products of a row, a column and a class up to which plain float64 takes milliseconds. */
const largestInFloat64 = 2 ** 22;

export interface SoftmaxLossOptions {
  /** How much each row counts [rows]. Default: 1. */
  readonly rowWeights?: Float64Array;
  /** What is subtracted from each row [width]. Default: nothing. */
  readonly origin?: Float64Array;
  /** What the products with the features are computed in. Default: `float64` for small problems. */
  readonly precision?: Precision;
}

/** `float32` runs on tfjs's backend, `float64` in plain JavaScript. */
export type Precision = "float32" | "float64";

export class SoftmaxLoss {
  readonly classes: number;
  readonly width: number;
  readonly #features: Rows;
  readonly #labels: readonly number[];
  readonly #rowWeights: Float64Array | undefined;
  readonly #origin: Float64Array;
  readonly precision: Precision;
  #buffer = new Float32Array(0);

  /** @param labels of each row, 0 to classes − 1 */
  constructor(
    features: Rows,
    labels: readonly number[],
    classes: number,
    { rowWeights, origin = new Float64Array(features.width), precision }: SoftmaxLossOptions = {},
  ) {
    this.#features = features;
    this.#labels = labels;
    this.#rowWeights = rowWeights;
    this.#origin = origin;
    this.classes = classes;
    this.width = features.width;
    const isSmall = features.values.length * classes <= largestInFloat64;
    this.precision = precision ?? (isSmall ? "float64" : "float32");
  }

  /** How many parameters there are: W [classes, width] row by row, then b [classes]. */
  get parameters(): number {
    return this.classes * (this.width + 1);
  }

  /** The loss; its gradient is written into `gradient`. Both are laid out as the parameters. */
  evaluate(parameters: Float64Array, gradient: Float64Array): number {
    gradient.fill(0);
    return this.precision === "float64"
      ? this.#inFloat64(parameters, gradient)
      : this.#inFloat32(parameters, gradient);
  }

  #inFloat64(parameters: Float64Array, gradient: Float64Array): number {
    const { classes, width } = this;
    const { rows, values } = this.#features;
    const x = new Float64Array(width);
    const products = new Float64Array(classes);
    const residuals = new Float64Array(classes);
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) x[i] = values[row * width + i]! - this.#origin[i]!;
      for (let c = 0; c < classes; c++) {
        let product = 0;
        for (let i = 0; i < width; i++) product += parameters[c * width + i]! * x[i]!;
        products[c] = product;
      }
      loss += this.#residuals(row, row + 1, products, parameters, residuals, gradient);
      for (let c = 0; c < classes; c++) {
        const residual = residuals[c]!;
        for (let i = 0; i < width; i++) gradient[c * width + i]! += residual * x[i]!;
      }
    }
    return loss;
  }

  #inFloat32(parameters: Float64Array, gradient: Float64Array): number {
    const { classes, width } = this;
    const { rows } = this.#features;
    const rowsAtOnce = Math.max(1, Math.floor(blockSize / width));
    return tidy(() => {
      const weights = Float32Array.from(parameters.subarray(0, classes * width));
      const columns = transpose(tensor2d(weights, [classes, width])); // [width, classes]
      let loss = 0;
      for (let start = 0; start < rows; start += rowsAtOnce) {
        const end = Math.min(start + rowsAtOnce, rows);
        const change = tidy(() => {
          const block = tensor2d(this.#block(start, end), [end - start, width]);
          const products = matMul(block, columns).dataSync<"float32">(); // [block, classes]
          const residuals = new Float32Array(products.length);
          loss += this.#residuals(start, end, products, parameters, residuals, gradient);
          return matMul(tensor2d(residuals, [classes, end - start]), block); // [classes, width]
        });
        const values = change.dataSync();
        change.dispose();
        for (let i = 0; i < values.length; i++) gradient[i]! += values[i]!;
      }
      return loss;
    });
  }

  /** Rows, shifted, in float32; overwritten by the next call, by when the backend has its own copy. */
  #block(start: number, end: number): Float32Array {
    const { values, width } = this.#features;
    const length = (end - start) * width;
    if (this.#buffer.length < length) this.#buffer = new Float32Array(length);
    const block = this.#buffer.subarray(0, length);
    for (let row = 0; row < end - start; row++) {
      const [to, from] = [row * width, (start + row) * width];
      for (let i = 0; i < width; i++) block[to + i] = values[from + i]! - this.#origin[i]!;
    }
    return block;
  }

  /** Writes s (softmax(z) − onehot(y)) as [classes, block], adds it to the bias's gradient, and returns the loss. */
  #residuals(
    start: number,
    end: number,
    products: Float32Array | Float64Array,
    parameters: Float64Array,
    residuals: Float32Array | Float64Array,
    gradient: Float64Array,
  ): number {
    const { classes } = this;
    const bias = classes * this.width;
    const count = end - start;
    const logits = new Float64Array(classes);
    let loss = 0;
    for (let row = 0; row < count; row++) {
      const label = this.#labels[start + row]!;
      const counts = this.#rowWeights?.[start + row] ?? 1;
      let most = -Infinity;
      for (let c = 0; c < classes; c++) {
        const logit = products[row * classes + c]! + parameters[bias + c]!;
        logits[c] = logit;
        if (logit > most) most = logit;
      }
      const own = logits[label]! - most;
      let sum = 0;
      for (let c = 0; c < classes; c++) {
        const exponential = Math.exp(logits[c]! - most);
        logits[c] = exponential;
        sum += exponential;
      }
      loss += counts * (Math.log(sum) - own);
      for (let c = 0; c < classes; c++) {
        const residual = counts * (logits[c]! / sum - (c === label ? 1 : 0));
        residuals[c * count + row] = residual;
        gradient[bias + c]! += residual;
      }
    }
    return loss;
  }
}
