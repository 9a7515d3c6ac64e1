/** Reads features files, whole or in blocks of rows. Their format is in features-file.ts. */
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import { bytesPerElement, toFloat32 } from "../tensor/dtype.ts";
import { SafetensorsFile } from "../tensor/safetensors.ts";
import { readIntegers, tensorInfo, type ByteSource } from "../tensor/store.ts";
import { checkLabels, type Features, type Metadata, type Rows } from "./features.ts";
import { bytesOf } from "./features-file.ts";

/** Consecutive rows of a file. */
export interface RowBlock extends Rows {
  /** The first row. */
  readonly start: number;
}

/** A block holds as many rows as have at most this many values, but at least one. */
const blockValues = 2 ** 20;

/** A features file that is open. Its rows stay in the file, which can be larger than any buffer. */
export class FeaturesFile {
  readonly name: string;
  readonly rows: number;
  readonly width: number;
  readonly metadata: Metadata;
  readonly #file: SafetensorsFile;

  private constructor(file: SafetensorsFile, rows: number, width: number) {
    this.#file = file;
    this.name = file.name;
    this.rows = rows;
    this.width = width;
    this.metadata = file.metadata;
  }

  /** @throws InputError if it is not a features file; the source is then closed */
  static async open(source: ByteSource): Promise<FeaturesFile> {
    const file = await SafetensorsFile.open(source);
    try {
      const { name } = file;
      if (!file.tensors.has("features") && file.tensors.has("weight")) {
        throw new InputError(`${name}: expected features, found a probe; "clipscope embed" makes features`);
      }
      const { shape } = tensorInfo(file, "features");
      const [rows = 0, width = 0] = shape;
      if (shape.length !== 2 || rows === 0 || width === 0) {
        throw new InputError(
          `${name}: expected features of shape [rows, width], found [${shape.join(", ")}]`,
        );
      }
      return new FeaturesFile(file, rows, width);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * The rows in order, a block at a time. Each block reuses the memory of the one before.
   *
   * @param from the blocks begin with the one that holds this row. Default: all rows
   * @throws InputError for a number that is not finite
   */
  async *blocks(from = 0): AsyncGenerator<RowBlock, void, undefined> {
    const { width } = this;
    const reused = new Float32Array(Math.min(this.#rowsAtOnce, this.rows) * width);
    for (const [start, rows] of this.#ranges()) {
      if (start + rows <= from) continue;
      const values = reused.subarray(0, rows * width);
      await this.#read(start, values);
      yield { values, rows, width, start };
    }
  }

  /**
   * The values of all rows. Read in blocks, as a file can be larger than the largest buffer, 4 GB on Node 20.
   *
   * @throws InputError for a number that is not finite, or features that are larger than the memory
   */
  async values(): Promise<Float32Array> {
    const { width } = this;
    const values = allocate(this.name, this.rows, width);
    for (const [start, rows] of this.#ranges()) {
      await this.#read(start, values.subarray(start * width, (start + rows) * width));
    }
    return values;
  }

  get #rowsAtOnce(): number {
    return Math.max(Math.floor(blockValues / this.width), 1);
  }

  *#ranges(): Generator<[start: number, rows: number], void, undefined> {
    for (let start = 0; start < this.rows; start += this.#rowsAtOnce) {
      yield [start, Math.min(this.#rowsAtOnce, this.rows - start)];
    }
  }

  /** Reads consecutive rows, as many as `target` has room for. */
  async #read(start: number, target: Float32Array): Promise<void> {
    const { dtype } = tensorInfo(this.#file, "features");
    const size = bytesPerElement[dtype];
    const bytes = await this.#file.read(
      "features",
      start * this.width * size,
      target.length * size,
      ...(dtype === "F32" ? [bytesOf(target)] : []),
    );
    const read = toFloat32(dtype, bytes);
    if (read.buffer !== target.buffer) target.set(read);
    this.#assertFinite(target, start);
  }

  #assertFinite(values: Float32Array, start: number): void {
    let bad = 0;
    while (bad < values.length && Number.isFinite(values[bad])) bad += 1;
    if (bad === values.length) return;
    throw new InputError(
      `${this.name}: row ${start + Math.floor(bad / this.width)} of the features holds ${values[bad]}, expected finite numbers; ` +
        "embed the images again or remove the row",
    );
  }

  /** The label of each row; null without labels. @throws InputError if they are not whole numbers */
  labels(): Promise<number[] | null> {
    return readLabels(this.#file);
  }

  /** The image of each row; null without paths. @throws InputError if they are not one for each row */
  async paths(): Promise<string[] | null> {
    const paths = await readPaths(this.#file, this.rows);
    if (paths === null || paths.length === this.rows) return paths;
    throw new InputError(
      `${this.name}: ${paths.length} paths in the metadata for ${this.rows} rows of features`,
    );
  }

  /** Closes the file. */
  close(): Promise<void> {
    return this.#file.close();
  }
}

/**
 * Reads a features file and closes it. Under Node, `readFeatures` takes a path.
 *
 * @throws InputError if it is damaged, not a features file, or holds a number that is not finite; if the numbers of
 *   labels, names, paths and rows do not match; or if the features are larger than the memory
 */
export async function decodeFeatures(source: ByteSource): Promise<Features> {
  const file = await FeaturesFile.open(source);
  try {
    const { name, rows, width, metadata } = file;
    const labels = await file.labels();
    const classNames = decodeTexts(metadata, "class_names", name);
    const paths = await file.paths();
    checkLabels({ name, rows, labels, classNames });
    const values = await file.values();
    return { name, values, rows, width, labels, classNames, paths, metadata };
  } finally {
    await file.close();
  }
}

/** @throws InputError if there is not enough memory, or an array cannot be so long */
function allocate(name: string, rows: number, width: number): Float32Array {
  try {
    return new Float32Array(rows * width);
  } catch (error) {
    const gigabytes = ((rows * width * 4) / 1e9).toFixed(1);
    throw new InputError(
      `${name}: ${gigabytes} GB of features (${rows} rows of ${width} numbers) cannot be held in memory; use fewer rows`,
      [],
      { cause: error },
    );
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
 * A list of texts in the metadata, in JSON; null if it is missing.
 *
 * @throws InputError if it is something else
 */
export function decodeTexts(metadata: Metadata, key: string, where: string): string[] | null {
  const json = metadata[key];
  return json === undefined ? null : JsonValue.parse(json, `${where}: metadata "${key}"`).strings();
}
