/**
 * The layers of the network, one per file. Runs in browsers too.
 *
 * @module nn
 */
export { Embedding, type IdGrid } from "./embedding.ts";
export { Gelu } from "./gelu.ts";
export { LayerNorm } from "./layer-norm.ts";
export { Linear } from "./linear.ts";
export { Lora, type LoraValues } from "./lora.ts";
export { Mlp } from "./mlp.ts";
export { Module } from "./module.ts";
export { MultiheadAttention } from "./multihead-attention.ts";
export { QuickGelu } from "./quick-gelu.ts";
export { scaledDotProductAttention } from "./scaled-dot-product-attention.ts";
export { Tanh } from "./tanh.ts";
export { Tower, type Block, type RunOptions, type StreamStart } from "./tower.ts";
