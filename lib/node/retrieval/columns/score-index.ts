/** New columns of an index: similarities to a query, probabilities of labels, the classes of a probe. */
import { createHash } from "node:crypto";
import { getBackend, tensor2d } from "@tensorflow/tfjs-core";
import { InputError } from "../../../errors/input-error.ts";
import { rowsPerBlock } from "../../../features/row-blocks.ts";
import { softmaxRows } from "../../../probe/logits.ts";
import { encodeProbe } from "../../../probe/probe-file.ts";
import type { Probe } from "../../../probe/probe.ts";
import type { ColumnInfo, MetadataRow } from "../../../retrieval/columns.ts";
import type { Side } from "../../../retrieval/layout.ts";
import { zeroShotClassifier } from "../../../tasks/zero-shot.ts";
import { disposing } from "../../../tensor/disposing.ts";
import { assertModelOf, queryVector, type LoadModel, type QueryTerm } from "../query-vectors.ts";
import type { ComputedIndex, IndexPartition } from "../searched-index.ts";
import { rowBlocks } from "../vector-file.ts";
import { describeTerms } from "./describe-terms.ts";
import {
  whileComputing,
  writeColumnSet,
  type ColumnSetReport,
  type NewColumnSet,
} from "./write-column-set.ts";

/** What the rows of an index are scored by. */
export type ScoredBy =
  /** One column: the similarity that a query of these terms gives. */
  | { readonly terms: readonly QueryTerm[] }
  /** The most probable label, and the probability of each label as of `zeroShotClassifier`. */
  | { readonly labels: readonly string[]; readonly templates?: readonly string[] }
  /** The most probable class of a probe, and the probability of each class. */
  | { readonly probe: Probe }
  /** One column: the similarity of each row's image and caption. */
  | { readonly captions: true };

