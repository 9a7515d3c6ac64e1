/** Copies the images of results into a folder. */
import { constants } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { Found } from "../../retrieval/result-text.ts";
import { unreadable } from "../files/file-source.ts";
import { makeFolder } from "../files/make-folder.ts";
import { unwritable } from "../files/output-path.ts";
import { readSource } from "../images/image-reader.ts";
import { imageOfRow } from "./row-image.ts";

/** Copies images as "0001-NAME", in the order of the results. Images that exist already are an error. */
export class ImageCopies {
  readonly #folder: string;
  readonly #base: string;
  #rank = 0;

  private constructor(folder: string, base: string) {
    this.#folder = folder;
    this.#base = base;
  }

  /** @param base the folder that relative paths start from */
  static async open(folder: string, base: string | null): Promise<ImageCopies> {
    await makeFolder(folder);
    return new ImageCopies(folder, base ?? ".");
  }

  /** @throws InputError if the image cannot be read, or the copy not be written */
  async add({ id, path, metadata }: Found): Promise<void> {
    const source = imageOfRow(metadata, this.#base);
    this.#rank += 1;
    if (source === null) throw new InputError(`row ${id}: the metadata do not name its image`);
    const name = basename(path ?? String(id)).replaceAll(/[\0/\\]/g, "_");
    const to = join(this.#folder, `${String(this.#rank).padStart(4, "0")}-${name}`);
    if (typeof source === "string") {
      await copyFile(source, to, constants.COPYFILE_EXCL).catch((error: unknown) => {
        const { code } = error as NodeJS.ErrnoException;
        throw code === "ENOENT" || code === "EACCES" ? unreadable(source, error) : unwritable(to, error);
      });
      return;
    }
    const [bytes] = await readSource(source);
    await writeFile(to, bytes, { flag: "wx" }).catch((error: unknown) => {
      throw unwritable(to, error);
    });
  }
}
