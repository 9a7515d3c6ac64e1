/** What each file of `datasets/` exports: how one layout is recognised and read. */
import type { Dataset } from "./dataset.ts";
import type { DatasetFiles } from "./dataset-files.ts";

/** Which dataset is wanted, and where it is. */
export interface DatasetRequest {
  /** As given: a name of CLIP_benchmark, with or without `wds/`, or the base name of a folder. */
  readonly name: string;
  /** The dataset's folder. */
  readonly folder: string;
  /** Undefined: the reader's default, which is CLIP_benchmark's ("test" almost everywhere). */
  readonly split?: string;
  /** CLIP_benchmark's code of the language. Default: "en". */
  readonly language?: string;
  /** The file with the annotations, where it is not at its usual place (`--annotation_file`). */
  readonly annotations?: string;
}

/** One layout of datasets. */
export interface DatasetReader {
  /** A short name, for provenance and errors: "webdataset". */
  readonly layout: string;
  /** What a folder of this layout holds, for the error that lists all layouts: "SPLIT/nshards.txt and numbered tars". */
  readonly looksLike: string;
  /** CLIP_benchmark's names that have this layout; one that ends with "/" is a prefix. */
  readonly names: readonly string[];
  /** Whether a folder has this layout. Cheap: it looks at names, and at most at the beginning of a file. */
  recognizes(files: DatasetFiles, folder: string): Promise<boolean>;
  /**
   * Reads labels, captions and the places of the images; decodes none.
   *
   * @throws InputError for a missing or damaged file, an unknown split, and an unknown language (with the known ones)
   */
  read(files: DatasetFiles, request: DatasetRequest): Promise<Dataset>;
}
