/** JPEG and lossless WebP, by the WebAssembly builds of mozjpeg and libwebp: the same bytes on every machine. */
import { readFile } from "node:fs/promises";
import encodeJpegWith, { init as initJpeg } from "@jsquash/jpeg/encode.js";
import encodeWebpWith, { init as initWebp } from "@jsquash/webp/encode.js";
import type { Raster } from "../../demo-model/generator.ts";

/** mozjpeg's code for one channel. */
const grayscale = 1;

/** Encodes an image as JPEG of three channels, or of their luma. */
export async function encodeJpeg(image: Raster, channels: "rgb" | "gray" = "rgb"): Promise<Uint8Array> {
  await started();
  const options = { quality: 92, progressive: false };
  const gray = channels === "gray" ? { color_space: grayscale } : {};
  return new Uint8Array(await encodeJpegWith(imageData(image), { ...options, ...gray }));
}

/** Encodes an image as lossless WebP, as clip_benchmark_export_wds does. */
export async function encodeWebp(image: Raster): Promise<Uint8Array> {
  await started();
  return new Uint8Array(await encodeWebpWith(imageData(image), { lossless: 1, exact: 1 }));
}

function imageData({ data, width, height }: Raster): ImageData {
  // The encoders read these three properties of the browser's ImageData, which Node lacks.
  return { data, width, height } as unknown as ImageData;
}

let starting: Promise<void> | undefined;

function started(): Promise<void> {
  starting ??= start();
  return starting;
}

/** These packages fetch their .wasm files, which fails for file URLs under Node. */
async function start(): Promise<void> {
  const module = async (file: string): Promise<WebAssembly.Module> =>
    WebAssembly.compile(await readFile(new URL(import.meta.resolve(file))));
  const [jpeg, webp] = [
    await module("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm"),
    // Every version of Node that this package supports has SIMD.
    await module("@jsquash/webp/codec/enc/webp_enc_simd.wasm"),
  ];
  await initJpeg(jpeg);
  await initWebp(webp);
}
