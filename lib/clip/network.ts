/** The two towers and the logit scale of an architecture, as handles in a state dict. */
import { SyntheticStore } from "../tensor/synthetic.ts";
import { ModelWeights, type WeightScope } from "../tensor/model-weights.ts";
import type { Weight } from "../tensor/weight.ts";
import type { ClipConfig } from "./config/clip-config.ts";
import { textTower } from "./text/registry.ts";
import type { TextTower } from "./text/tower.ts";
import { VisionTransformer } from "./vision/vision-transformer.ts";

export interface Network {
  readonly visual: VisionTransformer;
  readonly text: TextTower;
  readonly logitScale: Weight;
}

/** @param root the scope of the whole state dict */
export function buildNetwork(root: WeightScope, config: ClipConfig): Network {
  return {
    visual: new VisionTransformer(root.at("visual"), config),
    text: textTower(root, config),
    logitScale: root.get("logit_scale", config.nonscalarLogitScale ? [1] : []),
  };
}

/** The network of an architecture without any weights, for its structure. */
export function networkOutline(config: ClipConfig): Network & { readonly weights: ModelWeights } {
  const weights = new ModelWeights(new SyntheticStore([]));
  return { ...buildNetwork(weights.root, config), weights };
}

/** Name and shape of every tensor that an architecture's weights hold. */
export function declaredTensors(config: ClipConfig): ReadonlyMap<string, readonly number[]> {
  return networkOutline(config).weights.declared;
}

/**
 * Buffers that old files hold and that no layer reads: the numbers 0, 1, 2, …, the causal mask, and sizes that OpenAI's
 * own files keep.
 */
export const ignoredTensors: readonly string[] = [
  "text.transformer.embeddings.position_ids",
  "attn_mask",
  "text.attn_mask",
  "input_resolution",
  "context_length",
  "vocab_size",
];
