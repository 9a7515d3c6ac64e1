/** What a model is used for: embedding, zero-shot classification, retrieval. Runs in a browser too. */
export * from "./embed-images.ts";
export * from "./embed-texts.ts";
export * from "./image-source.ts";
export * from "./metrics.ts";
export * from "./search.ts";
export type { Pooling } from "./tapped.ts";
export * from "./zero-shot.ts";
