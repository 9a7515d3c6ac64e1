/**
 * The layout in which peft keeps LoRA adapters: adapter_config.json and adapter_model.safetensors.
 *
 * A module's adapter is `base_model.model.MODULE.lora_A.weight` [r, in] and `….lora_B.weight` [out, r]. PyTorch's
 * MultiheadAttention is one module: its own adapter is that of `in_proj_weight`, and its output matrix is
 * `MODULE.base_layer.out_proj`. peft adapts both or neither, so a file has both.
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

/** The other matrix of a MultiheadAttention, whose adapter a file must have too; null for other weights. */
export function peftPartner(weight: string): string | null {
  if (weight.endsWith(".in_proj_weight")) return weight.replace(/in_proj_weight$/, "out_proj.weight");
  if (weight.endsWith(".attn.out_proj.weight")) return weight.replace(/out_proj\.weight$/, "in_proj_weight");
  return null;
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

/**
 * The factor of B · A, by their rank and weight.
 *
 * peft 0.14 to 0.21 add the change of MultiheadAttention's output matrix twice (huggingface/peft, pull request 3774).
 * Adapters that they have trained are scaled as they computed them.
 *
 * @throws InputError for an adapter that is not a plain LoRA
 */
export function peftScale(config: JsonValue): (rank: number, weight: string) => number {
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
  const isTwice = /^0\.(1\d|2[01])\./.test(config.at("peft_version").or("").string());
  return (rank, weight) => {
    const scale = alpha / (isRoot ? Math.sqrt(rank) : rank);
    return isTwice && weight.endsWith(".attn.out_proj.weight") ? 2 * scale : scale;
  };
}
