/** A model of a published architecture, in full size, with synthetic weights and without a weights file. */
import { InputError } from "../errors/input-error.ts";
import { SyntheticStore } from "../tensor/synthetic.ts";
import type { Precision } from "../tensor/precision.ts";
import { Clip } from "./clip.ts";
import { declaredTensors } from "./network.ts";
import { architectureByName, parseClipConfig } from "./config/open-clip.ts";
import { parsePreprocessConfig } from "./config/preprocess-config.ts";

/**
 * Weights are generated block by block as the passes need them (`SyntheticStore`), and not kept.
 *
 * @param arch one of open_clip's names
 * @returns a model that takes token ids; it has no tokenizer for texts
 * @throws InputError for another name
 */
export async function syntheticClip(arch: string, precision: Precision = "f32"): Promise<Clip> {
  const config = await parseClipConfig(architectureByName(arch), arch, () => Promise.resolve(null));
  return new Clip({
    config,
    store: new SyntheticStore(declaredTensors(config)),
    preprocess: parsePreprocessConfig(undefined, config.vision.imageSize, arch),
    loadTokenizer: () => Promise.reject(new InputError(`${arch} on synthetic weights has no tokenizer`)),
    residency: "streamed",
    precision,
  });
}
