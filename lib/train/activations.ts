/** How much memory the activations of a training step take, to decide whether blocks are computed again. */
import type { Clip } from "../clip/clip.ts";
import type { Block } from "../nn/tower.ts";
import { trainableWeights, type Locks } from "./locks.ts";

/** Numbers that a block keeps for each token, in widths of the residual stream: measured on a block with an MLP of 4 widths. */
const perToken = 21;

/** Tokens of a caption. */
export const typicalTokens = 32;

/** An estimate for a batch of pairs, in bytes: the towers that train, with captions of usual length. */
export function activationBytes(model: Clip, locks: Locks, pairs: number): number {
  const { visual, text, config } = model;
  const trained = trainableWeights(model, locks);
  const { imageSize, patchSize } = config.vision;
  const patches = Math.floor(imageSize[0] / patchSize[0]) * Math.floor(imageSize[1] / patchSize[1]);
  const isImageTrained = visual.scope.weights.some((weight) => trained.has(weight));
  const tokens = Math.min(typicalTokens, config.text.contextLength);
  const ofText = towerActivations(text.blocks, pairs, tokens);
  return ofText + (isImageTrained ? towerActivations(visual.blocks, pairs, 1 + patches) : 0);
}

/** An estimate for some blocks, in bytes. */
export function towerActivations(
  blocks: readonly Pick<Block, "width">[],
  batch: number,
  tokens: number,
): number {
  return 4 * batch * tokens * perToken * blocks.reduce((sum, { width }) => sum + width, 0);
}
