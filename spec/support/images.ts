/** Pictures for specs, made on the spot. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Jimp } from "jimp";

export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "clipscope-spec-"));
  return { path, remove: () => rm(path, { recursive: true }) };
}

/** Writes an image of one colour. @param color 0xRRGGBB */
export async function writeImage(path: string, color: number): Promise<void> {
  const image = new Jimp({ width: 60, height: 40, color: color * 256 + 255 });
  await image.write(path as `${string}.png`);
}
