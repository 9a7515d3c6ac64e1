/**
 * The format of features files: safetensors.
 *
 * `features` F32 (or F16) [N, D]; optionally `labels` I64 [N]; metadata, all optional: `model`, `tap` (default
 * `visual`), `normalized`, `class_names` and `paths` (JSON lists), and from `embed` also `model_sha256`, `pool`,
 * `preprocess`, `backend`, `made_by`.
 *
 * Readers of safetensors limit the header, which holds the metadata, to 100 MB. Paths that would take more than 64 MB
 * there are a tensor instead: `paths` U8 [bytes], each path in UTF-8 and ended by a zero byte, with further zero bytes up
 * to a multiple of eight.
 */
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import { encodeHeader, SafetensorsFile } from "../tensor/safetensors.ts";
import { readFloat32, readIntegers, tensorInfo, type ByteSource } from "../tensor/store.ts";
import { checkLabels, type Features, type Metadata } from "./features.ts";

/**
 * Reads a features file and closes it. Under Node, `readFeatures` takes a path.
 *
 * @throws InputError if it is damaged, not a features file, or holds a number that is not finite; or if the numbers of
 *   labels, names, paths and rows do not match
 */
export async function decodeFeatures(source: ByteSource): Promise<Features> {
  const file = await SafetensorsFile.open(source);
  const { name, metadata } = file;
  try {
    if (!file.tensors.has("features") && file.tensors.has("weight")) {
      throw new InputError(`${name}: expected features, found a probe; "clipscope embed" makes features`);
    }
    const { shape } = tensorInfo(file, "features");
    const [rows = 0, width = 0] = shape;
    if (shape.length !== 2 || rows === 0 || width === 0) {
      throw new InputError(`${name}: expected features of shape [rows, width], found [${shape.join(", ")}]`);
    }
    const values = await readFloat32(file, "features");
    let bad = 0;
    while (bad < values.length && Number.isFinite(values[bad])) bad += 1;
    if (bad < values.length) {
      throw new InputError(
        `${name}: row ${Math.floor(bad / width)} of the features holds ${values[bad]}, expected finite numbers; ` +
          "embed the images again or remove the row",
      );
    }
    const labels = await readLabels(file);
    const classNames = decodeTexts(metadata, "class_names", name);
    const paths = await readPaths(file, rows);
    if (paths !== null && paths.length !== rows) {
      throw new InputError(`${name}: ${paths.length} paths in the metadata for ${rows} rows of features`);
    }
    const features = { name, values, rows, width, labels, classNames, paths, metadata };
    checkLabels(features);
    return features;
  } finally {
    await file.close();
  }
}

