/** Maps as they are drawn on the page, for files. */
import { Raster } from "../../lib/draw/raster.ts";
import { overlay } from "../../lib/study/attention.ts";
import { enlargedToShow } from "../../lib/study/pixels-raster.ts";
import type { RgbImage } from "../../lib/studio/results.ts";
import type { Matrix } from "../../lib/trace/tap-summary.ts";
import { colourMaps, drawnRange, type ColourMap } from "./colour.ts";
import { paint } from "./heat-map.tsx";
import type { DrawnMap } from "./save-png.tsx";

type Range = readonly [number, number];

/** A matrix, a pixel per cell. */
export function drawnAs(matrix: Matrix, map: ColourMap, range: Range, unit: string): Omit<DrawnMap, "title"> {
  return { image: paint(matrix, map, range), map, range, unit };
}

/** A number per patch over an image. @param opacity of the numbers, 0 to 1 */
export function overImage(
  { width, height, rgb }: RgbImage,
  values: ArrayLike<number>,
  patches: readonly [number, number],
  range: Range,
  map: ColourMap,
  opacity: number,
): RgbImage {
  const raster = new Raster(width, height);
  raster.rgb.set(rgb);
  const [low, high] = drawnRange(range, map);
  const color = colourMaps[map];
  return overlay(enlargedToShow(raster), values, patches, { low, high }, { opacity, color });
}
