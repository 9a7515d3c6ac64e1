/** Model directories of published architectures with synthetic weights: the real sizes without a download. */
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { textNetworks } from "../lib/clip/config/architectures/index.ts";
import { declaredTensors } from "../lib/clip/network.ts";
import { architectureByName, parseClipConfig } from "../lib/clip/config/open-clip.ts";
import { exists } from "../lib/node/files/exists.ts";
import { configName } from "../lib/node/models/model-directory.ts";
import { bytesPerElement, elementCount } from "../lib/tensor/dtype.ts";
import { SyntheticStore } from "../lib/tensor/synthetic.ts";
import { assertSpace } from "../lib/node/files/disk-space.ts";
import { withNewFolder } from "../tools/convert/new-folder.ts";
import { planWeights, writeWeights } from "../tools/convert/write-weights.ts";

export interface FullSizeOptions {
  /** One of open_clip's names. */
  readonly arch: string;
  /** Blocks per tower. Default: as published. */
  readonly blocks?: number;
  readonly dtype: "F32" | "F16";
  /** The folder that will contain the model's folder. Default: the system's temporary folder. */
  readonly parent?: string;
  readonly onProgress?: (done: number, total: number) => void;
}

/** The path of a model's folder. */
export function fullSizeFolder({ arch, blocks, dtype, parent = tmpdir() }: FullSizeOptions): string {
  const parts = ["clipscope-bench", arch, ...(blocks === undefined ? [] : [`${blocks}-blocks`]), dtype];
  return join(parent, parts.join("-"));
}

/**
 * Writes the model unless its folder exists. Returns the folder.
 *
 * @throws InputError for an unknown architecture, or if the disk is full
 */
export async function writeFullSizeModel(options: FullSizeOptions): Promise<string> {
  const { arch, blocks, dtype, onProgress } = options;
  const folder = fullSizeFolder(options);
  if (await exists(folder)) return folder; // folders appear only when they are complete
  const { modelConfig, textNetwork } = shallower(architectureByName(arch) as ModelConfig, blocks);
  const config = await parseClipConfig(modelConfig, arch, (name) =>
    Promise.resolve(textNetwork && name === textFolder ? { json: textNetwork, path: name } : null),
  );
  const store = new SyntheticStore(declaredTensors(config));
  const plan = planWeights(store, [...store.tensors.keys()], dtype);
  const total = plan.reduce((sum, { shape }) => sum + bytesPerElement[dtype] * elementCount(shape), 0);
  let done = 0;
  return withNewFolder(folder, false, async (place) => {
    await assertSpace(place, total);
    await writeJson(join(place, configName), { model_cfg: modelConfig });
    if (textNetwork) await writeJson(join(place, textFolder, "config.json"), textNetwork);
    await writeWeights(join(place, "open_clip_model.safetensors"), store, plan, { format: "pt" }, (count) => {
      done += count;
      onProgress?.(done, total);
    });
    return folder;
  });
}

interface ModelConfig {
  readonly vision_cfg: object;
  readonly text_cfg: { readonly hf_model_name?: string };
}

const textFolder = "text";

/** An architecture with `blocks` blocks per tower. A Hugging Face text network then needs its own config file. */
function shallower(
  model: ModelConfig,
  blocks: number | undefined,
): { modelConfig: ModelConfig; textNetwork: object | null } {
  if (blocks === undefined) return { modelConfig: model, textNetwork: null };
  const { hf_model_name } = model.text_cfg;
  const vision_cfg = { ...model.vision_cfg, layers: blocks };
  const text_cfg =
    hf_model_name === undefined
      ? { ...model.text_cfg, layers: blocks }
      : { ...model.text_cfg, hf_model_name: textFolder };
  const network = hf_model_name === undefined ? null : textNetworks[hf_model_name];
  return {
    modelConfig: { ...model, vision_cfg, text_cfg },
    textNetwork: network ? { ...network, num_hidden_layers: blocks } : null,
  };
}

async function writeJson(path: string, json: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(json, null, 2)}\n`);
}
