/** A directory with a tiny English model on synthetic weights, which the packaged tokenizer fits. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseClipConfig } from "../../lib/clip/config/open-clip.ts";
import { declaredTensors } from "../../lib/clip/network.ts";
import { encodeSafetensors } from "../../lib/tensor/safetensors.ts";
import { SyntheticStore } from "../../lib/tensor/synthetic.ts";

const modelConfig = {
  embed_dim: 16,
  vision_cfg: { image_size: 28, layers: 2, width: 32, head_width: 16, patch_size: 14 },
  text_cfg: { context_length: 77, vocab_size: 49408, width: 8, heads: 2, layers: 3 },
};

/** @returns the folder */
export async function writeEnglishModel(folder: string): Promise<string> {
  const config = await parseClipConfig(modelConfig, "english", () => Promise.resolve(null));
  const store = new SyntheticStore(declaredTensors(config));
  const tensors = await Promise.all(
    Array.from(store.tensors, async ([name, { dtype, shape }]) => ({
      name,
      dtype,
      shape,
      bytes: await store.read(name),
    })),
  );
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "open_clip_config.json"), JSON.stringify({ model_cfg: modelConfig }));
  await writeFile(join(folder, "open_clip_model.safetensors"), encodeSafetensors(tensors));
  return folder;
}
