/** The model, in the paper's words. Runs in a browser too. */
export * from "./clip.ts";
export * from "./config.ts";
export * from "./gradients.ts";
export * from "./preprocess/config.ts";
export * from "./preprocess/decode.ts";
export * from "./preprocess/preprocess.ts";
export * from "./text/plain-text-tower.ts";
export * from "./text/roberta-text-tower.ts";
export * from "./text/token-batch.ts";
export * from "./tokenizer/tokenizer.ts";
export * from "./vision/vision-transformer.ts";
