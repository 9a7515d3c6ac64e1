/** What one does with the model, under Node. */
export * from "./embed.ts";
export * from "./embed-texts.ts";
export * from "./metrics.ts";
export * from "./search.ts";
export type { Pooling } from "./tapped.ts";
export * from "./zero-shot.ts";
