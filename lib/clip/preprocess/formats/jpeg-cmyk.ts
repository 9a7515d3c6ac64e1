import type { DecodedImage } from "../image.ts";
import { ImageFormatError } from "./bytes.ts";
import type { ImageBytes } from "./bytes.ts";

export function decodeCmykJpeg(file: ImageBytes): DecodedImage {
  throw new ImageFormatError(`CMYK ${file.length}`);
}
