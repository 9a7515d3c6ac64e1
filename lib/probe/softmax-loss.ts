/**
 * Cross-entropy of a linear classifier, and its gradient: what both recipes minimise.
 *
 * z_i = W (x_i − o) + b; loss = Σ_i s_i · −log softmax(z_i)[y_i];
 * ∂/∂W = Σ_i s_i (softmax(z_i) − onehot(y_i)) (x_i − o)ᵀ, ∂/∂b the same without x.
 *
 * The two products with the features run in float32 on tfjs's backend, a block of rows at a time, so that the features
 * are never held twice; softmax, sums and parameters are float64.
 */
import { matMul, tensor2d, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Rows } from "./features.ts";

/** Numbers in a block of rows. */
const blockSize = 2 ** 21;

export interface SoftmaxLossOptions {
  /** How much each row counts [rows]. Default: 1. */
  readonly rowWeights?: Float64Array;
  /** What is subtracted from each row [width]. Default: nothing. */
  readonly origin?: Float64Array;
}

export class SoftmaxLoss {
  readonly classes: number;
  readonly width: number;
  readonly #features: Rows;
  readonly #labels: readonly number[];
  readonly #rowWeights: Float64Array | undefined;
  readonly #origin: Float32Array | undefined;

  /** @param labels of each row, 0 to classes − 1 */
  constructor(
    features: Rows,
    labels: readonly number[],
    classes: number,
    { rowWeights, origin }: SoftmaxLossOptions = {},
  ) {
    this.#features = features;
    this.#labels = labels;
    this.#rowWeights = rowWeights;
    this.#origin = origin && Float32Array.from(origin);
    this.classes = classes;
    this.width = features.width;
  }

  /** How many parameters there are: W [classes, width] row by row, then b [classes]. */
  get parameters(): number {
    return this.classes * (this.width + 1);
  }

  /** The loss; its gradient is written into `gradient`. Both are laid out as the parameters. */
  evaluate(parameters: Float64Array, gradient: Float64Array): number {
    const { rows, width } = this.#features;
    const rowsAtOnce = Math.max(1, Math.floor(blockSize / width));
    const weights = Float32Array.from(parameters.subarray(0, this.classes * width));
    gradient.fill(0);
    let loss = 0;
    tidy(() => {
      const columns = transpose(tensor2d(weights, [this.classes, width])); // [width, classes]
      for (let start = 0; start < rows; start += rowsAtOnce) {
        const end = Math.min(start + rowsAtOnce, rows);
        tidy(() => {
          const block = tensor2d(this.#block(start, end), [end - start, width]);
          const products = matMul(block, columns).dataSync<"float32">(); // [block, classes]
          const residuals = new Float32Array(products.length);
          loss += this.#residuals(start, end, products, parameters, residuals, gradient);
          const change = matMul(tensor2d(residuals, [this.classes, end - start]), block).dataSync(); // [classes, width]
          for (let i = 0; i < change.length; i++) gradient[i]! += change[i]!;
        });
      }
    });
    return loss;
  }

  #block(start: number, end: number): Float32Array {
    const { values, width } = this.#features;
    const rows = values.subarray(start * width, end * width);
    const origin = this.#origin;
    if (origin === undefined) return rows;
    const block = new Float32Array(rows.length);
    for (let row = 0; row < rows.length; row += width) {
      for (let i = 0; i < width; i++) block[row + i] = rows[row + i]! - origin[i]!;
    }
    return block;
  }

  /** Writes s (softmax(z) − onehot(y)) as [classes, block], adds it to the bias's gradient, and returns the loss. */
  #residuals(
    start: number,
    end: number,
    products: Float32Array,
    parameters: Float64Array,
    residuals: Float32Array,
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
