/**
 * The states of all tokens before a tower's read-out, as image generators take them.
 *
 * The first n blocks run, and no others. `n = blocks − 1` is transformers' `hidden_states[-2]`: the penultimate layer.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";
import { runBlocks, withWeights, type RunOptions } from "../nn/tower.ts";
import { disposing } from "../tensor/disposing.ts";
import { pass } from "../tensor/taps.ts";
import type { Clip } from "./clip.ts";
import { assertModel, assertPixels, assertRows, holding } from "./inputs.ts";
import { TokenBatch } from "./text/token-batch.ts";

/**
 * The image tower's stream before its last block: of the class token and of each patch.
 *
 * Source: transformers, CLIPVisionModel, `hidden_states[-2]`; without `ln_post`, as there.
 * @param pixels [B, 3, H, W], as for `encodeImage`
 * @returns [B, 1 + patches, width]; the caller disposes it
 * @throws InputError as `encodeImage`
 */
export async function penultimateImageStates(
  model: Clip,
  pixels: Tensor4D,
  options: RunOptions = {},
): Promise<Tensor3D> {
  assertModel(model, "penultimateImageStates");
  assertPixels(pixels, model.config, "penultimateImageStates");
  const { visual } = model;
  return holding(pixels, (held) => pass(() => runBlocks(visual, held, visual.blocks.length - 1, options)));
}

/**
 * The states of the English text tower before its last block, normalised by `ln_final`, at all positions of the context.
 *
 * Rows are filled up with id 0, and the positions behind the end-of-text token are computed, because Stable Diffusion 2
 * attends to them.
 *
 * Source: open_clip's "penultimate" layer in stablediffusion/ldm/modules/encoders/modules.py, FrozenOpenCLIPEmbedder.
 * @param rows token ids with the start and end tokens, as for `encodeTokens`
 * @returns [B, context, width]; the caller disposes it
 * @throws InputError for a model with another text tower, or rows that `encodeTokens` refuses
 */
export async function penultimateTextStates(
  model: Clip,
  rows: readonly (readonly number[])[],
  options: RunOptions = {},
): Promise<Tensor3D> {
  assertModel(model, "penultimateTextStates");
  assertRows(rows, model.config, "penultimateTextStates");
  const { text, config } = model;
  const norm = text.finalNorm;
  if (norm === null) {
    throw new InputError(
      `penultimateTextStates: expected a model with CLIP's own text transformer, found ${config.text.kind}`,
    );
  }
  const { contextLength } = config.text;
  const padded = rows.map((row) => [...row, ...new Array<number>(contextLength - row.length).fill(0)]);
  const batch = new TokenBatch(padded, {
    padId: 0,
    maxTokens: contextLength,
    isToken: (row) => row.map(() => true),
    readOutPosition: (row) => text.readOutPosition(row),
  });
  return pass(async () =>
    disposing(await runBlocks(text, batch, text.blocks.length - 1, options), (stream) =>
      withWeights([norm.scope], () => norm.apply(stream)),
    ),
  );
}
