/** Selection of the caption that fits an image, and of the image that fits a caption. */
import { InputError } from "../../errors/input-error.ts";
import type { SelectionDataset } from "../dataset.ts";
import type { ImageEmbeddings } from "../embeddings/image-embeddings.ts";
import type { TextEmbeddings, TextProgress } from "../embeddings/text-embeddings.ts";
import { shareError, type TaskResult } from "../evaluation.ts";
import { selection } from "../metrics/selection.ts";

/** Instances of which an image is missing do not count. */
export async function evaluateSelection(
  dataset: SelectionDataset,
  { rows, images }: ImageEmbeddings,
  texts: TextEmbeddings,
  onProgress?: TextProgress,
): Promise<TaskResult> {
  const rowOf = new Map(images.map((image, row) => [image, row]));
  const complete = [...dataset.instances.entries()].filter(([, instance]) =>
    instance.images.every((image) => rowOf.has(image)),
  );
  if (complete.length === 0) {
    throw new InputError(
      `${dataset.name}: expected at least one instance whose images can be read, found none`,
    );
  }
  const captions = complete.flatMap(([, instance]) => instance.captions);
  const prepared = await texts.prepare(captions, onProgress);
  let caption = 0;
  const parts = complete.map(([, instance]) => ({
    images: instance.images.map((image) => rowOf.get(image)!),
    captions: instance.captions.map(() => caption++),
  }));
  const { metrics, outcomes, ties } = selection(rows, await texts.rows(captions), parts);
  const errors = Object.entries(metrics).map(([name, share]) => [name, shareError(share, parts.length)]);
  return {
    metrics,
    standardErrors: Object.fromEntries(errors) as Record<string, number>,
    ties,
    details: {
      kind: "selection",
      instances: parts.length,
      wrong: complete
        .filter((_, i) => !(outcomes[i]!.imagesRight && outcomes[i]!.captionsRight))
        .map(([index]) => index),
    },
    prompts: null,
    texts: prepared,
    images: rows.rows,
  };
}
