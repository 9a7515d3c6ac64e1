/**
 * Low-rank adaptation: x · W becomes x · W + (α/r · x · Aᵀ) · Bᵀ, where A and B are small and W stays fixed.
 *
 * An adapter attaches to the handle of a matrix; layers do not know of it. At the start B is 0, and with it the change.
 * Paper: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021 (arXiv 2106.09685).
 * Source: peft, tuners/lora/layer.py. Files hold `lora_A.weight` [r, in] and `lora_B.weight` [out, r].
 */
import { mul, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import { tap } from "../tensor/taps.ts";
import { freeWeight, type Adapter, type Weight } from "../tensor/weight.ts";
import { linear, linearSplit } from "./operations/linear.ts";

/** A and B in PyTorch's order. */
export interface LoraValues {
  /** [rank, in] */
  readonly a: Float32Array;
  /** [out, rank] */
  readonly b: Float32Array;
}

/** The adapter of one matrix. */
export class Lora implements Adapter {
  readonly target: Weight<Rank.R2>;
  readonly rank: number;
  /** α/r */
  readonly scale: number;
  readonly a: Weight<Rank.R2>;
  readonly b: Weight<Rank.R2>;

  /** Attaches to the target until `dispose`. */
  constructor(target: Weight<Rank.R2>, rank: number, alpha: number, { a, b }: LoraValues) {
    const [outWidth, inWidth] = target.shape;
    this.target = target;
    this.rank = rank;
    this.scale = alpha / rank;
    this.a = freeWeight(`${target.name}.lora_A`, [rank, inWidth], a, "linear");
    this.b = freeWeight(`${target.name}.lora_B`, [outWidth, rank], b, "linear");
    target.adapter = this;
  }

  get weights(): readonly Weight[] {
    return [this.a, this.b];
  }

  /** The tap of x before A: dropout is applied there. */
  get inputTap(): string {
    return `${this.target.name}#lora`;
  }

  delta(x: Tensor, parts: number): Tensor[] {
    const low = mul(linear(tap(this.inputTap, x), this.a.tensor), this.scale); // [..., rank]
    return linearSplit(parts, low, this.b.tensor); // [..., out / parts]
  }

  /** Detaches from the target and frees A and B. */
  dispose(): void {
    if (this.target.adapter === this) this.target.adapter = null;
    for (const weight of this.weights) weight.dispose();
  }
}