async function readLabels(file: SafetensorsFile): Promise<number[] | null> {
  if (!file.tensors.has("labels")) return null;
  const { dtype, shape } = tensorInfo(file, "labels");
  if (!["I64", "I32", "U8"].includes(dtype) || shape.length !== 1) {
    throw new InputError(
      `${file.name}: labels: expected whole numbers (I64, I32 or U8) of shape [rows], found ${dtype} [${shape.join(", ")}]`,
    );
  }
  try {
    return await readIntegers(file, "labels");
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${file.name}: labels: ${error.message}`, [], { cause: error });
  }
}

/** The paths in the metadata, or in a tensor; null without paths. */
async function readPaths(file: SafetensorsFile, rows: number): Promise<string[] | null> {
  const { name, metadata, tensors } = file;
  if (metadata["paths"] !== undefined || !tensors.has("paths")) return decodeTexts(metadata, "paths", name);
  const { dtype, shape } = tensorInfo(file, "paths");
  if (dtype !== "U8" || shape.length !== 1) {
    throw new InputError(
      `${name}: paths: expected UTF-8 texts that end with zero bytes (U8 [bytes]), found ${dtype} [${shape.join(", ")}]`,
    );
  }
  const bytes = await file.read("paths");
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const paths: string[] = [];
  let start = 0;
  while (paths.length < rows) {
    const end = bytes.indexOf(0, start);
    if (end <= start) break; // none left, or the padding
    paths.push(decoder.decode(bytes.subarray(start, end)));
    start = end + 1;
  }
  if (bytes.subarray(start).some((byte) => byte !== 0)) {
    throw new InputError(`${name}: more paths than the ${rows} rows of features; embed the images again`);
  }
  return paths;
}

/**
 * A features file, in parts.
 *
 * @param features with the metadata of what made them; `class_names` and `paths` are added
 */
export function encodeFeatures({
  values,
  rows,
  width,
  metadata,
  ...labels
}: Omit<Features, "name">): Uint8Array[] {
  return [...encodeHead(rows, width, labels, metadata), bytesOf(values)];
}

/** What belongs to the rows of features; see `Features`. */
export type RowLabels = Pick<Features, "labels" | "classNames" | "paths">;

/** Paths that take more bytes in the metadata are stored as a tensor. */
const mostPathsInHeader = 64_000_000;

/**
 * The parts of a features file before the values, which follow in row-major order.
 *
 * @throws InputError for labels that are not whole numbers from 0, paths that are empty or have zero bytes and must be
 *   stored as a tensor, or metadata that are too large for a header
 */
export function encodeHead(
  rows: number,
  width: number,
  { labels, classNames, paths }: RowLabels,
  metadata: Metadata,
  most = mostPathsInHeader,
): Uint8Array[] {
  checkLabels({ name: "the features", rows, labels, classNames: null });
  const separate = paths !== null && sizeInHeader(paths, most) > most ? encodePaths(paths) : null;
  const others = Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== "paths"));
  const texts = {
    ...others,
    ...(classNames === null ? {} : { class_names: JSON.stringify(classNames) }),
    ...(paths === null || separate !== null ? {} : { paths: JSON.stringify(paths) }),
  };
  // Wider dtypes must come before narrower ones for every tensor to be aligned; the paths fill whole multiples of eight.
  const tensors = [
    ...(labels === null ? [] : [{ name: "labels", dtype: "I64" as const, shape: [rows] }]),
    ...(separate === null ? [] : [{ name: "paths", dtype: "U8" as const, shape: [separate.length] }]),
    { name: "features", dtype: "F32" as const, shape: [rows, width] },
  ];
  return [
    encodeHeader(tensors, texts),
    bytesOf(BigInt64Array.from(labels ?? [], BigInt)),
    ...(separate === null ? [] : [separate]),
  ];
}

/** The bytes of a JSON list of texts inside a JSON header, or some number above `most`. */
function sizeInHeader(texts: readonly string[], most: number): number {
  const encoder = new TextEncoder();
  let size = 0;
  for (const text of texts) {
    // In JSON twice: a quote in a path takes four bytes. The enclosing quotes of the second time count as the comma.
    size += encoder.encode(JSON.stringify(JSON.stringify(text))).length - 1;
    if (size > most) break;
  }
  return size;
}

/** The texts in UTF-8, each ended by a zero byte, filled up with zero bytes to a multiple of eight. */
function encodePaths(paths: readonly string[]): Uint8Array {
  const bad = paths.findIndex((path) => path === "" || path.includes("\0"));
  if (bad !== -1) {
    throw new InputError(
      `the path of row ${bad} is ${JSON.stringify(paths[bad])}, expected a text without zero bytes`,
    );
  }
  const encoder = new TextEncoder();
  let size = 0;
  for (const path of paths) size += encoder.encode(path).length + 1;
  const bytes = new Uint8Array(Math.ceil(size / 8) * 8);
  let at = 0;
  for (const path of paths) at += encoder.encodeInto(path, bytes.subarray(at)).written + 1;
  return bytes;
}

/** The bytes of an array, without a copy. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * A list of texts in the metadata, in JSON; null if it is missing.
 *
 * @throws InputError if it is something else
 */
export function decodeTexts(metadata: Metadata, key: string, where: string): string[] | null {
  const json = metadata[key];
  return json === undefined ? null : JsonValue.parse(json, `${where}: metadata "${key}"`).strings();
}
