/** Finds a dataset by CLIP_benchmark's name, or by its folder. */
import { InputError } from "../errors/input-error.ts";
import { collections } from "./collections.ts";
import type { Dataset } from "./dataset.ts";
import { joinPath, type DatasetFiles } from "./dataset-files.ts";
import type { DatasetReader, DatasetRequest } from "./dataset-reader.ts";
import { imageFolder } from "./datasets/image-folder.ts";
import { datasetReaders } from "./datasets/index.ts";
import { webDataset } from "./datasets/webdataset.ts";
import { similarNames } from "./similar-names.ts";

/** Where datasets are, and which part of them is read. */
export interface FindDatasetOptions extends Pick<DatasetRequest, "split" | "language" | "annotations"> {
  /**
   * The folder of the datasets, as CLIP_benchmark's `--dataset_root`: `{dataset}` is the name without `wds/`,
   * `{dataset_cleaned}` the same with `-` for `/`. Without either, it may be the dataset's folder itself, or the folder
   * in which each dataset has one. Default: the current folder.
   */
  readonly data?: string;
}

/** A dataset that was found but not read yet. */
export interface FoundDataset {
  readonly reader: DatasetReader;
  readonly request: DatasetRequest;
}

/**
 * Finds the folder and the layout of a dataset.
 *
 * A folder's layout is recognised by what it holds. A dataset under one of CLIP_benchmark's names has the layout that it
 * has there, or is a WebDataset.
 *
 * @param given a name ("imagenet1k", "wds/vtab/cifar10"), or the path of a folder
 * @throws InputError if there is no such folder, or its layout is not recognised
 */
export async function findDataset(
  files: DatasetFiles,
  given: string,
  { data, ...rest }: FindDatasetOptions = {},
): Promise<FoundDataset> {
  const claiming = datasetReaders.filter(({ names }) =>
    names.some((name) => (name.endsWith("/") ? given.startsWith(name) : given === name)),
  );
  // Under a name that has a layout, a folder per class would be read with other labels and class names.
  const readers = claiming.length === 0 ? datasetReaders : [...claiming, webDataset];
  const candidates = candidatesOf(given, data);
  let found: DatasetRequest | null = null;
  for (const place of candidates) {
    if ((await files.kindOf(place.folder)) !== "folder") continue;
    const request = { ...rest, ...place };
    for (const reader of readers) {
      // A folder of datasets looks like a folder of classes.
      if (reader === imageFolder && place.folder === data && !claiming.includes(imageFolder)) continue;
      if (await reader.recognizes(files, place.folder)) return { reader, request };
    }
    if (place.folder !== data) found ??= request;
  }
  // A name that is claimed, in a folder that lacks something: the reader says what is missing.
  const last = claiming.at(-1);
  if (found !== null && last !== undefined) return { reader: last, request: found };
  if (found !== null) throw unrecognized(found.folder);
  const looked = [...new Set(candidates.map(({ folder }) => folder))].join(", ");
  const known = knownNames();
  const similar = known.includes(given) ? [] : similarNames(given, known);
  const advice = similar.length > 0 ? `did you mean ${similar.join(" or ")}? Otherwise ` : "";
  throw new InputError(
    `${given}: expected the folder of a dataset, found none (looked at ${looked}); ` +
      `${advice}give the folder, or a name with --data ROOT`,
  );
}

/** Collections, and the names of datasets with and without the prefix of WebDatasets. */
function knownNames(): string[] {
  const datasets = Object.values(collections).flatMap((items) => items.map(({ dataset }) => dataset));
  const claimed = datasetReaders.flatMap(({ names }) => names.filter((name) => !name.endsWith("/")));
  return [...Object.keys(collections), ...datasets, ...claimed];
}

/** Finds and reads a dataset. @throws InputError as `findDataset`, and as the reader */
export async function readDataset(
  files: DatasetFiles,
  given: string,
  options: FindDatasetOptions = {},
): Promise<Dataset> {
  const { reader, request } = await findDataset(files, given, options);
  return reader.read(files, request);
}

/** Where a dataset may be, and its name there. */
function candidatesOf(given: string, data = ""): Pick<DatasetRequest, "name" | "folder">[] {
  const short = given.replace(/^wds\//, "");
  const cleaned = short.replaceAll("/", "-");
  const root = expandRoot(data, given);
  const isTemplate = root !== data;
  // The tasks of SugarCrepe share a folder.
  const shared = given.startsWith("sugar_crepe/") ? ["sugar_crepe"] : [];
  const inside = isTemplate ? [""] : [given, short, `wds_${cleaned}`, cleaned, ...shared];
  const named = inside.map((name) => joinPath(root, name));
  const isPath = given.includes("/") && !given.startsWith("wds/");
  const path = { name: baseName(given), folder: given };
  // Without --data a name is a path.
  if (data === "" && isPath) return [path];
  // CLIP_benchmark takes a root without {dataset} for the dataset's own folder.
  const whole = data === "" ? [] : [{ name: given, folder: root }];
  const candidates = [...new Set(named)].map((folder) => ({ name: given, folder }));
  return isPath ? [...candidates, path, ...whole] : [...candidates, ...whole, path];
}

/** Puts a dataset's name into `{dataset}` and `{dataset_cleaned}`. */
export function expandRoot(data: string, dataset: string): string {
  const short = dataset.replace(/^wds\//, "");
  return data.replaceAll("{dataset}", short).replaceAll("{dataset_cleaned}", short.replaceAll("/", "-"));
}

function baseName(folder: string): string {
  return folder.replace(/\/+$/, "").split("/").at(-1)!;
}

function unrecognized(folder: string): InputError {
  return new InputError(
    `${folder}: expected a dataset in a known layout, found none; see the list`,
    datasetReaders.map(({ layout, looksLike }) => `${layout}: ${looksLike}`),
  );
}
