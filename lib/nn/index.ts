/** Layers, one a file, and the network's own operations. Runs in a browser too. */
export * from "./embedding.ts";
export * from "./gelu.ts";
export * from "./layer-norm.ts";
export * from "./linear.ts";
export * from "./mlp.ts";
export * from "./module.ts";
export * from "./multihead-attention.ts";
export * from "./quick-gelu.ts";
export * from "./scaled-dot-product-attention.ts";
export * from "./tanh.ts";
export * from "./tower.ts";
