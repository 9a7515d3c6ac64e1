/** Pairs of images and captions: a table of paths and captions, or WebDataset shards. No image is read. */
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { expand } from "brace-expansion";
import { InputError } from "../../errors/input-error.ts";
import type { ImageList } from "../../tasks/image-list.ts";
import type { ImageSource } from "../../tasks/image-source.ts";
import { csvRows } from "../../train/csv.ts";
import { unreadable } from "../files/file-source.ts";
import { SourceList } from "../images/source-list.ts";
import { readShard } from "../images/webdataset.ts";

export interface Pairs {
  /** The file or pattern, for messages. */
  readonly name: string;
  readonly images: ImageList<ImageSource>;
  readonly captions: readonly string[];
  /** Convert images to RGB before they are cropped and resized. */
  readonly convertToRgbFirst: boolean;
  /** Samples that are left out, with the reason. */
  readonly skipped: readonly string[];
}

/** open_clip's options of tables. */
export interface TableOptions {
  readonly separator: string;
  readonly imageKey: string;
  readonly captionKey: string;
}

/** How pairs are stored. */
export type DatasetType = "csv" | "webdataset" | "auto";

/**
 * Reads pairs.
 *
 * @param type "auto" tells by the ending, as open_clip: `.csv` and `.tsv` are tables, `.tar` shards
 * @throws InputError if they are missing or damaged
 */
export function readPairs(path: string, type: DatasetType, table: TableOptions): Promise<Pairs> {
  const ending = /\.(\w+)\}?$/.exec(path)?.[1]?.toLowerCase() ?? "";
  if (type === "csv" || (type === "auto" && ["csv", "tsv"].includes(ending))) return readTable(path, table);
  if (type === "webdataset" || ending === "tar") return readShards(path);
  throw new InputError(
    `${path}: expected a .csv, .tsv or .tar file; name another one's kind with --dataset-type`,
  );
}

/** Files that are looked for at once. */
const checkedAtOnce = 64;

async function readTable(path: string, { separator, imageKey, captionKey }: TableOptions): Promise<Pairs> {
  const images = new SourceList<string>();
  const captions: string[] = [];
  let columns: { readonly image: number; readonly caption: number; readonly count: number } | null = null;
  let number = 0;
  const text = createReadStream(path, { encoding: "utf8" });
  try {
    for await (const row of csvRows(text as AsyncIterable<string>, separator)) {
      number += 1;
      if (columns === null) {
        columns = { ...columnsOf(path, row, imageKey, captionKey, separator), count: row.length };
        continue;
      }
      const [image = "", caption = ""] = [row[columns.image], row[columns.caption]];
      if (row.length === columns.count && image !== "" && caption !== "") {
        images.add(image);
        captions.push(caption);
        continue;
      }
      const found =
        row.length === columns.count ? `an empty ${image === "" ? imageKey : captionKey}` : `${row.length}`;
      throw new InputError(
        `${path}: row ${number}: expected ${columns.count} fields, none of them empty, found ${found}`,
      );
    }
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(path, error);
  }
  await assertAllThere(path, images);
  return { name: path, images, captions, convertToRgbFirst: false, skipped: [] };
}

function columnsOf(
  path: string,
  titles: readonly string[],
  imageKey: string,
  captionKey: string,
  separator: string,
): { image: number; caption: number } {
  const names = titles.map((title, i) => (i === 0 ? title.replace(/^\uFEFF/, "") : title));
  const [image, caption] = [names.indexOf(imageKey), names.indexOf(captionKey)];
  if (image !== -1 && caption !== -1) return { image, caption };
  const missing = image === -1 ? `--csv-img-key ${imageKey}` : `--csv-caption-key ${captionKey}`;
  const shown = separator === "\t" ? "a tab" : JSON.stringify(separator);
  throw new InputError(
    `${path}: ${missing}: no such column among ${names.map((name) => JSON.stringify(name)).join(", ")}; name another one, or another --csv-separator than ${shown}`,
  );
}

/** @throws InputError with the images that are missing: a run would only meet them hours later */
async function assertAllThere(path: string, images: SourceList<string>): Promise<void> {
  const missing: string[] = [];
  for (let start = 0; start < images.length; start += checkedAtOnce) {
    const some = Array.from({ length: Math.min(checkedAtOnce, images.length - start) }, (_, i) =>
      images.at(start + i)!,
    );
    const there = await Promise.all(
      some.map((image) =>
        access(image).then(
          () => true,
          () => false,
        ),
      ),
    );
    missing.push(...some.filter((_, i) => !there[i]));
  }
  if (missing.length === 0) return;
  throw new InputError(
    `${path}: ${missing.length} of ${images.length} images do not exist; paths are relative to the current folder`,
    missing.slice(0, 10),
  );
}

/** Shards by names, with braces expanded and sources joined by "::", as open_clip takes them. */
async function readShards(pattern: string): Promise<Pairs> {
  const images = new SourceList();
  const captions: string[] = [];
  const skipped: string[] = [];
  for (const shard of pattern.split("::").flatMap((one) => expand(one))) {
    for await (const { image, txt } of readShard(shard, ({ message }) => skipped.push(message))) {
      if (txt === null || txt === "") skipped.push(`${image.name}: a sample without a caption`);
      else {
        images.add(image);
        captions.push(txt);
      }
    }
  }
  if (captions.length === 0) {
    throw new InputError(
      `${pattern}: expected samples with an image and a .txt, found none; write the shards again`,
      skipped.slice(0, 10),
    );
  }
  return { name: pattern, images, captions, convertToRgbFirst: true, skipped };
}
