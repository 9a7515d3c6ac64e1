/** Features: rows of numbers, one for each image or text, with labels and metadata. */
import { InputError } from "../errors/input-error.ts";

/** The metadata of features and probes; see features-file.ts for the keys. */
export type Metadata = Readonly<Record<string, string>>;

/** A matrix of float32 values. */
export interface Rows {
  /** [rows, width] in row-major order */
  readonly values: Float32Array;
  readonly rows: number;
  readonly width: number;
}

/** The content of a features file. */
export interface Features extends Rows {
  /** The file's path, for messages. */
  readonly name: string;
  /** The class of each row, from 0; null without labels. */
  readonly labels: readonly number[] | null;
  /** The names of the classes; null if they have only numbers. */
  readonly classNames: readonly string[] | null;
  /** The image of each row; null if the file does not record them. */
  readonly paths: readonly string[] | null;
  readonly metadata: Metadata;
}

/** Features with a label for every row. */
export interface LabelledFeatures extends Features {
  readonly labels: readonly number[];
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
  const expected =
    classNames === null ? "0 or more" : `0 to ${classNames.length - 1}, for ${classNames.length} class names`;
  throw new InputError(`${name}: the label of row ${bad} is ${labels[bad]}, expected ${expected}`);
}

/** @throws InputError if the features have no labels */
export function requireLabels(features: Features): LabelledFeatures {
  const { labels } = features;
  if (labels === null) {
    throw new InputError(
      `${features.name}: no labels; embed a folder with a subfolder for each class, or add labels to the file`,
    );
  }
  return { ...features, labels };
}

/** The number of classes: of the names, or without names the largest label plus 1. */
export function classCount({ labels, classNames }: LabelledFeatures): number {
  return classNames?.length ?? labels.reduce((most, label) => Math.max(most, label), 0) + 1;
}

/** Some of the rows, in the order of `indices`. */
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

/** The rows of both; class names and metadata of the first. */
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

/** Divides each row by its L2 norm; rows of zeros stay zero. */
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
