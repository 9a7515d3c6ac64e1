/** A model of a published architecture on synthetic weights: the real sizes without a file. */
import { InputError } from "../errors/input-error.ts";
import { SyntheticStore } from "../tensor/synthetic.ts";
import { Clip } from "./clip.ts";
import { declaredTensors } from "./network.ts";
import { architectureByName, parseClipConfig } from "./config/open-clip.ts";
import { parsePreprocessConfig } from "./config/preprocess-config.ts";

/**
 * Weights are made block by block as the passes need them (`SyntheticStore`), and not kept.
 *
 * @param arch one of open_clip's names
 * @throws InputError for another name; the model takes token ids, but no texts
 */
export async function syntheticClip(arch: string): Promise<Clip> {
  const config = await parseClipConfig(architectureByName(arch), arch, () => Promise.resolve(null));
  return new Clip({
    config,
    store: new SyntheticStore(declaredTensors(config)),
    preprocess: parsePreprocessConfig(undefined, config.vision.imageSize, arch),
    loadTokenizer: () => Promise.reject(new InputError(`${arch} on synthetic weights has no tokenizer`)),
    residency: "streamed",
  });
}
