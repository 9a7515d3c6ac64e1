/** The tensors of a generator, under the names and in the shapes that its pipeline takes. */
import {
  concat,
  expandDims,
  slice,
  tidy,
  zerosLike,
  type Tensor,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { penultimateImageStates, penultimateTextStates } from "../clip/hidden-states.ts";
import { InputError } from "../errors/input-error.ts";
import type { RunOptions } from "../nn/tower.ts";
import { disposing } from "../tensor/disposing.ts";
import { consumers, consumersOf, type ConsumerName } from "./consumers.ts";

/** Images per pass. */
const batchSize = 8;

/** Tensors by the names of the pipeline's arguments. The caller disposes them. */
export type Conditioning = ReadonlyMap<string, Tensor>;

/**
 * What a generator takes for images. N images and a width of W give
 * - unclip: `image_embeds` [N, W], to which the pipeline adds noise;
 * - ip-adapter: `ip_adapter_image_embeds` [2, N, W], zeros first: the entry of one adapter, for guidance;
 * - ip-adapter-plus: `ip_adapter_image_embeds` [2, N, tokens, W], first those of an image of zeros;
 * - svd: `image_embeddings` [2 · N, 1, W], zeros first;
 * - wan: `image_embeds` [N, tokens, W].
 *
 * Embeddings are not normalised.
 *
 * @param pixels [N, 3, H, W], as for `encodeImage`
 * @throws InputError for a generator that takes texts; else as `encodeImage`
 */
export async function conditionOnImages(
  model: Clip,
  pixels: Tensor4D,
  consumer: ConsumerName,
  options: RunOptions = {},
): Promise<Conditioning> {
  assertInput(consumer, "image", "conditionOnImages");
  const { states, tensors } = consumers[consumer];
  const [name] = tensors;
  const encode = (images: Tensor4D): Promise<Tensor> =>
    inBatches(images, (batch) =>
      states === "embedding"
        ? model.encodeImage(batch, options)
        : penultimateImageStates(model, batch, options),
    );
  return disposing(await encode(pixels), async (images) => {
    if (consumer === "ip-adapter-plus") {
      const zeros = tidy(() => zerosLike(pixels));
      const without = await disposing(zeros, encode);
      return disposing(without, () => one(name, () => pair(without, images)));
    }
    if (consumer === "ip-adapter") return one(name, () => pair(zerosLike(images), images));
    if (consumer === "svd") return one(name, () => expandDims(concat([zerosLike(images), images]), 1));
    return one(name, () => images.clone());
  });
}

/**
 * What Stable Diffusion 2 takes for texts: `prompt_embeds` and `negative_prompt_embeds`, both [B, context, W].
 *
 * @param rows token ids of the texts, as for `encodeTokens`
 * @param negative those of the negative prompts: one for each text, or one for all
 * @throws InputError for a generator that takes images, another number of negative prompts, or a model whose text tower
 *   is not CLIP's own
 */
export async function conditionOnTokens(
  model: Clip,
  rows: readonly (readonly number[])[],
  negative: readonly (readonly number[])[],
  consumer: ConsumerName,
  options: RunOptions = {},
): Promise<Conditioning> {
  assertInput(consumer, "text", "conditionOnTokens");
  const { text } = model.config;
  if (text.kind !== "clip") {
    const { title, weights } = consumers[consumer];
    throw new InputError(
      `${title} takes ${weights}, found a model with a text tower of the kind ${text.kind}; no published image generator takes its states`,
    );
  }
  if (negative.length !== rows.length && negative.length !== 1) {
    throw new InputError(
      `conditionOnTokens: expected 1 or ${rows.length} negative prompts, found ${negative.length}`,
    );
  }
  const all = negative.length === rows.length ? negative : rows.map(() => negative[0]!);
  const prompt = await penultimateTextStates(model, rows, options);
  try {
    return new Map([
      ["prompt_embeds", prompt],
      ["negative_prompt_embeds", await penultimateTextStates(model, all, options)],
    ]);
  } catch (error) {
    prompt.dispose();
    throw error;
  }
}

/** Encodes some images at a time, for the memory of a pass. */
async function inBatches(images: Tensor4D, encode: (batch: Tensor4D) => Promise<Tensor>): Promise<Tensor> {
  if (images.shape[0] <= batchSize) return encode(images);
  const parts: Tensor[] = [];
  try {
    for (let start = 0; start < images.shape[0]; start += batchSize) {
      const length = Math.min(batchSize, images.shape[0] - start);
      const batch = tidy(() => slice(images, [start, 0, 0, 0], [length, -1, -1, -1]));
      parts.push(await disposing(batch, encode));
    }
    return tidy(() => concat(parts));
  } finally {
    for (const part of parts) part.dispose();
  }
}

const one = (name: string, compute: () => Tensor): Conditioning => new Map([[name, tidy(compute)]]);

/** [2, N, …]: the unconditional tensor first. */
const pair = (without: Tensor, images: Tensor): Tensor =>
  concat([expandDims(without, 0), expandDims(images, 0)]);

function assertInput(consumer: ConsumerName, input: "image" | "text", where: string): void {
  const names = consumersOf(input);
  if (names.includes(consumer)) return;
  throw new InputError(`${where}: expected one of ${names.join(", ")}, found ${consumer}`);
}
