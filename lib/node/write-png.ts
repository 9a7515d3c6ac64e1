/** Pictures to PNG files. */
import { writeFile } from "node:fs/promises";
import { Jimp } from "jimp";
import type { Raster } from "../study/raster.ts";
import { unreadable } from "./file-source.ts";

/** @throws InputError if nothing can be written there */
export async function writePng(path: string, { width, height, rgb }: Raster): Promise<void> {
  const image = new Jimp({ width, height, color: 0xffffffff });
  for (let i = 0; i < width * height; i++) image.bitmap.data.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
  const png = await image.getBuffer("image/png");
  await writeFile(path, png).catch((error: unknown) => {
    throw unreadable(path, error);
  });
}
