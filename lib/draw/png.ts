import type { Raster } from "./raster.ts";

/** Encodes a raster as PNG. */
export async function encodePng({ width, height, rgb }: Raster): Promise<Uint8Array> {
  const { Jimp } = await import("jimp");
  const image = new Jimp({ width, height, color: 0xffffffff });
  for (let i = 0; i < width * height; i++) image.bitmap.data.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
  return image.getBuffer("image/png");
}
