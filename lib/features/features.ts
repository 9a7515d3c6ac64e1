/**
 * Features files: embeddings of pictures or texts with what they belong to, as safetensors.
 *
 * `features` F32 (or F16) [N, D]; `labels` I64 [N] where there are any; metadata, all optional: `model`, `tap`
 * (default `visual`), `normalized`, `class_names`, `paths`, and from `embed` also `model_sha256`, `pool`, `preprocess`,
 * `backend`, `made_by`.
 */
import { FileSource } from "../node/files/file-source.ts";
import { writeWhole } from "../node/files/write-file.ts";
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import { encodeHeader, SafetensorsFile } from "../tensor/safetensors.ts";
import { readFloat32, readIntegers, tensorInfo } from "../tensor/store.ts";

/** What is written beside features and probes; see the head of this file for the keys. */
export type Metadata = Readonly<Record<string, string>>;

/** Rows of numbers. */
export interface Rows {
  /** float32 [rows, width], row by row */
  readonly values: Float32Array;
  readonly rows: number;
  readonly width: number;
}

/** The content of a features file. */
export interface Features extends Rows {
  /** The file's path, for messages. */
  readonly name: string;
  /** The class of each row, from 0; null where the file has none. */
  readonly labels: readonly number[] | null;
  /** What the classes are called; null where the file does not say. */
  readonly classNames: readonly string[] | null;
  /** Where each row comes from; null where the file does not say. */
  readonly paths: readonly string[] | null;
  readonly metadata: Metadata;
}

/** Features that can be learnt from. */
export interface LabelledFeatures extends Features {
  readonly labels: readonly number[];
}

/**
 * Reads a features file.
 *
 * @throws InputError if it is missing, damaged or no features file, holds a number that is not finite, or labels,
 *   names, paths and rows do not match
 */
export async function readFeatures(path: string): Promise<Features> {
  const file = await SafetensorsFile.open(await FileSource.open(path));
  try {
    if (!file.tensors.has("features") && file.tensors.has("weight")) {
      throw new InputError(`${path}: expected features, found a probe; "clipscope embed" makes features`);
    }
    const { shape } = tensorInfo(file, "features");
    const [rows = 0, width = 0] = shape;
    if (shape.length !== 2 || rows === 0 || width === 0) {
      throw new InputError(
        `${path}: expected features of the shape [rows, numbers], found [${shape.join(", ")}]`,
      );
    }
    const values = await readFloat32(file, "features");
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) {
      throw new InputError(
        `${path}: row ${Math.floor(bad / width)} of the features holds ${values[bad]}, expected finite numbers; ` +
          "embed it again or take the row out",
      );
    }
    const labels = file.tensors.has("labels") ? await readIntegers(file, "labels") : null;
    const classNames = jsonTexts(file.metadata, "class_names", path);
    const paths = jsonTexts(file.metadata, "paths", path);
    if (paths !== null && paths.length !== rows) {
      throw new InputError(`${path}: ${paths.length} paths in the metadata for ${rows} rows of features`);
    }
    const features = { name: path, values, rows, width, labels, classNames, paths, metadata: file.metadata };
    checkLabels(features);
    return features;
  } finally {
    await file.close();
  }
}

/** @throws InputError if labels and rows, or labels and class names, do not match */
export function checkLabels({ name, rows, labels, classNames }: Omit<Features, "values">): void {
  if (labels === null) return;
  if (labels.length !== rows) {
    throw new InputError(
      `${name}: ${labels.length} labels for ${rows} rows of features, expected one for each`,
    );
  }
  const bad = labels.findIndex((label) => label < 0 || (classNames !== null && label >= classNames.length));
  if (bad === -1) return;
  const most = classNames === null ? "" : ` to ${classNames.length - 1}, as there are class names`;
  throw new InputError(`${name}: the label of row ${bad} is ${labels[bad]}, expected 0${most || " or more"}`);
}

/** @throws InputError if there are no labels */
export function requireLabels(features: Features): LabelledFeatures {
  const { labels } = features;
  if (labels === null) {
    throw new InputError(
      `${features.name}: no labels; embed a folder that has a folder for each class, or give them with --labels`,
    );
  }
  return { ...features, labels };
}

/** How many classes the labels distinguish: as many as have names, else up to the largest label. */
export function classCount({ labels, classNames }: LabelledFeatures): number {
  return classNames?.length ?? labels.reduce((most, label) => Math.max(most, label), 0) + 1;
}

