/**
 * The layout in which peft keeps LoRA adapters: adapter_config.json and adapter_model.safetensors.
 *
 * A module's adapter is `base_model.model.MODULE.lora_A.weight` [r, in] and `….lora_B.weight` [out, r]. PyTorch's
 * MultiheadAttention is one module: its own adapter is that of `in_proj_weight`, and its output matrix is
 * `MODULE.base_layer.out_proj`. peft adapts both or neither.
 *
 * Source: peft 0.21, utils/save_and_load.py, tuners/lora/layer.py (MultiheadAttention), tuners/lora/config.py.
 */
import type { JsonValue } from "../json/json-value.ts";

/** The files of an adapter. */
export const peftFiles = { config: "adapter_config.json", weights: "adapter_model.safetensors" };

const prefix = "base_model.model.";

/** The names of A and B of a weight's adapter. @param weight its name in the state dict */
export function peftNames(weight: string): { readonly a: string; readonly b: string } {
  const module = weight
    .replace(/\.in_proj_weight$/, "")
    .replace(/\.attn\.out_proj\.weight$/, ".attn.base_layer.out_proj")
    .replace(/\.weight$/, "");
  return { a: `${prefix}${module}.lora_A.weight`, b: `${prefix}${module}.lora_B.weight` };
}

/** What peft calls the modules whose weights are adapted: a regular expression of their names. */
function targetModules(weights: readonly string[]): string {
  const modules = weights.map((weight) =>
    weight.replace(/\.(in_proj_weight|out_proj\.weight)$/, "").replace(/\.weight$/, ""),
  );
  return [...new Set(modules)].map((module) => module.replaceAll(".", "\\.")).join("|");
}

/** The settings of an adapter. */
export interface PeftSettings {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
}

/** @param base the name of the model that is adapted @param weights the names of the adapted weights */
export function encodePeftConfig(
  base: string,
  weights: readonly string[],
  { rank, alpha, dropout }: PeftSettings,
): string {
  const config = {
    alpha_pattern: {},
    base_model_name_or_path: base,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: alpha,
    lora_dropout: dropout,
    peft_type: "LORA",
    r: rank,
    rank_pattern: {},
    target_modules: targetModules(weights),
    task_type: null,
    use_dora: false,
    use_rslora: false,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** The factor of B · A, by their rank. @throws InputError for an adapter that is not a plain LoRA */
export function peftScale(config: JsonValue): (rank: number) => number {
  config.at("peft_type").oneOf("LORA");
  config.neutral({
    use_dora: [false],
    fan_in_fan_out: [false],
    lora_bias: [false],
    bias: ["none"],
    rank_pattern: [{}],
    alpha_pattern: [{}],
  });
  const alpha = config.at("lora_alpha").number();
  const isRoot = config.at("use_rslora").value === true;
  return (rank) => alpha / (isRoot ? Math.sqrt(rank) : rank);
}
