/** Pictures to PNG files. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Jimp } from "jimp";
import type { Raster } from "../../draw/raster.ts";
import { unreadable } from "./file-source.ts";

/**
 * Writes pictures into a folder that is there, each under its name.
 *
 * @returns the files
 * @throws InputError if nothing can be written there
 */
export async function writePictures(
  folder: string,
  pictures: ReadonlyMap<string, Raster>,
): Promise<string[]> {
  const files: string[] = [];
  for (const [name, picture] of pictures) {
    const file = join(folder, `${name}.png`);
    await writePng(file, picture);
    files.push(file);
  }
  return files;
}

/** @throws InputError if nothing can be written there */
async function writePng(path: string, { width, height, rgb }: Raster): Promise<void> {
  const image = new Jimp({ width, height, color: 0xffffffff });
  for (let i = 0; i < width * height; i++) image.bitmap.data.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
  const png = await image.getBuffer("image/png");
  await writeFile(path, png).catch((error: unknown) => {
    throw unreadable(path, error);
  });
}
