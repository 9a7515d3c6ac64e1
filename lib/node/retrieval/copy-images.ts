/** Copies the images of results into a folder. */
import { link, rename, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { Found } from "../../retrieval/result-text.ts";
import { exists } from "../files/exists.ts";
import { makeFolder } from "../files/make-folder.ts";
import { assertOutside, unwritable } from "../files/output-path.ts";
import { removeAtExit } from "../files/remove-at-exit.ts";
import { lockOrRefuse } from "../files/reserve-output.ts";
import { createAlone, writeAll } from "../files/write-file.ts";
import { readSource } from "../images/image-reader.ts";
import { imageOfRow } from "./row-image.ts";

/** The index that results come from, as far as copies need it. */
export interface CopiesOf {
  /** Of its files; null if they are not in a file system. */
  readonly folder: string | null;
  /** The folder that relative paths start from; null if it is not known. */
  readonly base: string | null;
}

/** Copies images as "0001-NAME", in the order of the results. Images that exist already are an error. */
export class ImageCopies {
  readonly #folder: string;
  readonly #base: string;
  readonly #release: () => Promise<void>;
  #rank = 0;

  private constructor(folder: string, base: string, release: () => Promise<void>) {
    this.#folder = folder;
    this.#base = base;
    this.#release = release;
  }

  /** @throws InputError if the folder cannot be made, is in the index, or another process copies to it */
  static async open(folder: string, { folder: of, base }: CopiesOf): Promise<ImageCopies> {
    if (of !== null) await assertOutside(folder, of);
    await makeFolder(folder);
    return new ImageCopies(folder, base ?? ".", await lockOrRefuse(resolve(folder), folder));
  }

  /** @throws InputError if the image cannot be read, or the copy not be written */
  async add({ id, path, metadata }: Found): Promise<void> {
    const source = imageOfRow(metadata, this.#base);
    this.#rank += 1;
    if (source === null) throw new InputError(`row ${id}: the metadata do not name its image`);
    const name = basename(path ?? String(id)).replaceAll(/[\0/\\]/g, "_");
    const to = join(this.#folder, `${String(this.#rank).padStart(4, "0")}-${name}`);
    const [bytes] = await readSource(source);
    await writeNew(to, bytes).catch((error: unknown) => {
      throw unwritable(to, error);
    });
  }

  /** Lets other processes copy to the folder. */
  close(): Promise<void> {
    return this.#release();
  }
}

/** Writes a file that appears complete or not at all, and replaces none. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const existing = new InputError(`${path}: exists already; copy to another folder`);
  if (await exists(path)) throw existing;
  const temporary = `${path}.clipscope.tmp`;
  const keep = removeAtExit(temporary);
  try {
    const file = await createAlone(temporary);
    try {
      await writeAll(file, bytes);
    } finally {
      await file.close();
    }
    await link(temporary, path).catch(async (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") throw existing;
      // A file system without second names.
      await rename(temporary, path);
    });
  } finally {
    await rm(temporary, { force: true });
    keep();
  }
}
