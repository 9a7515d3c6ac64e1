import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { parsePreprocessConfig } from "../../lib/clip/config/preprocess-config.ts";
import type { PreprocessConfig } from "../../lib/image/transform.ts";
import { decodeImage, type ImageCodecs } from "../../lib/image/decode.ts";
import { bandsOf, type DecodedImage } from "../../lib/image/image.ts";
import { transform, transformPixels } from "../../lib/image/transform.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";

/** An array's position in expected.bin, in bytes. */
interface Place {
  readonly at: number;
  readonly length: number;
}

interface TransformCase {
  /** One edge, or [height, width]. */
  readonly size: number | readonly [number, number];
  readonly interpolation: string;
  readonly resize_mode: string;
  readonly fill_color: number;
  readonly pixels: Place;
  readonly sha256: string;
}

/** An image file of a folder written by tools/golden/image_cases.py. */
export interface ImageCase {
  readonly file: string;
  /** Pillow's error, if it rejects the file. */
  readonly refused?: string;
  readonly format: string;
  readonly mode: string;
  readonly width: number;
  readonly height: number;
  readonly decoded?: Place;
  readonly transforms: readonly TransformCase[];
}

export interface Difference {
  readonly what: string;
  /** The largest distance between two values. */
  readonly worst: number;
  /** Describes the first difference; undefined if the arrays are equal. */
  readonly where: string | undefined;
}

const unpacked = new Map<string, Promise<Uint8Array>>();

export async function readCases(folder: string): Promise<readonly ImageCase[]> {
  const json = JSON.parse(await readFile(`${folder}/cases.json`, "utf8")) as { cases: ImageCase[] };
  return json.cases;
}

async function expectedBytes(folder: string, { at, length }: Place): Promise<Uint8Array> {
  const all =
    unpacked.get(folder) ?? readFile(`${folder}/expected.bin.gz`).then((packed) => gunzipSync(packed));
  unpacked.set(folder, all);
  // A copy, because a slice of a Buffer shares its memory.
  return new Uint8Array((await all).subarray(at, at + length));
}

export function configOf(given: TransformCase): PreprocessConfig {
  const { interpolation, resize_mode, fill_color } = given;
  return parsePreprocessConfig({ interpolation, resize_mode, fill_color }, given.size, "cases.json");
}

/** Decodes a file of the folder. */
export async function decodeCase(
  folder: string,
  { file }: ImageCase,
  codecs: ImageCodecs = nodeCodecs(),
): Promise<DecodedImage> {
  return decodeImage(await readFile(`${folder}/${file}`), file, codecs);
}

/**
 * Decodes and transforms a case's file and compares each array with the reference's.
 *
 * @throws InputError if clipscope rejects the file
 */
export async function compareCase(
  folder: string,
  item: ImageCase,
  codecs?: ImageCodecs,
): Promise<readonly Difference[]> {
  const image = await decodeCase(folder, item, codecs);
  const found = `${image.mode} ${image.width} x ${image.height}`;
  const wanted = `${item.mode} ${item.width} x ${item.height}`;
  if (found !== wanted && item.refused === undefined) {
    return [{ what: "decoded", worst: Infinity, where: `expected ${wanted}, found ${found}` }];
  }
  if (item.refused !== undefined) return [];
  const differences: Difference[] = [];
  if (item.decoded !== undefined) {
    const expected = typed(await expectedBytes(folder, item.decoded), image);
    differences.push(compare("decoded", expected, packedSamples(image), image.width, bandsOf(image.mode)));
  }
  for (const given of item.transforms) {
    const { size, interpolation, resize_mode, fill_color } = given;
    const what = `${resize_mode} ${interpolation} ${size.toString()} fill ${fill_color}`;
    const config = configOf(given);
    const expected = await expectedBytes(folder, given.pixels);
    const difference = compare(what, expected, transformPixels(image, config), config.size[1], 3);
    differences.push(difference);
    if (difference.where !== undefined) continue;
    const floats = transform(image, config);
    const sha256 = createHash("sha256").update(new Uint8Array(floats.buffer)).digest("hex");
    const where = sha256 === given.sha256 ? undefined : "the pixels agree, the normalised floats do not";
    differences.push({ what: `${what}, normalised`, worst: 0, where });
  }
  return differences;
}

type Numbers = ArrayLike<number>;

/** Converts the reference's bytes to numbers of the mode's type. */
function typed(bytes: Uint8Array, { mode }: DecodedImage): Numbers {
  const view = new DataView(bytes.buffer);
  const littleEndian = true;
  if (mode === "I;16" || mode === "I;16B") {
    return Array.from({ length: bytes.length / 2 }, (_, i) => view.getUint16(i * 2, littleEndian));
  }
  if (mode === "I")
    return Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(i * 4, littleEndian));
  if (mode === "F")
    return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, littleEndian));
  return bytes;
}

/** The samples without the unused fourth one of RGB pixels. */
function packedSamples({ data, stride, mode }: DecodedImage): Numbers {
  const bands = bandsOf(mode);
  return stride === bands ? data : data.filter((_, i) => i % stride < bands);
}

function compare(what: string, expected: Numbers, found: Numbers, width: number, bands: number): Difference {
  if (expected.length !== found.length) {
    return { what, worst: Infinity, where: `expected ${expected.length} values, found ${found.length}` };
  }
  let worst = 0;
  let first = -1;
  let count = 0;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(expected[i]! - found[i]!);
    if (distance === 0) continue;
    if (first < 0) first = i;
    count += 1;
    worst = Math.max(worst, distance);
  }
  if (first < 0) return { what, worst, where: undefined };
  const pixel = Math.floor(first / bands);
  const place = `x ${pixel % width}, y ${Math.floor(pixel / width)}, band ${first % bands}`;
  const where =
    `${count} of ${expected.length} values differ, by up to ${worst}; ` +
    `first at ${place}: expected ${expected[first]!}, found ${found[first]!}`;
  return { what, worst, where };
}
