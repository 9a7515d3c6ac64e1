/**
 * Decodes image files to the mode and the values of Pillow's `Image.open`.
 *
 * jimp's decoders drop the palette and the bit depth, which affect the resize, and its JavaScript JPEG decoder is not
 * exact. So this folder decodes most formats itself, and passes JPEG and WebP to the codecs of jimp's WASM plug-ins.
 */
import { InputError } from "../errors/input-error.ts";
import type { DecodedImage } from "./image.ts";
import { decodeBmp, readBmpHeader } from "./formats/bmp.ts";
import { ImageBytes, ImageFormatError, ImageLimitError, UnsupportedImageError } from "./formats/bytes.ts";
import type { ImageCodecs, ReadHeader } from "./formats/format.ts";
import { decodeGif, readGifHeader } from "./formats/gif.ts";
import { decodeJpeg, readJpegExif, readJpegHeader } from "./formats/jpeg/jpeg.ts";
import { orient, readOrientation } from "./formats/orientation.ts";
import { decodePng, readPngExif, readPngHeader } from "./formats/png.ts";
import { decodeTiff, readTiffHeader } from "./formats/tiff.ts";
import { decodeWebp, readWebpExif, readWebpHeader } from "./formats/webp.ts";
import { assertPixels, maximumBytes } from "./limits.ts";

export type { ImageCodecs } from "./formats/format.ts";
export type { DecodedImage } from "./image.ts";
export { maximumBytes, maximumPixels } from "./limits.ts";

interface Format {
  readonly name: string;
  readonly matches: (file: ImageBytes) => boolean;
  readonly readHeader: ReadHeader;
  readonly decode: (file: ImageBytes, codecs: ImageCodecs) => DecodedImage | Promise<DecodedImage>;
  /** The Exif block, for formats whose decoder does not apply the orientation. */
  readonly readExif?: (file: ImageBytes) => Uint8Array | undefined;
}

const formats: readonly Format[] = [
  {
    name: "JPEG",
    matches: (file) => file.ascii(0, 3) === "\xff\xd8\xff",
    readHeader: readJpegHeader,
    decode: decodeJpeg,
    readExif: readJpegExif,
  },
  {
    name: "PNG",
    matches: (file) => file.ascii(0, 8) === "\x89PNG\r\n\x1a\n",
    readHeader: readPngHeader,
    decode: (file, { inflate }) => decodePng(file, inflate),
    readExif: readPngExif,
  },
  {
    name: "WebP",
    matches: (file) => file.ascii(0, 4) === "RIFF" && file.ascii(8, 4) === "WEBP",
    readHeader: readWebpHeader,
    decode: decodeWebp,
    readExif: readWebpExif,
  },
  {
    name: "GIF",
    matches: (file) => ["GIF87a", "GIF89a"].includes(file.ascii(0, 6)),
    readHeader: readGifHeader,
    decode: decodeGif,
  },
  {
    name: "TIFF",
    matches: (file) => ["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(file.ascii(0, 4)),
    readHeader: readTiffHeader,
    decode: decodeTiff,
  },
  {
    name: "BMP",
    matches: (file) => file.ascii(0, 2) === "BM",
    readHeader: readBmpHeader,
    decode: decodeBmp,
  },
];

const supported = "JPEG, PNG, WebP, GIF, TIFF and BMP";

/** Common formats that are not supported, named in the error message. */
const unsupported: readonly (readonly [name: string, matches: (file: ImageBytes) => boolean])[] = [
  ["AVIF", (file) => file.ascii(4, 4) === "ftyp" && ["avif", "avis"].includes(file.ascii(8, 4))],
  ["HEIC", (file) => file.ascii(4, 4) === "ftyp" && /^(he[iv]|mif1|msf1)/.test(file.ascii(8, 4))],
  ["JPEG XL", (file) => file.ascii(0, 2) === "\xff\x0a" || file.ascii(4, 4) === "JXL "],
  ["JPEG 2000", (file) => file.ascii(4, 4) === "jP  " || file.ascii(0, 4) === "\xff\x4f\xff\x51"],
  ["PDF", (file) => file.ascii(0, 5) === "%PDF-"],
  ["PSD", (file) => file.ascii(0, 4) === "8BPS"],
  ["ICO", (file) => file.ascii(0, 4) === "\0\0\x01\0"],
  ["SVG", (file) => file.ascii(0, 256).includes("<svg")],
  ["PNM", (file) => /^P[1-7]\s/.test(file.ascii(0, 3))],
];

/** Options of `decodeImage`. */
export interface DecodeOptions {
  /** Apply the Exif orientation. Default: false, as in open_clip. */
  readonly exifOrientation?: boolean;
}

/**
 * Decodes the first frame of a JPEG, PNG, WebP, GIF, TIFF or BMP file.
 *
 * @param bytes the whole file
 * @param name the file's name, for messages
 * @throws InputError if the file is not an image, is damaged or truncated, has an unsupported format, or has no pixels
 *   or more than the limits of limits.ts allow (checked in the header before decoding)
 */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
  codecs: ImageCodecs,
  { exifOrientation = false }: DecodeOptions = {},
): Promise<DecodedImage> {
  const file = new ImageBytes(bytes);
  const format = formats.find(({ matches }) => matches(file));
  if (format === undefined) throw notAnImage(file, name);
  try {
    const { width, height } = format.readHeader(file);
    if (width === 0 || height === 0) throw new ImageFormatError(`${width} x ${height} pixels`);
    assertPixels({ width, height });
    const image = await format.decode(file, codecs);
    if (!exifOrientation || format.readExif === undefined) return image;
    return orient(image, readOrientation(format.readExif(file)));
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof ImageLimitError) {
      throw new InputError(`${name}: ${error.message}; make the image smaller`, [], { cause: error });
    }
    if (error instanceof UnsupportedImageError) {
      const message = `${name}: expected a supported ${format.name} image, found ${error.message}; save it as PNG`;
      throw new InputError(message, [], { cause: error });
    }
    const found = error instanceof ImageFormatError ? error.message : `damaged data (${reason(error)})`;
    throw new InputError(
      `${name}: expected a complete ${format.name} image, found ${found}; re-save the file`,
      [],
      {
        cause: error,
      },
    );
  }
}

/** The name of the format of a file that begins with these bytes (at least 16); undefined if it is not an image. */
export function imageFormatOf(head: Uint8Array): string | undefined {
  const file = new ImageBytes(head);
  return formats.find(({ matches }) => matches(file))?.name;
}

/** The bytes at the beginning of a file that `assertImage` needs. */
export const headBytes = 256;

/**
 * Checks a file before it is read.
 *
 * @param head the file's first {@link headBytes}, or as many as it has
 * @param size of the file, in bytes
 * @throws InputError if the file is not an image, has an unsupported format, or is larger than {@link maximumBytes}
 */
export function assertImage(head: Uint8Array, size: number, name: string): void {
  if (imageFormatOf(head) === undefined) throw notAnImage(new ImageBytes(head), name);
  if (size <= maximumBytes) return;
  throw new InputError(
    `${name}: expected an image file of at most ${maximumBytes} bytes, found ${size}; make the image smaller`,
  );
}

function notAnImage(file: ImageBytes, name: string): InputError {
  return new InputError(`${name}: expected an image (${supported}), found ${kindOf(file)}`);
}

/** The first line of another library's error. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0] ?? "";
}

function kindOf(file: ImageBytes): string {
  if (file.length === 0) return "an empty file";
  const known = unsupported.find(([, matches]) => matches(file));
  if (known !== undefined) return `${known[0]}, which is not supported; convert it first`;
  return "none of these; check that the file is an image";
}
