/**
 * The tensors of a BERT or RoBERTa network, whose names differ from OpenCLIP's only in the prefix.
 *
 * Source: transformers, BertModel; cn_clip/clip/modeling_bert.py and flash attention's BERT for `Wqkv` and `out_proj`
 */
import { copy, copyModule, rows, type Recipe } from "./recipe.ts";

export interface BertTensors {
  /** Of the network's names, with the full stop. */
  readonly prefix: string;
  readonly layers: number;
  readonly hasPooler?: boolean;
  /** Whether query, key and value are one matrix, as after a training with FlashAttention. */
  readonly isFlash?: boolean;
}

export function bertText({
  prefix,
  layers,
  hasPooler = false,
  isFlash = false,
}: BertTensors): [string, Recipe][] {
  const to = "text.transformer.";
  const tables = ["word", "position", "token_type"].map((name) => `embeddings.${name}_embeddings.weight`);
  const same = (module: string): [string, Recipe][] => copyModule(`${to}${module}`, `${prefix}${module}`);
  return [
    ...tables.map((name): [string, Recipe] => [`${to}${name}`, copy(`${prefix}${name}`)]),
    ...same("embeddings.LayerNorm"),
    ...Array.from({ length: layers }, (_, i): [string, Recipe][] => {
      const layer = `encoder.layer.${i}`;
      const attention = isFlash
        ? flashAttention(`${to}${layer}.attention`, `${prefix}${layer}.attention`)
        : ["self.query", "self.key", "self.value", "output.dense"].flatMap((name) =>
            same(`${layer}.attention.${name}`),
          );
      const others = ["attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm"];
      return [...attention, ...others.flatMap((name) => same(`${layer}.${name}`))];
    }).flat(),
    ...(hasPooler ? same("pooler.dense") : []),
  ];
}

function flashAttention(to: string, from: string): [string, Recipe][] {
  const parts = ["query", "key", "value"].flatMap((part, index) =>
    ["weight", "bias"].map((name): [string, Recipe] => [
      `${to}.self.${part}.${name}`,
      rows(`${from}.self.Wqkv.${name}`, index, 3),
    ]),
  );
  return [...parts, ...copyModule(`${to}.output.dense`, `${from}.self.out_proj`)];
}
