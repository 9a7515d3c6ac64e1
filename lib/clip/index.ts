/** The network. Runs in a browser too. */
export * from "./clip.ts";
export * from "./config/clip-config.ts";
export * from "./config/open-clip.ts";
export * from "./config/preprocess-config.ts";
export * from "./config/recognize.ts";
export * from "./flops.ts";
export * from "./gradients.ts";
export * from "./loss.ts";
export { declaredTensors, ignoredTensors } from "./network.ts";
export * from "./normalize.ts";
export * from "./text/clip/clip-text-tower.ts";
export * from "./text/token-batch.ts";
export * from "./text/tower.ts";
export * from "./text/xlm-roberta/xlm-roberta-text-tower.ts";
export * from "./vision/vision-transformer.ts";
export * from "../image/decode.ts";
export * from "../image/preprocess.ts";
export * from "../text/tokenizer.ts";