/** The same features of some rows. */
export function selectRows(features: LabelledFeatures, indices: readonly number[]): LabelledFeatures {
  const { values, width, labels, paths } = features;
  const selected = new Float32Array(indices.length * width);
  for (const [to, from] of indices.entries()) {
    selected.set(values.subarray(from * width, (from + 1) * width), to * width);
  }
  return {
    ...features,
    values: selected,
    rows: indices.length,
    labels: indices.map((i) => labels[i]!),
    paths: paths && indices.map((i) => paths[i]!),
  };
}

/** Two sets of features of the same kind, one behind the other. */
export function concatRows(first: LabelledFeatures, second: LabelledFeatures): LabelledFeatures {
  const values = new Float32Array(first.values.length + second.values.length);
  values.set(first.values);
  values.set(second.values, first.values.length);
  return {
    ...first,
    values,
    rows: first.rows + second.rows,
    labels: [...first.labels, ...second.labels],
    paths: first.paths && second.paths && [...first.paths, ...second.paths],
  };
}

/** Each row divided by its L2 norm; rows of zeros stay as they are. */
export function normalizeRows<T extends Features>(features: T): T {
  const { values, rows, width } = features;
  const normalized = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += values[i]! * values[i]!;
    const norm = Math.max(Math.sqrt(squares), 1e-12);
    for (let i = row * width; i < (row + 1) * width; i++) normalized[i] = values[i]! / norm;
  }
  return { ...features, values: normalized, metadata: { ...features.metadata, normalized: "true" } };
}

/**
 * Writes a features file, whole or not at all.
 *
 * @param metadata what made them; `class_names` and `paths` come from the features
 */
export async function writeFeatures(
  path: string,
  { values, rows, width, labels, classNames, paths, metadata }: Omit<Features, "name">,
): Promise<void> {
  await writeWhole(path, [
    featuresHead(rows, width, { labels, classNames, paths }, metadata),
    bytesOf(values),
  ]);
}

/** What belongs to the rows of features; see `Features`. */
export type RowLabels = Pick<Features, "labels" | "classNames" | "paths">;

/** All of a features file that stands before the features, which follow row by row. */
export function featuresHead(
  rows: number,
  width: number,
  { labels, classNames, paths }: RowLabels,
  metadata: Metadata,
): Uint8Array {
  const texts = {
    ...metadata,
    ...(classNames === null ? {} : { class_names: JSON.stringify(classNames) }),
    ...(paths === null ? {} : { paths: JSON.stringify(paths) }),
  };
  // Labels first: safetensors wants the wider numbers aligned.
  const tensors = [
    ...(labels === null ? [] : [{ name: "labels", dtype: "I64" as const, shape: [rows] }]),
    { name: "features", dtype: "F32" as const, shape: [rows, width] },
  ];
  return Buffer.concat([encodeHeader(tensors, texts), bytesOf(BigInt64Array.from(labels ?? [], BigInt))]);
}

/** An array's bytes, not copied. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A list of texts in the metadata; null if there is none. @throws InputError if it is not a JSON list of strings */
export function jsonTexts(metadata: Metadata, key: string, where: string): string[] | null {
  const json = metadata[key];
  return json === undefined ? null : JsonValue.parse(json, `${where}: metadata "${key}"`).strings();
}

/** What must agree between features, or between features and a model, for numbers to mean the same. */
const comparedKeys: readonly (readonly [key: string, title: string])[] = [
  ["tap", "tap"],
  ["pool", "pooling"],
  ["normalized", "normalized"],
  ["preprocess", "preprocessing"],
];

/**
 * Refuses to mix what another model, layer or preprocessing made. What one of the two does not say is not compared.
 *
 * @param expected what a probe was fitted on
 * @param found what it is to be used with: features, or a model
 * @param where the file that does not fit
 * @param what it does not fit to
 * @throws InputError that says what differs
 */
export function assertSameOrigin(expected: Metadata, found: Metadata, where: string, what: string): void {
  const differs = (title: string, wanted: string, got: string): InputError =>
    new InputError(
      `${where}: made with another ${title} than ${what}: the probe was fitted on ${wanted}, found ${got}`,
    );
  const both = (key: string): boolean => expected[key] !== undefined && found[key] !== undefined;
  const identity = both("model_sha256") ? "model_sha256" : "model";
  if (both(identity) && expected[identity] !== found[identity]) {
    const named = (of: Metadata): string =>
      `${of["model"] ?? "a model"}${of["model_sha256"] === undefined ? "" : ` (${of["model_sha256"].slice(0, 12)})`}`;
    throw differs("model", named(expected), named(found));
  }
  for (const [key, title] of comparedKeys) {
    const defaults = key === "tap" ? "visual" : undefined;
    const [wanted, got] = [expected[key] ?? defaults, found[key] ?? defaults];
    if (wanted !== undefined && got !== undefined && wanted !== got) throw differs(title, wanted, got);
  }
}
