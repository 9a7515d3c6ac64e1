/**
 * The layouts of other projects' models, by the `model_type` of their `config.json`.
 *
 * A layout translates names, shapes and configs to OpenCLIP's; the network itself knows no other.
 */
import { chineseClip } from "./chinese-clip.ts";
import { clipModel } from "./clip-model.ts";
import { dualEncoder } from "./dual-encoder.ts";
import type { Layout } from "./layout.ts";
import { rinna } from "./rinna.ts";
import { nestedConfig, type LayoutFiles } from "./source.ts";

export { cnClipByShapes, isCnClip } from "./chinese-clip.ts";
export type { Layout, OpenClipConfig, Translated, TranslateOptions } from "./layout.ts";
export type { LayoutFiles } from "./source.ts";

const layouts: Readonly<Record<string, (files: LayoutFiles) => Layout>> = {
  chinese_clip: chineseClip,
  "vision-text-dual-encoder": dualEncoder,
  cloob: rinna,
  // Both Hugging Face's CLIPModel and rinna's: the image tower decides.
  clip: (files) =>
    nestedConfig(files.config, "vision").at("model_type").value === "vit" ? rinna(files) : clipModel(files),
};

/**
 * The layout of a model; undefined if its config is of another kind.
 *
 * @throws InputError if the config has options that OpenCLIP's models cannot express; it names them
 */
export function readLayout(files: LayoutFiles): Layout | undefined {
  const type = files.config.at("model_type").value;
  const read = typeof type === "string" && Object.hasOwn(layouts, type) ? layouts[type] : undefined;
  return read?.(files);
}
