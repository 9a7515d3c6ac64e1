/**
 * Features files: embed images and texts to a file, and read, select and write features. Node only.
 *
 * @module features
 */
export {
  embedImagesToFile,
  embedTextsToFile,
  type Embedded,
  type EmbedImagesToFileOptions,
  type EmbedToFileOptions,
} from "./embed-to-file.ts";
export {
  concatRows,
  normalizeRows,
  readFeatures,
  requireLabels,
  selectRows,
  writeFeatures,
  type Features,
  type LabelledFeatures,
  type Metadata,
} from "./features.ts";
