/**
 * The saliency of a text's tokens: what the score loses without each (leave-one-out), and how strongly it reacts to each
 * (the norm of the gradient at its embedding).
 *
 * Papers: Li, Monroe, Jurafsky, "Understanding Neural Networks through Representation Erasure", 2016 (arXiv 1612.08220);
 * Simonyan, Vedaldi, Zisserman, 2014 (arXiv 1312.6034), for the gradient.
 */
import { norm, tidy, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { gradients } from "../../clip/gradients.ts";
import { InputError } from "../../errors/input-error.ts";
import type { RunOptions } from "../../nn/tower.ts";
import { scoresOf, scoreSum } from "./direction.ts";

/** The result of `leaveOneOut` and `tokenGradients`. */
export interface TokenSaliency {
  /** t̂ · direction */
  readonly score: number;
  /** One number for each token of the row; null for the first and the last, which mark the text's ends. */
  readonly tokens: readonly (number | null)[];
}

/**
 * How much the score drops when a token is left out of the text. The tokens behind it move up.
 *
 * @param row token ids, with the start and end tokens, without padding
 * @param direction [1, embedDim], the normalised embedding of an image
 * @throws InputError for a text without tokens between its ends, and as `encodeTokens`; the signal's reason if it is
 *   aborted
 */
export async function leaveOneOut(
  model: Clip,
  row: readonly number[],
  direction: Tensor2D,
  options: RunOptions = {},
): Promise<TokenSaliency> {
  if (row.length < 3) throw new InputError("leaveOneOut: expected a text with tokens between its ends");
  const without = row.slice(1, -1).map((_, i) => row.toSpliced(i + 1, 1));
  const [score = NaN, ...others] = await scoresOf(
    model.encodeTokens([row, ...without], { ...options, normalize: true }),
    direction,
  );
  return { score, tokens: [null, ...others.map((other) => score - other), null] };
}

/**
 * The norm of the score's gradient at what the first block takes for each token.
 *
 * @param row token ids, with the start and end tokens, without padding
 * @param direction [1, embedDim], the normalised embedding of an image
 * @throws InputError as `gradients`; the signal's reason if it is aborted
 */
export async function tokenGradients(
  model: Clip,
  row: readonly number[],
  direction: Tensor2D,
  options: RunOptions = {},
): Promise<TokenSaliency> {
  const tokens: (number | null)[] = [];
  const onTap = async (_: string, gradient: Tensor): Promise<void> => {
    const norms = tidy(() => norm(gradient, "euclidean", -1)); // [1, L]
    tokens.push(...(await norms.data<"float32">()));
    norms.dispose();
  };
  const { loss } = await gradients(model, { rows: [row] }, ({ texts }) => scoreSum(texts!, direction), {
    ...options,
    of: [model.text.embedTap],
    onTap,
  });
  tokens[0] = tokens[tokens.length - 1] = null;
  return { score: loss, tokens };
}
