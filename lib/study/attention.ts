/**
 * The attention of the class token, in one layer and over all layers.
 *
 * Attention rollout counts the residual connection as attention of each token to itself and multiplies the layers:
 * R ← (½ Ā + ½ I) · R, where Ā is the mean over heads.
 * Paper: Abnar, Zuidema, "Quantifying Attention Flow in Transformers", 2020 (arXiv 2005.00928).
 */
import { colorTable, heat, samplesAlong, Raster, tableSize, type ColorMap } from "../draw/raster.ts";
import { position, type Scale } from "../draw/scale.ts";

/** Attention probabilities of one image in one layer: [heads, L, L]; row q holds what token q attends to. */
export interface Attention {
  readonly values: Float32Array;
  readonly heads: number;
  /** Tokens: the class token and the patches. */
  readonly length: number;
}

/** The class token's attention to each patch. @param head null for the mean over heads */
export function classAttention({ values, heads, length }: Attention, head: number | null): Float64Array {
  const chosen = head === null ? Array.from({ length: heads }, (_, i) => i) : [head];
  const patches = new Float64Array(length - 1);
  for (const h of chosen) {
    const row = values.subarray(h * length * length, h * length * length + length);
    for (let i = 0; i < patches.length; i++) patches[i]! += row[i + 1]! / chosen.length;
  }
  return patches;
}

/**
 * What one token attends to, or which tokens attend to it.
 *
 * @param head null for the mean over heads
 * @returns [L], the class token first
 */
export function tokenAttention(
  { values, heads, length }: Attention,
  head: number | null,
  token: number,
  direction: "from" | "to",
): Float64Array {
  const chosen = head === null ? Array.from({ length: heads }, (_, i) => i) : [head];
  const weights = new Float64Array(length);
  for (const h of chosen) {
    for (let i = 0; i < length; i++) {
      const at = direction === "from" ? token * length + i : i * length + token;
      weights[i]! += values[h * length * length + at]! / chosen.length;
    }
  }
  return weights;
}

/** Accumulates attention layer by layer, in one matrix. */
export class Rollout {
  /** [L, L], row by row: the share of each input token in each token. */
  #flow: Float64Array | null = null;

  add({ values, heads, length }: Attention): void {
    const flow = this.#flow ?? identity(length);
    const next = new Float64Array(length * length);
    for (let q = 0; q < length; q++) {
      for (let k = 0; k < length; k++) {
        let attention = 0;
        for (let h = 0; h < heads; h++) attention += values[(h * length + q) * length + k]!;
        const weight = attention / heads / 2 + (q === k ? 0.5 : 0);
        for (let i = 0; i < length; i++) next[q * length + i]! += weight * flow[k * length + i]!;
      }
    }
    this.#flow = next;
  }

  /** The share of each patch in the class token. @throws Error before the first layer */
  classToken(): Float64Array {
    if (this.#flow === null) throw new Error("no attention to roll out");
    return this.#flow.slice(1, Math.sqrt(this.#flow.length));
  }
}

function identity(size: number): Float64Array {
  return new Float64Array(size * size).map((_, i) => (i % (size + 1) === 0 ? 1 : 0));
}

/** How `overlay` colours weights. */
export interface OverlayOptions {
  /** Default: `heat`. */
  readonly color?: ColorMap;
  /** The share of the map's colour in each pixel, 0 to 1. Default: 0.55. */
  readonly opacity?: number;
}

/**
 * The image in gray under a map of its patches.
 *
 * @param weights one number for each patch, row by row
 * @param scale the numbers of the first and the last colour
 */
export function overlay(
  image: Raster,
  weights: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  scale: Scale,
  { color = heat, opacity = 0.55 }: OverlayOptions = {},
): Raster {
  const { width, height, rgb } = image;
  const drawn = new Raster(width, height);
  const across = samplesAlong(width, columns);
  const down = samplesAlong(height, rows);
  const row = new Float64Array(columns);
  const table = colorTable(color);
  for (let y = 0, at = 0; y < height; y++) {
    const { from, to, share } = down[y]!;
    for (let i = 0; i < columns; i++) {
      row[i] = weights[from * columns + i]! * (1 - share) + weights[to * columns + i]! * share;
    }
    for (let x = 0; x < width; x++, at += 3) {
      const { from: left, to: right, share: part } = across[x]!;
      const unit = position(row[left]! * (1 - part) + row[right]! * part, scale);
      const shown = 3 * Math.round(unit * (tableSize - 1));
      const gray = 0.299 * rgb[at]! + 0.587 * rgb[at + 1]! + 0.114 * rgb[at + 2]!;
      drawn.rgb[at] = (1 - opacity) * gray + opacity * table[shown]!;
      drawn.rgb[at + 1] = (1 - opacity) * gray + opacity * table[shown + 1]!;
      drawn.rgb[at + 2] = (1 - opacity) * gray + opacity * table[shown + 2]!;
    }
  }
  return drawn;
}
