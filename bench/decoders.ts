/**
 * Counts the image fixtures that get Pillow's pixels: from clipscope's decoders, from jimp's, and from jimp's with the
 * pixel mode corrected from the file's header.
 *
 *     node dist/bench/decoders.js
 *
 * A file counts if all of its eval transforms (resize, crop, RGB) equal Pillow's, value for value. The counts are the
 * reason why lib/image decodes PNG, GIF, BMP and TIFF itself.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { Jimp } from "jimp";
import { parsePreprocessConfig } from "../lib/clip/config/preprocess-config.ts";
import { decodeImage } from "../lib/image/decode.ts";
import type { DecodedImage } from "../lib/image/image.ts";
import { transformPixels } from "../lib/image/transform.ts";
import { nodeCodecs } from "../lib/node/images/codecs.ts";

interface Case {
  readonly file: string;
  readonly format: string;
  readonly refused?: string;
  readonly transforms: readonly {
    readonly size: number | readonly [number, number];
    readonly pixels: { readonly at: number; readonly length: number };
  }[];
}

const folder = fileURLToPath(new URL("../../fixtures/images/", import.meta.url));
const { cases } = JSON.parse(readFileSync(`${folder}cases.json`, "utf8")) as { cases: Case[] };
const expected = gunzipSync(readFileSync(`${folder}expected.bin.gz`));
const codecs = nodeCodecs();

/** jimp's RGBA pixels, converted to the mode of clipscope's decoder if RGBA can represent it. */
async function byJimp(file: string, ours: DecodedImage | null): Promise<DecodedImage> {
  const { bitmap } = await Jimp.fromBuffer(readFileSync(`${folder}${file}`));
  const { width, height } = bitmap;
  const data = new Uint8Array(bitmap.data);
  if (ours === null || ours.mode === "RGBA") return { width, height, data, mode: "RGBA", stride: 4 };
  if (ours.mode === "LA") {
    const pairs = Uint8Array.from(
      { length: 2 * width * height },
      (_, i) => data[4 * (i >> 1) + 3 * (i & 1)]!,
    );
    return { width, height, data: pairs, mode: "LA", stride: 2 };
  }
  if (ours.mode === "L" || ours.mode === "1") {
    const gray = Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]!);
    return { width, height, data: gray, mode: ours.mode, stride: 1 };
  }
  return { width, height, data, mode: "RGB", stride: 4 };
}

async function isExact(item: Case, decode: () => Promise<DecodedImage>): Promise<boolean> {
  try {
    const image = await decode();
    return item.transforms.every(({ size, pixels, ...options }) => {
      const found = transformPixels(image, parsePreprocessConfig(optionsOf(options), size, "cases.json"));
      return Buffer.compare(found, expected.subarray(pixels.at, pixels.at + pixels.length)) === 0;
    });
  } catch {
    return false;
  }
}

/** The options of the transform, without those of the comparison. */
function optionsOf(options: Record<string, unknown>): Record<string, unknown> {
  const { interpolation, resize_mode, fill_color } = options;
  return { interpolation, resize_mode, fill_color };
}

const counts = new Map<string, { files: number; ours: number; plain: number; withMode: number }>();
const log = console.log;
console.log = console.warn = console.error = () => undefined; // jimp's decoders print messages
for (const item of cases) {
  if (item.refused !== undefined) continue;
  const count = counts.get(item.format) ?? { files: 0, ours: 0, plain: 0, withMode: 0 };
  counts.set(item.format, count);
  const decodeOurs = (): Promise<DecodedImage> =>
    decodeImage(readFileSync(`${folder}${item.file}`), item.file, codecs);
  count.files++;
  count.ours += Number(await isExact(item, decodeOurs));
  count.plain += Number(await isExact(item, () => byJimp(item.file, null)));
  count.withMode += Number(await isExact(item, async () => byJimp(item.file, await decodeOurs())));
}
log("format   files   ours   jimp   jimp, mode from the header");
for (const [format, { files, ours, plain, withMode }] of counts) {
  log(
    `${format.padEnd(6)} ${String(files).padStart(7)} ${String(ours).padStart(6)} ${String(plain).padStart(6)} ${String(withMode).padStart(6)}`,
  );
}
