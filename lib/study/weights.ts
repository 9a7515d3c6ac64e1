/** Figures of the image tower's first weights, as in figure 7 of the ViT paper (arXiv 2010.11929). */
import type { Rank } from "@tensorflow/tfjs-core";
import type { VisionTransformer } from "../clip/vision/vision-transformer.ts";
import type { Weight } from "../tensor/weight.ts";
import { grid, heatMap, Raster } from "../draw/raster.ts";

/**
 * The filters of the patch embedding with the largest norms, each the size of a patch. Gray is zero.
 *
 * @param count the number of filters, arranged in a square
 */
export async function patchFilters({ conv1 }: VisionTransformer, count = 64): Promise<Raster> {
  const { weight } = conv1;
  const [width, , rows, columns] = weight.shape;
  const values = await valuesOf(weight); // [rows, columns, 3, width]
  const filters = Array.from({ length: width }, (_, filter) => {
    const ofFilter = Float32Array.from({ length: rows * columns * 3 }, (_, i) => values[i * width + filter]!);
    return { ofFilter, norm: Math.hypot(...ofFilter) };
  });
  filters.sort((a, b) => b.norm - a.norm);
  const pictures = filters.slice(0, count).map(({ ofFilter }) => {
    const largest = ofFilter.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const raster = new Raster(columns, rows);
    for (const [i, value] of ofFilter.entries()) raster.rgb[i] = 127.5 + 127.5 * (value / largest);
    return raster.enlarged(3);
  });
  return grid(pictures, Math.ceil(Math.sqrt(pictures.length)));
}

/**
 * For each patch's position, a map of the cosine similarity of its embedding with those of all positions.
 *
 * @param gridSize rows and columns of patches
 */
export async function positionSimilarity(
  { positionalEmbedding }: VisionTransformer,
  [rows, columns]: readonly [number, number],
): Promise<Raster> {
  const [length, width] = positionalEmbedding.shape;
  const values = await valuesOf(positionalEmbedding); // [1 + patches, width]
  // Row 0 belongs to the class token, which has no place in the image.
  const vectors = Array.from({ length: length - 1 }, (_, i) =>
    values.slice((i + 1) * width, (i + 2) * width),
  );
  const norms = vectors.map((vector) => Math.hypot(...vector));
  const maps = vectors.map((a, i) => {
    const cosines = vectors.map((b, j) => dot(a, b) / (norms[i]! * norms[j]!));
    return heatMap(cosines, rows, columns).enlarged(Math.max(1, Math.round(64 / columns)));
  });
  return grid(maps, columns);
}

/** As loaded, permuted by the weight's layout. */
async function valuesOf<R extends Rank>(weight: Weight<R>): Promise<Float32Array> {
  try {
    await weight.load();
    return await weight.tensor.data<"float32">();
  } finally {
    weight.release();
  }
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
