/**
 * The tensors of Hugging Face's CLIP vision model under OpenCLIP's names.
 *
 * Source: transformers, CLIPVisionModel (`pre_layrnorm` is its spelling)
 */
import { copy, copyModule, join, transpose, type Recipe } from "./recipe.ts";

/** @param prefix of the vision model's names, with the full stop */
export function clipVision(prefix: string, layers: number): [string, Recipe][] {
  const embeddings = `${prefix}embeddings`;
  return [
    ["visual.conv1.weight", copy(`${embeddings}.patch_embedding.weight`)],
    ["visual.class_embedding", copy(`${embeddings}.class_embedding`)],
    ["visual.positional_embedding", copy(`${embeddings}.position_embedding.weight`)],
    ...copyModule("visual.ln_pre", `${prefix}pre_layrnorm`),
    ...clipBlocks("visual.transformer", `${prefix}encoder`, layers),
    ...copyModule("visual.ln_post", `${prefix}post_layernorm`),
    ["visual.proj", transpose("visual_projection.weight")],
  ];
}

/** The blocks of CLIP's image or text tower. */
export function clipBlocks(to: string, from: string, layers: number): [string, Recipe][] {
  return Array.from({ length: layers }, (_, i): [string, Recipe][] => {
    const [block, layer] = [`${to}.resblocks.${i}`, `${from}.layers.${i}`];
    const parts = (name: string): Recipe =>
      join(...["q", "k", "v"].map((part) => `${layer}.self_attn.${part}_proj.${name}`));
    return [
      ...copyModule(`${block}.ln_1`, `${layer}.layer_norm1`),
      [`${block}.attn.in_proj_weight`, parts("weight")],
      [`${block}.attn.in_proj_bias`, parts("bias")],
      ...copyModule(`${block}.attn.out_proj`, `${layer}.self_attn.out_proj`),
      ...copyModule(`${block}.ln_2`, `${layer}.layer_norm2`),
      ...copyModule(`${block}.mlp.c_fc`, `${layer}.mlp.fc1`),
      ...copyModule(`${block}.mlp.c_proj`, `${layer}.mlp.fc2`),
    ];
  }).flat();
}
