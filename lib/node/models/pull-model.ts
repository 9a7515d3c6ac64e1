/** `pullModel` and `pullDataset`, which import the client of the hub on demand: running models does not need it. */
import type { PullDatasetOptions, PulledDataset } from "../hub/pull-dataset.ts";
import type { PullOptions, PullReport } from "../hub/pull.ts";

/**
 * Downloads the files that a published model needs to run from the Hugging Face Hub, into the cache that Python's
 * huggingface_hub uses. Interrupted downloads are resumed; checksums are verified. `loadModel` takes the report's `model`.
 *
 * @param repository on the hub: "laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k"
 * @throws InputError if the download fails, the model is not supported, or a checksum does not match
 */
export async function pullModel(repository: string, options: PullOptions = {}): Promise<PullReport> {
  const hub = await import("../hub/pull.ts");
  return hub.pullModel(repository, options);
}

/**
 * Downloads a WebDataset from the hub to its cache, as `pullModel` does: the texts, and the shards of the splits that are
 * asked for. `evaluate` takes the report's `folder`.
 *
 * @param repository "clip-benchmark/wds_imagenet1k"
 * @throws InputError if the download fails, a checksum does not match, or the repository is not a WebDataset
 */
export async function pullDataset(
  repository: string,
  options: PullDatasetOptions = {},
): Promise<PulledDataset> {
  const hub = await import("../hub/pull-dataset.ts");
  return hub.pullDataset(repository, options);
}
