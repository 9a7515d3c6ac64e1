/** Neutral weights of whole layers. Worked examples change a few of them. */
import type { ExampleWeights } from "./layers.ts";

const identity = [[1, 0], [0, 1]]; // prettier-ignore
const zeros = [[0, 0], [0, 0]]; // prettier-ignore

/** LayerNorm of width 2 with γ = 1, β = 0. */
const norm = (prefix: string): ExampleWeights => ({
  [`${prefix}.weight`]: [1, 1],
  [`${prefix}.bias`]: [0, 0],
});

const linear = (prefix: string, weight: typeof zeros): ExampleWeights => ({
  [`${prefix}.weight`]: weight,
  [`${prefix}.bias`]: [0, 0],
});

/** The weights under a prefix. */
export function under(prefix: string, weights: ExampleWeights): ExampleWeights {
  return Object.fromEntries(Object.entries(weights).map(([name, numbers]) => [`${prefix}.${name}`, numbers]));
}

/**
 * A ResidualAttentionBlock of width 2: attention gives each token the mean of all normalised tokens, because all scores
 * are 0, and the MLP gives 0.
 */
export const exampleBlock: ExampleWeights = {
  ...norm("ln_1"),
  "attn.in_proj_weight": [...zeros, ...zeros, ...identity],
  "attn.in_proj_bias": [0, 0, 0, 0, 0, 0],
  ...linear("attn.out_proj", identity),
  ...norm("ln_2"),
  ...linear("mlp.c_fc", identity),
  ...linear("mlp.c_proj", zeros),
};

/**
 * A layer of XLM-RoBERTa of width 2: attention adds to each token the mean of all tokens, because all scores are 0, and
 * the MLP adds 0.
 */
export const exampleRobertaLayer: ExampleWeights = {
  ...linear("attention.self.query", zeros),
  ...linear("attention.self.key", zeros),
  ...linear("attention.self.value", identity),
  ...linear("attention.output.dense", identity),
  ...norm("attention.output.LayerNorm"),
  ...linear("intermediate.dense", identity),
  ...linear("output.dense", zeros),
  ...norm("output.LayerNorm"),
};

/**
 * The embeddings of XLM-RoBERTa in width 2.
 *
 * With the first token at position 2, the sums of word, token type and position are: `<s>` [1, 3], the word 3 [6, 20],
 * `</s>` behind it [11, 9], padding [15, 1]. Their deviations are 1, 7, 1, 7; with ε = 15 the norm divides them by 4, 8,
 * 4, 8.
 */
export const exampleEmbeddings: ExampleWeights = {
  "word_embeddings.weight": [[0, 0], [0, 0], [10, 0], [5, 5], [0, 8]], // prettier-ignore
  "token_type_embeddings.weight": [[1, 0]],
  "position_embeddings.weight": [[99, 0], [14, 1], [0, 3], [0, 15], [0, 9], [0, 0]], // prettier-ignore
  ...norm("LayerNorm"),
};

/** The norm's output for the texts [0, 3, 2] and padding, with ε = 15. */
export const exampleEmbedded = {
  start: [-1 / 4, 1 / 4],
  word: [-7 / 8, 7 / 8],
  end: [1 / 4, -1 / 4],
  padding: [7 / 8, -7 / 8],
};
