/**
 * The order of a model's parameters in PyTorch (`named_parameters`): a module's own, then those of its children, in the
 * order in which its constructor makes them. AdamW's state in a checkpoint refers to parameters by their numbers.
 *
 * Source: open_clip/model.py, open_clip/transformer.py; transformers 5.17, models/xlm_roberta and models/bert.
 */

/** The children of modules, where the order is not the general one. */
const special: readonly (readonly [module: RegExp, children: readonly string[]])[] = [
  [
    /^$/,
    [
      "positional_embedding",
      "text_projection",
      "logit_scale",
      "visual",
      "text",
      "transformer",
      "token_embedding",
      "ln_final",
    ],
  ],
  [
    /^visual$/,
    ["class_embedding", "positional_embedding", "proj", "conv1", "ln_pre", "transformer", "ln_post"],
  ],
  [
    /^text$/,
    ["positional_embedding", "text_projection", "token_embedding", "transformer", "ln_final", "proj"],
  ],
];

const xlmRobertaEmbeddings = ["word_embeddings", "token_type_embeddings", "LayerNorm", "position_embeddings"];
const bertEmbeddings = ["word_embeddings", "position_embeddings", "token_type_embeddings", "LayerNorm"];

/** The children of all other modules. */
const general = [
  ["embeddings", "encoder", "pooler"], // a Hugging Face network
  ["attention", "intermediate", "output"], // its layer
  ["self", "output"],
  ["query", "key", "value"],
  ["dense", "LayerNorm"],
  ["ln_1", "attn", "ln_2", "mlp"], // CLIP's own block
  ["in_proj_weight", "in_proj_bias", "out_proj"],
  ["c_fc", "c_proj"],
  ["weight", "bias"],
];

/** Names of parameters in PyTorch's order. @param isBert whether the text network is BERT */
export function pytorchOrder(names: Iterable<string>, isBert: boolean): string[] {
  const orders = (module: string): readonly (readonly string[])[] => {
    const own = special.find(([pattern]) => pattern.test(module));
    if (own) return [own[1]];
    if (module.endsWith("embeddings")) return [isBert ? bertEmbeddings : xlmRobertaEmbeddings];
    return general;
  };
  return [...names].sort((a, b) => {
    const [left, right] = [a.split("."), b.split(".")];
    const at = left.findIndex((part, i) => part !== right[i]);
    const [one = "", other = ""] = [left[at], right[at]];
    if (/^\d+$/.test(one)) return Number(one) - Number(other);
    const order = orders(left.slice(0, at).join(".")).find(
      (list) => list.includes(one) && list.includes(other),
    );
    if (order === undefined) throw new Error(`no order of ${a} and ${b}`);
    return order.indexOf(one) - order.indexOf(other);
  });
}
