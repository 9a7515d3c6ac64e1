/**
 * The relevance of tokens, by Chefer's rule for self-attention: R ← R + Ā · R with Ā = mean over heads of max(0, ∇A ⊙ A),
 * from a start layer to the last; the row of R that the tower reads out is the answer.
 *
 * Attention that the score does not depend on has no gradient, so the map is of this label, unlike attention rollout. In
 * small-patch models the first layers add noise to all tokens: start later.
 *
 * Paper: Chefer, Gur, Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder
 * Transformers", 2021 (arXiv 2103.15679), equations 5 and 6.
 *
 * The row alone is computed, from the last layer to the first: r ← r + r · Ā. The value of r after layer s is the
 * relevance for the start layer s, so one backward pass gives all start layers.
 */
import {
  mean,
  mul,
  norm,
  relu,
  reshape,
  tidy,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { gradients, type GradientInputs } from "../../clip/gradients.ts";
import type { LossInputs } from "../../clip/loss.ts";
import type { RunOptions, Tower } from "../../nn/tower.ts";
import { patchGrid } from "../shown-image.ts";
import { scoreSum } from "./direction.ts";
import type { SaliencyMap } from "./map.ts";
import { assertOneImage } from "./one-image.ts";

/** The result of `imageRelevance`. */
export interface ImageRelevance {
  /** î · direction */
  readonly score: number;
  /** By start layer: the relevance of each patch from that layer to the last. */
  readonly maps: readonly SaliencyMap[];
}

/**
 * The relevance of each patch of an image.
 *
 * @param pixels [1, 3, H, W], preprocessed
 * @param direction see `labelDirection`
 * @throws InputError as `gradients`; the signal's reason if it is aborted
 */
export async function imageRelevance(
  model: Clip,
  pixels: Tensor4D,
  direction: Tensor2D,
  options: RunOptions = {},
): Promise<ImageRelevance> {
  assertOneImage(pixels, "imageRelevance");
  const loss = ({ images }: LossInputs) => scoreSum(images!, direction);
  const { score, rows } = await relevanceByStart(model, model.visual, { pixels }, loss, options);
  const [down, across] = patchGrid(model.config.vision);
  const maps = rows.map((row) => ({
    rows: down,
    columns: across,
    values: row.slice(1), // without the class token
    quantity: "relevance",
    isSigned: false,
  }));
  return { score, maps };
}

/** The result of `textRelevance`. */
export interface TextRelevance {
  /** t̂ · direction */
  readonly score: number;
  /** By start layer: the relevance of each token of the row, `<s>` and `</s>` included, from that layer to the last. */
  readonly tokens: readonly Float32Array[];
}

/**
 * The relevance of each token of a text.
 *
 * @param row token ids
 * @param direction [1, embedDim], the normalised embedding of an image
 * @throws InputError as `gradients`; the signal's reason if it is aborted
 */
export async function textRelevance(
  model: Clip,
  row: readonly number[],
  direction: Tensor2D,
  options: RunOptions = {},
): Promise<TextRelevance> {
  const loss = ({ texts }: LossInputs) => scoreSum(texts!, direction);
  const { score, rows } = await relevanceByStart(model, model.text, { rows: [row] }, loss, options);
  return { score, tokens: rows };
}

async function relevanceByStart<Input>(
  model: Clip,
  { blocks, containers }: Tower<Input>,
  inputs: GradientInputs,
  loss: (inputs: LossInputs) => ReturnType<typeof scoreSum>,
  options: RunOptions,
): Promise<{ score: number; rows: Float32Array[] }> {
  const layerOf = new Map(blocks.map(({ attentionScope }, i) => [`${attentionScope.path}#probabilities`, i]));
  const lastStream = containers[0]!.path;
  const rows: Float32Array[] = [];
  let row = new Float64Array();
  const onTap = async (name: string, gradient: Tensor, value: Tensor): Promise<void> => {
    if (name === lastStream) {
      row = await readOutShares(gradient);
      return;
    }
    const mixture = await mixtureOf(gradient, value);
    const next = row.slice();
    for (let q = 0; q < row.length; q++) {
      for (let k = 0; k < row.length; k++) next[k]! += row[q]! * mixture[q * row.length + k]!;
    }
    row = next;
    rows[layerOf.get(name)!] = Float32Array.from(row);
  };
  const { loss: score } = await gradients(model, inputs, loss, {
    ...options,
    of: [lastStream, ...layerOf.keys()],
    onTap,
  });
  return { score, rows };
}

/**
 * How much of each token the tower reads out, as shares of 1: the class or end token alone, or all tokens equally where
 * they are averaged. Told by the norm of the gradient at the last stream.
 *
 * @param gradient [1, L, width]
 */
async function readOutShares(gradient: Tensor): Promise<Float64Array<ArrayBuffer>> {
  const norms = tidy(() => norm(gradient, "euclidean", -1)); // [1, L]
  const values = Float64Array.from(await norms.data<"float32">());
  norms.dispose();
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => (total === 0 ? 0 : value / total));
}

/** The mean over heads of max(0, ∇A ⊙ A). [1, heads, L, L] → [L · L] */
async function mixtureOf(gradient: Tensor, value: Tensor): Promise<Float32Array> {
  const mixture = tidy(() => reshape(mean(relu(mul(gradient, value)), 1), [-1]));
  try {
    return Float32Array.from(await mixture.data<"float32">());
  } finally {
    mixture.dispose();
  }
}
