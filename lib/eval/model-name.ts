/** The names of a model in results: open_clip's architecture and tag. */
import { architectures } from "../clip/config/architectures/index.ts";
import { pretrained, type Pretrained } from "../clip/config/architectures/pretrained.ts";
import type { ClipConfig } from "../clip/config/clip-config.ts";
import { parseClipConfig } from "../clip/config/open-clip.ts";
import type { ModelName } from "./record.ts";

/**
 * @param config of the model
 * @param name its directory's name, or its repository's on the hub ("laion/CLIP-ViT-H-14-laion2B-s32B-b79K")
 * @returns open_clip's architecture and tag; the name itself for what open_clip does not know
 */
export async function openClipName(config: ClipConfig, name: string): Promise<ModelName> {
  const isNamed = ({ repository }: Pretrained): boolean =>
    repository === name || repository.endsWith(`/${name}`);
  const names = await architecturesOf(config);
  const known = pretrained.find((row) => isNamed(row) && names.includes(row.architecture));
  if (known !== undefined) return { model: known.architecture, pretrained: known.tag };
  return { model: names[0] ?? name, pretrained: name };
}

/** The architectures with exactly this configuration. */
async function architecturesOf(config: ClipConfig): Promise<string[]> {
  const wanted = JSON.stringify(config);
  const names: string[] = [];
  for (const [name, modelConfig] of Object.entries(architectures)) {
    const parsed = await parseClipConfig(modelConfig, name, () => Promise.resolve(null));
    if (JSON.stringify(parsed) === wanted) names.push(name);
  }
  return names;
}
