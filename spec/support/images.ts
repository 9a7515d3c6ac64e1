import { Jimp } from "jimp";

/** Writes an image of one colour. @param color 0xRRGGBB */
export async function writeImage(path: string, color: number): Promise<void> {
  const image = new Jimp({ width: 60, height: 40, color: color * 256 + 255 });
  await image.write(path as `${string}.png`);
}
