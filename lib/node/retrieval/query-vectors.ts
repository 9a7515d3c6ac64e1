/** The vector of a query: a weighted sum of texts, images, rows and vectors. */
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
import { nodeHost } from "../host.ts";
import { embedImage } from "../images/embed-images.ts";
import type { SearchedIndex } from "./searched-index.ts";

/** A part of a query. Weights below 0 are for what results should not be like. Default: 1. */
export type QueryTerm = { readonly weight?: number } & (
  | { readonly text: string }
  | { readonly image: ImageInput }
  | { readonly id: number }
  | { readonly vector: ArrayLike<number> }
);

/** Loads the model that embeds texts and images; called only if a query has them. */
export type LoadModel = () => Promise<Clip>;

/**
 * The query's vector: the sum of weight · unit vector of each term, of norm 1.
 *
 * @param side the vectors of the index that are searched; those of ids are taken from it
 * @throws InputError for a term that cannot be embedded, a model that did not make the index, and terms that cancel out
 */
export async function queryVector(
  index: SearchedIndex,
  terms: readonly QueryTerm[],
  side: Side,
  loadModel: LoadModel | null,
): Promise<Float32Array> {
  if (terms.length === 0) throw new InputError("query: expected a text, an image, an id or a vector");
  const sum = new Float64Array(index.width);
  for (const term of terms) {
    const { weight = 1 } = term;
    if (!Number.isFinite(weight)) throw new InputError(`query: expected a finite weight, found ${weight}`);
    const vector = await vectorOf(index, term, side, loadModel);
    const norm = Math.hypot(...vector);
    if (!(norm > 0 && norm < Infinity))
      throw new InputError(`query: the vector of ${named(term)} has the norm ${norm}, expected above 0`);
    for (const [i, value] of vector.entries()) sum[i]! += (weight * value) / norm;
  }
  const norm = Math.hypot(...sum);
  if (!(norm > 1e-6)) throw new InputError("query: the terms cancel each other out; change their weights");
  return Float32Array.from(sum, (value) => value / norm);
}

function named(term: QueryTerm): string {
  if ("text" in term) return `the text "${term.text}"`;
  return "id" in term ? `row ${term.id}` : "image" in term ? "the image" : "the query";
}

async function vectorOf(
  index: SearchedIndex,
  term: QueryTerm,
  side: Side,
  loadModel: LoadModel | null,
): Promise<Float32Array> {
  if ("id" in term) return index.readRows([term.id], side);
  if ("vector" in term) {
    if (term.vector.length === index.width) return Float32Array.from(term.vector);
    throw new InputError(
      `query: expected a vector of ${index.width} numbers as in ${index.path}, found ${term.vector.length}`,
    );
  }
  if (loadModel === null) throw new InputError("query: a text or an image needs a model; pass one");
  const model = await loadModel();
  await assertModelOf(index, model);
  const origin = index.origin.image;
  const features =
    "text" in term
      ? model.encodeText([term.text], { normalize: true })
      : embedImage(model, term.image, { ...embeddingOptions(origin), normalize: true });
  return disposing(await features, (tensor) => tensor.data<"float32">());
}

/**
 * Whether a model's queries can be compared with the index, as far as its metadata tell.
 *
 * @throws InputError for another model or width
 */
export async function assertModelOf(index: SearchedIndex, model: Clip): Promise<void> {
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
