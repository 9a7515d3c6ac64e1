/**
 * A WebDataset as CLIP_benchmark writes and reads it.
 *
 *     ROOT/SPLIT/nshards.txt                          the number of shards
 *     ROOT/SPLIT/0.tar … (n − 1).tar                  other tars are ignored
 *     ROOT/dataset_type.txt                           "retrieval" or "multilabel"; absent: classification
 *     ROOT/classnames.txt                             a class a line
 *     ROOT/zeroshot_classification_templates.txt      a template a line, with {c}
 *
 * Source: clip_benchmark/datasets/builder.py, build_wds_dataset.
 */
import { InputError } from "../../errors/input-error.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader, DatasetRequest } from "../dataset-reader.ts";
import type { Dataset, TextsFromFile } from "../dataset.ts";
import { splitLines, strip, universalNewlines } from "../python-text.ts";
import { readShards, type ShardSample } from "./shard-samples.ts";
import { readClass, readPositives, readText } from "./shard-labels.ts";

const types = ["classification", "multilabel", "retrieval"] as const;

export const webDataset: DatasetReader = {
  layout: "webdataset",
  looksLike: "SPLIT/nshards.txt and SPLIT/0.tar, SPLIT/1.tar, …, as clip_benchmark_export_wds writes them",
  names: ["wds/"],

  async recognizes(files, folder) {
    for (const { name, isFolder } of await files.list(folder)) {
      if (isFolder && (await files.kindOf(joinPath(folder, name, "nshards.txt"))) === "file") return true;
    }
    return false;
  },

  async read(files, request): Promise<Dataset> {
    const { folder, split = "test" } = request;
    const type = await typeOf(files, folder);
    const label = { classification: "cls", multilabel: "npy", retrieval: "txt" }[type];
    const shards = await shardsOf(files, request, split);
    const samples = await readShards(files, shards, label);
    const common = {
      name: request.name,
      layout: "webdataset",
      split,
      language: null,
      images: samples.map(({ image }) => image),
      convertToRgbFirst: true,
    };
    if (type === "retrieval") {
      const captions = samples.map((sample) => splitLines(readText(sample)));
      return { kind: "retrieval", ...common, sources: [], captions };
    }
    const names = await linesOf(files, joinPath(folder, "classnames.txt"));
    const templates = await linesOf(files, joinPath(folder, "zeroshot_classification_templates.txt"));
    const classes = {
      sources: [names, templates].flatMap((texts) => (texts === null ? [] : [texts.file])),
      classNames: names,
      templates,
      classFolders: null,
    };
    if (type === "classification")
      return { kind: type, ...common, ...classes, labels: samples.map(readClass) };
    return { kind: type, ...common, ...classes, ...positivesOf(samples) };
  },
};

async function typeOf(files: DatasetFiles, folder: string): Promise<(typeof types)[number]> {
  const path = joinPath(folder, "dataset_type.txt");
  if ((await files.kindOf(path)) === null) return "classification";
  const found = strip(await files.text(path)).toLowerCase();
  const type = types.find((known) => known === found);
  if (type !== undefined) return type;
  throw new InputError(`${path}: expected ${types.join(", ")}, found ${JSON.stringify(found.slice(0, 40))}`);
}

/** The paths of the shards, by number. */
async function shardsOf(files: DatasetFiles, { folder }: DatasetRequest, split: string): Promise<string[]> {
  const path = joinPath(folder, split, "nshards.txt");
  if ((await files.kindOf(path)) === null) {
    const splits: string[] = [];
    for (const { name, isFolder } of await files.list(folder)) {
      if (isFolder && (await files.kindOf(joinPath(folder, name, "nshards.txt"))) === "file")
        splits.push(name);
    }
    const known =
      splits.length === 0 ? "no split has one" : `the splits are ${splits.join(", ")}; choose with --split`;
    throw new InputError(`${path}: expected the number of shards, found no such file (${known})`);
  }
  const text = strip(await files.text(path));
  const count = Number(text);
  if (!/^\d{1,7}$/.test(text) || count === 0) {
    throw new InputError(
      `${path}: expected the number of shards, found ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  const present = new Set((await files.list(joinPath(folder, split))).map(({ name }) => name));
  const names = Array.from({ length: count }, (_, i) => `${i}.tar`);
  const missing = names.filter((name) => !present.has(name));
  if (missing.length > 0) {
    throw new InputError(
      `${path}: expected ${count} shards from 0.tar to ${count - 1}.tar, ${missing.length} missing ` +
        `(${missing.slice(0, 3).join(", ")}${missing.length > 3 ? ", …" : ""}); download them`,
    );
  }
  return names.map((name) => joinPath(folder, split, name));
}

/** A text a line, stripped; blank lines count. Null if the file is missing. */
async function linesOf(files: DatasetFiles, path: string): Promise<TextsFromFile | null> {
  if ((await files.kindOf(path)) === null) return null;
  const texts = splitLines(universalNewlines(await files.text(path))).map(strip);
  return { texts, file: path };
}

function positivesOf(samples: readonly ShardSample[]): {
  readonly positives: readonly (readonly number[])[];
  readonly classCount: number;
} {
  const rows = samples.map(readPositives);
  const classCount = rows[0]!.classCount;
  const other = rows.findIndex((row) => row.classCount !== classCount);
  if (other !== -1) {
    throw new InputError(
      `${samples[other]!.label.name}: expected ${classCount} values as in the first sample, found ${rows[other]!.classCount}`,
    );
  }
  return { classCount, positives: rows.map(({ positives }) => positives) };
}
