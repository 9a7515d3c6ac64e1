/** `pullModel`, loaded when it is asked for: whoever only runs models needs no client of the hub. */
import type { PullOptions, PullReport } from "../hub/pull.ts";

/**
 * Downloads a published model from the Hugging Face Hub into the cache that Python's huggingface_hub uses, too: what is
 * needed to run it, resumed where an earlier attempt stopped, and checked. `loadModel` takes the report's `model`.
 *
 * @param repository on the hub: "laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k"
 * @throws InputError if it cannot be had, is no model that runs here, or its bytes are not what the hub says they are
 */
export async function pullModel(repository: string, options: PullOptions = {}): Promise<PullReport> {
  const hub = await import("../hub/pull.ts");
  return hub.pullModel(repository, options);
}
