/** What is stored in the model: patch filters, position embeddings, the circuits of heads, and any tensor's distribution. */
import { InputError } from "../../errors/input-error.ts";
import {
  headNorms,
  filterSheet,
  positionCosines,
  tensorHistogram,
  type HeadNorms,
  type Histogram,
} from "../../study/weights.ts";
import { tensorStatistics, type TensorStatistics } from "../../tensor/statistics.ts";
import type { Answer } from "../answer.ts";
import type { RgbImage } from "../results.ts";

/** A tensor of the model's file. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface Weights {
  /** In the order of the state dict. */
  readonly tensors: readonly StoredTensor[];
  /** The filters of the patch embedding with the largest norms. */
  readonly filters: RgbImage;
  /** The weight that is drawn brightest, if all filters have one scale. */
  readonly largest: number | null;
  /** The cosine of each position's embedding with each other's: [patches · patches]. */
  readonly positions: Float32Array;
}

export const weights: Answer<{ readonly absoluteScale: boolean }, Weights> = async (
  { model },
  { absoluteScale },
) => {
  const { raster, scale } = await filterSheet(model.visual, { absoluteScale });
  const { width, height, rgb } = raster;
  return {
    tensors: [...model.weights.store.tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    filters: { width, height, rgb: Uint8ClampedArray.from(rgb) },
    largest: scale?.high ?? null,
    positions: (await positionCosines(model.visual)).values,
  };
};

/** The norms of the circuits of all heads of the image tower, one a layer. */
export const circuits: Answer<Readonly<Record<string, never>>, HeadNorms[]> = async (
  { model: { visual, weights } },
  _,
  { signal, progress },
) => {
  weights.assertFloat32("the norms of a head's circuits");
  const all: HeadNorms[] = [];
  for (const layer of visual.blocks.keys()) {
    signal.throwIfAborted();
    all.push(await headNorms(visual, layer));
    progress(all.length, visual.blocks.length);
  }
  return all;
};

export interface TensorFigures {
  readonly statistics: TensorStatistics;
  /** Null for dtypes without numbers. */
  readonly histogram: Histogram | null;
}

/** @throws InputError for a tensor that the model does not have, or without numbers */
export const tensor: Answer<{ readonly name: string }, TensorFigures> = async ({ model }, { name }) => {
  const { store } = model.weights;
  const statistics = await tensorStatistics(store, name);
  if (statistics === null) throw new InputError(`${name}: its dtype has no numbers to show`);
  return { statistics, histogram: await tensorHistogram(store, name) };
};
