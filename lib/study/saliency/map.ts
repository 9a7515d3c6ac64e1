/** Maps of an image: one number for each pixel or patch. */
import type { Raster } from "../../draw/raster.ts";
import { diverging, heat } from "../../draw/raster.ts";
import { scaleOf, signedScaleOf, type Scale } from "../../draw/scale.ts";
import { overlay } from "../attention.ts";
import { withLegend } from "../legend.ts";

/** A saliency map. */
export interface SaliencyMap {
  readonly rows: number;
  readonly columns: number;
  /** Row by row. */
  readonly values: Float32Array;
  /** What the numbers are, with their unit: "drop of the cosine similarity". */
  readonly quantity: string;
  /** Whether numbers below 0 speak against the answer. */
  readonly isSigned: boolean;
}

/** The sum of a map's numbers in each cell of a coarser grid. */
export function pooled(map: SaliencyMap, [down, across]: readonly [number, number]): SaliencyMap {
  const { rows, columns, values } = map;
  const sums = new Float32Array(down * across);
  for (const [i, value] of values.entries()) {
    const y = Math.floor((Math.floor(i / columns) * down) / rows);
    const x = Math.floor(((i % columns) * across) / columns);
    sums[y * across + x]! += value;
  }
  return { ...map, rows: down, columns: across, values: sums };
}

/** The image in gray under a map, with a legend. @param scale default: from the map's numbers, around 0 if it is signed */
export function drawMap(image: Raster, map: SaliencyMap, scale?: Scale): Raster {
  const { values, rows, columns, quantity, isSigned } = map;
  const color = isSigned ? diverging : heat;
  const shown = scale ?? (isSigned ? signedScaleOf(values) : scaleOf(values));
  return withLegend(overlay(image, values, [rows, columns], shown, { color }), {
    quantity,
    scale: shown,
    color,
  });
}
