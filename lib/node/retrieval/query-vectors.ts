/** The vector of a query: a weighted sum of texts, images, rows and vectors. */
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import type { Metadata } from "../../features/features.ts";
import {
  assertSameOrigin,
  describeImageFeatures,
  describeTextFeatures,
  embeddingOptions,
} from "../../features/origin.ts";
import type { Side } from "../../retrieval/layout.ts";
import { embeddingTap } from "../../tasks/embed-images.ts";
import { textTap } from "../../tasks/embed-texts.ts";
import type { ImageInput } from "../../tasks/image-source.ts";
import { disposing } from "../../tensor/disposing.ts";
import { clean } from "../../text/clean/clean.ts";
import { nodeHost } from "../host.ts";
import { embedImages } from "../images/embed-images.ts";
import type { SearchedIndex } from "./searched-index.ts";

/**
 * A part of a query: a text in any language of the model, an image, the id of a row, or a vector of the index's width.
 * Weights below 0 are for what results should not be like. Default: 1.
 */
export type QueryTerm = { readonly weight?: number } & (
  | { readonly text: string }
  | { readonly image: ImageInput }
  | { readonly id: number }
  | { readonly vector: ArrayLike<number> }
);

/** Loads the model that embeds texts and images; called only if a query has them. */
export type LoadModel = () => Promise<Clip>;

/** What is needed of an index to embed a query for it. */
export type EmbeddedIndex = Pick<SearchedIndex, "path" | "width" | "origin" | "deleted" | "readRows">;

/** @throws InputError for an empty list, a blank text, or a weight that is not finite */
export function assertTerms(terms: readonly QueryTerm[]): void {
  if (terms.length === 0) throw new InputError("query: expected a text, an image, an id or a vector");
  for (const term of terms) {
    const { weight = 1 } = term;
    if (!Number.isFinite(weight)) throw new InputError(`query: expected a finite weight, found ${weight}`);
    if ("text" in term && clean(term.text) === "")
      throw new InputError("query: expected a text, found a blank one");
  }
}

/**
 * The query's vector: the sum of weight · unit vector of each term, of norm 1.
 *
 * @param side the vectors of the index that are searched; those of ids are taken from it
 * @returns [width]
 * @throws InputError for a term that cannot be embedded, the id of a deleted row, and terms that cancel out
 */
export async function queryVector(
  index: EmbeddedIndex,
  terms: readonly QueryTerm[],
  side: Side,
  loadModel: LoadModel | null,
): Promise<Float32Array> {
  assertTerms(terms);
  const vectors = await vectorsOf(index, terms, side, loadModel);
  // Relative, so that the unit of the weights does not matter, nor their squares overflow.
  const largest = terms.reduce((most, { weight = 1 }) => Math.max(most, Math.abs(weight)), 0);
  const sum = new Float64Array(index.width);
  for (const [at, term] of terms.entries()) {
    const vector = vectors[at]!;
    const norm = normOf(vector);
    if (!(norm > 0 && norm < Infinity))
      throw new InputError(
        `query: the vector of ${named(term)} has the norm ${norm}, expected a finite one above 0`,
      );
    const factor = largest === 0 ? 0 : (term.weight ?? 1) / largest / norm;
    for (const [i, value] of vector.entries()) sum[i]! += factor * value;
  }
  const norm = normOf(sum);
  if (!(norm > leastNorm))
    throw new InputError("query: the terms cancel each other out; change their weights");
  return Float32Array.from(sum, (value) => value / norm);
}

/** What float32 leaves of terms that cancel each other out is about as large. */
const leastNorm = 1e-6;

function normOf(vector: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i]! * vector[i]!;
  return Math.sqrt(squares);
}

function named(term: QueryTerm): string {
  if ("text" in term) return `the text "${term.text}"`;
  return "id" in term ? `row ${term.id}` : "image" in term ? "the image" : "the query";
}

/** The vectors of the terms, in their order. All texts are one batch, and so are all images. */
async function vectorsOf(
  index: EmbeddedIndex,
  terms: readonly QueryTerm[],
  side: Side,
  loadModel: LoadModel | null,
): Promise<Float32Array[]> {
  const texts = terms.flatMap((term) => ("text" in term ? [term.text] : []));
  const images = terms.flatMap((term) => ("image" in term ? [term.image] : []));
  // First what needs no model.
  const known = await Promise.all(terms.map((term) => knownVector(index, term, side)));
  if (texts.length + images.length === 0) return known.map((vector) => vector!);
  if (loadModel === null) throw new InputError("query: a text or an image needs a model; pass one");
  const model = await loadModel();
  const ofTexts = texts.length === 0 ? [] : await embedTexts(model, texts);
  const ofImages = images.length === 0 ? [] : await embedAll(model, images, index.origin.image);
  return terms.map((term, at) => known[at] ?? ("text" in term ? ofTexts : ofImages).shift()!);
}

/** The vector of a row, or one that is given; null for others. */
async function knownVector(index: EmbeddedIndex, term: QueryTerm, side: Side): Promise<Float32Array | null> {
  if ("id" in term) {
    const vector = await index.readRows([term.id], side);
    if (!index.deleted.has(term.id)) return vector;
    throw new InputError(`query: row ${term.id} of ${index.path} is deleted; choose another one`);
  }
  if (!("vector" in term)) return null;
  if (term.vector.length === index.width) return Float32Array.from(term.vector);
  throw new InputError(
    `query: expected a vector of ${index.width} numbers as in ${index.path}, found ${term.vector.length}`,
  );
}

async function embedTexts(model: Clip, texts: readonly string[]): Promise<Float32Array[]> {
  return rowsOf(await model.encodeText(texts, { normalize: true }));
}

async function embedAll(
  model: Clip,
  images: readonly ImageInput[],
  origin: Metadata,
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  const options = { ...embeddingOptions(origin), normalize: true, workers: Math.min(images.length, 2) };
  for await (const { features } of embedImages(model, images, options))
    rows.push(...(await rowsOf(features)));
  return rows;
}

/** @param features [rows, width], disposed here */
async function rowsOf(features: Tensor2D): Promise<Float32Array[]> {
  const [rows, width] = features.shape;
  const values = await disposing(features, (tensor) => tensor.data<"float32">());
  return Array.from({ length: rows }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

/**
 * Whether a model's queries can be compared with the index, as far as its metadata tell.
 *
 * @throws InputError for another model or width
 */
export async function assertModelOf(index: EmbeddedIndex, model: Clip): Promise<void> {
  const { embedDim } = model.config;
  if (embedDim !== index.width) {
    throw new InputError(
      `${index.path}: expected a model with embeddings of ${index.width} numbers, found ${embedDim}; choose it with --model`,
    );
  }
  const compare = async (of: Metadata, describe: () => Promise<Metadata[]>): Promise<void> => {
    if (Object.keys(of).length === 0) return;
    // Vectors of norm 1 and others have the same directions.
    const [current] = await describe();
    const compared = Object.entries(current!).filter(([key]) => key !== "normalized");
    assertSameOrigin(Object.fromEntries(compared), of, index.path, "the model in use");
  };
  const { image, text } = index.origin;
  await compare(image, () => describeImageFeatures(nodeHost, model, [embeddingTap], embeddingOptions(image)));
  await compare(text, () => describeTextFeatures(nodeHost, model, [textTap], { normalize: true }));
}
