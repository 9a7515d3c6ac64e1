/** The layouts of datasets. A folder has the first layout that recognises it. */
import type { DatasetReader } from "../dataset-reader.ts";
import { imageFolder } from "./image-folder.ts";
import { webDataset } from "./webdataset.ts";

export const datasetReaders: readonly DatasetReader[] = [
  webDataset,
  // A folder of folders with images: any other layout may look like it, so it comes last.
  imageFolder,
];
