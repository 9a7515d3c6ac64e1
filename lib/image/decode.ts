/**
 * Image files to pixels, as Pillow's `Image.open` gives them: same mode, same values.
 *
 * jimp's decoders lose what decides the pixels later (palettes, bit depth, bilevel), and its JavaScript JPEG decoder
 * is not exact; JPEG and WebP go through the codecs that jimp's WASM plug-ins wrap, the other containers are read here.
 */
import { InputError } from "../errors/input-error.ts";
import type { DecodedImage } from "./image.ts";
import { decodeBmp, readBmpHeader } from "./formats/bmp.ts";
import { ImageBytes, ImageFormatError } from "./formats/bytes.ts";
import type { ImageCodecs, ReadHeader } from "./formats/format.ts";
import { decodeGif, readGifHeader } from "./formats/gif.ts";
import { decodeJpeg, readJpegExif, readJpegHeader } from "./formats/jpeg/jpeg.ts";
import { orient, readOrientation } from "./formats/orientation.ts";
import { decodePng, readPngExif, readPngHeader } from "./formats/png.ts";
import { decodeTiff, readTiffHeader } from "./formats/tiff.ts";
import { decodeWebp, readWebpExif, readWebpHeader } from "./formats/webp.ts";

export type { ImageCodecs } from "./formats/format.ts";
export type { DecodedImage } from "./image.ts";

/** Twice Pillow's MAX_IMAGE_PIXELS (a quarter of a gigabyte of RGB): where it refuses a decompression bomb. */
export const MAXIMUM_PIXELS = 2 * Math.floor(2 ** 30 / 4 / 3);

interface Format {
  readonly name: string;
  readonly matches: (file: ImageBytes) => boolean;
  readonly readHeader: ReadHeader;
  readonly decode: (file: ImageBytes, codecs: ImageCodecs) => DecodedImage | Promise<DecodedImage>;
  /** The Exif block, for the formats that do not turn themselves. */
  readonly readExif?: (file: ImageBytes) => Uint8Array | undefined;
}

const FORMATS: readonly Format[] = [
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

const SUPPORTED = "JPEG, PNG, WebP, GIF, TIFF and BMP";

/** Formats that people will try, so that the message can name them. */
const UNSUPPORTED: readonly (readonly [name: string, matches: (file: ImageBytes) => boolean])[] = [
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

export interface DecodeOptions {
  /** Turn the picture as its Exif orientation says. The reference does not, so false unless asked. */
  readonly exifOrientation?: boolean;
}

/**
 * Decodes the first frame of a JPEG, PNG, WebP, GIF, TIFF or BMP file.
 *
 * @param bytes the whole file
 * @param name what to call it in messages
 * @throws InputError for what is no image, a format that is not supported, a damaged or truncated file, no pixels, or
 *   more than {@link MAXIMUM_PIXELS}, which is found out from the header
 */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
  codecs: ImageCodecs,
  { exifOrientation = false }: DecodeOptions = {},
): Promise<DecodedImage> {
  const file = new ImageBytes(bytes);
  const format = FORMATS.find(({ matches }) => matches(file));
  if (format === undefined)
    throw new InputError(`${name}: expected an image (${SUPPORTED}), found ${kindOf(file)}`);
  try {
    const { width, height } = format.readHeader(file);
    if (width === 0 || height === 0) throw new ImageFormatError(`${width} x ${height} pixels`);
    if (width * height > MAXIMUM_PIXELS) {
      throw new InputError(
        `${name}: expected at most ${MAXIMUM_PIXELS} pixels, found ${width} x ${height}; make the picture smaller`,
      );
    }
    const image = await format.decode(file, codecs);
    if (!exifOrientation || format.readExif === undefined) return image;
    return orient(image, readOrientation(format.readExif(file)));
  } catch (error) {
    if (error instanceof InputError) throw error;
    const found = error instanceof ImageFormatError ? error.message : `damaged data (${reason(error)})`;
    throw new InputError(
      `${name}: expected a complete ${format.name} image, found ${found}; save it anew`,
      [],
      {
        cause: error,
      },
    );
  }
}

/** What another library says, on one line. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0] ?? "";
}

function kindOf(file: ImageBytes): string {
  if (file.length === 0) return "an empty file";
  const known = UNSUPPORTED.find(([, matches]) => matches(file));
  if (known !== undefined) return `${known[0]}, which is not supported; convert it first`;
  return "none of these; check that the file is an image";
}
