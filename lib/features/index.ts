/**
 * Features of images and texts, and the format of their files. Runs in browsers too.
 *
 * @module features
 */
export { compareCodePoints } from "./code-points.ts";
export { encodeFeatures } from "./features-file.ts";
export * from "./features.ts";
export type { Embedded, EmbedImagesToFileOptions, EmbedToFileOptions } from "./embed-to-file.ts";
export type { FileSystem, Host, LineFile, LoadImagesOptions, OutputFile, ReservedFiles } from "./host.ts";
export { labelled, type LabelledImages } from "./labelled-images.ts";
export { assertSameOrigin, assertSearchable } from "./origin.ts";
export {
  principalComponents,
  type ComponentsOptions,
  type PrincipalComponents,
} from "./principal-components.ts";
export { decodeFeatures, FeaturesFile, type RowBlock } from "./read-features.ts";
export { SearchableFeatures } from "./search-features.ts";
