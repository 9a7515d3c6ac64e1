/** Layers, one a file. Runs in a browser too. */
export * from "./attention.ts";
export * from "./embedding.ts";
export * from "./gelu.ts";
export * from "./layer-norm.ts";
export * from "./linear.ts";
export * from "./mlp.ts";
export * from "./module.ts";
