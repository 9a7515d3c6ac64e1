/**
 * cn_clip's checkpoints: the image tower has OpenCLIP's names already. A training with FlashAttention leaves one matrix
 * for query, key and value, under other names.
 *
 * Source: OFA-Sys/Chinese-CLIP, cn_clip/clip/model.py, convert_state_dict
 */
import type { TensorStore } from "../../tensor/store.ts";
import { bertText } from "./bert-text.ts";
import { copy, transpose, type Recipe, type Recipes } from "./recipe.ts";

/** @param weights under their names without the prefix `module.` */
export function cnClip({ tensors }: TensorStore, visionLayers: number, textLayers: number): Recipes {
  const isFlash = tensors.has("bert.encoder.layer.0.attention.self.Wqkv.weight");
  const blocks = Array.from({ length: visionLayers }, (_, i) => `visual.transformer.resblocks.${i}`);
  return new Map<string, Recipe>([
    ...["conv1.weight", "class_embedding", "positional_embedding", "proj"].map(sameIn("visual")),
    ...["ln_pre.weight", "ln_pre.bias", "ln_post.weight", "ln_post.bias"].map(sameIn("visual")),
    ...blocks.flatMap((block) => [
      ...["ln_1", "attn.out_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"]
        .flatMap((module) => [`${module}.weight`, `${module}.bias`])
        .map(sameIn(block)),
      ...["weight", "bias"].map((name): [string, Recipe] => {
        const [own, flash] = [`${block}.attn.in_proj_${name}`, `${block}.attn.Wqkv.${name}`];
        return [own, copy(tensors.has(flash) ? flash : own)];
      }),
    ]),
    ...bertText({ prefix: "bert.", layers: textLayers, isFlash }),
    ["text.proj.weight", transpose("text_projection")],
    ["logit_scale", copy("logit_scale")],
  ]);
}

const sameIn =
  (path: string) =>
  (name: string): [string, Recipe] => [`${path}.${name}`, copy(`${path}.${name}`)];
