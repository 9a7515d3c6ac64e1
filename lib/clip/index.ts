/** The model, in the paper's words. Runs in a browser too. */
export * from "./clip.ts";
export * from "./config/open-clip.ts";
export * from "./flops.ts";
export * from "./gradients.ts";
export * from "./config/preprocess-config.ts";
export * from "../image/decode.ts";
export * from "../image/preprocess.ts";
export * from "./config/recognize.ts";
export * from "./text/clip/clip-text-tower.ts";
export * from "./text/xlm-roberta/roberta-text-tower.ts";
export * from "./text/xlm-roberta/token-batch.ts";
export * from "../text/tokenizer.ts";
export * from "./vision/vision-transformer.ts";
