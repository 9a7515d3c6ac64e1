/**
 * The format of features files: safetensors.
 *
 * `features` F32 (or F16) [N, D]; optionally `labels` I64 [N]; metadata, all optional: `model`, `tap` (default
 * `visual`), `normalized`, `class_names` and `paths` (JSON lists), and from `embed` also `model_sha256`, `pool`,
 * `preprocess`, `backend`, `made_by`.
 *
 * Readers of safetensors limit the header, which holds the metadata, to 100 MB. Paths that would take more than 16 MB
 * there are a tensor instead: `paths` U8 [bytes], each path in UTF-8 and ended by a zero byte, with further zero bytes up
 * to a multiple of eight.
 */
import { InputError } from "../errors/input-error.ts";
import { encodeHeader } from "../tensor/safetensors.ts";
import { checkLabels, type Features, type Metadata } from "./features.ts";

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
export interface RowLabels extends Pick<Features, "labels" | "classNames"> {
  readonly paths: Texts | null;
}

/** A list of texts that is read in order, twice. */
export interface Texts extends Iterable<string> {
  readonly length: number;
}

/**
 * Paths that take more bytes in the metadata, of about 300,000 images, are stored as a tensor. Writing and reading a
 * header takes several times its size in memory.
 */
const mostPathsInHeader = 16_000_000;

/**
 * The parts of a features file before the values, which follow in row-major order.
 *
 * @throws InputError for labels that are not whole numbers from 0, paths that are empty or have zero bytes and must be
 *   stored as a tensor, or metadata that are too large for a header
 */
export function* encodeHead(
  rows: number,
  width: number,
  { labels, classNames, paths }: RowLabels,
  metadata: Metadata,
  most = mostPathsInHeader,
): Generator<Uint8Array, void, undefined> {
  checkLabels({ name: "the features", rows, labels, classNames: null });
  const separate = paths !== null && sizeInHeader(paths, most) > most ? sizeInTensor(paths) : null;
  const others = Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== "paths"));
  const texts = {
    ...others,
    ...(classNames === null ? {} : { class_names: JSON.stringify(classNames) }),
    ...(paths === null || separate !== null ? {} : { paths: JSON.stringify([...paths]) }),
  };
  // Wider dtypes must come before narrower ones for every tensor to be aligned; the paths fill whole multiples of eight.
  const tensors = [
    ...(labels === null ? [] : [{ name: "labels", dtype: "I64" as const, shape: [rows] }]),
    ...(separate === null ? [] : [{ name: "paths", dtype: "U8" as const, shape: [separate] }]),
    { name: "features", dtype: "F32" as const, shape: [rows, width] },
  ];
  yield encodeHeader(tensors, texts);
  yield bytesOf(BigInt64Array.from(labels ?? [], BigInt));
  if (paths !== null && separate !== null) yield* encodePaths(paths, separate);
}

/** The bytes of a JSON list of texts inside a JSON header, or some number above `most`. */
function sizeInHeader(texts: Iterable<string>, most: number): number {
  const encoder = new TextEncoder();
  let size = 0;
  for (const text of texts) {
    // In JSON twice: a quote in a path takes four bytes. The enclosing quotes of the second time count as the comma.
    size += encoder.encode(JSON.stringify(JSON.stringify(text))).length - 1;
    if (size > most) break;
  }
  return size;
}

/** In bytes, a multiple of eight. @throws InputError for a path that is empty or has zero bytes */
function sizeInTensor(paths: Iterable<string>): number {
  let size = 0;
  let row = 0;
  for (const path of paths) {
    if (path === "" || path.includes("\0")) {
      throw new InputError(
        `the path of row ${row} is ${JSON.stringify(path)}, expected a text without zero bytes`,
      );
    }
    size += new TextEncoder().encode(path).length + 1;
    row += 1;
  }
  return Math.ceil(size / 8) * 8;
}

/** Paths per part of the tensor. */
const pathsAtOnce = 4096;

/** The paths in UTF-8, each ended by a zero byte, filled up with zero bytes. @param size as `sizeInTensor` */
function* encodePaths(paths: Iterable<string>, size: number): Generator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  let left = size;
  let some: string[] = [];
  const encodeSome = (): Uint8Array => {
    const bytes = encoder.encode(some.map((path) => `${path}\0`).join(""));
    some = [];
    left -= bytes.length;
    return bytes;
  };
  for (const path of paths) {
    if (some.push(path) === pathsAtOnce) yield encodeSome();
  }
  yield encodeSome();
  yield new Uint8Array(left);
}

/** The bytes of an array, without a copy. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
