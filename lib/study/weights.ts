/**
 * Figures of weights: the image tower's patch filters and position embeddings, as in figure 7 of the ViT paper
 * (arXiv 2010.11929), the circuits of its heads, and the distribution of any tensor.
 */
import { concat, matMul, mul, reshape, slice, sqrt, sum, transpose } from "@tensorflow/tfjs-core";
import type { Rank, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import type { VisionTransformer } from "../clip/vision/vision-transformer.ts";
import { grid, heatMap, Raster } from "../draw/raster.ts";
import { scaleOf, signedScaleOf, type Scale } from "../draw/scale.ts";
import { InputError } from "../errors/input-error.ts";
import { withWeights } from "../nn/tower.ts";
import { bytesPerElement, toNumbers } from "../tensor/dtype.ts";
import { tensorStatistics } from "../tensor/statistics.ts";
import { tensorInfo, type TensorStore } from "../tensor/store.ts";
import { pass } from "../tensor/taps.ts";
import type { Weight } from "../tensor/weight.ts";
import { withLegend } from "./legend.ts";
import { histogramBins } from "../trace/tap-summary.ts";
import { cosines } from "./stream.ts";

/** Options of charts with many maps. */
export interface ScaleOptions {
  /** Whether all maps have the same scale. Default: each has its own. */
  readonly absoluteScale?: boolean;
}

/** Options of the patch filters. */
export interface FilterOptions extends ScaleOptions {
  /** The number of filters, arranged in a square. Default: 64. */
  readonly count?: number;
}

/** The filters of the patch embedding with the largest norms, each the size of a patch, with a legend. Gray is zero. */
export async function patchFilters(visual: VisionTransformer, options: FilterOptions = {}): Promise<Raster> {
  const { raster, scale } = await filterSheet(visual, options);
  return withLegend(raster, {
    quantity: "weight of each colour channel; gray is 0",
    scale,
    ends: ["-largest", "largest"],
    color: (value) => [255 * value, 255 * value, 255 * value],
  });
}

/** As `patchFilters`, without the legend; with the scale of all filters, null if each has its own. */
export async function filterSheet(
  { conv1 }: VisionTransformer,
  { absoluteScale = false, count = 64 }: FilterOptions = {},
): Promise<{ readonly raster: Raster; readonly scale: Scale | null }> {
  const { weight } = conv1;
  const [width, , rows, columns] = weight.shape;
  const values = await valuesOf(weight); // [rows, columns, 3, width]
  const all = Array.from({ length: width }, (_, filter) => {
    const ofFilter = Float32Array.from({ length: rows * columns * 3 }, (_, i) => values[i * width + filter]!);
    return { ofFilter, norm: Math.hypot(...ofFilter) };
  });
  all.sort((a, b) => b.norm - a.norm);
  const filters = all.slice(0, count).map(({ ofFilter }) => ofFilter);
  const shared = signedScaleOf(...filters);
  const drawn = filters.map((filter) => {
    const { high } = absoluteScale ? shared : signedScaleOf(filter);
    const raster = new Raster(columns, rows);
    for (const [i, value] of filter.entries()) raster.rgb[i] = 127.5 + 127.5 * (value / high);
    return raster.enlarged(3);
  });
  const raster = grid(drawn, Math.ceil(Math.sqrt(drawn.length)));
  return { raster, scale: absoluteScale ? shared : null };
}

/**
 * For each patch's position, a map of the cosine similarity of its embedding with those of all positions.
 *
 * @param gridSize rows and columns of patches
 */
export async function positionSimilarity(
  visual: VisionTransformer,
  gridSize: readonly [number, number],
  { absoluteScale = false }: ScaleOptions = {},
): Promise<Raster> {
  const { count, values } = await positionCosines(visual);
  const [, columns] = gridSize;
  const whole = { low: -1, high: 1 };
  const maps = Array.from({ length: count }, (_, i) => {
    const map = values.subarray(i * count, (i + 1) * count);
    const scale = absoluteScale ? whole : scaleOf(map);
    return heatMap(map, gridSize, scale).enlarged(Math.max(1, Math.round(64 / columns)));
  });
  return withLegend(grid(maps, columns), {
    quantity: "cosine similarity of position embeddings; a map for each position",
    scale: absoluteScale ? whole : null,
  });
}

/**
 * The cosine similarity of each patch's position embedding with each other's. The class token's is left out: it has no
 * place in the image.
 *
 * @returns [count · count], row by row
 */
export async function positionCosines({
  positionalEmbedding,
}: VisionTransformer): Promise<{ readonly count: number; readonly values: Float32Array }> {
  const [length, width] = positionalEmbedding.shape;
  const embeddings = await valuesOf(positionalEmbedding); // [1 + patches, width]
  const count = length - 1;
  return { count, values: cosines(embeddings.subarray(width), count, width) };
}

/** The sizes of a head's two circuits, as Frobenius norms. */
export interface HeadNorms {
  /** ‖W_Q · W_Kᵀ‖ / √headWidth: how strongly tokens are compared. [heads] */
  readonly queryKey: Float32Array;
  /** ‖W_V · W_O‖: how strongly what is read is written. [heads] */
  readonly valueOutput: Float32Array;
}

/**
 * The norms of the QK and OV circuits of each head of one block of the image tower. Biases and the norm before the block
 * are left out. A head with a small OV circuit can attend to whatever it likes without effect.
 *
 * Paper: Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021.
 * @throws InputError for a block that the tower does not have
 */
export async function headNorms(visual: VisionTransformer, layer: number): Promise<HeadNorms> {
  const block = visual.blocks[layer];
  if (block === undefined) {
    throw new InputError(`layer ${layer}: the image tower has the layers 0 to ${visual.blocks.length - 1}`);
  }
  const { inProjWeight, outProjWeight, heads } = block.attn;
  const compute = (): Tensor1D => {
    const [width, headWidth] = [block.width, block.width / heads];
    const part = (i: number): Tensor3D =>
      headsOf(slice(inProjWeight.tensor, [0, i * width], [width, width]), heads);
    const output: Tensor3D = reshape(outProjWeight.tensor, [heads, headWidth, width]); // W_O of each head
    const queryKey = mul<Tensor1D>(productNorms(part(0), part(1)), headWidth ** -0.5);
    return concat<Tensor1D>([queryKey, productNorms(part(2), transpose(output, [0, 2, 1]))]);
  };
  const norms = await pass(() => withWeights([inProjWeight, outProjWeight], compute));
  const values = Float32Array.from(await norms.data<"float32">());
  norms.dispose();
  return { queryKey: values.slice(0, heads), valueOutput: values.slice(heads) };
}
/** The columns of each head. [width, heads · headWidth] → [heads, width, headWidth] */
function headsOf(weight: Tensor2D, heads: number): Tensor3D {
  const [width, columns] = weight.shape;
  return transpose(reshape(weight, [width, heads, columns / heads]), [1, 0, 2]);
}

/** ‖A · Bᵀ‖ of each head, by ‖A · Bᵀ‖² = Σ (AᵀA) ⊙ (BᵀB), without the large product. @param a [heads, width, headWidth] */
function productNorms(a: Tensor3D, b: Tensor3D): Tensor1D {
  const gram = (x: Tensor3D): Tensor3D => matMul(x, x, true, false); // [heads, headWidth, headWidth]
  return sqrt(sum(mul(gram(a), gram(b)), [1, 2]));
}

/** Counts of numbers in intervals of equal width. */
export interface Histogram {
  /** Where the first interval begins: the smallest finite number. */
  readonly min: number;
  /** Where the last interval ends: the largest finite number. */
  readonly max: number;
  readonly counts: Float32Array;
}

/**
 * A histogram of a tensor in a store, of 64 intervals, read in chunks. Numbers that are not finite are left out.
 *
 * @returns null for dtypes without numbers in JavaScript (complex, 8-bit floats), and if no number is finite
 */
export async function tensorHistogram(store: TensorStore, name: string): Promise<Histogram | null> {
  const range = await tensorStatistics(store, name);
  if (range?.min == null || range.max === null) return null;
  const { min, max } = range;
  const { dtype, size } = tensorInfo(store, name);
  const counts = new Float32Array(histogramBins);
  const chunk = chunkElements * bytesPerElement[dtype];
  for (let at = 0; at < size; at += chunk) {
    const numbers = toNumbers(dtype, await store.read(name, at, Math.min(chunk, size - at)))!;
    for (let i = 0; i < numbers.length; i++) {
      const value = numbers[i]!;
      if (!Number.isFinite(value)) continue;
      const interval = max > min ? Math.floor(((value - min) / (max - min)) * histogramBins) : 0;
      counts[Math.min(interval, histogramBins - 1)]!++;
    }
  }
  return { min, max, counts };
}

/** Elements that are in memory at once. */
const chunkElements = 1024 * 1024;

/** As loaded, permuted by the weight's layout. */
async function valuesOf<R extends Rank>(weight: Weight<R>): Promise<Float32Array> {
  try {
    await weight.load();
    return await weight.tensor.data<"float32">();
  } finally {
    weight.release();
  }
}
