/** Embeddings of images and texts: for searches, and to fit probes on. */
import { assertSearchable, describeImageFeatures, embeddingOptions } from "../../features/origin.ts";
import type { Metadata } from "../../features/features.ts";
import { embedLoadedImageTaps } from "../../tasks/embed-images.ts";
import type { Pooling } from "../../tasks/tapped.ts";
import { disposing } from "../../tensor/disposing.ts";
import type { Answer } from "../answer.ts";
import { loadImages } from "../load-images.ts";
import type { NamedBytes } from "../results.ts";

export interface EmbedParams {
  readonly images: readonly NamedBytes[];
  /** Modules of the image tower; `visual` is the embedding. */
  readonly taps: readonly string[];
  readonly pool: Pooling;
  readonly exifOrientation: boolean;
}

export interface Embedded {
  /** [embedded, width] of each tap */
  readonly features: readonly Float32Array[];
  /** The images that have a row. */
  readonly indices: readonly number[];
  /** Why others have none. */
  readonly failures: readonly { readonly key: string; readonly message: string }[];
  /** How each tap's features were made, as features files record it. */
  readonly metadata: readonly Metadata[];
}

/** Embeds images, a batch at a time; all taps of a batch come from one pass. @throws InputError for an unknown tap */
export const embedTaps: Answer<EmbedParams, Embedded> = async (
  passes,
  { images, taps, pool, exifOrientation },
  { signal, progress },
) => {
  const parts: Float32Array[][] = taps.map(() => []);
  const indices: number[] = [];
  const failures: { key: string; message: string }[] = [];
  const loaded = loadImages(passes, images, { exifOrientation }, signal);
  const batches = embedLoadedImageTaps(passes.model, loaded, taps, {
    pool,
    onError: ({ message }, _, index) => {
      failures.push({ key: images[index]!.key, message });
    },
    onProgress: (done) => {
      progress(done, images.length);
    },
  });
  for await (const batch of batches) {
    indices.push(...batch.indices);
    for (const [i, tensor] of batch.features.entries()) {
      parts[i]!.push(
        await disposing(tensor, async (value) => Float32Array.from(await value.data<"float32">())),
      );
    }
  }
  const metadata = await describeImageFeatures(passes.naming, passes.model, taps, { pool, exifOrientation });
  return { features: parts.map(concat), indices, failures, metadata };
};

function concat(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

/** A text's embedding, as `search` makes its query. */
export const embedText: Answer<{ readonly text: string }, Float32Array> = async (
  passes,
  { text },
  { signal },
) => (await passes.text(text, { signal })).features.slice();

/**
 * Checks that features can be searched with this model's queries.
 *
 * @returns how their images were read
 * @throws InputError for features of another tap, model or preprocessing
 */
export const acceptFeatures: Answer<
  { readonly name: string; readonly metadata: Metadata },
  { readonly exifOrientation: boolean }
> = async ({ model, naming }, features) => {
  await assertSearchable(naming, model, features);
  return { exifOrientation: embeddingOptions(features.metadata).exifOrientation };
};
