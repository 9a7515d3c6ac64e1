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
  /** The label of each row, a whole number: an index into the class names or, without names, any id; null without labels. */
  readonly labels: readonly number[] | null;
  /** The names of the classes; null if they have only numbers. */
  readonly classNames: readonly string[] | null;
  /** The image of each row; null if the file does not record them. */
  readonly paths: readonly string[] | null;
  readonly metadata: Metadata;
}

/** Features with a label for every row and classes numbered from 0: `requireLabels` makes them. */
export interface LabelledFeatures extends Features {
  /** The class of each row, from 0 without gaps. */
  readonly labels: readonly number[];
  /** The original label of each class, in ascending order, if these are not 0, 1, 2, … */
  readonly classIds?: readonly number[];
}

/** @throws InputError if labels and rows, or labels and class names, do not match, or a label is not a whole number */
export function checkLabels({
  name,
  rows,
  labels,
  classNames,
}: Pick<Features, "name" | "rows" | "labels" | "classNames">): void {
  if (labels === null) return;
  if (labels.length !== rows) {
    throw new InputError(
      `${name}: ${labels.length} labels for ${rows} rows of features, expected one for each`,
    );
  }
  const bad = labels.findIndex(
    (label) => !isLabel(label) || (classNames !== null && label >= classNames.length),
  );
  if (bad === -1) return;
  const expected =
    classNames === null
      ? "a whole number from 0 to 2^53 − 1"
      : `0 to ${classNames.length - 1}, for ${classNames.length} class names`;
  throw new InputError(
    `${name}: the label of row ${bad} is ${labels[bad]}, expected ${expected}; correct it or remove the row`,
  );
}

/** Whether a number can be a label: whole, and from 0 to 2^53 − 1. */
export function isLabel(label: number): boolean {
  return Number.isSafeInteger(label) && label >= 0;
}

/**
 * Requires labels, and numbers the classes from 0 without gaps. Labels without class names can be any ids; their order
 * is kept, and `classIds` has the id of each class.
 *
 * @throws InputError if there are no labels, or as `checkLabels`
 */
export function requireLabels(features: Features): LabelledFeatures {
  const { labels } = features;
  if (labels === null) {
    throw new InputError(
      `${features.name}: no labels; embed a folder with a subfolder for each class, or add labels to the file`,
    );
  }
  const labelled = { ...features, labels };
  checkLabels(labelled);
  return features.classNames === null ? { ...labelled, ...numberClasses(labels) } : labelled;
}

function numberClasses(labels: readonly number[]): Pick<LabelledFeatures, "labels" | "classIds"> {
  const ids = [...new Set(labels)].sort((a, b) => a - b);
  if (ids.every((id, c) => id === c)) return { labels };
  const classOf = new Map(ids.map((id, c) => [id, c]));
  return { labels: labels.map((label) => classOf.get(label)!), classIds: ids };
}

/** The number of classes: of the names, or without names the largest label plus 1. */
export function classCount({ labels, classNames }: LabelledFeatures): number {
  return classNames?.length ?? labels.reduce((most, label) => Math.max(most, label), 0) + 1;
}

/** The name of a class in quotes, or its label where it has no name; for messages. */
export function describeClass(
  { classNames, classIds }: Pick<LabelledFeatures, "classNames" | "classIds">,
  c: number,
): string {
  return classNames === null ? `${classIds?.[c] ?? c}` : JSON.stringify(classNames[c]);
}

/** The classes of a probe, or of other features. */
export interface Classes extends Pick<LabelledFeatures, "classNames" | "classIds"> {
  /** Where the classes come from, for messages: "the probe FILE". */
  readonly where: string;
  readonly count: number;
}

/**
 * Renumbers labels to other classes: by name if both have names, else by label. If only the features have names, these
 * are matched with the ids of the classes; without ids, the order of the classes is taken to be the same.
 *
 * @throws InputError for a class that is not among the others, or a name that several of them have
 */
export function renumberLabels(features: LabelledFeatures, classes: Classes): LabelledFeatures {
  const { name, labels, classNames, classIds } = features;
  const { where, count } = classes;
  const renumbered = (numbers: (label: number) => number, names = classNames): LabelledFeatures => {
    const rest: { classIds?: unknown } & LabelledFeatures = { ...features };
    delete rest.classIds;
    const ids = classes.classIds === undefined ? {} : { classIds: classes.classIds };
    return { ...rest, labels: labels.map(numbers), classNames: names, ...ids };
  };
  const texts = classes.classNames ?? classes.classIds?.map(String);
  if (classNames !== null && texts !== undefined) {
    if (classNames.length === texts.length && classNames.every((text, c) => text === texts[c])) {
      return renumbered((label) => label, texts);
    }
    const numbers = classNames.map((text) => texts.indexOf(text));
    const unknown = labels.find((label) => numbers[label] === -1);
    if (unknown !== undefined) {
      throw new InputError(
        `${name}: the class ${JSON.stringify(classNames[unknown])} is unknown to ${where}; its classes are these`,
        texts,
      );
    }
    const shared = labels.find((label) => texts.lastIndexOf(classNames[label]!) !== numbers[label]);
    if (shared !== undefined) {
      throw new InputError(
        `${name}: several classes of ${where} have the name ${JSON.stringify(classNames[shared])}; ` +
          "give them different names, or number the classes of both in the same order",
      );
    }
    return renumbered((label) => numbers[label]!, texts);
  }
  const known = classes.classIds && new Map(classes.classIds.map((id, c) => [id, c]));
  const numberOf = (label: number): number => {
    const id = classIds?.[label] ?? label;
    return known === undefined ? id : (known.get(id) ?? -1);
  };
  const beyond = labels.findIndex((label) => numberOf(label) === -1 || numberOf(label) >= count);
  if (beyond === -1) return renumbered(numberOf);
  const found = classIds?.[labels[beyond]!] ?? labels[beyond];
  throw new InputError(
    `${name}: the label of row ${beyond} is ${found}, but ${where} has ${count} classes` +
      (known === undefined ? "" : " and this label is not among them"),
  );
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
  const metadata = { ...features.metadata, normalized: "true" };
  return { ...features, values: normalizedValues(features), metadata };
}

/** The values of rows divided by their L2 norms. */
export function normalizedValues({ values, rows, width }: Rows): Float32Array {
  const normalized = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += values[i]! * values[i]!;
    const norm = Math.max(Math.sqrt(squares), 1e-12);
    for (let i = row * width; i < (row + 1) * width; i++) normalized[i] = values[i]! / norm;
  }
  return normalized;
}
