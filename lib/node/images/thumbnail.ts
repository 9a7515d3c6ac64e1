/** Small copies of images. */
import { Raster } from "../../draw/raster.ts";
import { decodeImage } from "../../image/decode.ts";
import { toRgb, type DecodedImage } from "../../image/image.ts";
import { resize } from "../../image/resize.ts";
import type { StoredImage } from "../../tasks/image-source.ts";
import { nodeCodecs } from "./codecs.ts";
import { readSource } from "./image-reader.ts";

/**
 * An image that fits into a square; smaller ones keep their size.
 *
 * @param side of the square, in pixels
 * @throws InputError if the file is missing or not an image
 */
export async function thumbnail(source: StoredImage, side: number): Promise<Raster> {
  const [bytes, name] = await readSource(source);
  const decoded = await decodeImage(bytes, name, nodeCodecs());
  const rgb: DecodedImage = {
    width: decoded.width,
    height: decoded.height,
    mode: "RGB",
    data: toRgb(decoded),
    stride: 3,
  };
  const scale = Math.min(1, side / Math.max(rgb.width, rgb.height));
  const size = {
    width: Math.max(1, Math.round(rgb.width * scale)),
    height: Math.max(1, Math.round(rgb.height * scale)),
  };
  const raster = new Raster(size.width, size.height);
  raster.rgb.set(toRgb(resize(rgb, size, "bicubic", { ...size, left: 0, top: 0 })));
  return raster;
}
