/**
 * WebDataset shards: tars in which files of one name with several endings are a sample.
 *
 * A sample's key is a member's path up to the first dot of its base name, what is behind the dot says which part it is;
 * samples follow one another. Source: webdataset/tariterators.py, base_plus_ext and group_by_keys. The image is the part
 * that ends like an image; the class stands in `.cls`, or where no sample has that, in `.txt`. Other parts are passed
 * over.
 */
import { extname } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { FileSource } from "../files/file-source.ts";
import { imageExtensions } from "./image-files.ts";
import type { FilePart } from "./image-source.ts";
import { listTar } from "./tar-index.ts";

export interface ShardSample {
  readonly image: FilePart;
  /** What `.cls` says, and `.txt`; null where there is none. */
  readonly cls: string | null;
  readonly txt: string | null;
}

/** More is no label. */
const longestLabel = 2 ** 16;

/**
 * Reads what a shard holds; the images stay where they are.
 *
 * @param onError receives samples without an image
 * @throws InputError as `listTar`
 */
export async function readShard(path: string, onError: (error: InputError) => void): Promise<ShardSample[]> {
  const keys: { readonly key: string; readonly parts: Map<string, FilePart> }[] = [];
  for (const member of await listTar(path)) {
    const [, key, ending] = /^((?:.*\/)?[^./]+)\.([^/]*)$/s.exec(member.path) ?? [];
    if (key === undefined || /(^|\/)__[^/]*__$/.test(member.path)) continue;
    if (keys.at(-1)?.key !== key) keys.push({ key, parts: new Map() });
    keys.at(-1)!.parts.set(ending!.toLowerCase(), member);
  }
  const file = await FileSource.open(path);
  try {
    const samples: ShardSample[] = [];
    for (const { key, parts } of keys) {
      const image = [...parts].find(([ending]) => imageExtensions.includes(extname(`image.${ending}`)))?.[1];
      if (image === undefined) {
        onError(
          new InputError(`${path}:${key}: a sample without an image (${[...parts.keys()].join(", ")})`),
        );
        continue;
      }
      const text = (ending: string): string | null => {
        const part = parts.get(ending);
        if (part === undefined || part.size > longestLabel) return null;
        return Buffer.from(file.readSync(part.offset, part.size)).toString().trim();
      };
      samples.push({ image, cls: text("cls"), txt: text("txt") });
    }
    return samples;
  } finally {
    await file.close();
  }
}
