/**
 * WebDataset shards: tars in which consecutive files with the same name and different extensions form a sample.
 *
 * A sample's key is the path up to the first dot of the base name; the rest is the extension. The image is the part with
 * an image extension; the class is in `.cls`, or if no sample has that, in `.txt`. Other parts are ignored.
 *
 * Source: webdataset/tariterators.py, base_plus_ext and group_by_keys.
 */
import { extname } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { FileSource } from "../files/file-source.ts";
import { imageExtensions } from "./image-files.ts";
import type { FilePart } from "../../tasks/image-source.ts";
import { listTar } from "./tar-index.ts";

export interface ShardSample {
  readonly image: FilePart;
  /** The contents of `.cls` and `.txt`; null if missing. */
  readonly cls: string | null;
  readonly txt: string | null;
}

/** A sample whose parts are read later. */
export interface ShardMembers {
  readonly key: string;
  readonly image: FilePart;
  /** All its parts by their extensions in lower case, the image among them. */
  readonly parts: ReadonlyMap<string, FilePart>;
}

/** In bytes; longer parts are not labels. */
const longestLabel = 2 ** 16;

/**
 * Lists the samples of a shard that have an image.
 *
 * @param onError receives an error for each sample without an image
 * @throws InputError as `listTar`
 */
export async function listSamples(
  path: string,
  onError: (error: InputError) => void,
): Promise<Iterable<ShardMembers>> {
  return withImages(await listTar(path), path, onError);
}

function* withImages(
  members: Iterable<FilePart>,
  path: string,
  onError: (error: InputError) => void,
): Generator<ShardMembers, void, undefined> {
  for (const { key, parts } of samplesOf(members, path)) {
    const image = [...parts].find(([ending]) => imageExtensions.includes(extname(`image.${ending}`)))?.[1];
    if (image !== undefined) yield { key, image, parts };
    else
      onError(new InputError(`${path}:${key}: a sample without an image (${[...parts.keys()].join(", ")})`));
  }
}

/**
 * Lists the samples of a shard, one by one; images are read later, by range.
 *
 * @param onError receives an error for each sample without an image
 * @throws InputError as `listTar`, before the first sample
 */
export async function* readShard(
  path: string,
  onError: (error: InputError) => void,
): AsyncGenerator<ShardSample, void, undefined> {
  const samples = await listSamples(path, onError);
  const file = await FileSource.open(path);
  try {
    for (const { image, parts } of samples) {
      const text = (ending: string): string | null => {
        const part = parts.get(ending);
        if (part === undefined || part.size > longestLabel) return null;
        return Buffer.from(file.readSync(part.offset, part.size)).toString().trim();
      };
      yield { image, cls: text("cls"), txt: text("txt") };
    }
  } finally {
    await file.close();
  }
}

interface Sample {
  readonly key: string;
  /** By their extensions. */
  readonly parts: Map<string, FilePart>;
}

/** Consecutive members with the same key. */
function* samplesOf(members: Iterable<FilePart>, tar: string): Generator<Sample, void, undefined> {
  let sample: Sample | null = null;
  for (const member of members) {
    const path = member.name.slice(tar.length + 1);
    const [, key, ending] = /^((?:.*\/)?[^./]+)\.([^/]*)$/s.exec(path) ?? [];
    if (key === undefined || /(^|\/)__[^/]*__$/.test(path)) continue;
    if (sample === null || sample.key !== key) {
      if (sample !== null) yield sample;
      sample = { key, parts: new Map() };
    }
    sample.parts.set(ending!.toLowerCase(), member);
  }
  if (sample !== null) yield sample;
}
