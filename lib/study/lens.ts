/**
 * The lens: the residual stream after each layer, read out as if no layer followed.
 *
 * The logit lens of language models (nostalgebraist, "interpreting GPT: the logit lens", 2020) for CLIP: `ln_post`, the
 * projection, and the similarity to each label. A raw lens is not what the network "believes" at that layer: nothing
 * trained the middle layers to align with the output space. Compare it with a probe that was fitted on the same layer
 * (`clipscope probe layers`).
 */
import { reshape, tensor3d } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { l2Normalize } from "../clip/normalize.ts";
import { InputError } from "../errors/input-error.ts";
import { withWeights } from "../nn/tower.ts";
import type { ZeroShotClassifier } from "../tasks/zero-shot.ts";
import { disposing } from "../tensor/disposing.ts";
import { pass } from "../tensor/taps.ts";
import type { ResidualStream } from "./stream.ts";

/** Scores of all labels at some tokens or layers: one row each. */
export interface LensScores {
  /** Cosine similarity, −1 to 1. [rows][labels] */
  readonly cosines: readonly (readonly number[])[];
  /** exp(logit_scale) · cosine. */
  readonly logits: readonly (readonly number[])[];
  /** softmax of the logits over the labels, 0 to 1. */
  readonly probabilities: readonly (readonly number[])[];
}

/**
 * The scores of the class token after each block: row i is after block i. The last row is the model's answer.
 *
 * @param stream of the image tower
 */
export async function lens(
  model: Clip,
  stream: ResidualStream,
  classifier: ZeroShotClassifier,
): Promise<LensScores> {
  const tokens = stream.states.slice(1).map((state) => state.subarray(0, stream.width));
  return scoresOf(model, tokens, classifier);
}

/**
 * The scores of every token after one block: row 0 is the class token, then the patches, row by row of the image.
 *
 * @param stream of the image tower
 * @param layer the block
 * @throws InputError for a block that the tower does not have
 */
export async function tokenLens(
  model: Clip,
  stream: ResidualStream,
  classifier: ZeroShotClassifier,
  layer: number,
): Promise<LensScores> {
  const state = Number.isInteger(layer) && layer >= 0 ? stream.states[layer + 1] : undefined;
  if (state === undefined) {
    throw new InputError(`layer ${layer}: the image tower has the layers 0 to ${stream.states.length - 2}`);
  }
  const { length, width } = stream;
  const tokens = Array.from({ length }, (_, i) => state.subarray(i * width, (i + 1) * width));
  return scoresOf(model, tokens, classifier);
}

/** @param tokens vectors of the residual stream */
async function scoresOf(
  model: Clip,
  tokens: readonly Float32Array[],
  classifier: ZeroShotClassifier,
): Promise<LensScores> {
  const width = tokens[0]!.length;
  const joined = new Float32Array(tokens.length * width);
  for (const [i, token] of tokens.entries()) joined.set(token, i * width);
  const embedded = await disposing(tensor3d(joined, [1, tokens.length, width]), (x) =>
    pass(() =>
      withWeights(model.visual.readOutWeights, () =>
        l2Normalize(reshape(model.visual.readOutTokens(x), [tokens.length, -1])),
      ),
    ),
  ); // [tokens, embedDim]
  return disposing(embedded, async (features) => {
    const logits = await disposing(await classifier.logits(features), (x) => x.array());
    const probabilities = await disposing(await classifier.probabilities(features), (x) => x.array());
    await model.logitScale.load();
    const [logScale = NaN] = await model.logitScale.tensor.data<"float32">();
    model.logitScale.release();
    const cosines = logits.map((row) => row.map((logit) => logit / Math.exp(logScale)));
    return { cosines, logits, probabilities };
  });
}
