/** A dataset as its reader returns it: where its images are, and what is expected of the model for each. */
import type { ImageSource } from "../tasks/image-source.ts";

/** What every dataset has. */
interface CommonDataset {
  /** As it was asked for, "wds/imagenet1k" for example; a folder's base name for a folder. */
  readonly name: string;
  /** The reader that made it, for provenance: "webdataset". */
  readonly layout: string;
  /** The part of the dataset, such as "test"; null if its layout has no parts. */
  readonly split: string | null;
  /** The language of its captions or class names, in the dataset's own codes; null if they are the same in every language. */
  readonly language: string | null;
  /** The images, in the order in which CLIP_benchmark reads them. */
  readonly images: readonly ImageSource[];
  /**
   * Whether images become RGB before they are resized, as CLIP_benchmark's WebDataset decoder and torchvision's
   * ImageFolder do. Otherwise they are resized in the file's own mode first, as by open_clip's transform alone.
   */
  readonly convertToRgbFirst: boolean;
  /** The files that labels, captions and class names were read from, for provenance; without the shards. */
  readonly sources: readonly string[];
}

/** Texts and the file that they come from. */
export interface TextsFromFile {
  readonly texts: readonly string[];
  readonly file: string;
}

/** What a dataset says about the classes of its labels. */
interface ClassNames {
  /** The dataset's own class names, where a label is an index; blank and repeated names are legal. Null if it has none. */
  readonly classNames: TextsFromFile | null;
  /** The dataset's own templates, with `{c}` for the class name; null if it has none. */
  readonly templates: TextsFromFile | null;
  /**
   * The names of the classes' folders in the order of the labels, such as WordNet ids; null without such folders. Class
   * names of another source may be chosen by them.
   */
  readonly classFolders: readonly string[] | null;
}

/** Images with one class each. */
export interface ClassificationDataset extends CommonDataset, ClassNames {
  readonly kind: "classification";
  /** The class of each image: an index from 0. Null: the image takes no part, though it is embedded with the others. */
  readonly labels: readonly (number | null)[];
}

/** Images with any number of classes each. */
export interface MultilabelDataset extends CommonDataset, ClassNames {
  readonly kind: "multilabel";
  /** The classes of each image, as increasing indices from 0. */
  readonly positives: readonly (readonly number[])[];
  /** The number of classes; class names have to fit it. */
  readonly classCount: number;
}

/** Images with captions, for retrieval in both directions. */
export interface RetrievalDataset extends CommonDataset {
  readonly kind: "retrieval";
  /** The captions of each image, in order, exactly as read; an image may have none. */
  readonly captions: readonly (readonly string[])[];
}

/** Groups of images and captions, of which the first caption belongs to the first image, and so on. */
export interface SelectionDataset extends CommonDataset {
  readonly kind: "selection";
  readonly instances: readonly SelectionInstance[];
}

/** One choice: which caption fits which image. */
export interface SelectionInstance {
  /** Indices into the dataset's images. */
  readonly images: readonly number[];
  readonly captions: readonly string[];
}

/** A dataset of any kind. */
export type Dataset = ClassificationDataset | MultilabelDataset | RetrievalDataset | SelectionDataset;
