/** What each file in `layouts/` exports: datasets of one layout. */
import type { World } from "./world.ts";

/** A file of a dataset. */
export interface GeneratedFile {
  /** In the dataset's folder, with "/". */
  readonly path: string;
  /** Text is written in UTF-8. */
  readonly content: Uint8Array | string;
}

/** A dataset that the generator writes. */
export interface GeneratedDataset {
  /** CLIP_benchmark's name of its layout, or a name of its own after "wds/" for a WebDataset. */
  readonly name: string;
  /** Below the output folder. `--data OUT/{dataset}` or, for a WebDataset, `OUT/wds_{dataset_cleaned}` finds it. */
  readonly folder: string;
  /** Its layout, in a few words. */
  readonly layout: string;
  files(world: World): AsyncIterable<GeneratedFile>;
}

/** JSON as Python writes it by default for these files: on one line. */
export function json(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
