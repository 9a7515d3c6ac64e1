/** The datasets that the generator knows, and how they are written. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "../../lib/errors/input-error.ts";
import { exists } from "../../lib/node/files/exists.ts";
import type { GeneratedDataset } from "./generated-dataset.ts";
import { coco } from "./layouts/coco.ts";
import { flickr } from "./layouts/flickr.ts";
import { imageFolder } from "./layouts/image-folder.ts";
import { imagenets } from "./layouts/imagenet.ts";
import { multilingual } from "./layouts/multilingual.ts";
import { prompts } from "./layouts/prompts.ts";
import { sugarCrepe } from "./layouts/sugar-crepe.ts";
import { voc } from "./layouts/voc.ts";
import { webDatasets } from "./layouts/webdataset.ts";
import { winoground } from "./layouts/winoground.ts";
import { World } from "./world.ts";

export const generatedDatasets: readonly GeneratedDataset[] = [
  prompts,
  ...webDatasets,
  imageFolder,
  ...imagenets,
  coco,
  flickr,
  ...multilingual,
  sugarCrepe,
  winoground,
  ...voc,
];

/** Fewer images would leave shards empty, and odd cases out. */
export const fewestImages = 16;

export interface WriteDatasetsOptions {
  readonly out: string;
  /** Images of each dataset; at least {@link fewestImages}. */
  readonly count: number;
  readonly seed: number;
  /** Names or folders of datasets. Default: all. */
  readonly only?: readonly string[];
}

/**
 * Writes datasets. Their bytes depend only on the options.
 *
 * @returns the datasets that were written
 * @throws InputError for an unknown name, too few images, or a folder that exists
 */
export async function writeDatasets({
  out,
  count,
  seed,
  only,
}: WriteDatasetsOptions): Promise<readonly GeneratedDataset[]> {
  if (!Number.isSafeInteger(count) || count < fewestImages) {
    throw new InputError(`--count ${count}: expected a whole number of at least ${fewestImages}`);
  }
  if (!Number.isSafeInteger(seed)) throw new InputError(`--seed ${seed}: expected a whole number`);
  const wanted = only === undefined ? generatedDatasets : only.map(datasetOf);
  for (const { folder } of wanted) await assertAbsent(join(out, folder));
  const world = new World(seed, count);
  for (const dataset of wanted) {
    for await (const { path, content } of dataset.files(world)) {
      const place = join(out, dataset.folder, path);
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, content);
    }
  }
  return wanted;
}

/** Files of an earlier run would join the dataset. */
async function assertAbsent(folder: string): Promise<void> {
  if (await exists(folder))
    throw new InputError(`${folder}: already there; delete it, or choose another --out`);
}

function datasetOf(name: string): GeneratedDataset {
  const found = generatedDatasets.find((one) => one.name === name || one.folder === name);
  if (found !== undefined) return found;
  throw new InputError(
    `--only ${name}: expected one of ${generatedDatasets.map((one) => one.name).join(", ")}`,
  );
}
