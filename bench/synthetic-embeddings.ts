/**
 * Vectors with the shape of CLIP's: clusters in a subspace whose variances decay, and a constant offset per modality. An
 * image's query is another image of the distribution. A text's query has another offset, and agrees weakly with the
 * images of its cluster, which is what indexes with coarse codes are worst at.
 */
import { add, matMul, tensor1d, tensor2d, type Tensor1D, type Tensor2D } from "@tensorflow/tfjs-core";
import { TorchRandom } from "../lib/tensor/torch-random.ts";

const clusters = 2000;
const dimensions = 96;
/** Of the variance within the subspace, the part between clusters. */
const betweenClusters = 0.75;
const offsetNorm = 0.8;
/** The norm of what lies outside of the subspace. */
const noiseNorm = 0.25;
const noiseLength = 2 ** 20;
/** Of a text's vector within the subspace, the part that its images share. */
const agreement = 0.7;

export type QueryKind = "image" | "text";

export class SyntheticEmbeddings {
  readonly width: number;
  readonly #random: TorchRandom;
  #spare: number | null = null;
  readonly #deviations: Float32Array;
  readonly #centres: Float32Array;
  readonly #basis: Tensor2D;
  readonly #offsets: Readonly<Record<QueryKind, Tensor1D>>;
  /** Normal numbers that rows take parts of, a thousand times faster than new ones. */
  readonly #noise: Float32Array;

  constructor(width: number, seed: number) {
    this.width = width;
    this.#random = new TorchRandom(seed);
    const variances = Array.from({ length: dimensions }, (_, i) => 1 / (1 + i));
    const total = variances.reduce((sum, value) => sum + value, 0);
    this.#deviations = Float32Array.from(variances, (value) => Math.sqrt(value / total));
    this.#centres = new Float32Array(clusters * dimensions);
    for (let i = 0; i < this.#centres.length; i++)
      this.#centres[i] = this.#inSubspace(i) * Math.sqrt(betweenClusters);
    const draw = (count: number, norm: number): Float32Array =>
      Float32Array.from({ length: count }, () => (norm * this.#normal()) / Math.sqrt(width));
    this.#basis = tensor2d(draw(dimensions * width, 1), [dimensions, width]);
    this.#offsets = {
      image: tensor1d(draw(width, offsetNorm)),
      text: tensor1d(draw(width, offsetNorm)),
    };
    this.#noise = draw(noiseLength + width, noiseNorm);
  }

  /** @returns [count, width], of norm 1 */
  images(count: number): Promise<Float32Array> {
    return this.#vectors(count, "image", 1);
  }

  /** @returns [count, width], of norm 1 */
  queries(kind: QueryKind, count: number): Promise<Float32Array> {
    return this.#vectors(count, kind, kind === "image" ? 1 : agreement);
  }

  async #vectors(count: number, kind: QueryKind, share: number): Promise<Float32Array> {
    const inner = new Float32Array(count * dimensions);
    const own = Math.sqrt(1 - share * share);
    for (let row = 0; row < count; row++) {
      const centre = this.#random.below(clusters) * dimensions;
      for (let i = 0; i < dimensions; i++) {
        const within = this.#inSubspace(i) * Math.sqrt(1 - betweenClusters);
        const image = this.#centres[centre + i]! + within;
        inner[row * dimensions + i] = share * image + (own === 0 ? 0 : own * this.#inSubspace(i));
      }
    }
    const input = tensor2d(inner, [count, dimensions]);
    const product = matMul(input, this.#basis);
    const shifted = add(product, this.#offsets[kind]);
    const vectors = (await shifted.data()) as Float32Array;
    for (const tensor of [input, product, shifted]) tensor.dispose();
    for (let row = 0; row < count; row++)
      this.#finish(vectors.subarray(row * this.width, (row + 1) * this.width));
    return vectors;
  }

  /** Adds noise, and divides by the norm. */
  #finish(vector: Float32Array): void {
    const noise = this.#random.below(noiseLength);
    let squares = 0;
    for (let i = 0; i < vector.length; i++) {
      const value = vector[i]! + this.#noise[noise + i]!;
      vector[i] = value;
      squares += value * value;
    }
    const inverse = 1 / Math.sqrt(squares);
    for (let i = 0; i < vector.length; i++) vector[i]! *= inverse;
  }

  #inSubspace(i: number): number {
    return this.#normal() * this.#deviations[i % dimensions]!;
  }

  /** Box and Muller, 1958: two numbers from two. */
  #normal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log((this.#random.uint32() + 1) / 2 ** 32));
    const angle = (2 * Math.PI * this.#random.uint32()) / 2 ** 32;
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  dispose(): void {
    this.#basis.dispose();
    for (const offset of Object.values(this.#offsets)) offset.dispose();
  }
}