/** Options of `OpenedIndex.score`. */
export interface ScoreOptions {
  /** Embeds texts and images. */
  readonly model?: LoadModel;
  /** The vectors that are scored: of images (default) or of captions. */
  readonly side?: Side;
  /** Of labels and classes: the best one and its probability only, not a column each. */
  readonly onlyBest?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Scores of consecutive rows. */
interface Scorer extends Pick<NewColumnSet, "columns" | "description" | "settings" | "backend"> {
  /** Rows of a block, at most. */
  readonly blockRows: number;
  /** @param values [rows, width] */
  readonly score: (values: Float32Array) => MetadataRow[] | Promise<MetadataRow[]>;
  readonly dispose: () => void;
}

const defaultBlockRows = 4096;

/** Columns of a set, at most: a row of more takes longer to decode than a result may take. */
const mostColumns = 500;

/**
 * Writes a set of columns. The same call again continues, or adds the rows that the index got since.
 *
 * Probabilities are computed on the current backend, similarities in float64.
 *
 * @param name of the first column
 * @throws InputError for a name that is taken, and if rows cannot be scored so
 */
export async function scoreIndex(
  index: ComputedIndex,
  name: string,
  by: ScoredBy,
  options: ScoreOptions = {},
): Promise<ColumnSetReport> {
  const { side = "image", onProgress = () => undefined } = options;
  return whileComputing(index, async () => {
    if ("captions" in by) return scoreCaptions(index, name, onProgress);
    if (!index.has(side)) throw new InputError(`${index.path}: has no vectors of ${side}s`);
    const scorer = await scorerOf(index, name, by, options);
    try {
      const set = { ...scorer, name, settings: [side, ...scorer.settings] };
      return await writeColumnSet(index, set, (partition) => scoredRows(partition, side, scorer), onProgress);
    } finally {
      scorer.dispose();
    }
  });
}

async function scorerOf(
  index: ComputedIndex,
  name: string,
  by: Exclude<ScoredBy, { readonly captions: true }>,
  { model, side = "image", onlyBest = false }: ScoreOptions,
): Promise<Scorer> {
  if ("probe" in by) return probeScorer(index, name, by.probe, side, onlyBest);
  const load: LoadModel | null =
    model === undefined
      ? null
      : async () => {
          const clip = await model();
          await assertModelOf(index, clip);
          return clip;
        };
  if ("terms" in by) {
    const vector = await queryVector(index, by.terms, side, load);
    return similarityScorer(name, vector, describeTerms(by.terms));
  }
  if (load === null) throw new InputError("score: labels need a model; pass one");
  return labelScorer(name, await load(), by.labels, by.templates ?? ["{}"], onlyBest);
}

function similarityScorer(name: string, vector: Float32Array, description: string): Scorer {
  const width = vector.length;
  return {
    columns: [{ name, type: "number" }],
    description,
    settings: ["similarity", digestOf(vector)],
    backend: "none",
    blockRows: defaultBlockRows,
    score: (values) =>
      Array.from({ length: values.length / width }, (_, row) => ({
        [name]: isEmpty(values, row, width) ? null : similarityAt(values, row, vector),
      })),
    dispose: () => undefined,
  };
}

/** As queries compute it: the conditions `name >= s` and a query with `min` s agree. */
function similarityAt(values: Float32Array, row: number, vector: Float32Array): number {
  let sum = 0;
  for (let i = 0, at = row * vector.length; i < vector.length; i++) sum += values[at + i]! * vector[i]!;
  return sum;
}

/** Whether a row is of a caption that is missing. */
function isEmpty(values: Float32Array, row: number, width: number): boolean {
  for (let i = row * width; i < (row + 1) * width; i++) if (values[i] !== 0) return false;
  return true;
}

async function labelScorer(
  name: string,
  clip: Awaited<ReturnType<LoadModel>>,
  labels: readonly string[],
  templates: readonly string[],
  onlyBest: boolean,
): Promise<Scorer> {
  const columns = classColumns(name, labels, onlyBest);
  const classifier = await zeroShotClassifier(clip, labels, templates);
  const [width] = classifier.weight.shape;
  const weight = await classifier.weight.data<"float32">();
  return {
    columns,
    description: `probabilities of ${labels.length} labels`,
    settings: ["labels", JSON.stringify(labels), digestOf(weight), getBackend()],
    backend: getBackend(),
    blockRows: rowsPerBlock(width, labels.length),
    score: async (values) => {
      const x = tensor2d(values.slice(), [values.length / width, width]);
      const logits = await disposing(x, () => classifier.logits(x));
      const probabilities = softmaxRows(
        await disposing(logits, (tensor) => tensor.data<"float32">()),
        labels.length,
      );
      return classRows(probabilities, labels, columns, values, width);
    },
    dispose: () => {
      classifier.dispose();
    },
  };
}

function probeScorer(
  { path, width, origin }: ComputedIndex,
  name: string,
  probe: Probe,
  side: Side,
  onlyBest: boolean,
): Scorer {
  // As every vector of an index is.
  const metadata = { ...origin[side], normalized: "true" };
  probe.accept({ width, name: path, metadata });
  const columns = classColumns(name, probe.classNames, onlyBest);
  return {
    columns,
    description: `probabilities of the probe ${probe.name}`,
    settings: ["probe", createHash("sha256").update(encodeProbe(probe)).digest("hex"), getBackend()],
    backend: getBackend(),
    blockRows: rowsPerBlock(width, probe.classNames.length),
    score: (values) => {
      const classes = probe.classNames.length;
      const rows = values.length / width;
      const probabilities = new Float32Array(rows * classes);
      for (const { start, logits } of probe.blocks({ values, rows, width, metadata }))
        probabilities.set(softmaxRows(logits, classes), start * classes);
      return classRows(probabilities, probe.classNames, columns, values, width);
    },
    dispose: () => undefined,
  };
}

/** @throws InputError for more columns than a set can have, or two of the same name */
function classColumns(name: string, classes: readonly string[], onlyBest: boolean): ColumnInfo[] {
  const best: ColumnInfo = { name, type: "text" };
  if (onlyBest) return [best, { name: `${name}.probability`, type: "number" }];
  if (classes.length >= mostColumns)
    throw new InputError(
      `score: expected at most ${mostColumns - 1} classes with a column each, found ${classes.length}; keep the best one only (--only-best)`,
    );
  const double = classes.find((label, i) => classes.indexOf(label) !== i);
  if (double !== undefined) throw new InputError(`score: two classes are called ${JSON.stringify(double)}`);
  return [best, ...classes.map((label): ColumnInfo => ({ name: `${name}.${label}`, type: "number" }))];
}

function classRows(
  probabilities: Float32Array,
  classes: readonly string[],
  [best, ...others]: readonly ColumnInfo[],
  values: Float32Array,
  width: number,
): MetadataRow[] {
  const count = classes.length;
  return Array.from({ length: probabilities.length / count }, (_, row) => {
    if (isEmpty(values, row, width)) return {};
    const of = probabilities.subarray(row * count, (row + 1) * count);
    let top = 0;
    for (let c = 1; c < count; c++) if (of[c]! > of[top]!) top = c;
    const scores =
      others.length === count ? others.map(({ name }, c) => [name, of[c]!]) : [[others[0]!.name, of[top]!]];
    return { [best!.name]: classes[top]!, ...(Object.fromEntries(scores) as MetadataRow) };
  });
}

async function* scoredRows(
  partition: IndexPartition,
  side: Side,
  { blockRows, score }: Scorer,
): AsyncGenerator<MetadataRow[], void, undefined> {
  const vectors = partition[side];
  if (vectors === null) {
    yield Array.from({ length: partition.rows }, () => ({}));
    return;
  }
  for await (const { start, values } of rowBlocks(vectors, blockRows)) {
    assertFinite(values, vectors.width, vectors.path, start);
    yield await score(values);
  }
}

/** @throws InputError for vectors that have no similarity to anything */
function assertFinite(values: Float32Array, width: number, path: string, start: number): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad === -1) return;
  const row = start + Math.floor(bad / width);
  throw new InputError(`${path}: row ${row} has numbers that are not finite; embed these images again`);
}

async function scoreCaptions(
  index: ComputedIndex,
  name: string,
  onProgress: (done: number, total: number) => void,
): Promise<ColumnSetReport> {
  if (!index.has("image") || !index.has("text"))
    throw new InputError(
      `${index.path}: expected vectors of images and captions; build the index with --captions`,
    );
  const set: NewColumnSet = {
    name,
    columns: [{ name, type: "number" }],
    description: "similarity of image and caption",
    settings: ["captions"],
    backend: "none",
  };
  return writeColumnSet(index, set, (partition) => captionRows(partition, name), onProgress);
}

async function* captionRows(
  { image, text, rows }: IndexPartition,
  name: string,
): AsyncGenerator<MetadataRow[], void, undefined> {
  if (image === null || text === null) {
    yield Array.from({ length: rows }, () => ({}));
    return;
  }
  const texts = rowBlocks(text, defaultBlockRows);
  for await (const { start, values } of rowBlocks(image, defaultBlockRows)) {
    const { value: block } = await texts.next();
    const captions = block!.values;
    assertFinite(values, image.width, image.path, start);
    assertFinite(captions, text.width, text.path, start);
    yield Array.from({ length: values.length / image.width }, (_, row) => {
      if (isEmpty(captions, row, text.width)) return {};
      const caption = captions.subarray(row * text.width, (row + 1) * text.width);
      return { [name]: similarityAt(values, row, caption) };
    });
  }
}

function digestOf(values: Float32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
}
