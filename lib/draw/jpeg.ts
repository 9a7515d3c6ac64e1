import type { Raster } from "./raster.ts";

/** Encodes a raster as JPEG. @param quality 1 to 100 */
export async function encodeJpeg(
  { width, height, rgb }: Raster,
  quality = 85,
): Promise<Uint8Array<ArrayBuffer>> {
  const { Jimp } = await import("jimp");
  const image = new Jimp({ width, height, color: 0xffffffff });
  for (let i = 0; i < width * height; i++) image.bitmap.data.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
  return new Uint8Array(await image.getBuffer("image/jpeg", { quality }));
}
