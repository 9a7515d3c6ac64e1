/** The layouts of datasets. A folder has the first layout that recognises it. */
import type { DatasetReader } from "../dataset-reader.ts";
import { babelImageNet } from "./babel-imagenet.ts";
import { cocoCaptions } from "./coco-captions.ts";
import { crossmodal3600 } from "./crossmodal3600.ts";
import { flickrCaptions } from "./flickr-captions.ts";
import { flores } from "./flores.ts";
import { imageNetArchives } from "./imagenet-archives.ts";
import { imageFolder } from "./image-folder.ts";
import { imageNetV2 } from "./imagenet-v2.ts";
import { karpathy } from "./karpathy.ts";
import { objectNet } from "./object-net.ts";
import { sugarCrepe } from "./sugar-crepe.ts";
import { voc2007 } from "./voc2007.ts";
import { webDataset } from "./webdataset.ts";
import { winoground } from "./winoground.ts";
import { xtd } from "./xtd.ts";

/** The readers of all layouts, in the order in which a folder is offered to them. */
export const datasetReaders: readonly DatasetReader[] = [
  webDataset,
  cocoCaptions,
  flickrCaptions,
  karpathy,
  // Both have lists called test_image_names.txt; the captions' names tell them apart.
  xtd,
  flores,
  crossmodal3600,
  sugarCrepe,
  winoground,
  voc2007,
  imageNetV2,
  objectNet,
  babelImageNet,
  imageNetArchives,
  // A folder of folders with images: any other layout may look like it, so it comes last.
  imageFolder,
];
