/** Index folders for specs. */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { writeTar, type TarFile } from "./write-tar.ts";

const samples = `${demoModel}/samples`;

/** The images of the demo model. */
export const sampleNames = readdirSync(samples).sort();

/** Copies images into a new folder. */
export function imageFolder(path: string, names: readonly string[] = sampleNames): string {
  mkdirSync(path, { recursive: true });
  for (const name of names) cpSync(join(samples, name), join(path, name), { preserveTimestamps: true });
  return path;
}

/** Writes a shard of images with captions and documents, as img2dataset does. */
export function imageShard(path: string, first: number, count: number): string {
  const files: TarFile[] = [];
  for (let i = first; i < first + count; i++) {
    const name = sampleNames[i % sampleNames.length]!;
    const key = `${i}`.padStart(9, "0");
    const caption = name.replace(/\..*/, "").replaceAll("-", " ");
    files.push([`${key}.${name.split(".").at(-1)!}`, readFileSync(join(samples, name))]);
    files.push([`${key}.txt`, caption]);
    files.push([`${key}.json`, JSON.stringify({ key, url: `http://x/${i}`, width: i, NSFW: "UNLIKELY" })]);
  }
  writeTar(path, files);
  return path;
}

/**
 * The digests of the data files of an index by their paths, and the markers without what differs between two runs.
 */
export function contentOf(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const subfolder of ["img_emb", "text_emb", "metadata", "failed", "stats"]) {
    const path = join(folder, subfolder);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) continue;
    for (const name of readdirSync(path).sort()) {
      const bytes = readFileSync(join(path, name));
      const text =
        subfolder === "stats"
          ? withoutTimes(bytes.toString())
          : createHash("sha256").update(bytes).digest("hex");
      files.set(`${subfolder}/${basename(name)}`, text);
    }
  }
  return files;
}

function withoutTimes(marker: string): string {
  return marker.replace(/"seconds":[\d.]+/, "").replace(/"finished":"[^"]*"/, "");
}
