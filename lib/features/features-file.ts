/**
 * The format of features files: safetensors.
 *
 * `features` F32 (or F16) [N, D]; optionally `labels` I64 [N]; metadata, all optional: `model`, `tap` (default
 * `visual`), `normalized`, `class_names` and `paths` (JSON lists), and from `embed` also `model_sha256`, `pool`,
 * `preprocess`, `backend`, `made_by`.
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
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) {
      throw new InputError(
        `${name}: row ${Math.floor(bad / width)} of the features holds ${values[bad]}, expected finite numbers; ` +
          "embed the images again or remove the row",
      );
    }
    const labels = file.tensors.has("labels") ? await readIntegers(file, "labels") : null;
    const classNames = decodeTexts(metadata, "class_names", name);
    const paths = decodeTexts(metadata, "paths", name);
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

/** The parts of a features file before the values, which follow in row-major order. */
export function encodeHead(
  rows: number,
  width: number,
  { labels, classNames, paths }: RowLabels,
  metadata: Metadata,
): Uint8Array[] {
  const texts = {
    ...metadata,
    ...(classNames === null ? {} : { class_names: JSON.stringify(classNames) }),
    ...(paths === null ? {} : { paths: JSON.stringify(paths) }),
  };
  // Labels first: wider dtypes must come before narrower ones for every tensor to be aligned.
  const tensors = [
    ...(labels === null ? [] : [{ name: "labels", dtype: "I64" as const, shape: [rows] }]),
    { name: "features", dtype: "F32" as const, shape: [rows, width] },
  ];
  return [encodeHeader(tensors, texts), bytesOf(BigInt64Array.from(labels ?? [], BigInt))];
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
