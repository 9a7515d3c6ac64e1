/** `pullModel`, which imports the client of the hub on demand: running models does not need it. */
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
