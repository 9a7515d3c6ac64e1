/** Tensors without networks: dtypes, files, weights, taps, comparison. Runs in a browser too. */
export * from "./compare.ts";
export * from "./crc32.ts";
export * from "./diff.ts";
export * from "./dtype.ts";
export * from "../errors/input-error.ts";
export * from "./rounding.ts";
export * from "./safetensors.ts";
export * from "./shards.ts";
export * from "./statistics.ts";
export * from "./store.ts";
export * from "./synthetic.ts";
export * from "./taps.ts";
export * from "./disposing.ts";
export * from "./model-weights.ts";
export * from "./row-table.ts";
export * from "./weight.ts";
export * from "./wasm/index.ts";
